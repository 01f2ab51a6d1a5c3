"""Ctrl-C while a destroy waits: the destroy ends soon and fails, and the next one finishes."""

import pytest

from tests.faults.fault_lab import FaultLab, errors, interrupt, patch
from tests.faults.test_foreign import SNOOPER


def _interrupted(fault_lab: FaultLab, where: str, waits_for: str) -> None:
    with fault_lab.fault("Ctrl-C", where) as saw:
        struck = fault_lab.strike("destroy", waits_for, interrupt)
        assert not struck.early, struck.output
        assert struck.status != 0, f"{len(fault_lab.checkout.state())} resources are left, and Pulumi reports a success"
        assert "300 s have passed" not in struck.output, "it waited on"
        said = errors(struck.output)
        assert "interrupted after" in said
        saw(f"status {struck.status}: {said}")


def test_destroy_interrupted_while_others_use_storage_fails(fault_lab: FaultLab) -> None:
    file = fault_lab.checkout.folder / "foreign.yaml"
    file.write_text(SNOOPER)
    fault_lab.checkout.kubectl("apply", "-f", str(file))
    fault_lab.checkout.kubectl("wait", "pod/snooper", "--for=jsonpath={.status.phase}=Running", "--timeout=60s")
    _interrupted(fault_lab, "destroy, waiting for a Pod", "waiting for Pod")
    fault_lab.check_standing()
    fault_lab.checkout.kubectl("delete", "--wait=true", "--timeout=60s", "-f", str(file))


@pytest.mark.telling
def test_destroy_interrupted_at_the_barrier_fails(fault_lab: FaultLab) -> None:
    volume = fault_lab.checkout.outputs()["pvName"]
    patch(fault_lab, "pv", volume, '{"metadata": {"finalizers": ["example.com/hold"]}}')
    _interrupted(fault_lab, "destroy, at the barrier", "waiting for PersistentVolume")
    patch(fault_lab, "pv", volume, '{"metadata": {"finalizers": null}}')
    fault_lab.checkout.destroy()
    fault_lab.check_gone()
