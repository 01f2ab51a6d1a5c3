"""The steps about snapshots: each turns red for its reason, with a hint."""

import pytest

from lab.steps import Finding
from lab.steps.snapshots import STEPS
from tests.unit.lab.fake_lab import EBS_SNAPSHOT, FakeLab, with_snapshots

SOURCE = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "monday"}


def look(lab: FakeLab) -> dict[str, Finding]:
    return {step.key: step.look(lab.seen()) for step in STEPS}


def restored(source: dict[str, str] | None) -> FakeLab:
    lab = with_snapshots()
    lab.config["servers"] = '[{"name": "nfs-server", "fromSnapshot": "monday"}]'
    if source:
        lab.the("PersistentVolumeClaim")["spec"]["dataSource"] = source
    return lab


@pytest.mark.parametrize("lab", [FakeLab(), with_snapshots(), restored(SOURCE)])
def test_lab_in_which_all_is_well_passes(lab: FakeLab) -> None:
    assert [finding for finding in look(lab).values() if not finding.ok or finding.hint] == []


def test_snapshot_is_named_with_its_ebs_snapshot() -> None:
    assert look(with_snapshots())["snapshots"].found == f"monday: {EBS_SNAPSHOT}"


def test_snapshot_that_is_not_ready_tells_why() -> None:
    lab = with_snapshots()
    lab.the("VolumeSnapshot")["status"] = {"readyToUse": False, "error": {"message": "said by the driver"}}
    finding = look(lab)["snapshots"]
    assert finding.ok is False
    assert "monday is not ready (Kubernetes: said by the driver)" in finding.hint


def test_snapshot_that_ec2_lost_is_not_ready_in_truth() -> None:
    lab = with_snapshots()
    lab.ebs_snapshots.clear()
    finding = look(lab)["snapshots"]
    assert finding.ok is False, "Kubernetes goes on to say that it is ready"
    assert f"EC2 has no snapshot {EBS_SNAPSHOT}" in finding.hint


@pytest.mark.parametrize("source", [None, {**SOURCE, "name": "sunday"}])
def test_claim_with_other_data_than_configured_fails(source: dict[str, str] | None) -> None:
    finding = look(restored(source))["snapshot-source"]
    assert finding.ok is False
    assert "the configuration says monday" in finding.hint


def test_snapshot_of_another_claim_is_not_this_servers() -> None:
    lab = with_snapshots()
    lab.the("VolumeSnapshot")["spec"]["source"]["persistentVolumeClaimName"] = "other-pvc"
    assert look(lab)["snapshots"].found == "nfs-pvc has no snapshot"


def test_cluster_without_the_kinds_is_not_asked_for_them() -> None:
    lab = FakeLab()
    lab.config["snapshots"] = "true"
    assert lab.seen().copies == [], "kubectl fails as a whole over a kind that it does not know"
