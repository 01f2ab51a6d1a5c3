"""One EC2 API and one controller for all conformance tests; a test makes its own volumes and instances."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from localcloud import ec2_key
from tests.conformance.driver import Driver, Ec2View, controller_process, ec2_api, key_file
from tests.faulty_ec2 import FaultyEc2, faulty_ec2


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csi")


@pytest.fixture(scope="session")
def ec2_endpoint(folder: Path) -> Iterator[str]:
    with ec2_api(folder) as url:
        yield url


@pytest.fixture(scope="session")
def ec2(ec2_endpoint: str) -> Ec2View:
    return Ec2View(ec2_endpoint)


@pytest.fixture(scope="session")
def controller_socket(folder: Path, ec2_endpoint: str) -> Iterator[Path]:
    with controller_process(folder, ec2_endpoint):
        yield folder / "csi.sock"


@pytest.fixture(scope="session")
def through_proxy(ec2_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FaultyEc2, Driver]]:
    """A controller of its own, between which and the EC2 API there can be faults."""
    folder = tmp_path_factory.mktemp("faulty")
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
def driver(controller_socket: Path) -> Iterator[Driver]:
    driver = Driver(controller_socket)
    with driver.channel:
        yield driver
