"""lab verify: looks at the lab, and judges each step of the exercise."""

from components.settings.conventions import cloud_folder
from lab.reading.kubectl import kubectl_of
from lab.reading.snapshot import InEc2, gather
from lab.reading.stack import Stack
from lab.report import Line, Report
from lab.steps import STEPS, gone
from lab.steps import data_survives as share


def verify(stack: Stack) -> Report:
    """Every step for every server. On eks it also writes a file, deletes the Pod and reads it back.

    Raises CannotLook.
    """
    lines: list[Line] = []
    with kubectl_of(stack) as kubectl:
        for seen in gather(stack, kubectl, InEc2.of(stack)):
            label = seen.server.label
            lines += [Line(label, step.key, step.says, step.command(seen), step.look(seen)) for step in STEPS]
            lines.append(Line(label, share.KEY, share.SAYS, share.command(seen), share.try_it(seen, kubectl)))
    return Report(stack.name, stack.settings.target, lines, _preparation(stack))


def verify_gone(stack: Stack) -> Report:
    """Every place where something of the lab could be left after pulumi destroy. Raises CannotLook."""
    left = gone.gather_remains(stack)
    return Report(
        stack.name,
        left.target,
        [
            Line("", step.key, step.says, step.typed.format(stack=stack.name), step.look(left))
            for step in gone.steps_for(left.target)
        ],
    )


def _preparation(stack: Stack) -> str:
    """What to type first, in a shell in this folder, so that kubectl and aws mean this lab."""
    region = f"AWS_DEFAULT_REGION={stack.settings.region}"
    if stack.settings.target == "local":
        return (
            f"export KUBECONFIG={cloud_folder(stack.name)}/kubeconfig {region} AWS_ACCESS_KEY_ID=lab "
            f"AWS_SECRET_ACCESS_KEY=lab AWS_ENDPOINT_URL_EC2={stack.outputs['ec2Endpoint']}"
        )
    return f"export {region}; aws eks update-kubeconfig --name {stack.cluster_name}"
