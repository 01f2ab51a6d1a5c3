"""The deadline of a call: until then it waits for conditions, and for other calls about the same volume or node."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from .errors import CsiError

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
"""Between two looks at EC2: near enough at first, and no burden on its request limits later."""


class Deadline:
    """The end of one call, in seconds from now; also ended by `stop`, when the controller has to exit."""

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self._end = time.monotonic() + seconds
        self._stop = stop

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, seconds: float, waiting_for: str) -> None:
        """Wait that long, or until the deadline. Raises DEADLINE_EXCEEDED, or UNAVAILABLE when the controller stops."""
        if self._stop.wait(min(seconds, self.remaining())):
            raise CsiError("UNAVAILABLE", f"the controller stops while waiting until {waiting_for}")
        if not self.remaining():
            raise CsiError("DEADLINE_EXCEEDED", f"still waiting until {waiting_for}")

    def wait_until(self, look: Callable[[], T | None], waiting_for: str) -> T:
        """Return what `look` returns as soon as that is not None. Raises what `pause` raises."""
        pause = FIRST_PAUSE_SECONDS
        while (seen := look()) is None:
            self.pause(pause, waiting_for)
            pause = min(pause * 1.6, LONGEST_PAUSE_SECONDS)
        return seen


class InFlight:
    """One lock for each name that a call is busy with; other names take no memory."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def alone(self, name: str, deadline: Deadline) -> Generator[None]:
        """Hold that name, after other calls that hold it. Raises ABORTED at the deadline."""
        with self._guard:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = (lock, users + 1)
        try:
            if not lock.acquire(timeout=deadline.remaining()):
                raise CsiError("ABORTED", f"another call for {name} is still being served")
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._guard:
                users = self._locks[name][1] - 1
                if users:
                    self._locks[name] = (lock, users)
                else:
                    del self._locks[name]
