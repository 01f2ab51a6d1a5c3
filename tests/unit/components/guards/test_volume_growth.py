"""VolumeGrowth: volumes grow to the setting and no further, and whoever waits learns why it takes so long."""

from types import SimpleNamespace
from typing import Any

import pytest
from lightkube.core.exceptions import ApiError
from lightkube.models.core_v1 import (
    CSIPersistentVolumeSource,
    ObjectReference,
    PersistentVolumeClaimSpec,
    PersistentVolumeClaimStatus,
    PersistentVolumeSpec,
    VolumeResourceRequirements,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Event, PersistentVolume, PersistentVolumeClaim

from components.access import clients
from components.access.dynamic_provider import Failure
from components.guards import volume_growth
from components.guards.polling import Clock
from components.guards.volume_growth import VolumeGrowthProvider

PROPS: dict[str, Any] = {
    "storage": "2Gi",
    "claims": {"default/nfs-pvc": "1Gi"},
    "kubeconfig": "a kubeconfig",
    "ec2": {"region": "us-east-1"},
}
RATE = "EC2 ModifyVolume: said by the test (VolumeModificationRateExceeded)"


class Cluster:
    """One claim, its PersistentVolume and its EBS volume; `grows` says whether a driver follows the claim."""

    def __init__(self, asked: str = "1Gi", has: str = "1Gi", grows: bool = True) -> None:
        self.asked, self.grows = asked, grows
        self.has = self.volume = has
        self.ebs = int(has.removesuffix("Gi"))
        self.patched: list[str] = []
        self.events: list[Any] = []
        self.refuses: str = ""
        self.bound = True
        self.volume_name = "pv-1"
        self.exists = True

    def list(self, res: Any, *, namespace: str | None = None) -> Any:
        if res is Event:
            return self.events
        if res is PersistentVolume:
            csi = CSIPersistentVolumeSource(driver="ebs.csi.aws.com", volumeHandle="vol-1")
            spec = PersistentVolumeSpec(capacity={"storage": self.volume}, csi=csi)
            return [PersistentVolume(metadata=ObjectMeta(name="pv-1"), spec=spec)]
        assert (res, namespace) == (PersistentVolumeClaim, "*")
        requests = VolumeResourceRequirements(requests={"storage": self.asked})
        claim = PersistentVolumeClaim(
            metadata=ObjectMeta(name="nfs-pvc", namespace="default"),
            spec=PersistentVolumeClaimSpec(volumeName=self.volume_name, resources=requests),
            status=PersistentVolumeClaimStatus(
                phase="Bound" if self.bound else "Pending", capacity={"storage": self.has}
            ),
        )
        return [claim] if self.exists else []

    def patch(self, res: Any, name: str, obj: Any, *, namespace: str, field_manager: str) -> None:
        assert (res, namespace, name, field_manager) == (PersistentVolumeClaim, "default", "nfs-pvc", "storage-lab")
        if self.refuses:
            status = {"code": 403, "message": self.refuses}
            raise ApiError(request=SimpleNamespace(), response=SimpleNamespace(json=lambda: status))  # pyright: ignore
        self.asked = obj["spec"]["resources"]["requests"]["storage"]
        self.patched.append(self.asked)
        self.grow()

    def grow(self) -> None:
        if self.grows:
            self.has = self.volume = self.asked
            self.ebs = int(self.asked.removesuffix("Gi"))

    def describe_volumes(self, Filters: Any) -> Any:
        assert Filters == [{"Name": "volume-id", "Values": ["vol-1"]}]
        return {"Volumes": [{"VolumeId": "vol-1", "Size": self.ebs}]}

    def say(self, message: str, version: str) -> None:
        involved = ObjectReference(namespace="default", name="nfs-pvc")
        metadata = ObjectMeta(uid="event", resourceVersion=version)
        self.events = [Event(metadata=metadata, involvedObject=involved, reason="VolumeResizeFailed", message=message)]


@pytest.fixture
def up(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Grows the claims of a cluster; gives up after the first look that finds something too small."""
    monkeypatch.setattr(volume_growth, "GROWTH_SECONDS", 0)

    def run(cluster: Cluster, **changes: Any) -> Any:
        monkeypatch.setattr(clients, "kubernetes_client", lambda _kubeconfig: cluster)
        monkeypatch.setattr(clients, "ec2_client", lambda _access: cluster)
        return VolumeGrowthProvider().update("volume-growth", PROPS, {**PROPS, **changes})

    return run


def test_a_smaller_claim_asks_for_the_size_and_gets_it(up: Any) -> None:
    cluster = Cluster()
    assert up(cluster).outs["storage"] == "2Gi"
    assert (cluster.patched, cluster.ebs) == (["2Gi"], 2)


def test_a_claim_that_asks_for_more_keeps_its_size(up: Any) -> None:
    cluster = Cluster(asked="4Gi", has="1Gi", grows=False)
    with pytest.raises(Failure):
        up(cluster)
    assert cluster.patched == [], "a size that somebody asked for would be taken back"


def test_claims_that_are_large_enough_ask_nobody(up: Any) -> None:
    cluster = Cluster(has="3Gi")
    up(cluster, claims={"default/nfs-pvc": "3Gi"})
    assert cluster.patched == []


@pytest.mark.parametrize(
    ("late", "named"),
    [("ebs", "EBS volume vol-1 has 1Gi"), ("volume", "PersistentVolume has 1Gi"), ("has", "claim has 1Gi")],
)
def test_growth_is_done_when_all_three_have_the_size(up: Any, late: str, named: str) -> None:
    cluster = Cluster()
    sizes: dict[str, Any] = {"ebs": 2, "volume": "2Gi", "has": "2Gi"}
    del sizes[late]
    cluster.grow = lambda: vars(cluster).update(sizes)
    with pytest.raises(Failure, match=rf"default/nfs-pvc \({named}\)"):
        up(cluster)


def test_giving_up_names_sizes_reason_and_both_ways_on(up: Any) -> None:
    cluster = Cluster(grows=False)
    cluster.say("no permission, says the test", version="7")
    with pytest.raises(Failure) as failure:
        up(cluster)
    for part in ("default/nfs-pvc", "1Gi", "2Gi", "no permission", "pulumi up again", "set storage-lab:storage back"):
        assert part in str(failure.value)


def test_a_refusal_for_hours_ends_the_wait_at_once(up: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volume_growth, "GROWTH_SECONDS", 600)
    cluster = Cluster(grows=False)
    cluster.say(RATE, version="1")
    looks = iter(range(10))

    def pause(_seconds: float) -> bool:
        cluster.say(RATE, version=str(2 + next(looks)))
        return False

    monkeypatch.setattr(Clock, "pause", staticmethod(pause))
    with pytest.raises(Failure, match="four modifications of a volume in 24 hours"):
        up(cluster)
    assert next(looks) == 1, "the event of yesterday must not end the wait, and today's must"


def test_what_kubernetes_refuses_is_told_in_its_words(up: Any) -> None:
    cluster = Cluster()
    cluster.refuses = "the storageclass must support resize"
    with pytest.raises(Failure, match="does not let claim default/nfs-pvc grow to 2Gi: the storageclass must support"):
        up(cluster)


@pytest.mark.parametrize("volume_name", [None, ""])
def test_a_claim_that_no_pod_uses_is_not_waited_for(up: Any, volume_name: str | None) -> None:
    cluster = Cluster()
    cluster.bound, cluster.volume_name = False, volume_name
    up(cluster, claims={"default/nfs-pvc": ""})
    assert cluster.patched == [], "Kubernetes refuses it, with a reason that leads nowhere"


def test_a_claim_that_lost_its_volume_is_waited_for_and_not_patched(up: Any) -> None:
    cluster = Cluster()
    cluster.bound = False
    with pytest.raises(Failure):
        up(cluster)
    assert cluster.patched == [], "Kubernetes refuses it, with a reason that leads nowhere"


def test_a_claim_that_does_not_exist_is_named(up: Any) -> None:
    cluster = Cluster()
    cluster.exists = False
    with pytest.raises(Failure, match="default/nfs-pvc, which does not exist"):
        up(cluster)


@pytest.mark.parametrize(
    ("change", "changes"),
    [
        ({}, True),
        ({"claims": {"default/nfs-pvc": "2Gi"}}, False),
        ({"claims": {"default/nfs-pvc": "3Gi"}}, False),
        ({"claims": {"default/nfs-pvc": "2Gi", "team/nfs-pvc": "2Gi"}}, False),
        ({"claims": {"default/nfs-pvc": ""}}, True),
        ({"claims": {"default/nfs-pvc": "3Gi"}, "storage": "3Gi"}, True),
    ],
)
def test_an_update_is_shown_only_where_something_grows(change: dict[str, Any], changes: bool) -> None:
    diff = VolumeGrowthProvider().diff("volume-growth", PROPS, {**PROPS, **change})
    assert diff.changes is changes, "a claim that somebody made larger would show as a change for ever"


def test_a_claim_without_a_volume_is_no_change_once_it_is_recorded() -> None:
    without = {**PROPS, "claims": {"default/nfs-pvc": ""}}
    assert VolumeGrowthProvider().diff("volume-growth", without, without).changes is False
    bound = {**PROPS, "claims": {"default/nfs-pvc": "1Gi"}}
    assert VolumeGrowthProvider().diff("volume-growth", without, bound).changes is True, "the volume that came is small"


def test_a_smaller_size_is_refused_in_preview() -> None:
    provider = VolumeGrowthProvider()
    [failure] = provider.check(PROPS, {**PROPS, "storage": "1Gi"}).failures
    assert "an EBS volume never shrinks" in failure.reason
    assert provider.check({}, PROPS).failures == [], "the first up is free to choose"
