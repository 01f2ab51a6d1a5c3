"""The same for a class: a server for every learner."""

from collections.abc import Iterable
from copy import deepcopy

import pytest

from lab.chain import MISSING
from lab.live import Live, broken_links
from lab.reading.world import Changed, Listed
from tests.unit.lab.fake_lab import PV, FakeLab
from tests.unit.lab.test_live import ec2, told, watched


def a_class(count: int) -> FakeLab:
    """Return a lab in which every one of `count` learners has a server."""
    lab = FakeLab(things=[], volumes=[])
    one = FakeLab()
    lab.config["servers"] = str([f"team-{number}/nfs-server" for number in range(count)]).replace("'", '"')
    for number in range(count):
        for thing in deepcopy(one.things):
            metadata = thing["metadata"]
            metadata["uid"] = f"{number}-{metadata['uid']}"
            if metadata.get("namespace"):
                metadata["namespace"] = f"team-{number}"
            elif thing["kind"] in ("PersistentVolume", "VolumeAttachment"):
                metadata["name"] += f"-{number}"
            if thing["kind"] == "PersistentVolumeClaim":
                thing["spec"]["volumeName"] = f"{PV}-{number}"
            if thing["kind"] == "PersistentVolume":
                thing["spec"]["csi"]["volumeHandle"] = f"vol-{number}"
            if thing["kind"] == "VolumeAttachment":
                thing["spec"]["source"]["persistentVolumeName"] = f"{PV}-{number}"
            lab.things.append(thing)
        lab.volumes.append({**one.volumes[0], "VolumeId": f"vol-{number}"})
    return lab


@pytest.fixture(scope="module")
def large() -> FakeLab:
    return a_class(200)


def pods_deleted(lab: FakeLab) -> Iterable[Changed]:
    for pod in (thing for thing in lab.things if thing["kind"] == "Pod"):
        yield Changed(pod, deleted=True)


def test_class_of_200_is_one_sentence_and_a_chain_each(large: FakeLab) -> None:
    live = Live(large.stack)
    assert told(live, Listed(large.things), ec2(large)) == [
        "12:00:00 200 servers: every chain holds, from the Deployment to the EC2 instance."
    ]
    assert len(live.look()) == 200
    said = told(live, *pods_deleted(large))
    assert len(said) == 200
    assert "Pod team-7/" in said[7], "which of the 200 it is"
    assert all(f"Pod {MISSING}" in broken_links(chain) for chain in live.look())


def test_chains_are_built_when_they_are_looked_at(large: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    live, _ = watched(large)
    looks: list[int] = []
    monkeypatch.setattr(Live, "snapshots", lambda self: looks.append(1) or [])
    told(live, *pods_deleted(large))
    assert looks == [], "200 chains for each of 200 pieces of news take longer than the news"
    live.look()
    live.look()
    assert looks == [1]
