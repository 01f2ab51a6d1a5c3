"""The bytes of volumes and snapshots: they end with what they belong to, and a copy is whole or not at all."""

import os
from pathlib import Path

import pytest

from localcloud.volume_folders import Folders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two volumes with a file each."""
    for name in ("vol-1", "vol-2"):
        (tmp_path / "volumes" / name).mkdir(parents=True)
        (tmp_path / "volumes" / name / "file").write_text(name)
    return tmp_path / "volumes"


def left(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir())


def test_the_bytes_of_a_deleted_volume_are_removed(folder: Path) -> None:
    folders = Folders(folder)
    folders.keep(["vol-1", "vol-2", "vol-never-mounted"])
    assert left(folder) == ["vol-1", "vol-2"]
    folders.keep(["vol-2"])
    assert left(folder) == ["vol-2"]


def test_what_a_kill_left_is_removed_at_the_next_start(folder: Path) -> None:
    (folder / ".unfinished-vol-3").mkdir()
    Folders(folder).start(["vol-2"])
    assert left(folder) == ["vol-2"]


def test_a_copy_is_what_the_volume_held(folder: Path) -> None:
    source = folder / "vol-1"
    (source / "empty" / "deep").mkdir(parents=True)
    (source / "empty" / "deep" / "run").write_bytes(b"#!" * 600_000)
    (source / "empty" / "deep" / "run").chmod(0o755)
    (source / "link").symlink_to("/etc/hostname")
    os.mkfifo(source / "pipe")
    os.utime(source / "file", (1, 2))
    Folders(folder).copy_to(Folders(folder.parent / "snapshots"), "vol-1", "snap-1")
    copy = folder.parent / "snapshots" / "snap-1"
    assert left(copy) == ["empty", "file", "link"], (
        "no program of a Pod can make a pipe, and reading it would never end"
    )
    run = copy / "empty" / "deep" / "run"
    assert (run.read_bytes(), run.stat().st_mode & 0o777) == (b"#!" * 600_000, 0o755)
    assert (copy / "file").stat().st_mtime == 2, "a program that compares times would do its work again"
    assert os.readlink(copy / "link") == "/etc/hostname", "a file of this machine got into a volume"
    (source / "file").write_text("later")
    assert (copy / "file").read_text() == "vol-1"


def test_a_volume_that_no_pod_has_mounted_is_copied_empty(folder: Path) -> None:
    Folders(folder).copy_to(Folders(folder), "vol-3", "vol-4")
    assert left(folder / "vol-4") == [], "after a restart the copy would be taken for unfinished"


def test_a_failed_copy_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        Folders(folder).copy_to(Folders(folder), "vol-1", "vol-3")
    assert left(folder) == ["vol-1", "vol-2"]
