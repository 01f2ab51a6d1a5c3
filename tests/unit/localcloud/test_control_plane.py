"""ControlPlane: what it refuses before anything starts."""

from pathlib import Path

import pytest

from localcloud.components import TOOLS
from localcloud.control_plane import ControlPlane
from localcloud.errors import LocalCloudError


def test_a_cloud_that_nobody_created_has_no_record(tmp_path: Path) -> None:
    assert ControlPlane(tmp_path / "none", tools=tmp_path).record() is None
    assert list(tmp_path.iterdir()) == [], "asking must not create anything"


@pytest.mark.parametrize("act", ["start", "stop", "ensure_running", "health"])
def test_a_cloud_that_nobody_created_is_an_error(tmp_path: Path, act: str) -> None:
    cloud = ControlPlane(tmp_path / "none", tools=tmp_path / "no-tools")
    with pytest.raises(LocalCloudError, match=r"there is no local cloud in .*none"):
        getattr(cloud, act)()
    assert list(tmp_path.iterdir()) == []


def test_too_little_disk_space_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in TOOLS:
        (tmp_path / tool).touch(mode=0o755)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 3 * 2**20}))
    with pytest.raises(LocalCloudError, match=r"3 MB are free .* needs 256 MB"):
        ControlPlane(tmp_path / "cloud", tools=tmp_path).create("us-east-1")
