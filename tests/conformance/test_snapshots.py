"""Snapshots: one for each name, with the bytes of its volume; volumes from them, in any zone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from botocore.exceptions import ClientError

from localcloud.csi.stubs import csi
from tests.conformance.driver import GIB, Driver, Ec2View
from tests.conformance.test_faults import ASKED_AGAIN
from tests.conformance.test_volumes import code_of
from tests.faulty_ec2 import FaultyEc2, lost, refused, seen_as

TOLD = {
    "csi.storage.k8s.io/volumesnapshot/name": "monday",
    "csi.storage.k8s.io/volumesnapshot/namespace": "default",
    "csi.storage.k8s.io/volumesnapshotcontent/name": "snapcontent-1",
}
"""What csi-snapshotter --extra-create-metadata adds to the parameters of the class."""


@pytest.fixture
def driver(through_proxy: tuple[FaultyEc2, Driver]) -> Driver:
    return through_proxy[1]


def write(folder: Path, volume: str, text: str) -> None:
    """Write a file to the volume, as a Pod on a node does."""
    (folder / "volumes" / volume).mkdir(parents=True, exist_ok=True)
    (folder / "volumes" / volume / "file").write_text(text)


def read(folder: Path, volume: str) -> str:
    return (folder / "volumes" / volume / "file").read_text()


def test_a_volume_from_a_snapshot_has_its_bytes(driver: Driver, faulty: FaultyEc2, folder: Path) -> None:
    first = driver.create("pvc-written").volume_id
    write(folder, first, "monday")
    snapshot = driver.snapshot("snapshot-written", first)
    assert (snapshot.ready_to_use, snapshot.size_bytes, snapshot.source_volume_id) == (True, GIB, first)
    write(folder, first, "tuesday")
    second = driver.create("pvc-restored", gib=2, zones=("us-east-1b",), snapshot=snapshot.snapshot_id)
    assert second.content_source.snapshot.snapshot_id == snapshot.snapshot_id, "csi-provisioner refuses the volume"
    assert second.accessible_topology[0].segments["topology.kubernetes.io/zone"] == "us-east-1b", (
        "a snapshot belongs to the region, so the volume can be in any zone"
    )
    assert second.capacity_bytes == 2 * GIB
    assert read(folder, second.volume_id) == "monday", "a snapshot holds what was there when it was made"
    write(folder, second.volume_id, "wednesday")
    assert read(folder, first) == "tuesday", "the two volumes share their bytes"
    driver.delete(first)
    driver.delete_snapshot(snapshot.snapshot_id)
    assert read(folder, second.volume_id) == "wednesday", "a volume does not need its snapshot any more"
    assert not (folder / "snapshots" / snapshot.snapshot_id).exists(), "the bytes of a deleted snapshot stay"


def test_a_snapshot_has_the_tags_of_the_real_driver(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    template = "Name={{ .VolumeSnapshotNamespace }}/{{ .VolumeSnapshotName }} of {{ .VolumeSnapshotContentName }}"
    volume = driver.create("pvc-tagged").volume_id
    driver.snapshot("snapshot-tagged", volume, **TOLD, tagSpecification_1=template)
    (seen,) = ec2.snapshots("snapshot-tagged")
    assert {tag["Key"]: tag["Value"] for tag in seen["Tags"]} == {
        "CSIVolumeSnapshotName": "snapshot-tagged",
        "ebs.csi.aws.com/cluster": "true",
        "Name": "default/monday of snapcontent-1",
    }, "the console, and a search for leftovers, find snapshots by these tags"


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"colour": "red"}, "colour"),
        ({"tagSpecification_1": "Name={{ .PVName }}"}, "{{ .VolumeSnapshotName }}"),
        ({"tagSpecification_1": "Name={{ .VolumeSnapshotName }}"}, "csi-snapshotter tells it"),
        ({"tagSpecification_1": "CSIVolumeSnapshotName=other"}, "belongs to the driver"),
    ],
)
def test_an_impossible_snapshot_is_refused_with_its_reason(
    driver: Driver, faulty: FaultyEc2, ec2: Ec2View, parameters: dict[str, str], named: str
) -> None:
    volume = driver.create("pvc-snapshot-refused").volume_id
    code, message = code_of(driver.snapshot, "snapshot-refused", volume, **parameters)
    assert (code, named in message) == (grpc.StatusCode.INVALID_ARGUMENT, True), message
    assert "CreateSnapshot" not in faulty.asked


def test_calls_at_once_for_one_name_create_one_snapshot(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-snapshot-at-once").volume_id
    with ThreadPoolExecutor(8) as callers:
        made = list(callers.map(lambda _: driver.snapshot("snapshot-at-once", volume), range(8)))
    assert {each.snapshot_id for each in made} == {each["SnapshotId"] for each in ec2.snapshots("snapshot-at-once")}
    assert faulty.asked.count("CreateSnapshot") == 1, "EC2 takes no token: a second request makes a second snapshot"


def test_a_name_with_another_volumes_snapshot_is_refused(driver: Driver, faulty: FaultyEc2) -> None:
    first, second = (driver.create(f"pvc-snapshot-{number}").volume_id for number in "12")
    driver.snapshot("snapshot-twice", first)
    code, message = code_of(driver.snapshot, "snapshot-twice", second)
    assert code == grpc.StatusCode.ALREADY_EXISTS
    assert first in message, "the message has to say what has the name"


def test_a_snapshot_whose_answer_is_lost_is_found_next_time(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-snapshot-lost").volume_id
    faulty.next("CreateSnapshot", lost)
    assert code_of(driver.snapshot, "snapshot-lost", volume)[0] in ASKED_AGAIN
    faulty.next("DescribeSnapshots", refused("UnauthorizedOperation"))
    code, message = code_of(driver.snapshot, "snapshot-lost", volume)
    assert code in ASKED_AGAIN, "after a final code csi-snapshotter forgets a snapshot that was made"
    assert "UnauthorizedOperation" in message, "the message has to say what EC2 said"
    snapshot = driver.snapshot("snapshot-lost", volume)
    assert [each["SnapshotId"] for each in ec2.snapshots("snapshot-lost")] == [snapshot.snapshot_id]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("SnapshotCreationPerVolumeRateExceeded", grpc.StatusCode.UNAVAILABLE),
        ("RequestLimitExceeded", grpc.StatusCode.UNAVAILABLE),
        ("SnapshotLimitExceeded", grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("InvalidVolume.NotFound", grpc.StatusCode.NOT_FOUND),
        ("UnauthorizedOperation", grpc.StatusCode.PERMISSION_DENIED),
        ("IncorrectState", grpc.StatusCode.ABORTED),
    ],
)
def test_a_refused_snapshot_says_why_and_may_be_asked_again(
    driver: Driver, faulty: FaultyEc2, ec2: Ec2View, said: str, code: grpc.StatusCode
) -> None:
    name = f"snapshot-{said.lower()}"
    volume = driver.create(f"pvc-{said.lower()}").volume_id
    faulty.next("CreateSnapshot", refused(said))
    got, message = code_of(driver.snapshot, name, volume)
    assert (got, said in message) == (code, True), message
    assert not ec2.snapshots(name)
    assert driver.snapshot(name, volume).ready_to_use


def test_a_look_for_a_snapshot_is_repeated_while_ec2_throttles(driver: Driver, faulty: FaultyEc2) -> None:
    volume = driver.create("pvc-snapshot-patience").volume_id
    faulty.next("DescribeSnapshots", refused("RequestLimitExceeded", 503), refused("Unavailable", 503))
    assert driver.snapshot("snapshot-patience", volume).ready_to_use


def test_a_pending_snapshot_is_waited_for(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-snapshot-pending").volume_id
    faulty.next("CreateSnapshot", seen_as("pending"))
    # The first look finds nothing, so the first of these faults belongs to it.
    faulty.next("DescribeSnapshots", *[seen_as("pending")] * 1000)
    assert code_of(driver.snapshot, "snapshot-pending", volume, timeout=0.5)[0] == grpc.StatusCode.DEADLINE_EXCEEDED
    faulty.calm()
    assert driver.snapshot("snapshot-pending", volume).ready_to_use
    assert faulty.asked.count("CreateSnapshot") == len(ec2.snapshots("snapshot-pending")) == 1


def test_a_snapshot_that_ec2_cannot_complete_is_replaced(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-snapshot-broken").volume_id
    faulty.next("CreateSnapshot", seen_as("error"))
    assert code_of(driver.snapshot, "snapshot-broken", volume)[0] in ASKED_AGAIN
    assert not ec2.snapshots("snapshot-broken"), "a broken snapshot would be found by name for ever"
    assert driver.snapshot("snapshot-broken", volume).ready_to_use


def test_a_lost_answer_does_not_hinder_the_deletion(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    snapshot = driver.snapshot("snapshot-end-lost", driver.create("pvc-snapshot-end-lost").volume_id).snapshot_id
    faulty.next("DeleteSnapshot", refused("InvalidSnapshot.InUse"))
    assert code_of(driver.delete_snapshot, snapshot)[0] == grpc.StatusCode.FAILED_PRECONDITION
    faulty.next("DeleteSnapshot", lost)
    driver.delete_snapshot(snapshot)
    driver.delete_snapshot(snapshot)
    assert not ec2.snapshots("snapshot-end-lost")


def test_a_volume_is_never_smaller_than_its_snapshot(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    snapshot = driver.snapshot("snapshot-large", driver.create("pvc-large", gib=3).volume_id).snapshot_id
    code, message = code_of(driver.create, "pvc-smaller", gib=2, snapshot=snapshot)
    assert (code, "3 GiB" in message) == (grpc.StatusCode.OUT_OF_RANGE, True), message
    with pytest.raises(ClientError, match="smaller than snapshot"):
        ec2.client.create_volume(AvailabilityZone="us-east-1a", Size=2, SnapshotId=snapshot)
    assert ec2.client.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["Size"] == 3


def test_a_snapshot_that_does_not_exist_is_not_found(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    for missing in ("snap-0123456789abcdef0", "not-an-id"):
        assert code_of(driver.create, "pvc-of-nothing", snapshot=missing)[0] == grpc.StatusCode.NOT_FOUND
        with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
            ec2.client.create_volume(AvailabilityZone="us-east-1a", SnapshotId=missing)
    assert not ec2.volumes("pvc-of-nothing")


def test_an_unfinished_snapshot_is_asked_for_again(driver: Driver, faulty: FaultyEc2) -> None:
    snapshot = driver.snapshot("snapshot-early", driver.create("pvc-early").volume_id).snapshot_id
    faulty.next("DescribeSnapshots", seen_as("pending"))
    code, message = code_of(driver.create, "pvc-of-early", snapshot=snapshot)
    assert (code, "pending" in message) == (grpc.StatusCode.ABORTED, True), message
    assert driver.create("pvc-of-early", snapshot=snapshot).volume_id


def test_a_restored_volume_is_found_without_its_snapshot(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    snapshot = driver.snapshot("snapshot-passing", driver.create("pvc-passing").volume_id).snapshot_id
    faulty.next("CreateVolume", lost)
    assert code_of(driver.create, "pvc-of-passing", snapshot=snapshot)[0] in ASKED_AGAIN
    driver.delete_snapshot(snapshot)
    volume = driver.create("pvc-of-passing", snapshot=snapshot).volume_id
    assert [each["VolumeId"] for each in ec2.volumes("pvc-of-passing")] == [volume], "two volumes for one claim"
    code, message = code_of(driver.create, "pvc-of-passing")
    assert (code, snapshot in message) == (grpc.StatusCode.ALREADY_EXISTS, True), "an empty volume was asked for"


def test_snapshots_are_listed_page_by_page(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-listed").volume_id
    made = {driver.snapshot(f"snapshot-listed-{number}", volume).snapshot_id for number in range(5)}
    foreign = ec2.client.create_snapshot(VolumeId=volume)["SnapshotId"]
    seen: list[str] = []
    token = ""
    while True:
        page = listed(driver, source_volume_id=volume, max_entries=2, starting_token=token)
        seen += [entry.snapshot.snapshot_id for entry in page.entries]
        token = page.next_token
        if not token:
            break
        driver.delete_snapshot(seen[-1])
    assert sorted(seen) == sorted(made), f"each once, also while some are deleted, and not {foreign}, which is not ours"
    assert code_of(listed, driver, starting_token="x")[0] == grpc.StatusCode.ABORTED
    assert code_of(listed, driver, max_entries=-1)[0] == grpc.StatusCode.INVALID_ARGUMENT


def listed(driver: Driver, **wanted: Any) -> Any:
    return driver.controller.ListSnapshots(csi.ListSnapshotsRequest(**wanted), timeout=30)


def test_a_copy_to_another_region_is_refused(ec2: Ec2View, driver: Driver, faulty: FaultyEc2) -> None:
    snapshot = driver.snapshot("snapshot-abroad", driver.create("pvc-abroad-snapshot").volume_id).snapshot_id
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        ec2.client.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)
