"""One EC2 API and one controller for all conformance tests; a test makes its own volumes and instances."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.driver import Driver, Ec2View, controller_process, ec2_api


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


@pytest.fixture
def driver(controller_socket: Path) -> Iterator[Driver]:
    driver = Driver(controller_socket)
    with driver.channel:
        yield driver
