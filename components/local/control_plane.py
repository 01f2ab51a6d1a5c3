"""The processes of the local cloud as resources of the stack: ControlPlaneResource, and CloudFolder before it.

Creating the first starts the processes, deleting it stops them and removes what they wrote. Processes that do not run
are a difference to the state, so `pulumi up` starts them again.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import uuid4

import pulumi
from pulumi.dynamic import CheckFailure, CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from ..access.clients import GONE_FOR_GOOD
from ..access.dynamic_provider import Failure, Provider, RecordedInputs, deleting, differs
from ..guards.frozen_inputs import Rule, refusals
from ..settings.conventions import cloud_folder
from .local_clouds import LocalCloud, as_failure, find_cloud, processes_of, state_of_another_checkout

if TYPE_CHECKING:
    from localcloud.record.record import CloudRecord

_RULES: Mapping[str, Rule] = {"region": "never", "zone": "never"}


class CloudFolderArgs(TypedDict):
    """`cloud` names the folder below .lab/clouds."""

    cloud: str


class CloudFolderProvider(RecordedInputs):
    """Gives the folder a uid, and deletes a cloud that was created for this uid; usually none is left then."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["cloud"])

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuse a new cloud in another checkout's state, and another name while a cloud of the old name exists."""
        before, after = _olds.get("cloud", news["cloud"]), news["cloud"]
        if not _olds and (state := state_of_another_checkout()):
            return CheckResult(news, [CheckFailure("cloud", _not_here(state))])
        with as_failure():
            renamed = before != after and processes_of(before).record() is not None
        return CheckResult(news, [CheckFailure("cloud", _renamed(before, after))] if renamed else [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        return CreateResult(self.id_of(props), {"cloud": props["cloud"], "uid": uuid4().hex})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        return DiffResult(changes=bool(differs(_olds, {"cloud": _news["cloud"]}) or not _olds.get("uid")))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult({"cloud": _news["cloud"], "uid": _olds.get("uid") or uuid4().hex})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """End all processes in the folder and remove it, unless another stack's cloud is there."""
        with as_failure(), deleting():
            processes = processes_of(_props["cloud"])
            record = processes.record()
            if record is None or record.owner == (_props.get("uid") or ""):
                processes.delete()


class CloudFolder(Resource, module="storage-lab", name="CloudFolder"):
    """The folder of a local cloud, recorded before anything runs there. Its output `uid` is the cloud's owner.

    Pulumi records a resource after its creation. When a command is killed while the control plane starts, processes
    are left that no destroy would know of. The control plane depends on this, so it is recorded first and deleted last.
    """

    uid: pulumi.Output[str]

    def __init__(self, name: str, args: CloudFolderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CloudFolderProvider(), name, {**args, "uid": None}, opts)


class ControlPlaneArgs(TypedDict):
    """`cloud` names the folder below .lab/clouds, `owner` is its uid. The cloud reports `region` and `zone`.

    With `snapshots` it runs what makes snapshots of volumes. A state of version 0.1 has no such key, and no snapshots.
    """

    cloud: str
    owner: pulumi.Input[str]
    region: str
    zone: str
    snapshots: bool


class ControlPlaneProvider(Provider):
    """Drives localcloud.control_plane."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Give what an existing cloud reports as inputs, because an update does not change it.

        A preview knows of an update only its inputs. Without a kubeconfig it would replace all that is in the cluster.
        """
        with as_failure():
            record = processes_of(news["cloud"]).record() if _olds else None
        return CheckResult({**news, **(_outputs(record) if record else {})}, refusals(_olds, news, _RULES))

    def create(self, props: dict[str, Any]) -> CreateResult:
        with as_failure():
            record = processes_of(props["cloud"]).create(props["region"], props["owner"], snapshots=props["snapshots"])
            return CreateResult(record.name, {**_inputs(props), **_outputs(record)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Report a change where the cloud differs from the state or does not run.

        Raises Failure where the stack was renamed, and where the state means another cloud than this checkout's.
        """
        with as_failure():
            cloud = _existing(_olds)
            behind = cloud.processes.is_outdated() or cloud.processes.health()
            if cloud.name != _news["cloud"]:
                raise Failure(_renamed(cloud.name, _news["cloud"]))
            # A refresh compares with the inputs of the state, which may be of version 0.1.
            behind = behind or cloud.record.snapshots != _news.get("snapshots", False)
            changed = differs({"snapshots": False, **_olds}, {**_inputs(_news), **_outputs(cloud.record)})
            return DiffResult(changes=bool(changed or behind))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with as_failure():
            cloud = _existing(_olds)
            processes = cloud.processes
            processes.adopt(_news["owner"])
            snapshots = _news.get("snapshots", False)
            if cloud.record.snapshots != snapshots or processes.is_outdated() or processes.health():
                processes.start(snapshots=snapshots)
            return UpdateResult({**_inputs(_news), **_outputs(_existing(_olds).record)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Start a control plane that does not run: what Pulumi reads next needs it, and could not say why it fails.

        The stack forgets a cloud that was deleted, because everything in it was deleted as well. Raises Failure where
        the state means a cloud of another checkout.
        """
        with as_failure():
            cloud = find_cloud(props)
            if cloud is None:
                _forget(props["cloud"])
                return ReadResult("", {})
            # Where the user says that the cluster is gone for good, a cloud that cannot start is not an obstacle.
            if os.environ.get(GONE_FOR_GOOD) != "true":
                cloud.processes.ensure_running()
            return ReadResult(id_, {**_inputs(props), "cloud": cloud.name, **_outputs(cloud.record)})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with as_failure(), deleting():
            cloud = find_cloud(_props)
            if cloud is not None:
                cloud.processes.delete()


def _inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in ControlPlaneArgs.__annotations__ if key in props}


def _existing(olds: Mapping[str, Any]) -> LocalCloud:
    cloud = find_cloud(olds)
    if cloud is None:
        raise Failure(f"{_deleted(olds['cloud'])} Run pulumi up --refresh, which builds it again.")
    return cloud


def _forget(cloud: str) -> None:
    processes = processes_of(cloud)
    if processes.record() is None:
        processes.delete()  # processes without their data still answer, with the volumes of yesterday
    print(f"{_deleted(cloud)} The stack forgets what was in it; pulumi up builds it again, empty.", flush=True)


def _deleted(cloud: str) -> str:
    return f"The local cloud of this stack, {cloud_folder(cloud)}, was deleted, and its volumes with it."


def _not_here(state: Path) -> str:
    return (
        f"this shell was activated in another checkout, and works on its state in {state}. For the lab of this "
        "checkout: type . .lab/activate here, and run the command again. Nothing was touched."
    )


def _renamed(before: str, after: str) -> str:
    return (
        f"this stack was {before} when its local cloud was created, and {cloud_folder(before)} and its volumes keep "
        f"that name. Rename the stack back: pulumi stack rename --stack {after} {before}. For the new name, run pulumi "
        "destroy first, which deletes the volumes."
    )


def _outputs(record: "CloudRecord") -> dict[str, Any]:
    return {
        "cluster_id": record.cluster_id,
        "kubeconfig": Path(record.kubeconfig).read_text(),
        "api_endpoint": record.server,
        "ec2_endpoint": record.ec2_endpoint,
    }


class ControlPlaneResource(Resource, module="storage-lab", name="ControlPlane"):
    """A running local cloud: `kubeconfig` (YAML, starts the cloud, holds no key), endpoints, the cluster's id."""

    cluster_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    api_endpoint: pulumi.Output[str]
    ec2_endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("cluster_id", "kubeconfig", "api_endpoint", "ec2_endpoint"))
        super().__init__(ControlPlaneProvider(), name, {**args, **outputs}, opts)
