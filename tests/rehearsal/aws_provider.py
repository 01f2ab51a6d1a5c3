"""A stand-in for the provider plugin pulumi-resource-aws: the engine's protocol on one side, boto3 on the other.

Reads, differences, names and default tags are worked out as pulumi-aws does; what each type means is in
`aws_network.py`, `aws_roles.py` and `aws_eks.py`. It is found on PATH for the length of a rehearsal only.
"""

import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import boto3
import grpc
from botocore.config import Config
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.rehearsal.aws_eks import EKS
from tests.rehearsal.aws_kind import Kind, Props
from tests.rehearsal.aws_network import NETWORK
from tests.rehearsal.aws_roles import ROLES
from tools.dynamic_host import end_with_engine

KINDS = NETWORK | ROLES | EKS


def _props(struct: struct_pb2.Struct) -> Props:
    """Return plain values. Secrets do not come here, because Configure declines them."""
    return _without_nulls(json_format.MessageToDict(struct))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value


def _struct(props: Props) -> struct_pb2.Struct:
    return json_format.ParseDict(props, struct_pb2.Struct())


class AwsProvider(provider_pb2_grpc.ResourceProviderServicer):
    """One configured provider: a region and its default tags."""

    def __init__(self) -> None:
        self._region = ""
        self._default_tags: dict[str, str] = {}
        self._client_lock = threading.Lock()

    def _aws(self, service: str) -> Any:
        with self._client_lock:
            return client(service, self._region)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="7.51.1")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        changed = _props(request.old_inputs) != _props(request.news)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        )

    def Configure(self, request: Any, context: Any) -> Any:
        given = _props(request.args)
        self._region = given.get("region", "")
        tags = given.get("defaultTags", "{}")
        self._default_tags = (json.loads(tags) if isinstance(tags, str) else tags).get("tags", {})
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Check(self, request: Any, context: Any) -> Any:
        token, name = request.urn.split("::")[2].rpartition("$")[2], request.urn.split("::")[3]
        kind = _kind(token, context)
        news, olds = _props(request.news), _props(request.olds)
        unknown = news.keys() - kind.inputs - {"__defaults"}
        if unknown:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"{token} {name}: the rehearsal does not play {sorted(unknown)}"
            )
        if kind.named and kind.named not in news:
            news[kind.named] = olds.get(kind.named) or f"{name}-{request.randomSeed.hex()[:7]}"
            news["__defaults"] = [kind.named]
        return provider_pb2.CheckResponse(inputs=_struct(news))

    def Diff(self, request: Any, context: Any) -> Any:
        kind = _kind(_token(request.urn), context)
        state, given = _props(request.olds), _props(request.old_inputs).keys() | _props(request.news).keys()
        planned = kind.planned(state, _props(request.news))
        changed = {key for key in given if state.get(key) != planned.get(key)} - {"__defaults"}
        unplayed = changed - kind.replaces - ({*kind.inputs} if kind.update else set())
        if unplayed:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"{request.urn}: the rehearsal does not play a change of {unplayed}"
            )
        response = provider_pb2.DiffResponse
        return response(
            changes=response.DIFF_SOME if changed else response.DIFF_NONE,
            replaces=sorted(changed & kind.replaces),
            diffs=sorted(changed),
        )

    def Create(self, request: Any, context: Any) -> Any:
        kind, props = _kind(_token(request.urn), context), self._with_tags(_props(request.properties))
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(props))
        id_ = _carried(context, lambda: kind.create(self._aws, props))
        return provider_pb2.CreateResponse(id=id_, properties=_struct(props | self._seen(kind, id_, props)))

    def Read(self, request: Any, context: Any) -> Any:
        kind, props = _kind(_token(request.urn), context), _props(request.properties)
        seen = _carried(context, lambda: kind.read(self._aws, request.id, props))
        if seen is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, properties=_struct(props | seen), inputs=request.inputs)

    def Update(self, request: Any, context: Any) -> Any:
        kind, state = _kind(_token(request.urn), context), _props(request.olds)
        props = self._with_tags(kind.planned(state, _props(request.news)))
        if request.preview:  # what AWS computed and the plan does not change stays known, such as a cluster's endpoint
            return provider_pb2.UpdateResponse(properties=_struct(state | props))
        assert kind.update is not None, "Diff refuses what cannot be updated"
        _carried(context, lambda: kind.update and kind.update(self._aws, request.id, state, props))
        return provider_pb2.UpdateResponse(properties=_struct(props | self._seen(kind, request.id, props)))

    def Delete(self, request: Any, context: Any) -> Any:
        kind, props = _kind(_token(request.urn), context), _props(request.properties)
        _carried(context, lambda: kind.delete(self._aws, request.id, props))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        given = _props(request.args)
        match request.tok:
            case "aws:index/getPartition:getPartition":
                answer: Props = {
                    "partition": "aws",
                    "dnsSuffix": "amazonaws.com",
                    "id": "aws",
                    "reverseDnsPrefix": "com.amazonaws",
                }
            case "aws:eks/getAddonVersion:getAddonVersion":
                answer = given | {"version": self._addon_version(given), "id": given["addonName"]}
            case other:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the rehearsal does not play {other}")
        return provider_pb2.InvokeResponse(**{"return": _struct(answer)})

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def _with_tags(self, props: Props) -> Props:
        return props | {"tagsAll": self._default_tags | props.get("tags", {})}

    def _seen(self, kind: Kind, id_: str, props: Props) -> Props:
        seen = kind.read(self._aws, id_, props)
        if seen is None:
            raise RuntimeError(f"{id_} does not exist right after its create")
        return seen

    def _addon_version(self, given: Props) -> str:
        """Return the first, and so the most recent, version for the cluster's version, or AWS's default one."""
        addon, kubernetes = given["addonName"], given["kubernetesVersion"]
        answer = self._aws("eks").describe_addon_versions(addonName=addon, kubernetesVersion=kubernetes)
        return next(
            version["addonVersion"]
            for described in answer["addons"]
            for version in described["addonVersions"]
            for fits in version["compatibilities"]
            if described["addonName"] == addon and fits["clusterVersion"] == kubernetes
            if given.get("mostRecent") or fits["defaultVersion"]
        )


@cache
def client(service: str, region: str) -> Any:
    """Return a client with credentials and endpoint from the environment, as the real provider takes them."""
    return boto3.Session().client(
        service, region_name=region, config=Config(proxies={}, retries={"total_max_attempts": 1})
    )


def _token(urn: str) -> str:
    return urn.split("::")[2].rpartition("$")[2]


def _kind(token: str, context: Any) -> Kind:
    if token not in KINDS:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the rehearsal does not play {token}")
    return KINDS[token]


def _carried(context: Any, call: Any) -> Any:
    """Return the result of a call to AWS; its error becomes the error of the resource."""
    try:
        return call()
    except Exception as error:
        context.abort(grpc.StatusCode.UNKNOWN, str(error))


def main() -> None:
    end_with_engine()
    server = grpc.server(ThreadPoolExecutor(32))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(AwsProvider(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
