"""For each way in which others can change, delete or hold an object of the lab: what verify, up and destroy do.

The table in docs/troubleshooting.md is what this shows.
"""

import json

import pytest

from checkout import ROOT
from checkout.until import until
from tests.faults.changed_by_hand import CASES, DESTROYED
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, errors, patch, summary
from tests.faults.selection import cases

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text()
TITLE = "A claim that somebody made larger"
LARGER = '{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}'


@pytest.fixture(scope="module")
def fault_lab(new_fault_lab: NewFaultLab) -> FaultLab:
    fault_lab = new_fault_lab(config={"reclaimTimeoutSeconds": 5})
    fault_lab.checkout.up()
    return fault_lab


def _wrong(fault_lab: FaultLab) -> list[str]:
    """Return the steps that verify finds wrong."""
    checkout = fault_lab.checkout
    said = checkout.run("python", "-m", "lab", "verify", "--json", "--stack", checkout.stack, expect=None).stdout
    return [step["step"] for step in json.loads(said)["steps"] if step["status"] == "failed"]


@pytest.mark.parametrize("what", cases(CASES, telling=["Deployment scaled to 2"]))
def test_a_changed_object_is_repaired_or_named(fault_lab: FaultLab, what: str) -> None:
    case, checkout = CASES[what], fault_lab.checkout
    volume = checkout.outputs()["volumeId"]
    with fault_lab.fault(what, "verify, then up") as saw:
        case.do(fault_lab)
        wrong = _wrong(fault_lab)
        assert not case.verify or case.verify in wrong
        saw(f"verify names {', '.join(wrong)}" if wrong else "verify finds nothing wrong")
        if not case.up_waits:
            saw(f"up: {summary(checkout.up().stdout)}")
        if case.undo:
            case.undo(fault_lab)
            saw(f"undone, up: {summary(checkout.up().stdout)}")
        fault_lab.check_standing()
        assert checkout.outputs()["volumeId"] == volume or what == "claim Terminating", "the data is lost"
        assert not _wrong(fault_lab), "up leaves it wrong"


@pytest.mark.parametrize("what", DESTROYED)
def test_destroy_passes_a_held_object_or_stops_soon(fault_lab: FaultLab, what: str) -> None:
    case, checkout = CASES[what], fault_lab.checkout
    checkout.up()
    with fault_lab.fault(what, "destroy") as saw:
        case.do(fault_lab)
        done = checkout.destroy(expect=None)
        assert bool(done.returncode) == bool(case.stops), done.stdout
        assert case.stops in done.stdout
        saw(errors(done.stdout) or summary(done.stdout))
        if case.stops and case.undo:
            case.undo(fault_lab)
            checkout.destroy()
        fault_lab.check_gone()


def test_claim_made_larger_is_taken_as_it_is(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    checkout.up()
    volume = checkout.outputs()["volumeId"]
    section = DOCUMENT.partition(f"## {TITLE}\n")[2].partition("\n## ")[0]
    with fault_lab.fault("claim made larger with kubectl", "up, verify, up with the size, destroy") as saw:
        patch(fault_lab, "pvc", "nfs-pvc", LARGER)
        until(lambda: _claim_has(fault_lab) == "2Gi", "the volume has grown", 60)
        saw(f"up: {summary(checkout.up().stdout)}")
        checkout.preview("--expect-no-changes")
        checkout.run("python", "-m", "lab", "verify", "--stack", checkout.stack)
        back = patch(fault_lab, "pvc", "nfs-pvc", LARGER.replace("2Gi", "1Gi"), expect=None)
        assert "less than status.capacity" in back.stderr, "there is a way back that the document does not know"
        assert "less than status.capacity" in " ".join(section.split()), "nobody finds it in the document"
        checkout.configure({"storage": "2Gi"})
        saw(f"up with 2Gi: {summary(checkout.up().stdout)}")
        fault_lab.check_standing()
        assert checkout.outputs()["volumeId"] == volume, "the data is lost"
        checkout.destroy()
        fault_lab.check_gone()


def _claim_has(fault_lab: FaultLab) -> str:
    return fault_lab.checkout.get("pvc")["items"][0]["status"]["capacity"]["storage"]
