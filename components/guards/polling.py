"""Waits until nothing is left: reports progress, and ends at a deadline."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..access.cancellation import cancelled
from ..access.clients import GONE_FOR_GOOD, Unreachable
from ..access.dynamic_provider import GO_ON, Failure

# Seconds between two looks. Most waits end within 1 s; a longer one waits for a driver or a person.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
# An API server that restarts does not answer for a few seconds.
UNREACHABLE_SECONDS = 30
# The first line of progress comes soon, because a silent command looks dead. Later lines show that it is not.
FIRST_WORD_SECONDS, PROGRESS_SECONDS = 3, 10


class Clock:
    """Time, as the wait sees it; tests bring their own. Seconds. `pause` returns whether Pulumi was told to stop."""

    now = staticmethod(time.monotonic)
    pause = staticmethod(cancelled.wait)


@dataclass(frozen=True)
class Waiting:
    """What to type after a wait that was interrupted, and after an API that did not answer."""

    interrupted: str
    unreachable: str


DESTROY = Waiting(
    GO_ON,
    "So nobody knows what is left there, and nothing more is deleted. Start it, then run pulumi destroy again. "
    f"If the cluster does not exist any more, run {GONE_FOR_GOOD}=true pulumi destroy.",
)


def tell(line: str) -> None:
    """Print a line of progress: Pulumi shows what a provider prints."""
    print(line, flush=True)


def poll_until_empty(
    look: Callable[[], object],
    explain: Callable[[], Failure],
    timeout: float,
    clock: Clock | None = None,
    say: Callable[[str], None] = tell,
    waiting: Waiting = DESTROY,
) -> None:
    """Return once `look` returns something false; report from time to time what it returns.

    Raises what `explain` returns when `timeout` seconds have passed, and Failure when Pulumi was told to stop, or when
    an API has not answered for UNREACHABLE_SECONDS, because then nobody knows what is left.
    """
    clock = clock or Clock()
    begin = answered = clock.now()
    pause, next_word = FIRST_PAUSE, begin + FIRST_WORD_SECONDS
    while True:
        away: Unreachable | None = None
        seen: object = None
        try:
            if not (seen := look()):
                return
            answered = clock.now()
        except Unreachable as error:
            away = error
        now = clock.now()
        if away and now - answered >= min(UNREACHABLE_SECONDS, timeout):
            raise _cannot_tell(away, waiting)
        if now - begin >= timeout:
            raise _cannot_tell(away, waiting) if away else _explained(explain, waiting)
        if now >= next_word:
            next_word = now + PROGRESS_SECONDS
            say(f"{now - begin:.0f} s of {timeout:.0f} s: {away or f'waiting for {seen}'}")
        if clock.pause(pause):
            raise Failure(
                f"interrupted after {now - begin:.0f} s, waiting for this: {away or seen}. {waiting.interrupted}"
            )
        pause = min(LONGEST_PAUSE, pause * 1.5)


def _explained(explain: Callable[[], Failure], waiting: Waiting) -> Failure:
    try:
        return explain()
    except Unreachable as error:
        return _cannot_tell(error, waiting)


def _cannot_tell(error: Unreachable, waiting: Waiting) -> Failure:
    return Failure(f"{error}\n{waiting.unreachable}")
