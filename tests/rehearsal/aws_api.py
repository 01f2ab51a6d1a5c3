"""The AWS API of the rehearsal: MiniStack on the loopback interface, with what it lacks, and a record of every call.

    python -m tests.rehearsal.aws_api --port 4566 --folder DIR --tools DIR

Each call is appended to DIR/calls.jsonl as {"who", "call", "status"}: `who` is the access key it was signed with and
`call` the IAM action it needs. The updates of EKS and its versions of add-ons are answered here, in the state of
MiniStack, because MiniStack has no route for them.
"""

import argparse
import asyncio
import json
import os
import re
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from botocore.session import Session

from localcloud import ec2_emulator as ec2_api
from tests.rehearsal.aws_behaviour import AWS_ITSELF, AwsBehaviour, Refused
from tests.rehearsal.signatures import is_authentic

SERVICES = "ec2,eks,iam,sts"
# Of each add-on that the program or pulumi-eks asks for, a version for each Kubernetes version. Invented numbers, the
# real form: the rehearsal only needs them to exist and to differ.
ADDONS = ("kube-proxy", "vpc-cni", "coredns", "eks-pod-identity-agent", "aws-ebs-csi-driver", "snapshot-controller")

# Seconds. AWS needs some to detach a volume, and a driver that is ended meanwhile does not delete it.
TAKES_TIME = {"ec2:DetachVolume": 1.5}

Call = dict[str, Any]


def addon_version(kubernetes_version: str, build: int = 1) -> str:
    """Return a version of an add-on; build 1 is AWS's default, and build 2 the most recent one."""
    return f"v{kubernetes_version}.0-eksbuild.{build}"


@cache
def _eks_routes() -> list[tuple[str, re.Pattern[str], str]]:
    """Return method, path and name of every operation of EKS, longest path first, from botocore's model."""
    session: Any = Session()
    model = session.get_service_model("eks")
    routes = [(model.operation_model(name).http, name) for name in model.operation_names]
    routes.sort(key=lambda route: -len(route[0]["requestUri"]))
    return [
        (http["method"], re.compile(re.sub(r"\{\w+\+?\}", "[^/]+", http["requestUri"].split("?")[0])), name)
        for http, name in routes
    ]


def signed_by(headers: dict[str, str]) -> tuple[str, str]:
    """Return the access key and the service that a request was signed with, or two empty strings."""
    found = re.search(r"Credential=([^/]+)/\d+/[^/]+/(\w+)/", headers.get("authorization", ""))
    return (found[1], found[2]) if found else ("", "")


def action(service: str, method: str, path: str, body: bytes) -> str:
    """Return the IAM action of a request, for example ec2:CreateVpc."""
    if service == "eks":
        names = (name for verb, pattern, name in _eks_routes() if verb == method and pattern.fullmatch(path))
        return f"eks:{next(names, f'{method} {path}')}"
    return f"{service}:{parse_qs(body.decode()).get('Action', ['?'])[0]}"


class MissingRoutes:
    """The operations of EKS that MiniStack lacks: updates, and the versions of an add-on."""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Call] | None:
        """Return status and body of the answer, or None where MiniStack answers."""
        from ministack.services import eks

        words = path.strip("/").split("/")
        given: Call = json.loads(body) if body else {}
        match (method, *words):
            case ("GET", "addons", "supported-versions"):
                return 200, {"addons": [_addon(name) for name in ADDONS]}
            case ("GET", "clusters", _, "updates", _):
                return 200, {"update": _update("VersionUpdate")}
            case ("POST", "clusters", name, "updates"):
                eks._clusters[name]["version"] = given["version"]
                return 200, {"update": _update("VersionUpdate")}
            case ("POST", "clusters", name, "update-config"):
                eks._clusters[name]["resourcesVpcConfig"].update(given.get("resourcesVpcConfig", {}))
                return 200, {"update": _update("EndpointAccessUpdate")}
            case ("POST", "clusters", name, "node-groups", group, "update-version"):
                eks._nodegroups[f"{name}/{group}"]["version"] = given["version"]
                return 200, {"update": _update("VersionUpdate")}
            case ("POST", "clusters", name, "node-groups", group, "update-config"):
                eks._nodegroups[f"{name}/{group}"]["scalingConfig"] = given["scalingConfig"]
                return 200, {"update": _update("ConfigUpdate")}
        return None


def _update(kind: str) -> Call:
    return {"id": str(uuid.uuid4()), "status": "Successful", "type": kind, "createdAt": time.time()}


