"""Two clouds of one machine: one that is attacked, and one whose credentials the attackers have."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from localcloud.control_plane import ControlPlane
from localcloud.record.layout import Layout
from tests.local.clouds import TOOLS, record_of


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that everybody enters, as a home often is: what protects a cloud must be the cloud's own."""
    folder = Path(tempfile.mkdtemp(prefix="security-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _created(folder: Path) -> ControlPlane:
    cloud = ControlPlane(folder, tools=TOOLS)
    before = os.umask(0)  # of a creator who shares everything
    try:
        cloud.create("us-east-1", snapshots=True)  # whatever a cloud can run
        cloud.ensure_running()
    finally:
        os.umask(before)
    return cloud


@pytest.fixture(scope="session")
def cloud(open_folder: Path) -> Iterator[ControlPlane]:
    """The cloud that is attacked."""
    cloud = _created(open_folder / "attacked")
    yield cloud
    cloud.delete()


@pytest.fixture(scope="session")
def other(open_folder: Path) -> Iterator[ControlPlane]:
    """A cloud of the attacker's own."""
    cloud = _created(open_folder / "other")
    yield cloud
    cloud.delete()


@dataclass(frozen=True)
class Credential:
    """A client certificate with its key, and a bearer token."""

    certificate: tuple[str, str]
    token: str


def _of(cloud: ControlPlane) -> Credential:
    layout = Layout(cloud.folder)
    token = layout.token.read_text().split(",", 1)[0]
    return Credential((str(layout.client_certificate), str(layout.client_key)), token)


@pytest.fixture(scope="session")
def own_credential(cloud: ControlPlane) -> Credential:
    return _of(cloud)


@pytest.fixture(scope="session")
def other_credential(other: ControlPlane) -> Credential:
    return _of(other)


@pytest.fixture(scope="session")
def expired_credential(cloud: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Credential:
    """A certificate of the cloud's own authority, for its administrators, whose time is over."""
    folder = tmp_path_factory.mktemp("expired")
    authority = Layout(cloud.folder).ca
    key, request, certificate = (str(folder / name) for name in ("key", "request", "certificate"))
    issue = ["-CA", str(authority), "-CAkey", str(authority.with_suffix(".key")), "-days", "-1", "-out", certificate]
    subject = ["-subj", "/O=system:masters/CN=late"]
    for words in (
        ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, *subject],
        ["x509", "-req", "-in", request, "-set_serial", "1", *issue],
    ):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)
    return Credential((certificate, key), "0" * 64)


@pytest.fixture
def ports(cloud: ControlPlane) -> dict[str, int]:
    return record_of(cloud).ports
