"""ForeignUsers: who counts as foreign, and that a destroy stops there before anything is deleted."""

import pytest

from components.access import clients
from components.access.dynamic_provider import Failure
from components.guards.foreign_users import ForeignUsersProvider, foreign_users
from components.guards.volume_inventory import Claim
from components.settings import OwnedClaim
from tests.unit.components.guards.kubernetes_objects import (
    Kubernetes,
    claim,
    content,
    pod,
    replica_set,
    snapshot,
    snapshot_class,
    using,
    volume,
)

OWN: list[OwnedClaim] = [{"namespace": "default", "claim": "nfs-pvc", "server": "nfs-server"}]
PROPS = {"storage_class": "ebs", "own": OWN, "kubeconfig": "a kubeconfig", "timeout_seconds": 300}
LAB = (
    claim("nfs-pvc"),
    replica_set("nfs-server-576868c54d", of="Deployment nfs-server"),
    pod("nfs-server-576868c54d-nt8zp", using("nfs-pvc"), of="ReplicaSet nfs-server-576868c54d"),
)


def test_the_labs_own_claim_and_pod_are_not_foreign() -> None:
    assert foreign_users(Kubernetes(*LAB), "ebs", OWN) == []


def test_a_pod_of_somebody_else_on_the_labs_claim_is() -> None:
    cluster = Kubernetes(*LAB, pod("mine", using("nfs-pvc")), pod("other", using("nfs-pvc"), role="else"))
    assert foreign_users(cluster, "ebs", OWN) == [
        "Pod default/mine uses the lab's claim default/nfs-pvc",
        "Pod default/other uses the lab's claim default/nfs-pvc",
    ]


def test_a_claim_of_somebody_else_in_the_labs_class_is() -> None:
    cluster = Kubernetes(*LAB, claim("nfs-pvc", namespace="team"), pod("p", using("nfs-pvc"), namespace="team"))
    assert foreign_users(cluster, "ebs", OWN) == [
        "claim team/nfs-pvc has its volume from the driver ebs.csi.aws.com, used by Pod team/p"
    ]


def test_a_copy_of_the_exercise_with_the_labs_label_is() -> None:
    copy = replica_set("copy-55d9", of="Deployment copy")
    made = pod("copy-55d9-x", using("nfs-pvc"), of="ReplicaSet copy-55d9", role="nfs-server")
    bare = pod("bare", using("nfs-pvc"), role="nfs-server")
    assert foreign_users(Kubernetes(*LAB, copy, made, bare), "ebs", OWN) == [
        "Pod default/copy-55d9-x of the Deployment copy uses the lab's claim default/nfs-pvc",
        "Pod default/bare uses the lab's claim default/nfs-pvc",
    ], "the label is the exercise's, and whoever deletes the Pod of a Deployment gets another"


def test_a_volume_that_would_stay_is_named_with_its_remedy() -> None:
    stays = volume("pv-1", claim=Claim("default", "nfs-pvc"), policy="Retain")
    released = volume("pv-2", claim=Claim("team", "gone"), policy="Retain")
    patch = """-p '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}' has its disk deleted"""
    assert foreign_users(Kubernetes(*LAB, stays, released), "ebs", OWN) == [
        "PersistentVolume pv-2 of the driver ebs.csi.aws.com is Bound; its reclaim policy is Retain: "
        f"kubectl patch pv pv-2 {patch}",
        "PersistentVolume pv-1 of the lab's claim default/nfs-pvc would stay; its reclaim policy is Retain: "
        f"kubectl patch pv pv-1 {patch}",
    ]


def test_a_snapshot_that_nobody_deleted_is_named_with_the_command() -> None:
    cluster = Kubernetes(*LAB, snapshot_class("ebs-snapshots"), snapshot("monday"), content("monday"))
    assert foreign_users(cluster, "ebs", OWN) == [
        "VolumeSnapshot default/monday has the EBS snapshot snap-1: kubectl delete volumesnapshot monday -n default"
    ], "its EBS snapshot would cost for ever once nobody can delete it"


def test_a_snapshot_that_would_stay_is_named_with_its_remedy() -> None:
    retained, outlived = content("monday", policy="Retain"), content("gone", policy="Retain", handle="snap-2")
    patch = """--type=merge -p '{"spec":{"deletionPolicy":"Delete"}}'"""
    assert foreign_users(Kubernetes(*LAB, snapshot("monday"), retained, outlived), "ebs", OWN) == [
        "VolumeSnapshot default/monday would leave the EBS snapshot snap-1; its deletion policy is Retain: "
        f"kubectl patch volumesnapshotcontent snapcontent-monday {patch} && "
        "kubectl delete volumesnapshot monday -n default",
        "VolumeSnapshotContent snapcontent-gone would leave the EBS snapshot snap-2; its deletion policy is Retain: "
        f"kubectl patch volumesnapshotcontent snapcontent-gone {patch} && "
        "kubectl delete volumesnapshotcontent snapcontent-gone",
    ]


def test_a_snapshot_of_another_driver_is_not_foreign() -> None:
    others = (
        snapshot_class("theirs", driver="other.csi"),
        snapshot("x", of="theirs"),
        content("y", driver="other.csi"),
    )
    assert foreign_users(Kubernetes(*LAB, *others), "ebs", OWN) == []


def test_what_has_nothing_to_do_with_the_class_is_not() -> None:
    cluster = Kubernetes(*LAB, claim("data", of="gp2"), pod("p", using("data")), pod("stateless"))
    assert foreign_users(cluster, "ebs", OWN) == []


def test_a_destroy_stops_there_and_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Kubernetes(*LAB, pod("mine", using("nfs-pvc")))
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: cluster)
    with pytest.raises(Failure) as failure:
        ForeignUsersProvider().delete("ebs", {**PROPS, "timeout_seconds": 0})
    assert str(failure.value) == (
        "0 s have passed and others still use the lab's storage; nothing was deleted:\n"
        "  Pod default/mine uses the lab's claim default/nfs-pvc\n"
        "Delete these; where a line has a command, run that. Then run pulumi destroy again. "
        "storage-lab:reclaimTimeoutSeconds is how long it waits."
    )


def test_a_destroy_passes_where_nobody_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: Kubernetes(*LAB))
    assert ForeignUsersProvider().delete("ebs", PROPS) is None, "it would wait for the lab's own Pod"
