"""A claim that was made larger with kubectl: its volume grows, and the lab takes the size as it is."""

import pytest

from checkout import ROOT
from checkout.until import until
from tests.faults.fault_lab import FaultLab, patch, summary

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text()
TITLE = "A claim that somebody made larger"
LARGER = '{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}'


@pytest.mark.telling
def test_claim_made_larger_is_taken_as_it_is(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
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
