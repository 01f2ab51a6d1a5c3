"""Ec2Instance: the instance behind a node of the local cloud, to which EC2 attaches volumes."""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, TypedDict, cast
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener
from xml.etree import ElementTree

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from ..access.clients import ClusterClient, Unreachable, local_ec2_key
from ..access.cluster_access import Ec2Access
from ..access.dynamic_provider import Failure, Provider, deleting, differs, inputs_of, without_traceback
from .local_clouds import serves

# The emulator runs nothing, so it boots from nothing: any id of the right form will do, and any type.
_IMAGE_ID = "ami-00000000000000000"
_INSTANCE_TYPE = "t3.medium"
_ALIVE = ("pending", "running")
# This tag finds an instance whose creation was interrupted.
_NODE_TAG = "storage-lab-node"


class Ec2InstanceArgs(TypedDict):
    """How to reach the emulator; the name of the Kubernetes Node, and its zone."""

    ec2: Ec2Access
    node: str
    zone: str


class Ec2InstanceProvider(Provider):
    """Runs and terminates one instance for each node name. The resource's id is the instance's."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        with without_traceback():
            return CreateResult(_ensure(props), inputs_of(props))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Replace an instance that does not exist any more, or that belongs to another node or zone.

        The new endpoint is asked, because a cloud that was created again has none of the old instances. While the EC2
        API does not answer, the instance is taken to exist: the control plane's own diff shows that it is down.
        """
        changed = differs(_olds, _news)
        replaces = [key for key in ("node", "zone") if key in changed]
        if not replaces and not _is_alive(_news, _id, unknown=True):
            replaces = ["node"]
        return DiffResult(changes=bool(changed or replaces), replaces=replaces)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(inputs_of(_news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        return ReadResult(id_ if _is_alive(props, id_, unknown=False) else "", inputs_of(props))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        def end(ec2: Any) -> None:
            _terminate(ec2, _id)
            _detach_all(ec2, _id)

        with deleting():
            try:
                ClusterClient(ec2=_props["ec2"]).ask_ec2(end, if_gone=None)
            except Unreachable as error:
                if not serves(_props["ec2"]["endpoint_url"]):
                    return  # the instance was deleted with its cloud
                raise Failure(f"the instance {_id} of node {_props['node']} cannot be terminated: {error}") from error


def _terminate(ec2: Any, instance_id: str) -> None:
    from botocore.exceptions import ClientError

    try:
        ec2.terminate_instances(InstanceIds=[instance_id])
    except ClientError as error:
        if not _is_not_found(error):
            raise


def _detach_all(ec2: Any, instance_id: str) -> None:
    """What EC2 does when an instance ends and the emulator does not: a volume left attached could never be deleted."""
    filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    for volume in ec2.describe_volumes(Filters=filters)["Volumes"]:
        ec2.detach_volume(VolumeId=volume["VolumeId"], InstanceId=instance_id)


def _ensure(props: dict[str, Any]) -> str:
    """Return the id of the node's instance, which is started if it does not exist."""
    tags = [{"Key": _NODE_TAG, "Value": props["node"]}, {"Key": "Name", "Value": props["node"]}]
    filters = [
        {"Name": f"tag:{_NODE_TAG}", "Values": [props["node"]]},
        {"Name": "instance-state-name", "Values": list(_ALIVE)},
    ]

    def find_or_run(ec2: Any) -> str:
        begun = ec2.describe_instances(Filters=filters)["Reservations"] or [
            ec2.run_instances(
                SubnetId=_subnet(ec2, props["zone"]),
                ImageId=_IMAGE_ID,
                InstanceType=_INSTANCE_TYPE,
                MinCount=1,
                MaxCount=1,
                TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
            )
        ]
        return cast(str, begun[0]["Instances"][0]["InstanceId"])

    try:
        return ClusterClient(ec2=props["ec2"]).ask_ec2(find_or_run, if_gone="")
    except Unreachable as error:
        raise Failure(f"no instance could be started for node {props['node']}: {error}") from error


def _subnet(ec2: Any, zone: str) -> str:
    """Return the default subnet of the zone: the emulator ignores a request for a zone."""
    filters = [{"Name": "availability-zone", "Values": [zone]}, {"Name": "default-for-az", "Values": ["true"]}]
    return cast(str, ec2.describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"])


def _is_alive(props: dict[str, Any], instance_id: str, unknown: bool) -> bool:
    """Return whether the instance exists and is not terminated; `unknown` where the EC2 API does not answer.

    Asked at every `pulumi up` for every node, so without the AWS SDK: that takes half a second to get ready for a
    question that the emulator answers in five milliseconds.
    """
    from localcloud.sigv4 import signed_headers

    access = props["ec2"]
    endpoint: object = cast(Mapping[str, object], access)["endpoint_url"] if isinstance(access, Mapping) else None
    if not isinstance(endpoint, str):  # a cloud that Pulumi is going to create
        return unknown
    question = urlencode({"Action": "DescribeInstances", "Version": "2016-11-15", "InstanceId.1": instance_id}).encode()
    host = urlsplit(endpoint).netloc
    headers = signed_headers(local_ec2_key(endpoint), props["ec2"]["region"], host, question)
    try:
        try:
            with build_opener(ProxyHandler({})).open(Request(endpoint, question, headers), timeout=5) as answer:
                state = ElementTree.parse(answer).find(".//{*}instanceState/{*}name")
        except HTTPError as error:  # a refusal is not an answer: this checkout may not have the key of another's cloud
            return not _is_not_found(error.read())
        return state is not None and state.text in _ALIVE
    except (OSError, HTTPException, ElementTree.ParseError):  # away, or it ended in the middle of its answer
        return unknown


def _is_not_found(error: object) -> bool:
    return "InvalidInstanceID.NotFound" in str(error)


class Ec2Instance(Resource, module="storage-lab", name="Ec2Instance"):
    """An instance in the EC2 emulator; its `id` is what a CSINode and a Node's providerID carry."""

    def __init__(self, name: str, args: Ec2InstanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(Ec2InstanceProvider(), name, dict(args), opts)
