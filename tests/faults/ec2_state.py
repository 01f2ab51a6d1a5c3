"""What the EC2 of a local cloud has, or had last: read from the emulator's own file, also after a destroy."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.settings.conventions import LOCAL_DRIVER_TAGS

ALIVE = ("pending", "running")


class Ec2State:
    """The state of a local cloud's EC2, read again and again by a thread from `with` to its end.

    EC2 writes its state to disk before it answers, and the file stays for a moment after a destroy has ended the EC2
    API. So the state that was read last is what EC2 had in the end.
    """

    def __init__(self, cloud: Path) -> None:
        self._file = cloud / "ec2" / "ec2.json"
        self._seen: tuple[int, int] | None = None
        self._state: dict[str, Any] = {}
        self._lock = threading.Lock()  # two threads look: the newer state must not give way to the older
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Ec2State":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._end.wait(0.02):
            self._look()

    def _look(self) -> None:
        try:
            with self._lock, self._file.open("rb") as file:
                # Of the open file: the one under this name may be the next one already.
                found = os.fstat(file.fileno())
                if (now := (found.st_ino, found.st_mtime_ns)) != self._seen:
                    self._state, self._seen = json.load(file)["payload"], now
        except FileNotFoundError:
            pass

    def forget(self) -> None:
        """Forget the state, because the EC2 API was deleted with all that it had."""
        self._state = {}

    def volumes(self) -> set[str]:
        """Return the ids of the EBS volumes that the driver created, by whatever class."""
        self._look()
        tagged = {
            id_ for id_, tags in _items(self._state.get("tags")) if any(tag["Key"] in LOCAL_DRIVER_TAGS for tag in tags)
        }
        return {id_ for id_, volume in _items(self._state.get("volumes")) if volume["State"] != "deleted"} & tagged

    def snapshots(self) -> set[str]:
        """Return the ids of all EBS snapshots."""
        self._look()
        return {id_ for id_, _ in _items(self._state.get("snapshots"))}

    def instances(self) -> list[str]:
        """Return the ids of the instances that run or start."""
        self._look()
        return [id_ for id_, one in _items(self._state.get("instances")) if one["State"]["Name"] in ALIVE]


def _items(scoped: Any) -> Iterator[tuple[str, Any]]:
    """Yield id and value of one of the emulator's tables; its keys are account, region and the id, in quotes."""
    for key, value in (scoped or {}).get("data", {}).items():
        yield key.rpartition("\0")[2].strip("'"), value
