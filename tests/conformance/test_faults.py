"""Faults of EC2, and what must come of them: one volume for each name."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from checkout.until import until
from localcloud import ec2_key
from tests.conformance.driver import Driver, Ec2View, controller_process, key_file
from tests.conformance.test_volumes import code_of
from tests.faulty_ec2 import FaultyEc2, faulty_ec2, lost, refused, seen_as

# What csi-provisioner takes for "may still happen, ask again" (checkError, external-provisioner v6).
ASKED_AGAIN = (grpc.StatusCode.ABORTED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.fixture(scope="module")
def faulty_driver(ec2_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultyEc2, Driver]]:
    folder = tmp_path_factory.mktemp("faulty")
    with faulty_ec2(ec2_endpoint, ec2_key.read(key_file())) as (faulty, url), controller_process(folder, url):
        driver = Driver(folder / "csi.sock")
        with driver.channel:
            yield faulty, driver


@pytest.fixture
def faulty(faulty_driver: tuple[FaultyEc2, Driver]) -> Iterator[FaultyEc2]:
    yield faulty_driver[0]
    assert not faulty_driver[0].unused(), "a fault of this test did not happen, so nothing was tested"


@pytest.fixture
def driver(faulty_driver: tuple[FaultyEc2, Driver]) -> Driver:
    return faulty_driver[1]


def test_a_create_whose_answer_is_lost_is_found_next_time(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    faulty.next("CreateVolume", lost)
    code, _ = code_of(driver.create, "pvc-lost")
    assert code in ASKED_AGAIN, "after a final code the provisioner forgets a volume that was made"
    volume = driver.create("pvc-lost")
    assert [each["VolumeId"] for each in ec2.volumes("pvc-lost")] == [volume.volume_id], "two volumes for one claim"


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidParameterValue", "NobodyKnowsThis"])
def test_a_failed_look_for_the_volume_is_never_final(
    driver: Driver, faulty: FaultyEc2, ec2: Ec2View, code: str
) -> None:
    name = f"pvc-unseen-{code.lower()}"
    faulty.next("CreateVolume", lost)
    code_of(driver.create, name)
    faulty.next("DescribeVolumes", refused(code))
    got, message = code_of(driver.create, name)
    assert got in ASKED_AGAIN, "the volume of the first call is there, and would be forgotten"
    assert code in message, "the message has to say what EC2 said"
    driver.create(name)
    assert len(ec2.volumes(name)) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("VolumeLimitExceeded", grpc.StatusCode.RESOURCE_EXHAUSTED),
        ("UnauthorizedOperation", grpc.StatusCode.PERMISSION_DENIED),
        ("InvalidParameterValue", grpc.StatusCode.INVALID_ARGUMENT),
        ("RequestLimitExceeded", grpc.StatusCode.UNAVAILABLE),
        ("IdempotentParameterMismatch", grpc.StatusCode.ABORTED),
    ],
)
def test_a_refused_create_gets_the_code_of_its_kind(
    driver: Driver, faulty: FaultyEc2, said: str, code: grpc.StatusCode
) -> None:
    faulty.next("CreateVolume", refused(said))
    assert code_of(driver.create, f"pvc-refused-{said.lower()}")[0] == code


def test_a_look_is_repeated_while_ec2_throttles(driver: Driver, faulty: FaultyEc2) -> None:
    faulty.next("DescribeVolumes", refused("RequestLimitExceeded", 503), refused("Unavailable", 503))
    assert driver.create("pvc-patience").volume_id, "one throttled request would fail the claim"


def test_a_volume_is_answered_once_it_is_available(driver: Driver, faulty: FaultyEc2) -> None:
    faulty.next("CreateVolume", seen_as("creating"))
    # The first look comes before the volume is created and finds nothing, so the first of these faults belongs to it.
    faulty.next("DescribeVolumes", seen_as("creating"), seen_as("creating"))
    began = len(faulty.asked)
    assert driver.create("pvc-slow").volume_id
    assert faulty.asked[began:].count("DescribeVolumes") == 3, "the pod would be sent to a disk that is not ready"


def test_a_deadline_during_the_creation_loses_nothing(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    faulty.next("CreateVolume", seen_as("creating"))
    faulty.next("DescribeVolumes", seen_as("creating"), seen_as("creating"))
    began = time.monotonic()
    code, _ = code_of(driver.create, "pvc-late", timeout=0.15)
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - began < 5, "a call outlived its caller"
    assert driver.create("pvc-late").volume_id
    assert len(ec2.volumes("pvc-late")) == 1, "the call after the deadline made another volume"


def test_a_volume_that_ec2_cannot_create_is_deleted(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    faulty.next("CreateVolume", seen_as("error"))
    code, message = code_of(driver.create, "pvc-broken")
    assert code == grpc.StatusCode.INTERNAL
    assert "kmsKeyId" in message, "the usual reason has to be named"
    assert not ec2.volumes("pvc-broken"), "a broken volume would be found by name for ever"


def test_an_attachment_whose_answer_is_lost_is_found(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume, node = driver.create("pvc-attach-lost").volume_id, ec2.run_instance()
    faulty.next("AttachVolume", lost)
    assert code_of(driver.publish, volume, node)[0] == grpc.StatusCode.UNAVAILABLE
    (seen,) = ec2.volumes("pvc-attach-lost")
    assert driver.publish(volume, node) == {"devicePath": seen["Attachments"][0]["Device"]}


def test_a_full_node_is_resource_exhausted(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume, node = driver.create("pvc-full").volume_id, ec2.run_instance()
    faulty.next("AttachVolume", refused("AttachmentLimitExceeded"))
    assert code_of(driver.publish, volume, node)[0] == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_lost_answer_hinders_neither_delete_nor_detach(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume, node = driver.create("pvc-end-lost").volume_id, ec2.run_instance()
    driver.publish(volume, node)
    faulty.next("DetachVolume", lost)
    assert code_of(driver.unpublish, volume, node)[0] == grpc.StatusCode.UNAVAILABLE
    driver.unpublish(volume, node)
    faulty.next("DeleteVolume", lost)
    driver.delete(volume)
    assert not ec2.volumes("pvc-end-lost")


def test_an_ec2_api_that_is_down_is_asked_again_later(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("away")
    with controller_process(folder, "http://127.0.0.1:9"):
        driver = Driver(folder / "csi.sock")
        with driver.channel:
            code, message = code_of(driver.create, "pvc-away")
    assert code == grpc.StatusCode.UNAVAILABLE, "an outage of a minute would make the provisioner forget volumes"
    assert "DescribeVolumes" in message


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which signals a thread blocks")
def test_no_thread_of_the_controller_takes_its_stop_signals(
    ec2_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with controller_process(tmp_path_factory.mktemp("signals"), ec2_endpoint) as process:
        # The main thread waits for the signals, and Linux shows them as not blocked there meanwhile.
        threads = [each for each in Path(f"/proc/{process.pid}/task").iterdir() if each.name != str(process.pid)]
        assert threads, "gRPC works in threads of its own"
        for thread in threads:
            (blocked,) = re.findall(r"SigBlk:\s*(\w+)", (thread / "status").read_text())
            for number in (signal.SIGTERM, signal.SIGINT):
                assert int(blocked, 16) >> (number - 1) & 1, "a handler does not always wake Python's main thread"


def test_a_waiting_call_ends_with_the_controller(ec2_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("stopped")
    with (
        faulty_ec2(ec2_endpoint, ec2_key.read(key_file())) as (faulty, url),
        controller_process(folder, url) as process,
        ThreadPoolExecutor(1) as caller,
    ):
        faulty.next("CreateVolume", seen_as("creating"))
        faulty.next("DescribeVolumes", *[seen_as("creating")] * 1000)
        driver = Driver(folder / "csi.sock")
        waiting = caller.submit(code_of, driver.create, "pvc-stopped")
        until(lambda: faulty.asked.count("DescribeVolumes") >= 3, "the controller waits for the volume")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, "the local cloud stops within seconds, whatever is being served"
        assert waiting.result(10)[0] == grpc.StatusCode.UNAVAILABLE, "the provisioner must ask the next controller"
        driver.channel.close()
