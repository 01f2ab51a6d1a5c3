"""The chain names every object from the Deployment to the EC2 instance, also one that is missing."""

from datetime import UTC

import pytest

from lab.chain import MISSING, chain_of
from tests.unit.lab.fake_lab import INSTANCE, VOLUME, FakeLab, broken


def test_every_link_is_well_in_a_lab_that_is_well() -> None:
    assert [link.kind for link in chain_of(FakeLab().seen()).links if not link.well] == []


@pytest.mark.parametrize(
    ("kind", "link"),
    [("Deployment", "Deployment"), ("Pod", "Pod"), ("VolumeAttachment", "VolumeAttachment"), ("Node", "EC2 instance")],
)
def test_missing_link_says_so_and_the_others_stay(kind: str, link: str) -> None:
    links = {one.kind: one for one in chain_of(broken(lambda lab: lab.remove(kind)).seen()).links}
    assert links[link].state == MISSING
    assert not links[link].well
    assert links["EBS volume"].name == VOLUME
    assert len(links) == 7


def test_pod_that_does_not_start_shows_the_latest_warning() -> None:
    def unscheduled(lab: FakeLab) -> None:
        pod = lab.the("Pod")
        pod["status"] = {"phase": "Pending"}
        about = {"uid": pod["metadata"]["uid"]}
        lab.things += [
            {"kind": "Event", "type": "Warning", "reason": "FailedScheduling", "message": text,
             "involvedObject": about, "lastTimestamp": time}
            for time, text in (("2026-03-01T10:02:00Z", "the latest"), ("2026-03-01T10:01:00Z", "the first"))
        ]  # fmt: skip

    [pod] = [link for link in chain_of(broken(unscheduled).seen()).links if link.kind == "Pod"]
    assert not pod.well
    assert "(Kubernetes: FailedScheduling: the latest)" in pod.about


def test_missing_object_is_named_as_it_is_configured() -> None:
    lab = FakeLab(things=[])
    lab.config["servers"] = '["team-a/nfs-server"]'
    lab.outputs["servers"] = {}
    links = {link.kind: link for link in chain_of(lab.seen()).links}
    assert links["Deployment"].name == "team-a/nfs-server", "nobody could tell which one is missing"
    assert links["PersistentVolumeClaim"].name == "nfs-pvc"


def test_times_of_both_apis_are_in_one_zone() -> None:
    links = chain_of(FakeLab().seen()).links
    assert [link.kind for link in links if link.since and link.since.utcoffset() != UTC.utcoffset(None)] == []


def test_chain_between_two_pods_ends_at_the_instance_that_has_the_volume() -> None:
    links = {link.kind: link for link in chain_of(broken(lambda lab: lab.remove("Pod")).seen()).links}
    assert links["EC2 instance"].state == "running", "the volume is still attached to it"
    assert links["EC2 instance"].name == INSTANCE
