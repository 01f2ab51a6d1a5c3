"""A claim that was made larger with kubectl: verify names it, and the document's way back keeps the data."""

import re

import pytest

from checkout import ROOT
from tests.faults.fault_lab import FaultLab, errors, patch

DOCUMENT = (ROOT / "docs" / "troubleshooting.md").read_text()
TITLE = "A claim that somebody made larger"
LARGER = '{"spec": {"resources": {"requests": {"storage": "2Gi"}}}}'


@pytest.mark.telling
def test_claim_made_larger_gets_its_old_size_and_keeps_its_volume(fault_lab: FaultLab) -> None:
    checkout = fault_lab.checkout
    volume = checkout.outputs()["volumeId"]
    section = DOCUMENT.partition(f"## {TITLE}\n")[2].partition("\n## ")[0]
    with fault_lab.fault("claim made larger with kubectl", "up, then the document's way") as saw:
        patch(fault_lab, "pvc", "nfs-pvc", LARGER)
        refused = checkout.up(expect=None)
        assert refused.returncode != 0
        assert "field can not be less than status.capacity" in refused.stdout
        assert "less than status.capacity" in " ".join(section.split()), "nobody finds it in the document"
        assert TITLE in checkout.run("python", "-m", "lab", "verify", "--stack", checkout.stack, expect=None).stdout
        saw(errors(refused.stdout))
        back = patch(fault_lab, "pvc", "nfs-pvc", LARGER.replace("2Gi", "1Gi"), expect=None)
        assert "less than status.capacity" in back.stderr, "there is a shorter way back than the document's"
        checkout.configure({"storage": "2Gi"})
        refused = checkout.up(expect=None)
        checkout.configure({"storage": None})
        assert "storage-lab:storage is 1Gi since this lab was created and cannot become 2Gi" in refused.stdout
        assert "Set it back" in refused.stdout
        [commands] = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
        kubeconfig = str(checkout.cloud / "kubeconfig")
        checkout.run("sh", "-ec", commands, env={"KUBECONFIG": kubeconfig, "PULUMI_SKIP_CONFIRMATIONS": "true"})
        fault_lab.check_standing()
        assert checkout.outputs()["volumeId"] == volume, "the data is lost"
        checkout.preview("--expect-no-changes")
        patch(fault_lab, "pvc", "nfs-pvc", LARGER)
        checkout.destroy()
        fault_lab.check_gone()
