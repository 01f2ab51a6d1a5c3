"""lab verify: judges each step of the exercise, or after a destroy what is left."""

from dataclasses import replace

from components.settings.conventions import cloud_folder
from lab.reading.ec2 import Ec2Reader
from lab.reading.kubectl import kubectl_of
from lab.reading.snapshot import take_snapshots
from lab.reading.stack import Stack
from lab.report import Line, Report
from lab.steps import claim, data_survives, gone, server, snapshots, volume

# In the order in which a learner takes them. The last step, data_survives, needs kubectl.
STEPS = (*claim.STEPS, *server.STEPS, *volume.STEPS)


def verify(stack: Stack) -> Report:
    """Judge every step for every server. Where none fails, also write a file, delete the Pod and read it back.

    Raises LabError.
    """
    with kubectl_of(stack) as kubectl:
        judging = (*STEPS, *snapshots.STEPS) if stack.settings.snapshots else STEPS
        steps = (*judging, data_survives.step(kubectl, judging))
        lines = [
            Line.of(step, seen, seen.server.label)
            for seen in take_snapshots(stack, kubectl, Ec2Reader.of(stack))
            for step in steps
        ]
    return Report(stack.name, stack.settings.target, lines, _preparation(stack))


def verify_gone(stack: Stack) -> Report:
    """Judge every place where something of the lab could be left after pulumi destroy. Raises LabError."""
    left = gone.report_destroy(stack)
    report = Report(stack.name, left.target, [Line.of(step, left) for step in gone.steps_for(left.target)])
    # Pulumi's own advice after a destroy lacks the option, and would delete a file of this repository.
    advice = f"To remove the stack as well, and keep its settings: pulumi stack rm --preserve-config {stack.name}"
    return replace(report, advice=advice) if report.ok else report


def _preparation(stack: Stack) -> str:
    """Return what to type first, in a shell in this folder, so that kubectl and aws ask this lab."""
    folder = cloud_folder(stack.name)
    region = f"AWS_DEFAULT_REGION={stack.settings.region}"
    if stack.settings.target == "local":
        return (
            f". {folder}/aws.env; "
            f"export KUBECONFIG={folder}/kubeconfig AWS_ENDPOINT_URL_EC2={stack.outputs['ec2Endpoint']}"
        )
    return f"export {region}; aws eks update-kubeconfig --name {stack.cluster_name}"
