"""The processes of the local cloud as resources of the stack: ControlPlaneResource, and CloudFolder before it.

Creating the first starts the processes, deleting it stops them and removes what they wrote. Processes that do not run
are a difference to the state, so `pulumi up` starts them again.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult

from ..access.clients import GONE_FOR_GOOD
from ..access.dynamic_provider import Failure, Provider, RecordedInputs, differs, without_traceback
from ..guards.frozen_inputs import Rule, refusals
from ..settings.conventions import cloud_folder

# localcloud is imported where it is used: the program, which imports the providers too, never starts anything.
if TYPE_CHECKING:
    from localcloud.control_plane import ControlPlane
    from localcloud.record.record import CloudRecord

_ROOT = Path(__file__).resolve().parents[2]
_RULES: Mapping[str, Rule] = {"region": "never", "zone": "never"}


def processes_of(cloud: str) -> "ControlPlane":
    """Return the local cloud of this name, whether it exists or not. It prints its progress."""
    from localcloud.control_plane import ControlPlane

    return ControlPlane(_folder_of(cloud), tools=_ROOT / ".lab" / "bin", tell=lambda line: print(line, flush=True))


def _folder_of(cloud: str) -> Path:
    return _ROOT / cloud_folder(cloud)


@contextmanager
def as_failure() -> Generator[None]:
    """Turn a LocalCloudError that leaves the block into a Failure."""
    from localcloud.errors import LocalCloudError

    with without_traceback():
        try:
            yield
        except LocalCloudError as error:
            raise Failure(str(error)) from error


class CloudFolderArgs(TypedDict):
    """`cloud` names the folder below .lab/clouds."""

    cloud: str


class CloudFolderProvider(RecordedInputs):
    """Its delete ends all processes in the folder and removes it; usually the control plane's delete has done so."""

    def id_of(self, props: Mapping[str, Any]) -> str:
        return str(props["cloud"])

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with as_failure():
            processes_of(_props["cloud"]).delete()


class CloudFolder(Resource, module="storage-lab", name="CloudFolder"):
    """The folder of a local cloud, recorded before anything runs there.

    Pulumi records a resource after its creation. When a command is killed while the control plane starts, processes
    are left that no destroy would know of. The control plane depends on this, so it is recorded first and deleted last.
    """

    def __init__(self, name: str, args: CloudFolderArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(CloudFolderProvider(), name, dict(args), opts)


class ControlPlaneArgs(TypedDict):
    """`cloud` names the folder below .lab/clouds; `region` and `zone` are the location that the cloud reports."""

    cloud: str
    region: str
    zone: str


class ControlPlaneProvider(Provider):
    """Drives localcloud.control_plane."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        return CheckResult(news, refusals(_olds, news, _RULES))

    def create(self, props: dict[str, Any]) -> CreateResult:
        with as_failure():
            record = processes_of(props["cloud"]).create(props["region"])
            return CreateResult(record.name, {**_inputs(props), **_outputs(record)})

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Report a change where the cloud differs from the state or does not run.

        Raises Failure where the folder holds another cloud, or none.
        """
        with as_failure():
            processes = processes_of(_olds["cloud"])
            record = processes.record()
            if record is None or record.cluster_id != _olds["cluster_id"]:
                raise _lost(_olds)
            changed = differs(_olds, {**_inputs(_news), **_outputs(record)})
            return DiffResult(changes=bool(changed or processes.health()))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        with as_failure():
            processes = processes_of(_olds["cloud"])
            processes.ensure_running()
            record = processes.record()
            if record is None:
                raise _lost(_olds)
            return UpdateResult({**_inputs(_news), **_outputs(record)})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Start a control plane that does not run: what Pulumi reads next needs it, and could not say why it fails.

        Raises Failure where the folder holds another cloud, or none. With GONE_FOR_GOOD the stack forgets it instead.
        """
        gone_for_good = os.environ.get(GONE_FOR_GOOD) == "true"
        with as_failure():
            processes = processes_of(props["cloud"])
            record = processes.record()
            if record is None or record.cluster_id != props["cluster_id"]:
                if not gone_for_good:
                    raise _lost(props)
                if record is None:
                    processes.delete()  # processes without their data still answer, with the volumes of yesterday
                return ReadResult("", {})
            if not gone_for_good:
                processes.ensure_running()
            return ReadResult(id_, {**_inputs(props), **_outputs(record)})

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        with as_failure():
            processes_of(_props["cloud"]).delete()


def _inputs(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in ControlPlaneArgs.__annotations__}


def _outputs(record: "CloudRecord") -> dict[str, Any]:
    return {
        "cluster_id": record.cluster_id,
        "kubeconfig": Path(record.kubeconfig).read_text(),
        "api_endpoint": record.server,
        "ec2_endpoint": record.ec2_endpoint,
    }


def _lost(olds: Mapping[str, Any]) -> Failure:
    return Failure(
        f"the local cloud in {_folder_of(olds['cloud'])} is not the one that this stack created "
        f"({olds['cluster_id']}): its data was deleted. Run {GONE_FOR_GOOD}=true pulumi up, which makes the stack "
        f"forget what was in it and builds the lab again, or {GONE_FOR_GOOD}=true pulumi destroy."
    )


class ControlPlaneResource(Resource, module="storage-lab", name="ControlPlane"):
    """A running local cloud: `kubeconfig` (YAML, starts the cloud, holds no key), endpoints, the cluster's id."""

    cluster_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    api_endpoint: pulumi.Output[str]
    ec2_endpoint: pulumi.Output[str]

    def __init__(self, name: str, args: ControlPlaneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        outputs = dict.fromkeys(("cluster_id", "kubeconfig", "api_endpoint", "ec2_endpoint"))
        super().__init__(ControlPlaneProvider(), name, {**args, **outputs}, opts)
