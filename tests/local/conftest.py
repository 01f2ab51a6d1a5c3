"""One local cloud for the tests that leave it as they found it, and a lab for a module of programs of others."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkout import Checkout
from localcloud.control_plane import ControlPlane

TOOLS = Path(__file__).parents[2] / ".lab" / "bin"
REGION = "us-east-1"
# What people have set, and what must not reach the cloud.
AMBIENT = {
    "KUBECONFIG": "/nonexistent/kubeconfig",
    "AWS_PROFILE": "production",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "ambient",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "KWOK_WORKDIR": "/nonexistent/kwok",
    "PYTHONSTARTUP": "/nonexistent/startup.py",
}


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's home: read-only, and with nothing in it."""
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o500)
    return home


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[ControlPlane]:
    """A healthy cloud, created by somebody whose environment is full of traps."""
    cloud = ControlPlane(tmp_path_factory.mktemp("lab") / "clouds" / "shared", tools=TOOLS)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (AMBIENT | {"HOME": str(home)}).items():
            patch.setenv(name, value)
        cloud.create(REGION)
        cloud.ensure_running()
    yield cloud
    cloud.delete()


@pytest.fixture(autouse=True)
def _no_ambient_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name == "KUBECONFIG":
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """Bring up a lab, whose cluster the module's programs use."""
    lab = Checkout(tmp_path_factory.mktemp("lab") / "lab")
    try:
        lab.up()
        yield lab
    finally:
        lab.clear()
