"""Volumes grow in place, once for each wish, and never shrink; what EC2 refuses or loses is told or mended."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import grpc
import pytest

from checkout.until import until
from localcloud import ec2_key
from tests.conformance.driver import GIB, Driver, Ec2View, controller_process, key_file
from tests.conformance.test_volumes import code_of
from tests.faulty_ec2 import Answer, Fault, FaultyEc2, faulty_ec2, held, lost, refused


@pytest.fixture(scope="module")
def through_proxy(ec2_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultyEc2, Driver]]:
    folder = tmp_path_factory.mktemp("growth")
    with faulty_ec2(ec2_endpoint, ec2_key.read(key_file())) as (faulty, url), controller_process(folder, url):
        driver = Driver(folder / "csi.sock")
        with driver.channel:
            yield faulty, driver


@pytest.fixture
def faulty(through_proxy: tuple[FaultyEc2, Driver]) -> Iterator[FaultyEc2]:
    through_proxy[0].asked.clear()
    yield through_proxy[0]
    assert not through_proxy[0].unused(), "a fault of this test did not happen, so nothing was tested"


@pytest.fixture
def driver(through_proxy: tuple[FaultyEc2, Driver]) -> Driver:
    return through_proxy[1]


def size(ec2: Ec2View, name: str) -> int:
    (volume,) = ec2.volumes(name)
    return volume["Size"]


def modification_seen_as(state: str) -> Fault:
    """A modification to 2 GiB seems to be in that state."""
    item = (
        f"<modificationState>{state}</modificationState><targetSize>2</targetSize>"
        "<statusMessage>said by the test</statusMessage>"
    )
    body = f"<volumeModificationSet><item>{item}</item></volumeModificationSet>"
    return lambda work: (200, _response("DescribeVolumesModifications", body))


def accepted(work: Callable[[], Answer]) -> Answer:
    """EC2 accepts the modification, and then does nothing."""
    return 200, _response("ModifyVolume", "<volumeModification></volumeModification>")


def _response(operation: str, body: str) -> bytes:
    return f"<{operation}Response>{body}</{operation}Response>".encode()


def test_a_volume_grows_to_whole_gib_and_keeps_its_id(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-grows").volume_id
    answer = driver.expand(volume, 2 * GIB + 1)
    assert answer.capacity_bytes == 3 * GIB, "the claim would show a size that the volume does not have"
    assert answer.node_expansion_required, "the claim would say a size that the file system does not have yet"
    assert (size(ec2, "pvc-grows"), ec2.volumes("pvc-grows")[0]["VolumeId"]) == (3, volume)


def test_an_attached_volume_grows_where_it_is(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume, node = driver.create("pvc-grows-attached").volume_id, ec2.run_instance()
    driver.publish(volume, node)
    driver.expand(volume, 4 * GIB)
    (seen,) = ec2.volumes("pvc-grows-attached")
    assert (seen["Size"], seen["Attachments"][0]["State"]) == (4, "attached"), "a full disk grows while it is in use"


@pytest.mark.parametrize("gib", [5, 2])
def test_a_volume_of_that_size_or_more_stays_as_it_is(
    driver: Driver, faulty: FaultyEc2, ec2: Ec2View, gib: int
) -> None:
    volume = driver.create(f"pvc-stays-{gib}", gib=5).volume_id
    assert driver.expand(volume, gib * GIB).capacity_bytes == 5 * GIB, "the caller must learn the size that there is"
    assert "ModifyVolume" not in faulty.asked, "the emulator would shrink the volume, and EBS refuses to"
    assert size(ec2, f"pvc-stays-{gib}") == 5


def test_a_volume_above_the_limit_is_out_of_range(driver: Driver, faulty: FaultyEc2) -> None:
    volume = driver.create("pvc-above", gib=5).volume_id
    code, message = code_of(driver.expand, volume, 2 * GIB, 3 * GIB)
    assert code == grpc.StatusCode.OUT_OF_RANGE
    assert "never shrinks" in message


@pytest.mark.parametrize(
    ("parameters", "gib", "required", "limit", "named"),
    [
        ({}, 1, 70000 * GIB, 0, "gp3"),
        ({}, 1, GIB + 1, GIB + 2, "whole GiB"),
        ({"type": "gp2"}, 1, 20000 * GIB, 0, "gp2"),
    ],
)
def test_an_impossible_size_is_out_of_range(
    driver: Driver, faulty: FaultyEc2, parameters: dict[str, str], gib: int, required: int, limit: int, named: str
) -> None:
    volume = driver.create(f"pvc-too-large-{required}", gib=gib, parameters=parameters).volume_id
    code, message = code_of(driver.expand, volume, required, limit)
    assert code == grpc.StatusCode.OUT_OF_RANGE, "csi-resizer marks the growth as infeasible after this code"
    assert named in message
    assert "ModifyVolume" not in faulty.asked, "the emulator accepts any size: the controller must not ask it"


def test_calls_at_once_modify_the_volume_once(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-grows-at-once").volume_id
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: driver.expand(volume, 2 * GIB), range(8)))
    assert {answer.capacity_bytes for answer in answers} == {2 * GIB}
    assert faulty.asked.count("ModifyVolume") == 1, "EC2 allows four modifications a day"


def test_a_growth_whose_answer_is_lost_is_found_next_time(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-growth-lost").volume_id
    faulty.next("ModifyVolume", lost)
    assert code_of(driver.expand, volume, 2 * GIB)[0] == grpc.StatusCode.UNAVAILABLE
    assert driver.expand(volume, 2 * GIB).capacity_bytes == 2 * GIB
    assert faulty.asked.count("ModifyVolume") == 1, "a second would be refused, and counts against the four of a day"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("VolumeModificationRateExceeded", grpc.StatusCode.INTERNAL),
        ("IncorrectModificationState", grpc.StatusCode.INTERNAL),
        ("InvalidParameterValue", grpc.StatusCode.INVALID_ARGUMENT),
        ("UnauthorizedOperation", grpc.StatusCode.PERMISSION_DENIED),
        ("RequestLimitExceeded", grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_a_refused_growth_says_why_and_may_be_asked_again(
    driver: Driver, faulty: FaultyEc2, ec2: Ec2View, said: str, code: grpc.StatusCode
) -> None:
    name = f"pvc-growth-{said.lower()}"
    volume = driver.create(name).volume_id
    faulty.next("ModifyVolume", refused(said))
    got, message = code_of(driver.expand, volume, 2 * GIB)
    assert got == code
    assert said in message, "the event of the claim has to say what EC2 said"
    assert size(ec2, name) == 1
    driver.expand(volume, 2 * GIB)
    assert size(ec2, name) == 2


def test_an_unknown_volume_is_not_found(driver: Driver, faulty: FaultyEc2) -> None:
    assert code_of(driver.expand, "vol-0123456789abcdef0", GIB)[0] == grpc.StatusCode.NOT_FOUND


def test_a_volume_without_a_modification_can_grow(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-never-modified").volume_id
    faulty.next("DescribeVolumesModifications", refused("InvalidVolumeModification.NotFound"))
    assert driver.expand(volume, 2 * GIB).capacity_bytes == 2 * GIB, "EC2 answers so for every volume at first"


def test_a_growth_under_way_is_waited_for(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    """EC2 shows the new size only some time after it has accepted the modification."""
    volume = driver.create("pvc-under-way").volume_id

    faulty.next("DescribeVolumesModifications", *[modification_seen_as("modifying")] * 2)
    with ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(driver.expand, volume, 2 * GIB)
        until(lambda: faulty.asked.count("DescribeVolumesModifications") >= 2, "the controller waits")
        ec2.client.modify_volume(VolumeId=volume, Size=2)
        assert waiting.result(30).capacity_bytes == 2 * GIB
    assert "ModifyVolume" not in faulty.asked, "EC2 would refuse a second modification of the same volume"


def test_a_failed_modification_is_told(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume = driver.create("pvc-growth-failed").volume_id

    faulty.next("DescribeVolumesModifications", *[modification_seen_as("failed")] * 2)
    faulty.next("ModifyVolume", accepted)
    code, message = code_of(driver.expand, volume, 2 * GIB)
    assert code == grpc.StatusCode.INTERNAL
    assert "said by the test" in message


def test_delete_waits_for_a_growth_under_way(driver: Driver, faulty: FaultyEc2, ec2: Ec2View) -> None:
    volume, release = driver.create("pvc-grow-delete").volume_id, Event()
    faulty.next("ModifyVolume", held(release))
    with ThreadPoolExecutor(2) as callers:
        growing = callers.submit(driver.expand, volume, 2 * GIB)
        until(lambda: "ModifyVolume" in faulty.asked, "the growth has reached EC2")
        deleting = callers.submit(driver.delete, volume)
        release.set()
        growing.result(30)
        deleting.result(30)
    assert not ec2.volumes("pvc-grow-delete")
