"""ReclaimBarrier: a destroy passes when the class has no volumes, and names them when it gives up."""

from typing import Any

import pytest

from components.access import clients
from components.access.dynamic_provider import Failure
from components.guards.reclaim_barrier import ReclaimBarrierProvider
from components.guards.volume_inventory import Claim, in_kubernetes
from tests.unit.components.guards.kubernetes_objects import (
    Ec2,
    Kubernetes,
    claim,
    content,
    snapshot,
    snapshot_class,
    volume,
)

PROPS: dict[str, Any] = {
    "storage_class": "ebs",
    "own_claims": [{"namespace": "default", "claim": "nfs-pvc"}],
    "kubeconfig": "a kubeconfig",
    "ec2": {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:1"},
    "volume_tag": {"key": "storage-lab", "value": "storage-lab-local"},
    "driver_tags": {"ebs.csi.aws.com/cluster": "true"},
    "timeout_seconds": 0,
}
EBS = {"VolumeId": "vol-1", "State": "available"}
EBS_SNAPSHOT = {"SnapshotId": "snap-1", "State": "completed"}
WITH_SNAPSHOTS = {**PROPS, "snapshot_tags": [{"storage-lab": "storage-lab-local"}, {"driver": "true"}]}


@pytest.fixture
def destroy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Deletes the barrier over what the two APIs hold; gives up after the first look."""

    def run(kubernetes: Kubernetes, ec2: Ec2, props: dict[str, Any] = PROPS) -> None:
        monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: kubernetes)
        monkeypatch.setattr(clients, "ec2_client", lambda _access: ec2)
        ReclaimBarrierProvider().delete("ebs", props)

    return run


def test_a_destroy_passes_when_nothing_is_left(destroy: Any) -> None:
    ec2 = Ec2()
    destroy(Kubernetes(volume("pv-2", of="gp2"), claim("other", of="gp2")), ec2)
    assert ec2.filters == [{"tag:storage-lab": ["storage-lab-local"]}, {"tag:ebs.csi.aws.com/cluster": ["true"]}], (
        "a volume of another class carries the driver's tags only, and costs as well"
    )


def test_a_persistent_volume_stops_a_destroy(destroy: Any) -> None:
    with pytest.raises(Failure, match="PersistentVolume pv-1 is Released"):
        destroy(Kubernetes(volume("pv-1")), Ec2())


def test_an_ebs_volume_that_kubernetes_forgot_stops_a_destroy(destroy: Any) -> None:
    with pytest.raises(Failure, match="EBS volume vol-1 is available") as failure:
        destroy(Kubernetes(), Ec2(EBS))
    command = "aws ec2 delete-volume --volume-id vol-1 --region us-east-1 --endpoint-url http://127.0.0.1:1"
    assert command in str(failure.value), "no object is left that kubectl could delete"


def test_the_labs_own_unrecorded_claim_is_deleted_and_no_other(destroy: Any) -> None:
    cluster = Kubernetes(claim("nfs-pvc"), claim("nfs-pvc", namespace="team"), claim("homework"))
    with pytest.raises(Failure, match="team/nfs-pvc"):
        destroy(cluster, Ec2())
    left = in_kubernetes(cluster, "ebs").claims
    assert left == (Claim("team", "nfs-pvc"), Claim("default", "homework")), "the data of others is theirs"


def test_giving_up_names_everything_and_says_what_to_do(destroy: Any) -> None:
    with pytest.raises(Failure) as failure:
        destroy(Kubernetes(volume("pv-1")), Ec2(EBS))
    for part in ("0 s have passed", "pv-1", "vol-1", "driver stay up", "run pulumi destroy again"):
        assert part in str(failure.value)


def test_a_snapshot_without_its_volumesnapshot_stops_a_destroy(destroy: Any) -> None:
    with pytest.raises(Failure, match="VolumeSnapshotContent snapcontent-monday is being deleted"):
        destroy(Kubernetes(content("monday")), Ec2(), WITH_SNAPSHOTS)


def test_an_ebs_snapshot_that_kubernetes_forgot_stops_a_destroy(destroy: Any) -> None:
    ec2 = Ec2(snapshots=(EBS_SNAPSHOT,))
    with pytest.raises(Failure, match="EBS snapshot snap-1 is completed") as failure:
        destroy(Kubernetes(), ec2, WITH_SNAPSHOTS)
    assert "aws ec2 delete-snapshot --snapshot-id snap-1 --region us-east-1 --endpoint-url" in str(failure.value)
    assert {"tag:storage-lab": ["storage-lab-local"]} in ec2.snapshot_filters
    assert {"tag:driver": ["true"]} in ec2.snapshot_filters, "a snapshot of another class costs as well"


def test_without_snapshots_nobody_asks_ec2_for_them(destroy: Any) -> None:
    ec2 = Ec2(snapshots=(EBS_SNAPSHOT,))
    destroy(Kubernetes(), ec2)
    assert ec2.snapshot_filters == [], "a login that may not ask would fail to destroy a lab without snapshots"


def switched_off(monkeypatch: pytest.MonkeyPatch, *objects: Any, ec2: Ec2 | None = None) -> list[str]:
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: Kubernetes(*objects))
    monkeypatch.setattr(clients, "ec2_client", lambda _access: ec2 or Ec2())
    return [failure.reason for failure in ReclaimBarrierProvider().check(dict(WITH_SNAPSHOTS), dict(PROPS)).failures]


def test_snapshots_are_not_switched_off_while_there_are_some(monkeypatch: pytest.MonkeyPatch) -> None:
    [refusal] = switched_off(monkeypatch, snapshot_class("ebs-snapshots"), snapshot("monday"))
    assert "storage-lab:snapshots cannot become false" in refusal
    assert "kubectl delete volumesnapshot monday -n default" in refusal


def test_snapshots_are_switched_off_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert switched_off(monkeypatch, snapshot_class("ebs-snapshots")) == []


def test_snapshots_are_not_switched_off_while_ec2_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    [refusal] = switched_off(monkeypatch, ec2=Ec2(snapshots=(EBS_SNAPSHOT,)))
    assert "aws ec2 delete-snapshot --snapshot-id snap-1" in refusal, "a destroy would not look for it any more"


def test_snapshots_that_are_switched_off_leave_the_state() -> None:
    provider = ReclaimBarrierProvider()
    assert provider.diff("ebs", dict(WITH_SNAPSHOTS), dict(PROPS)).changes, "each later up would ask for snapshots"
    assert not provider.diff("ebs", dict(PROPS), dict(PROPS)).changes
