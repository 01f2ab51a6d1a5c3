"""Snapshots in front of MiniStack: a copy that is interrupted, fails, or meets a deletion."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from localcloud import ec2_snapshots
from localcloud.ec2_snapshots import Snapshots

SNAPSHOT = {"VolumeId": "vol-1", "VolumeSize": 1, "Encrypted": False, "State": "completed"}


class MiniStack:
    """Its module of EC2 with one volume, as far as snapshots go; it creates and deletes snap-1."""

    def __init__(self) -> None:
        self._volumes = {"vol-1": {"State": "available"}}
        self._snapshots: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []

    def _create_snapshot(self, _parameters: Any) -> tuple[int, dict[str, str], bytes]:
        self._snapshots["snap-1"] = dict(SNAPSHOT)
        return 200, {}, b"<snapshotId>snap-1</snapshotId>"

    def _error(self, code: str, message: str, status: int) -> tuple[int, dict[str, str], bytes]:
        return status, {}, f"{code}: {message}".encode()

    async def handle_request(self, *request: Any) -> tuple[int, dict[str, str], bytes]:
        self.deleted.append(request[3].decode())
        return 200, {}, b""


@pytest.fixture
def ministack() -> MiniStack:
    return MiniStack()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "volumes" / "vol-1").mkdir(parents=True)
    (tmp_path / "volumes" / "vol-1" / "file").write_text("kept")
    return tmp_path


def served(ministack: MiniStack, folder: Path) -> Snapshots:
    return Snapshots(ministack, folder / "ec2.json", folder / "volumes", folder / "snapshots")


async def ask(api: Snapshots, action: str, **parameters: str) -> tuple[int, bytes]:
    status, _, body = await api.handle_request(
        "POST", "/", {}, urlencode({"Action": action, **parameters}).encode(), {}
    )
    return status, body


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, threading.Event]:
    """Copies say that they have begun, and wait for the second event."""
    begun, release = threading.Event(), threading.Event()
    copy = ec2_snapshots.Folders.copy_to

    def waiting(*arguments: Any) -> None:
        begun.set()
        assert release.wait(30)
        copy(*arguments)

    monkeypatch.setattr(ec2_snapshots.Folders, "copy_to", waiting)
    return begun, release


def test_a_deletion_waits_until_the_bytes_are_copied(
    ministack: MiniStack, folder: Path, held: tuple[threading.Event, threading.Event]
) -> None:
    begun, release = held

    async def both() -> None:
        api = served(ministack, folder)
        making = asyncio.ensure_future(ask(api, "CreateSnapshot", VolumeId="vol-1"))
        await asyncio.to_thread(begun.wait, 30)
        assert ministack._snapshots["snap-1"]["State"] == "pending", "EC2 calls it so while it has no bytes"
        deleting = asyncio.ensure_future(ask(api, "DeleteVolume", VolumeId="vol-1"))
        described = await ask(api, "DescribeVolumes")
        assert described[0] == 200, "a long copy would stop the whole EC2 API"
        assert not any("DeleteVolume" in each for each in ministack.deleted), "half a volume would be copied"
        release.set()
        assert (await making)[0] == (await deleting)[0] == 200

    asyncio.run(both())
    assert ministack._snapshots["snap-1"]["State"] == "completed"
    assert (folder / "snapshots" / "snap-1" / "file").read_text() == "kept"


def test_a_client_that_hangs_up_leaves_a_whole_snapshot(
    ministack: MiniStack, folder: Path, held: tuple[threading.Event, threading.Event]
) -> None:
    begun, release = held

    async def hangs_up() -> None:
        api = served(ministack, folder)
        making = asyncio.ensure_future(ask(api, "CreateSnapshot", VolumeId="vol-1"))
        await asyncio.to_thread(begun.wait, 30)
        making.cancel()
        release.set()
        await ask(api, "DeleteVolume", VolumeId="vol-1")  # its turn comes after the copy

    asyncio.run(hangs_up())
    assert ministack._snapshots["snap-1"]["State"] == "completed", "it would be pending for ever"
    assert (folder / "snapshots" / "snap-1" / "file").read_text() == "kept"


def test_a_snapshot_without_its_bytes_does_not_exist(
    ministack: MiniStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    status, body = asyncio.run(ask(served(ministack, folder), "CreateSnapshot", VolumeId="vol-1"))
    assert (status, b"No space left on device" in body) == (500, True), "clients repeat it, and the event says why"
    assert not ministack._snapshots, "a volume from it would be empty"


def state(folder: Path, volumes: dict[str, str], snapshots: dict[str, str]) -> None:
    """Write the file of MiniStack's state: ids and what EC2 calls their state."""
    payload = {
        kind: {"data": {one: {key: one, "State": called} for one, called in items.items()}}
        for kind, key, items in (("volumes", "VolumeId", volumes), ("snapshots", "SnapshotId", snapshots))
    }
    (folder / "ec2.json").write_text(json.dumps({"payload": payload}))


def test_a_copy_that_a_kill_cut_off_has_failed(ministack: MiniStack, folder: Path) -> None:
    state(folder, {"vol-1": "in-use", "vol-2": "creating"}, {"snap-1": "completed", "snap-2": "pending"})
    for name in ("snap-1", "snap-3", ".unfinished-snap-2"):
        (folder / "snapshots" / name).mkdir(parents=True)
    served(ministack, folder)
    payload = json.loads((folder / "ec2.json").read_text())["payload"]
    states = {one: item["State"] for items in payload.values() for one, item in items["data"].items()}
    assert states == {"vol-1": "in-use", "vol-2": "error", "snap-1": "completed", "snap-2": "error"}
    assert [one.name for one in (folder / "snapshots").iterdir()] == ["snap-1"], "nobody would ever remove the rest"


@pytest.mark.parametrize("text", [None, "", "[1]", '{"payload": {}}'])
def test_a_state_that_cannot_be_read_removes_nothing(ministack: MiniStack, folder: Path, text: str | None) -> None:
    if text is not None:
        (folder / "ec2.json").write_text(text)
    served(ministack, folder)
    assert (folder / "volumes" / "vol-1" / "file").exists(), "a damaged file would cost all data"
