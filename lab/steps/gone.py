"""After `pulumi destroy`: whether anything is left, in the stack, in EC2 and on this machine."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.settings.conventions import LAB_TAG, cloud_folder, cluster_name
from lab.errors import CannotLook
from lab.reading.objects import tags_of
from lab.reading.snapshot import InEc2, Thing
from lab.reading.stack import Stack, resources_of
from lab.steps.finding import Finding, judged


@dataclass(frozen=True)
class Remains:
    """What was found. `volumes` are those with the stack's tag, None where no EC2 API answers, which is right on the
    local target only. `folder` and `processes` are the local cloud's: its folder if it exists, and what still runs."""

    stack: str
    target: str
    resources: Sequence[str]
    volumes: Sequence[Thing] | None
    folder: Path | None = None
    processes: Sequence[str] = ()


@dataclass(frozen=True)
class GoneStep:
    """As `finding.Step`, about remains. `local` is None for a step of both targets."""

    key: str
    says: str
    typed: str
    look: Callable[[Remains], Finding]
    local: bool | None = None


def gather_remains(stack: Stack) -> Remains:
    """Looks everywhere where the lab was. Raises CannotLook where the stack or, on AWS, EC2 cannot be asked."""
    resources = resources_of(stack)
    if stack.settings.target != "local":
        volumes = InEc2.of(stack).tagged(LAB_TAG, stack.cluster_name)
        return Remains(stack.name, stack.settings.target, resources, volumes)
    from localcloud.machine import processes

    running = sorted(one.component for one in processes.find(stack.cloud.resolve()) if one.alive)
    folder = stack.cloud if stack.cloud.exists() else None
    return Remains(stack.name, "local", resources, _local_volumes(stack), folder, running)


def _local_volumes(stack: Stack) -> Sequence[Thing] | None:
    """None where no EC2 API answers at the port that the cloud's folder names. Asking starts nothing."""
    from localcloud.errors import LocalCloudError
    from localcloud.record import record as facts

    try:
        written = facts.read(stack.cloud)
        if written is None:
            return None
        return InEc2.at_endpoint(written.ec2_endpoint, written.region).tagged(LAB_TAG, stack.cluster_name)
    except (LocalCloudError, CannotLook):
        return None


def _after_destroy(left: Remains, hint: str) -> str:
    """Cleaning up by hand, under a stack that still knows its things, would make destroy fail."""
    return f"first pulumi destroy --stack {left.stack}" if left.resources else hint


def stack_empty(left: Remains) -> Finding:
    shown = ", ".join(left.resources[:5]) + (" and others" if len(left.resources) > 5 else "")
    return judged(
        f"{len(left.resources)} resources in the state: {shown}" if left.resources else "no resource in the state",
        (not left.resources, f"run pulumi destroy --stack {left.stack}; if it stops, it names what holds it up"),
    )


def no_volume(left: Remains) -> Finding:
    if left.volumes is None:
        return judged(
            "no EC2 API answers on this machine any more, and volumes live nowhere else",
            (left.folder is None, f"but what it had saved is still in {left.folder}: see the step about the folder"),
        )
    described = [f"{one['VolumeId']} ({tags_of(one).get('Name', 'no name')}, {one['State']})" for one in left.volumes]
    return judged(
        f"still there: {', '.join(described)}" if described else "no volume has the stack's tag",
        (
            not described,
            _after_destroy(
                left,
                "each costs until it is deleted. If nobody wants its data: "
                + "; ".join(f"aws ec2 delete-volume --volume-id {one['VolumeId']}" for one in left.volumes),
            ),
        ),
    )


def no_process(left: Remains) -> Finding:
    return judged(
        f"still running: {', '.join(left.processes)}" if left.processes else "no process of the local cloud runs",
        (
            not left.processes,
            _after_destroy(left, f"python -m localcloud delete {cloud_folder(left.stack)} ends them"),
        ),
    )


def no_folder(left: Remains) -> Finding:
    return judged(
        f"{left.folder} is still there" if left.folder else "the local cloud's folder is gone",
        (
            left.folder is None,
            _after_destroy(left, f"python -m localcloud delete {cloud_folder(left.stack)} removes it"),
        ),
    )


STEPS = (
    GoneStep("stack-empty", "The stack holds nothing", "pulumi stack --stack {stack}", stack_empty),
    GoneStep(
        "no-volume",
        "No EBS volume is left",
        f"aws ec2 describe-volumes --filters Name=tag:{LAB_TAG},Values={cluster_name('{stack}')}",
        no_volume,
    ),
    GoneStep(
        "no-process",
        "No process is left",
        f"python -m localcloud status {cloud_folder('{stack}')}",
        no_process,
        local=True,
    ),
    GoneStep("no-folder", "No file is left", "ls .lab/clouds", no_folder, local=True),
)


def steps_for(target: str) -> list[GoneStep]:
    return [step for step in STEPS if not step.local or target == "local"]
