"""Waiting until something is gone, with a word now and then, and an end."""

import time
from collections.abc import Callable

from ..access.cancellation import cancelled
from ..access.clients import GONE_FOR_GOOD, Unreachable
from ..access.dynamic_provider import GO_ON, Failure

# Between two looks, in seconds: usually it is over within one, and after that patience costs nothing.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 2.0
# An API server that restarts is away for a few seconds.
UNREACHABLE_SECONDS = 30
# The first word comes soon, for a command that says nothing looks dead; later ones only show that it is not.
FIRST_WORD_SECONDS, PROGRESS_SECONDS = 3, 10


class Clock:
    """Time, as the wait sees it; tests bring their own. Seconds. `pause` returns whether Pulumi was told to stop."""

    now = staticmethod(time.monotonic)
    pause = staticmethod(cancelled.wait)


def tell(line: str) -> None:
    """A line of progress: Pulumi shows what a provider prints."""
    print(line, flush=True)


def poll_until_empty(
    look: Callable[[], object],
    explain: Callable[[], Failure],
    timeout: float,
    clock: Clock | None = None,
    say: Callable[[str], None] = tell,
) -> None:
    """Returns once `look` sees nothing (something false); says now and then what it sees.

    Raises what `explain` returns when `timeout` seconds have passed, and Failure when Pulumi was told to stop, or when
    an API has not answered for UNREACHABLE_SECONDS, in which case nobody can tell what is there.
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
            raise _cannot_tell(away)
        if now - begin >= timeout:
            raise _cannot_tell(away) if away else _explained(explain)
        if now >= next_word:
            next_word = now + PROGRESS_SECONDS
            say(f"{now - begin:.0f} s of {timeout:.0f} s: {away or f'waiting for {seen}'}")
        if clock.pause(pause):
            raise Failure(f"interrupted after {now - begin:.0f} s, waiting for this: {away or seen}. {GO_ON}")
        pause = min(LONGEST_PAUSE, pause * 1.5)


def _explained(explain: Callable[[], Failure]) -> Failure:
    try:
        return explain()
    except Unreachable as error:
        return _cannot_tell(error)


def _cannot_tell(error: Unreachable) -> Failure:
    return Failure(
        f"{error}\n"
        "Nobody can tell what is left there, so nothing more is deleted: bring it back and run pulumi destroy again. "
        f"If the cluster is gone for good, run {GONE_FOR_GOOD}=true pulumi destroy."
    )
