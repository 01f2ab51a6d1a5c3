"""EBS snapshots with bytes, and the rules of EC2 for them, both of which MiniStack lacks.

A copy takes its time. Meanwhile EC2 calls the snapshot "pending" and the volume "creating", as AWS does, and the answer
to the request waits. Where the bytes cannot be copied, neither the snapshot nor the volume exists.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from .record.record import write_atomically
from .volume_folders import Folders

Answer = tuple[int, Mapping[str, str], bytes]
Parameters = dict[str, list[str]]

# Between these states a copy is under way, and after a kill it is not: then the second state is true.
_UNFINISHED = {"snapshots": ("State", "pending", "error"), "volumes": ("State", "creating", "error")}
_BYTES_END = ("DeleteVolume", "DeleteSnapshot")


class Snapshots:
    """Serves the requests about snapshots in front of `ec2`, MiniStack's module; `state` is the file of its state."""

    def __init__(self, ec2: Any, state: Path, volumes: Path, snapshots: Path) -> None:
        # The names with an underscore are MiniStack's own; its version is pinned.
        self._ec2 = ec2
        self._others = ec2.handle_request
        self._volumes, self._snapshots = Folders(volumes), Folders(snapshots)
        self._copying = asyncio.Lock()
        self._start(state)

    def _start(self, file: Path) -> None:
        """Take over what is in the file. Without one that can be read nothing is removed, because nobody knows then
        what was deleted."""
        try:
            state = json.loads(file.read_text())
            items = {kind: list(state["payload"][kind]["data"].values()) for kind in _UNFINISHED}
            volumes = {item["VolumeId"] for item in items["volumes"]}
            snapshots = {item["SnapshotId"] for item in items["snapshots"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        changed = False
        for kind, (key, begun, failed) in _UNFINISHED.items():
            for item in items[kind]:
                if item.get(key) == begun:
                    item[key], changed = failed, True
        if changed:
            write_atomically(file, json.dumps(state))
        self._volumes.start(volumes)
        self._snapshots.start(snapshots)

    def saved(self, state: Mapping[str, Any]) -> None:
        """Remove the bytes of what does not exist any more; `state` has been written."""
        self._volumes.keep(volume["VolumeId"] for volume in state["volumes"].all_values())
        self._snapshots.keep(snapshot["SnapshotId"] for snapshot in state["snapshots"].all_values())

    async def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Answer:
        """Answer a request in MiniStack's place; those that are not about snapshots it answers itself."""
        parameters: Parameters = parse_qs(body.decode(errors="replace"))
        action = _first(parameters, "Action")
        if action == "CopySnapshot":
            return self._refuse("UnsupportedOperation", "Snapshots are copied between regions, and here there is one.")
        if action == "CreateSnapshot":
            return await self._uninterrupted(self._create_snapshot, parameters)
        if action == "CreateVolume" and _first(parameters, "SnapshotId"):
            return await self._uninterrupted(self._create_volume, parameters)
        if action in _BYTES_END:
            # Otherwise the bytes could end while they are copied.
            async with self._copying:
                return await self._others(method, path, headers, body, query)
        return await self._others(method, path, headers, body, query)

    async def _uninterrupted(self, serve: Callable[[Parameters], Any], parameters: Parameters) -> Answer:
        async def alone() -> Answer:
            async with self._copying:
                return await serve(parameters)

        # Shielded, because a client that hangs up must not leave half a copy.
        return await asyncio.shield(asyncio.ensure_future(alone()))

    async def _create_snapshot(self, parameters: Parameters) -> Answer:
        answer: Answer = self._ec2._create_snapshot(parameters)
        volume = _first(parameters, "VolumeId")
        return await self._with_bytes(
            answer, self._ec2._snapshots, "snapshotId", "pending", self._volumes, volume, self._snapshots
        )

    async def _create_volume(self, parameters: Parameters) -> Answer:
        name = _first(parameters, "SnapshotId")
        snapshot = self._ec2._snapshots.get(name)
        if snapshot is None:
            return self._refuse("InvalidSnapshot.NotFound", f"The snapshot '{name}' does not exist.")
        if snapshot["State"] != "completed":
            return self._refuse("IncorrectState", f"The snapshot '{name}' is not completed, but {snapshot['State']}.")
        least = int(snapshot["VolumeSize"])
        size = int(_first(parameters, "Size") or least)
        if size < least:
            reason = f"Volume of size {size}GB is smaller than snapshot '{name}', expect size >= {least}GB"
            return self._refuse("InvalidParameterValue", reason)
        if snapshot["Encrypted"]:
            parameters = parameters | {"Encrypted": ["true"]}
        answer: Answer = self._ec2._create_volume(parameters | {"Size": [str(size)]})
        return await self._with_bytes(
            answer, self._ec2._volumes, "volumeId", "creating", self._snapshots, name, self._volumes
        )

    async def _with_bytes(
        self,
        answer: Answer,
        items: Any,
        element: str,
        begun: str,
        sources: Folders,
        source: str,
        targets: Folders,
    ) -> Answer:
        """Return the answer once the bytes of the new item that it names are there."""
        if answer[0] != 200:
            return answer
        found = re.search(f"<{element}>([^<]+)</{element}>".encode(), answer[2])
        assert found is not None
        target = found[1].decode()
        done, items[target]["State"] = items[target]["State"], begun
        try:
            await asyncio.to_thread(sources.copy_to, targets, source, target)
        except (OSError, RecursionError) as error:
            del items[target]
            return self._refuse("InternalError", f"The bytes of {source} cannot be copied: {error}", 500)
        items[target]["State"] = done
        return answer

    def _refuse(self, code: str, message: str, status: int = 400) -> Answer:
        return self._ec2._error(code, message, status)


def _first(parameters: Parameters, name: str) -> str:
    return next(iter(parameters.get(name, ())), "")
