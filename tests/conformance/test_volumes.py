"""Volumes: created once for each name, as they were asked for, and deleted by DeleteVolume."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from tests.conformance.driver import GIB, Driver, Ec2View


def code_of(call: Any, *args: Any, **kwargs: Any) -> tuple[grpc.StatusCode, str]:
    """Return status and message of a call that must fail."""
    with pytest.raises(grpc.RpcError) as failed:
        call(*args, **kwargs)
    error: Any = failed.value
    return error.code(), error.details()


def test_calls_at_once_for_one_name_create_one_volume(driver: Driver, ec2: Ec2View) -> None:
    with ThreadPoolExecutor(12) as callers:
        volumes = list(callers.map(lambda _: driver.create("pvc-at-once"), range(12)))
    assert len({volume.volume_id for volume in volumes}) == 1, "callers disagree about the volume of one claim"
    assert len(ec2.volumes("pvc-at-once")) == 1, "a volume that nobody knows costs money until somebody finds it"


def test_calls_for_many_names_create_one_volume_each(driver: Driver, ec2: Ec2View) -> None:
    names = [f"pvc-many-{number}" for number in range(40)]
    with ThreadPoolExecutor(40) as callers:
        made = dict(zip(names, callers.map(driver.create, names), strict=True))
    for name, volume in made.items():
        assert [each["VolumeId"] for each in ec2.volumes(name)] == [volume.volume_id], f"{name} has another volume"


def test_a_volume_is_what_claim_and_class_ask_for(driver: Driver, ec2: Ec2View) -> None:
    volume = driver.create(
        "pvc-asked",
        gib=7,
        zones=("us-east-1b",),
        parameters={
            "type": "io2",
            "iops": "500",
            "encrypted": "true",
            "tagSpecification_1": "Name=kubernetes-dynamic-{{ .PVName }}",
            "tagSpecification_2": "query={{.PVCNamespace}}/{{ .PVCName }}?a=b",
        },
    )
    assert volume.capacity_bytes == 7 * GIB, "the PersistentVolume would show another capacity"
    assert [dict(each.segments) for each in volume.accessible_topology] == [
        {"topology.kubernetes.io/zone": "us-east-1b"}
    ], "the scheduler would put pods where the volume cannot go, or nowhere"
    (seen,) = ec2.volumes("pvc-asked")
    assert (seen["Size"], seen["AvailabilityZone"], seen["VolumeType"], seen["Iops"], seen["Encrypted"]) == (
        7, "us-east-1b", "io2", 500, True,
    ), "EC2 got other arguments than the class has"  # fmt: skip
    assert {tag["Key"]: tag["Value"] for tag in seen["Tags"]} == {
        "CSIVolumeName": "pvc-asked",
        "ebs.csi.aws.com/cluster": "true",
        "kubernetes.io/created-for/pv/name": "pvc-asked",
        "kubernetes.io/created-for/pvc/name": "nfs-pvc",
        "kubernetes.io/created-for/pvc/namespace": "default",
        "Name": "kubernetes-dynamic-pvc-asked",
        "query": "default/nfs-pvc?a=b",
    }, "the console, and a search for leftovers, find volumes by these tags"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"gib": 11}, "size"),
        ({"parameters": {"type": "gp2"}}, "type"),
        ({"parameters": {"encrypted": "true"}}, "encrypted"),
        ({"parameters": {"iops": "4000"}}, "iops"),
        ({"zones": ("us-east-1c",)}, "zone"),
    ],
)
def test_a_name_with_another_volume_is_refused(
    driver: Driver, ec2: Ec2View, change: dict[str, Any], named: str
) -> None:
    driver.create("pvc-twice", gib=10)
    code, message = code_of(driver.create, "pvc-twice", **{"gib": 10, **change})
    assert code == grpc.StatusCode.ALREADY_EXISTS, "the claim would get a volume that is not what it asks for"
    assert named in message, "the message has to say what differs"
    assert len(ec2.volumes("pvc-twice")) == 1, "the refused call made a second volume"


@pytest.mark.parametrize(
    ("wanted", "zone"),
    [
        ((), "us-east-1a"),
        (("us-east-1c", "us-east-1b"), "us-east-1c"),
        (("us-west-2a", "us-east-1b"), "us-east-1b"),
    ],
)
def test_the_zone_is_the_best_that_the_region_has(driver: Driver, wanted: tuple[str, ...], zone: str) -> None:
    volume = driver.create(f"pvc-zone-{zone}", zones=wanted)
    assert volume.accessible_topology[0].segments["topology.kubernetes.io/zone"] == zone, (
        "the pod runs where the first zone is, and the volume would be elsewhere"
    )


def test_a_zone_outside_the_region_is_refused(driver: Driver, ec2: Ec2View) -> None:
    code, message = code_of(driver.create, "pvc-abroad", zones=("eu-west-1a",))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED, "CSI's code for a topology that cannot be served"
    assert "us-east-1a" in message, "the message has to say which zones there are"
    assert not ec2.volumes("pvc-abroad"), "the emulator takes any zone: the controller must not ask it"


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"gib": 70000}, grpc.StatusCode.OUT_OF_RANGE, "gp3"),
        ({"gib": 3, "limit_gib": 2}, grpc.StatusCode.OUT_OF_RANGE, "limit"),
        ({"parameters": {"colour": "red"}}, grpc.StatusCode.INVALID_ARGUMENT, "colour"),
        ({"parameters": {"type": "gp9"}}, grpc.StatusCode.INVALID_ARGUMENT, "gp3"),
        ({"parameters": {"tagSpecification_1": "a={{ .PVName"}}, grpc.StatusCode.INVALID_ARGUMENT, "not closed"),
        ({"mode": "MULTI_NODE_MULTI_WRITER"}, grpc.StatusCode.INVALID_ARGUMENT, "ReadWriteOnce"),
    ],
)
def test_an_impossible_volume_is_refused_with_its_reason(
    driver: Driver, ec2: Ec2View, change: dict[str, Any], code: grpc.StatusCode, named: str
) -> None:
    got, message = code_of(driver.create, "pvc-refused", **change)
    assert got == code, message
    assert named in message, "the event of the claim has to name what is wrong"
    assert not ec2.volumes("pvc-refused"), "a refused claim must not leave a volume"


def test_deleting_a_deleted_volume_succeeds(driver: Driver, ec2: Ec2View) -> None:
    volume = driver.create("pvc-deleted")
    driver.delete(volume.volume_id)
    assert not ec2.volumes("pvc-deleted"), "success for a volume that still exists leaks it"
    driver.delete(volume.volume_id)
    again = driver.create("pvc-deleted")
    assert again.volume_id != volume.volume_id, "the name of a deleted volume is free again"