def _addon(name: str) -> Call:
    versions = [
        {
            "addonVersion": addon_version(kubernetes, build),
            "compatibilities": [{"clusterVersion": kubernetes, "defaultVersion": build == 1}],
        }
        for kubernetes in ("1.34", "1.35", "1.36", "1.37")
        for build in (2, 1)
    ]
    return {"addonName": name, "addonVersions": versions}


class Rehearsed:
    """ASGI middleware: MiniStack with its missing routes, AWS's behaviour around it, and every call written down."""

    def __init__(self, application: Callable[..., Awaitable[None]], calls: Path, behaviour: AwsBehaviour) -> None:
        self._application, self._calls, self._behaviour = application, calls, behaviour
        self._missing = MissingRoutes()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        body = await _read(receive)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        who, service = signed_by(headers)
        called = action(service, scope["method"], scope["path"], body)
        if is_authentic(scope, headers, body):
            answer = await self._answer(who, service, called, scope, body)
        else:
            answer = Answer.refusal(
                service, Refused("AuthFailure", "the request is not signed with a key of the rehearsal")
            )
        with self._calls.open("a") as log:
            log.write(json.dumps({"who": who, "call": called, "status": answer.status}) + "\n")
        await answer.send(send)

    async def _answer(self, who: str, service: str, called: str, scope: Any, body: bytes) -> "Answer":
        words, given = scope["path"].strip("/").split("/"), arguments(service, body)
        by_user = who != AWS_ITSELF
        if by_user:
            await asyncio.sleep(TAKES_TIME.get(called, 0))
            try:
                await asyncio.to_thread(self._behaviour.before, called, words, given)
            except Refused as refusal:
                return Answer.refusal(service, refusal)
        missing = self._missing.answer(scope["method"], scope["path"], body) if service == "eks" else None
        answer = Answer.of(*missing) if missing else await Answer.from_application(self._application, scope, body)
        if by_user and answer.status < 300 and not re.match(r"\w+:(Describe|Get|List)", called):
            await asyncio.to_thread(self._behaviour.after, called, words, given)
        return answer


def arguments(service: str, body: bytes) -> Call:
    """Return the arguments of a request: JSON of EKS, flat names and values of the other services."""
    if service == "eks":
        return json.loads(body) if body else {}
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


@dataclass
class Answer:
    """One HTTP answer, sent only after what follows from the call has been started."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    @classmethod
    def of(cls, status: int, body: Call) -> "Answer":
        return cls(status, [(b"content-type", b"application/json")], json.dumps(body).encode())

    @classmethod
    def refusal(cls, service: str, refused: Refused) -> "Answer":
        """Return the refusal in the form that botocore expects of the service."""
        if service == "eks":
            answer = cls.of(400, {"message": str(refused)})
            answer.headers.append((b"x-amzn-errortype", refused.code.encode()))
            return answer
        error = f"<Error><Code>{refused.code}</Code><Message>{refused}</Message></Error>"
        return cls(400, [(b"content-type", b"text/xml")], f"<Response><Errors>{error}</Errors></Response>".encode())

    @classmethod
    async def from_application(cls, application: Any, scope: Any, body: bytes) -> "Answer":
        answer = cls(500, [], b"")

        async def collect(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message.get("headers", []))
            answer.body += message.get("body", b"")

        await application(scope, _replay(body), collect)
        return answer

    async def send(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def _read(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def _replay(body: bytes) -> Callable[[], Awaitable[Any]]:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--tools", type=Path, required=True, help="folder of kwokctl, etcd and the others")
    options = parser.parse_args()
    state = options.folder / "state"
    state.mkdir(parents=True, exist_ok=True)
    ec2_api.configure(options.port, state, SERVICES, "us-east-1")
    os.environ["MINISTACK_AUTOCREATE_AWS_MANAGED"] = "1"  # the stand-in of pulumi-aws knows which policies there are

    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.services import eks

    config = Config()
    config.bind = [f"127.0.0.1:{options.port}"]
    config.graceful_timeout = 1
    # A client that reuses a connection must not find it closed: the stand-in for pulumi-aws does not repeat a call.
    config.keep_alive_timeout = 3600
    config.loglevel = "WARNING"
    behaviour = AwsBehaviour(options.folder, f"http://127.0.0.1:{options.port}", options.tools, eks)
    try:
        application = ec2_api.application(state, behaviour.kubernetes.volumes, options.folder / "snapshots")
        asyncio.run(serve(Rehearsed(application, options.folder / "calls.jsonl", behaviour), config))
    finally:
        behaviour.end()


if __name__ == "__main__":
    main()
