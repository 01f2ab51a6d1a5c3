"""The bytes of a volume end with the volume, and only then."""

import json
from pathlib import Path

import pytest

from localcloud.volume_folders import VolumeFolders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two volumes with a file each."""
    for name in ("vol-1", "vol-2"):
        (tmp_path / "volumes" / name).mkdir(parents=True)
        (tmp_path / "volumes" / name / "file").touch()
    return tmp_path / "volumes"


def state(folder: Path, *ids: str) -> Path:
    """Write EC2's file of state with these volumes."""
    file = folder.parent / "ec2.json"
    volumes = {f"account\0region\0{one}": {"VolumeId": one} for one in ids}
    file.write_text(json.dumps({"payload": {"volumes": {"data": volumes}}}))
    return file


def left(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_the_bytes_of_a_deleted_volume_are_removed(folder: Path) -> None:
    folders = VolumeFolders(folder)
    folders.keep(["vol-1", "vol-2", "vol-never-mounted"])
    assert left(folder) == ["vol-1", "vol-2"]
    folders.keep(["vol-2"])
    assert left(folder) == ["vol-2"]


def test_what_a_kill_left_is_removed_at_the_next_start(folder: Path) -> None:
    VolumeFolders(folder).start(state(folder, "vol-2"))
    assert left(folder) == ["vol-2"]


@pytest.mark.parametrize("text", [None, "", "[1]", '{"payload": {}}'])
def test_a_state_that_cannot_be_read_removes_nothing(folder: Path, text: str | None) -> None:
    file = folder.parent / "ec2.json"
    if text is not None:
        file.write_text(text)
    folders = VolumeFolders(folder)
    folders.start(file)
    folders.keep(["vol-3"])
    assert left(folder) == ["vol-1", "vol-2"], "a damaged file would cost all data"
