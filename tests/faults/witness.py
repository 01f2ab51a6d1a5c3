"""What EC2 had last: read from the emulator's own state, so it knows also what a destroy took with it."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.settings.conventions import LAB_TAG

ALIVE = ("pending", "running")


class Witness:
    """Follows the state of a local cloud's EC2 in a thread, from `with` to its end.

    The state is on disk before any answer goes out, and a destroy that ends the EC2 API leaves the file standing for a
    while; the last that was seen of it is what the API left behind.
    """

    def __init__(self, cloud: Path) -> None:
        self._file = cloud / "ec2" / "ec2.json"
        self._seen: tuple[int, int] | None = None
        self._state: dict[str, Any] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Witness":
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
            with self._file.open("rb") as file:
                found = self._file.stat()
                if (now := (found.st_ino, found.st_mtime_ns)) != self._seen:
                    self._state, self._seen = json.load(file)["payload"], now
        except FileNotFoundError:
            pass

    def forget(self) -> None:
        """Starts anew, after the EC2 API itself was thrown away with all that it had."""
        self._state = {}

    def volumes(self) -> set[str]:
        """The ids of the EBS volumes that carry the lab's tag."""
        self._look()
        tagged = {id_ for id_, tags in _items(self._state.get("tags")) if any(tag["Key"] == LAB_TAG for tag in tags)}
        return {id_ for id_, volume in _items(self._state.get("volumes")) if volume["State"] != "deleted"} & tagged

    def instances(self) -> list[str]:
        """The ids of the instances that live."""
        self._look()
        return [id_ for id_, one in _items(self._state.get("instances")) if one["State"]["Name"] in ALIVE]


def _items(scoped: Any) -> Iterator[tuple[str, Any]]:
    """The entries of one of the emulator's tables, whose keys are account, region and the id, in quotes."""
    for key, value in (scoped or {}).get("data", {}).items():
        yield key.rpartition("\0")[2].strip("'"), value
