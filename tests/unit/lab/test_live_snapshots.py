"""Snapshots in the picture and in the timeline."""

from dataclasses import replace

from lab.chain import MISSING
from lab.live import broken_links
from lab.reading.world import Changed, Ec2Told
from tests.unit.lab.fake_lab import SNAPSHOT, VOLUME, FakeLab, snapshot_things, things
from tests.unit.lab.test_live import ec2, told, watched


def test_snapshot_is_told_from_wish_to_copy_to_deletion() -> None:
    live, _ = watched()
    assert not live.can_snapshot()
    ready, content, class_ = snapshot_things()
    wished = {**ready, "status": {"readyToUse": False}}
    told(live, Changed(class_))
    assert live.can_snapshot()
    assert told(live, Changed(wished)) == [
        "12:00:00 VolumeSnapshot nfs-pvc-x7k2p is created: it asks for a copy of the claim nfs-pvc."
    ]
    assert live.look()[0].beside[0].state == "being taken"
    assert told(live, Changed(content)) == [f"12:00:00 EC2 takes the snapshot {SNAPSHOT} of {VOLUME}."]
    assert told(live, Changed(ready)) == [
        f"12:00:00 VolumeSnapshot nfs-pvc-x7k2p is ready: {SNAPSHOT} in EC2 holds 1Gi."
    ]
    [chain] = live.look()
    assert [(link.name, link.state) for link in chain.beside] == [("nfs-pvc-x7k2p", "ready to use")]
    assert live.last_change() == ("nfs-server", "VolumeSnapshot", 0)
    assert told(live, Changed(ready, deleted=True), Changed(content, deleted=True)) == [
        "12:00:00 VolumeSnapshot nfs-pvc-x7k2p is gone.",
        f"12:00:00 VolumeSnapshotContent snapcontent-4711 is gone, and with it {SNAPSHOT} in EC2.",
    ]


def test_snapshot_is_well_until_ec2_does_not_have_it() -> None:
    ready, content, class_ = snapshot_things()
    live, lab = watched()
    told(live, Changed(class_), Changed(content), Changed(ready))
    assert live.look()[0].beside[0].well, "EC2 is asked only after Kubernetes has told of it"
    told(live, Ec2Told(replace(ec2(lab).seen, snapshots={SNAPSHOT: None})))
    [link] = live.look()[0].beside
    assert not link.well
    assert f"EBS snapshot {SNAPSHOT}, {MISSING}" in link.about


def test_snapshot_that_fails_says_why_and_breaks_no_chain() -> None:
    ready, *rest = snapshot_things()
    failed = {**ready, "status": {"readyToUse": False, "error": {"message": "SnapshotLimitExceeded"}}}
    live, _ = watched(FakeLab(things=[*things(), *rest]))
    assert told(live, Changed(failed))[-1] == "12:00:00 VolumeSnapshot nfs-pvc-x7k2p fails: SnapshotLimitExceeded"
    assert live.timeline[-1].bad
    [chain] = live.look()
    assert not chain.beside[0].well
    assert broken_links(chain) == ""
