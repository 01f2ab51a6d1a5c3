"""The steps after `pulumi destroy`: nothing may be left in the stack, in EC2 and on this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.settings.conventions import (
    LAB_TAG,
    LOCAL_DRIVER_TAGS,
    cloud_folder,
    cluster_name,
    driver_tags,
    snapshot_tags,
)
from lab.errors import LabError
from lab.reading.ec2 import Ec2Reader
from lab.reading.objects import Thing, tags_of
from lab.reading.stack import Stack, resources_of
from lab.steps import Finding, Step, judged


@dataclass(frozen=True)
class DestroyReport:
    """What is left. `volumes` and `snapshots` are those with the stack's tag; None where no EC2 API answers, as is
    right on local. `folder` and `processes` are the local cloud's: its folder if it exists, and what still runs.
    """

    stack: str
    target: str
    resources: Sequence[str]
    volumes: Sequence[Thing] | None
    snapshots: Sequence[Thing] | None
    folder: Path | None = None
    processes: Sequence[str] = ()

    @property
    def names(self) -> Mapping[str, str]:
        """The names for a step's command."""
        return {"stack": self.stack}


def report_destroy(stack: Stack) -> DestroyReport:
    """Look everywhere where the lab was. Raises LabError where the stack or, on AWS, EC2 cannot be asked."""
    resources = resources_of(stack)
    if stack.settings.target != "local":
        ec2, name = Ec2Reader.of(stack), stack.cluster_name
        volumes = ec2.tagged({LAB_TAG: name}, driver_tags(name))
        snapshots = ec2.tagged_snapshots({LAB_TAG: name}, snapshot_tags(name))
        return DestroyReport(stack.name, stack.settings.target, resources, volumes, snapshots)
    from localcloud.machine import processes

    running = sorted(one.component for one in processes.find(stack.cloud.resolve()) if one.alive)
    folder = stack.cloud if stack.cloud.exists() else None
    return DestroyReport(stack.name, "local", resources, *_in_local_ec2(stack), folder, running)


def _in_local_ec2(stack: Stack) -> tuple[Sequence[Thing] | None, Sequence[Thing] | None]:
    """Return volumes and snapshots; None where no EC2 API answers at the port that the cloud's folder names.

    Asking starts nothing.
    """
    from localcloud.errors import LocalCloudError
    from localcloud.record import record

    try:
        written = record.read(stack.cloud)
        if written is None:
            return None, None
        ec2 = Ec2Reader.at(written.region, written.ec2_endpoint)
        return ec2.tagged(LOCAL_DRIVER_TAGS), ec2.tagged_snapshots(LOCAL_DRIVER_TAGS)
    except (LocalCloudError, LabError):
        return None, None


def _after_destroy(left: DestroyReport, hint: str) -> str:
    """Return the hint, or `pulumi destroy` first: it fails if its resources are deleted by hand before."""
    return f"first pulumi destroy --stack {left.stack}" if left.resources else hint


def stack_empty(left: DestroyReport) -> Finding:
    """Judge whether the state holds no resource."""
    shown = ", ".join(left.resources[:5]) + (" and others" if len(left.resources) > 5 else "")
    return judged(
        f"{len(left.resources)} resources in the state: {shown}" if left.resources else "no resource in the state",
        (not left.resources, f"run pulumi destroy --stack {left.stack}; if it stops, it names what holds it up"),
    )


def no_volume(left: DestroyReport) -> Finding:
    """Judge whether EC2 has no volume of the stack."""
    return _nothing_in_ec2(left, "volume", "VolumeId", left.volumes)


def no_snapshot(left: DestroyReport) -> Finding:
    """Judge whether EC2 has no snapshot of the stack."""
    return _nothing_in_ec2(left, "snapshot", "SnapshotId", left.snapshots)


def _nothing_in_ec2(left: DestroyReport, what: str, id_: str, found: Sequence[Thing] | None) -> Finding:
    if found is None:
        return judged(
            f"no EC2 API answers on this machine any more, and {what}s exist nowhere else",
            (left.folder is None, f"but what it had saved is still in {left.folder}: see the step about the folder"),
        )
    described = [f"{one[id_]} ({tags_of(one).get('Name', 'no name')}, {one['State']})" for one in found]
    commands = "; ".join(f"aws ec2 delete-{what} --{what}-id {one[id_]}" for one in found)
    return judged(
        f"still there: {', '.join(described)}" if described else f"no {what} has the stack's tag",
        (
            not described,
            _after_destroy(left, f"each costs until it is deleted. If nobody wants its data: {commands}"),
        ),
    )


def no_process(left: DestroyReport) -> Finding:
    """Judge whether no process of the local cloud runs."""
    return judged(
        f"still running: {', '.join(left.processes)}" if left.processes else "no process of the local cloud runs",
        (
            not left.processes,
            _after_destroy(left, f"python -m localcloud delete {cloud_folder(left.stack)} ends them"),
        ),
    )


def no_folder(left: DestroyReport) -> Finding:
    """Judge whether the local cloud's folder was deleted."""
    return judged(
        f"{left.folder} still exists" if left.folder else "the local cloud's folder was deleted",
        (
            left.folder is None,
            _after_destroy(left, f"python -m localcloud delete {cloud_folder(left.stack)} removes it"),
        ),
    )


STEPS: Sequence[Step[DestroyReport]] = (
    Step("stack-empty", "The stack holds nothing", "pulumi stack --stack {stack}", stack_empty),
    Step(
        "no-volume",
        "No EBS volume is left",
        f"aws ec2 describe-volumes --filters Name=tag:{LAB_TAG},Values={cluster_name('{stack}')}",
        no_volume,
    ),
    Step(
        "no-snapshot",
        "No EBS snapshot is left",
        f"aws ec2 describe-snapshots --owner-ids self --filters Name=tag:{LAB_TAG},Values={cluster_name('{stack}')}",
        no_snapshot,
    ),
)
LOCAL_STEPS: Sequence[Step[DestroyReport]] = (
    Step("no-process", "No process is left", f"python -m localcloud status {cloud_folder('{stack}')}", no_process),
    Step("no-folder", "No file is left", f"ls {cloud_folder('')}", no_folder),
)


def steps_for(target: str) -> Sequence[Step[DestroyReport]]:
    """Return the steps of a target, in their order."""
    return (*STEPS, *LOCAL_STEPS) if target == "local" else STEPS
