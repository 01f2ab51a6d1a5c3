"""ControlPlane: what it refuses before anything starts."""

import shutil
from pathlib import Path

import pytest

from localcloud.components import TOOLS
from localcloud.control_plane import ControlPlane
from localcloud.errors import LocalCloudError
from localcloud.record import record as record_file
from localcloud.record.layout import Layout
from tests.unit.localcloud.records import make_record


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


def _cloud(folder: Path) -> ControlPlane:
    """A cloud that does not run, with a part of its data."""
    layout = Layout(folder)
    for file in (layout.cluster_configuration, layout.ec2_state / "volumes", layout.kubeconfig):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    record_file.write(folder, make_record(folder))
    return ControlPlane(folder, tools=folder.parent)


@pytest.mark.parametrize("step", range(3))
def test_a_cloud_whose_deletion_was_killed_counts_as_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    cloud, steps, remove = _cloud(tmp_path / "local"), iter(range(10)), shutil.rmtree
    assert cloud.record() is not None

    def remove_or_die(path: Path) -> None:
        if next(steps) == step:
            raise KeyboardInterrupt
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", remove_or_die)
        with pytest.raises(KeyboardInterrupt):
            cloud.delete()
    assert cloud.record() is None, "the next command would start what is not there any more"
    cloud.delete()
    assert not cloud.folder.exists(), "what the killed deletion left must go"


def test_a_cloud_is_deleted_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = _cloud(tmp_path / "local")

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(record_file, "write", full)
    cloud.delete()
    assert not cloud.folder.exists(), "deleting is the way out of a full disk"
