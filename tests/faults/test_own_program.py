"""Programs that others write or edit: wrong arguments get a sentence, and a server without a Pod is repaired."""

import pytest

from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, summary
from tests.faults.selection import cases

WRONG = {
    "a number as storage": ('{"storage": 5}', "NfsServer x: storage is 5; accepted is a text"),
    "None as arguments": ("None", "NfsServer x: its arguments are None; accepted is a dict"),
}
# Without a Pod the claim stays Pending. Pulumi may look at the claim before it takes the Deployment for ready, and then
# waits ten minutes for it: which of the two comes first is chance.
WITHOUT_POD = """
import pulumi


def _without_pod(args):
    if args.type_ != "kubernetes:apps/v1:Deployment":
        return None
    args.props["spec"]["replicas"] = 0
    args.props["metadata"]["annotations"]["pulumi.com/skipAwait"] = "true"
    return pulumi.ResourceTransformResult(args.props, args.opts)


pulumi.runtime.register_resource_transform(_without_pod)
"""


@pytest.fixture(scope="module")
def new_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    return new_fault_lab()


@pytest.mark.parametrize("what", cases(WRONG, telling=["a number as storage"]))
def test_wrong_argument_of_a_component_gets_one_sentence(new_lab: FaultLab, what: str) -> None:
    checkout, (args, sentence) = new_lab.checkout, WRONG[what]
    program = checkout.folder / "__main__.py"
    kept = program.read_text()
    with new_lab.fault(f"own program: {what}", "preview") as saw:
        program.write_text(f'from components.nfs_server import NfsServer\n\nNfsServer("x", {args})\n')
        refused = checkout.preview(expect=None)
        program.write_text(kept)
        assert refused.returncode != 0
        assert sentence in refused.stdout, refused.stdout
        assert "Traceback" not in refused.stdout + refused.stderr
        saw(errors(refused.stdout))
    assert not checkout.processes(), "something was started"


def test_server_without_a_pod_has_empty_outputs_until_the_next_up(new_lab: FaultLab) -> None:
    checkout = new_lab.checkout
    program = checkout.folder / "__main__.py"
    kept = program.read_text()
    with new_lab.fault("own program: replicas 0", "first up, preview, up") as saw:
        program.write_text(kept.replace("\nimport pulumi\n", WITHOUT_POD, 1))
        said = checkout.up().stdout
        assert "known-once" not in said, "a placeholder reached the user"
        outputs = checkout.outputs()
        assert [outputs[key] for key in ("pvName", "volumeId", "volumeName")] == ["", "", ""]
        checkout.preview("--expect-no-changes")
        saw(f"no volume, empty outputs; {summary(said)}")
        program.write_text(kept)
        saw(f"without it: {summary(checkout.up().stdout)}")
        assert checkout.outputs()["volumeId"].startswith("vol-"), "the outputs stay empty"
        new_lab.check_standing()
        checkout.preview("--expect-no-changes")
        checkout.destroy()
        new_lab.check_gone()
