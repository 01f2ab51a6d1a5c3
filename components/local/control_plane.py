"""ControlPlane: the processes of the local cloud, as a resource of the stack.

Creating it starts them, deleting it stops them and removes what they wrote. A control plane that is down differs from
its state, so that `pulumi up` brings it back.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from ..access.clients import GONE_FOR_GOOD
from ..access.dynamic_provider import Failure, Provider, differs
from ..guards.frozen_inputs import Rule, refusals
from .local_processes import explained, folder_of, processes_of

if TYPE_CHECKING:
    from localcloud.record.record import CloudRecord


_RULES: Mapping[str, Rule] = {"region": "never", "zone": "never"}


class ControlPlaneArgs(TypedDict):
    """`cloud` names the folder below .lab/clouds; `region` and `zone` are where it says that it is."""

    cloud: str
    region: str
    zone: str


def _outputs(record: "CloudRecord") -> dict[str, Any]:
    return {
        "cluster_id": record.cluster_id,
        "kubeconfig": Path(record.kubeconfig).read_text(),
        "api_endpoint": record.server,
        "ec2_endpoint": record.ec2_endpoint,
    }


class ControlPlaneProvider(Provider):
    """Drives localcloud.control_plane."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, refusals(_olds, news, _RULES))

    def create(self, props: dict[str, Any]) -> CreateResult:
        with explained():
            record = processes_of(props["cloud"]).create(props["region"])
            return CreateResult(record.name, {**_inputs(props), **_outputs(record)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Changed where it is not what the state says, or does not run. Raises Failure where it is another one."""
        with explained():
            processes = processes_of(_olds["cloud"])
            record = processes.record()
            if record is None or record.cluster_id != _olds["cluster_id"]:
                raise _lost(_olds)
            changed = differs(_olds, {**_inputs(_news), **_outputs(record)})
            return DiffResult(changes=bool(changed or processes.health()))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with explained():
            processes = processes_of(_olds["cloud"])
            processes.ensure_running()
            record = processes.record()
            if record is None:
                raise _lost(_olds)
            return UpdateResult({**_inputs(_news), **_outputs(record)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """A control plane that is down is started: what is read after it needs it, and could not say why it fails.
        One that is another, or whose data is gone, raises Failure, or is forgotten where the user says that it is gone
        for good."""
        gone_for_good = os.environ.get(GONE_FOR_GOOD) == "true"
        with explained():
            processes = processes_of(props["cloud"])
            record = processes.record()
            if record is None or record.cluster_id != props["cluster_id"]:
                if not gone_for_good:
                    raise _lost(props)
                if record is None:
                    processes.delete()  # what lives on without its data still answers, for volumes of yesterday
                return ReadResult("", {})
            if not gone_for_good:
                processes.ensure_running()
            return ReadResult(id_, {**_inputs(props), **_outputs(record)})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with explained():
            processes_of(_props["cloud"]).delete()


def _inputs(props: dict[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in ControlPlaneArgs.__annotations__}


def _lost(olds: dict[str, Any]) -> Failure:
    return Failure(
        f"the local cloud in {folder_of(olds['cloud'])} is not the one that this stack knows "
        f"({olds['cluster_id']}): its data is gone. Run {GONE_FOR_GOOD}=true pulumi up, which makes the stack forget "
        f"what went with it and builds the lab anew, or {GONE_FOR_GOOD}=true pulumi destroy."
    )


class ControlPlane(Resource, module="storage-lab", name="ControlPlane"):
    """A running local cloud: `kubeconfig` (YAML, revives the cloud, holds no key), endpoints, the cluster's id."""

    cluster_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    api_endpoint: pulumi.Output[str]
    ec2_endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("cluster_id", "kubeconfig", "api_endpoint", "ec2_endpoint"))
        super().__init__(ControlPlaneProvider(), name, {**args, **outputs}, opts)
