"""ReclaimBarrier: what it looks at, in which order, and what it says when it gives up."""

from typing import Any

import pytest

from components.access import clients as lookout
from components.guards import reclaim_barrier
from components.guards.reclaim_barrier import ReclaimBarrierProvider, Remains
from components.guards.volume_inventory import Claim, EbsVolume, Leftovers, Volume

PROPS = {
    "storage_class": "ebs",
    "own_claims": [{"namespace": "default", "claim": "nfs-pvc"}],
    "kubeconfig": "a kubeconfig",
    "ec2": {"region": "us-east-1", "endpoint_url": "http://127.0.0.1:1"},
    "volume_tag": {"key": "storage-lab", "value": "storage-lab-local"},
    "timeout_seconds": 300,
}
PV = Volume("pv-1", "Released", "Delete", None)
EBS = EbsVolume("vol-1", "available", ())


@pytest.fixture
def remains(monkeypatch: pytest.MonkeyPatch) -> Remains:
    """The remains of a class: one PersistentVolume and its EBS volume, to begin with."""
    monkeypatch.setattr(lookout, "kubernetes_client", lambda _kubeconfig: "kubernetes")
    monkeypatch.setattr(lookout, "ec2_client", lambda _access: "ec2")
    monkeypatch.setattr(reclaim_barrier, "in_kubernetes", lambda _client, _class: Leftovers(volumes=(PV,)))
    monkeypatch.setattr(reclaim_barrier, "in_ec2", lambda _client, _key, _value: (EBS,))
    monkeypatch.setattr(
        reclaim_barrier, "explain", lambda left, _client: [*map(str, left.volumes), *map(str, left.ebs_volumes)]
    )
    return Remains(PROPS)


def test_a_persistent_volume_is_waited_for(remains: Remains) -> None:
    assert remains.look().volumes == (PV,)


def test_an_ebs_volume_is_waited_for_when_kubernetes_has_forgotten_it(
    remains: Remains, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclaim_barrier, "in_kubernetes", lambda _client, _class: Leftovers())
    assert remains.look().ebs_volumes == (EBS,), "it costs money, whoever forgot it"


def test_it_is_passed_when_both_are_empty(remains: Remains, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reclaim_barrier, "in_kubernetes", lambda _client, _class: Leftovers())
    monkeypatch.setattr(reclaim_barrier, "in_ec2", lambda _client, _key, _value: ())
    assert not remains.look()


def test_volumes_are_looked_for_by_the_class_and_by_the_tag(remains: Remains, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(reclaim_barrier, "in_kubernetes", lambda *args: asked.append(args) or Leftovers())
    monkeypatch.setattr(reclaim_barrier, "in_ec2", lambda *args: asked.append(args) or ())
    remains.look()
    assert asked == [("kubernetes", "ebs"), ("ec2", "storage-lab", "storage-lab-local")]


def test_a_claim_of_the_lab_that_no_state_knows_is_deleted_and_nobody_elses(
    remains: Remains, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[Claim] = []
    monkeypatch.setattr(reclaim_barrier, "delete_claim", lambda _client, claim: deleted.append(claim))
    own, same_name_elsewhere = Claim("default", "nfs-pvc"), Claim("team", "nfs-pvc")
    remains.delete_own([own, same_name_elsewhere, Claim("default", "homework")])
    assert deleted == [own], "an interrupted update may leave the lab's own claim behind; others' data is theirs"


def test_when_it_gives_up_it_names_everything_and_says_what_to_do(remains: Remains) -> None:
    said = str(remains.explain())
    assert "300 s have passed" in said
    assert "pv-1" in said
    assert "vol-1" in said
    assert "the cluster and its driver stay up" in said
    assert "run pulumi destroy again" in said


@pytest.mark.parametrize(
    ("change", "changed"),
    [({}, False), ({"__provider": "other code"}, False), ({"timeout_seconds": 9}, True), ({"kubeconfig": "b"}, True)],
)
def test_a_changed_input_is_an_update_in_place_and_changed_code_is_none(change: dict[str, Any], changed: bool) -> None:
    result = ReclaimBarrierProvider().diff("ebs", PROPS, {**PROPS, **change})
    assert result.changes is changed
    assert not result.replaces, "replacing it would wait for the volumes of a lab that lives on"


def test_what_it_stores_are_its_inputs() -> None:
    made = ReclaimBarrierProvider().create({**PROPS, "__provider": "code"})
    assert made.outs == PROPS, "delete is given nothing else"
    assert ReclaimBarrierProvider().update("ebs", {}, {**PROPS, "__provider": "code"}).outs == PROPS
