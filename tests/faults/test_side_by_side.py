"""Two labs at once: in two folders, and as two stacks of one folder, started in the same second."""

from pathlib import Path

import pytest

from localcloud.record.record import read
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab
from tests.faults.selection import cases


@pytest.mark.parametrize(
    "where", cases(["two folders", "two stacks of one folder"], telling=["two stacks of one folder"])
)
def test_two_labs_started_together_share_nothing(new_fault_lab: NewFaultLab, tmp_path: Path, where: str) -> None:
    one = new_fault_lab(tmp_path / "one")
    other = new_fault_lab(tmp_path / "other") if where == "two folders" else new_fault_lab(tmp_path / "one", "second")
    with one.fault("two labs in the same second", where) as saw:
        _together(one, other, "up")
        facts = [read(fault_lab.checkout.cloud) for fault_lab in (one, other)]
        assert facts[0] is not None
        assert facts[1] is not None
        assert not set(facts[0].ports.values()) & set(facts[1].ports.values()), "they share a port"
        assert facts[0].cluster_id != facts[1].cluster_id, "they share a cluster"
        one.check_standing()
        other.check_standing()
        assert not one.ec2_state.volumes() & other.ec2_state.volumes(), "they share a volume"
        one.checkout.destroy()
        one.check_gone()
        other.check_standing()
        other.checkout.destroy()
        other.check_gone()
        saw("both up, ports, data and volumes apart; the end of one leaves the other alone")


def _together(one: FaultLab, other: FaultLab, command: str) -> None:
    """The same command on both, at the same time."""
    running = [fault_lab.start(command) for fault_lab in (one, other)]
    for fault_lab, process in zip((one, other), running, strict=True):
        ended = fault_lab.finish(process)
        assert ended.status == 0, ended.output
