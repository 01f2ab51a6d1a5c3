"""Attachments: to one node at a time, in its zone, each on a device of its own."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from tests.conformance.driver import Driver, Ec2View
from tests.conformance.test_volumes import code_of


@pytest.fixture
def node(ec2: Ec2View) -> str:
    return ec2.run_instance()


def attached_to(ec2: Ec2View, name: str) -> list[str]:
    (volume,) = ec2.volumes(name)
    return [attachment["InstanceId"] for attachment in volume.get("Attachments", [])]


def test_publishing_again_answers_the_same_device(driver: Driver, ec2: Ec2View, node: str) -> None:
    volume = driver.create("pvc-published").volume_id
    first = driver.publish(volume, node)
    assert first["devicePath"].startswith("/dev/xvd"), "the node half of the driver looks for this device"
    assert driver.publish(volume, node) == first, "a repeated call must not move the disk"
    assert attached_to(ec2, "pvc-published") == [node]


def test_volumes_published_at_once_get_a_device_each(driver: Driver, node: str) -> None:
    volumes = [driver.create(f"pvc-device-{number}").volume_id for number in range(8)]
    with ThreadPoolExecutor(8) as callers:
        devices = list(callers.map(lambda volume: driver.publish(volume, node)["devicePath"], volumes))
    assert len(set(devices)) == 8, f"EC2 refuses a device that is taken, and a pod would see another's disk: {devices}"


def test_a_volume_of_one_node_is_refused_to_another(driver: Driver, ec2: Ec2View, node: str) -> None:
    volume = driver.create("pvc-held").volume_id
    driver.publish(volume, node)
    code, message = code_of(driver.publish, volume, ec2.run_instance())
    assert code == grpc.StatusCode.FAILED_PRECONDITION, "the attacher detaches first only after this code"
    assert node in message, "the message has to name the node that holds it"
    assert attached_to(ec2, "pvc-held") == [node], "the emulator would take the disk from a running pod"


def test_a_volume_of_another_zone_is_refused(driver: Driver, ec2: Ec2View, node: str) -> None:
    volume = driver.create("pvc-elsewhere", zones=("us-east-1b",)).volume_id
    code, message = code_of(driver.publish, volume, node)
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert "us-east-1b" in message, "the message has to say where the volume is"
    assert not attached_to(ec2, "pvc-elsewhere"), "the emulator attaches across zones: the controller must not ask it"
    assert driver.publish(volume, ec2.run_instance("us-east-1b")), "a node in the zone of the volume takes it"


def test_unpublishing_succeeds_however_often(driver: Driver, ec2: Ec2View, node: str) -> None:
    volume = driver.create("pvc-back").volume_id
    driver.unpublish(volume, node)
    driver.publish(volume, node)
    driver.unpublish(volume, ec2.run_instance())
    assert attached_to(ec2, "pvc-back") == [node], "unpublishing from one node took the disk from another"
    driver.unpublish(volume, node)
    assert not attached_to(ec2, "pvc-back"), "success while the disk is attached: the next node could not have it"
    driver.publish(volume, node)
    driver.unpublish(volume)
    assert not attached_to(ec2, "pvc-back"), "no node named means all nodes"
    driver.delete(volume)
    driver.unpublish(volume, node)


def test_an_attached_volume_is_not_deleted(driver: Driver, ec2: Ec2View, node: str) -> None:
    volume = driver.create("pvc-busy").volume_id
    driver.publish(volume, node)
    code, _ = code_of(driver.delete, volume)
    assert code == grpc.StatusCode.FAILED_PRECONDITION
    assert attached_to(ec2, "pvc-busy") == [node], "a pod would lose its disk"
