"""The one way in which tests and benchmarks wait: for a condition, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], what: str, seconds: float = 60, *, pause: float = 0.02) -> T:
    """Return what `look` returns once that is true. `pause` is the time between two looks, in seconds.

    Raises AssertionError after `seconds`; it says `what` did not happen.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
    return seen
