"""The timeline as lines: for a pipe, a screen reader, a terminal that cannot draw."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TextIO

from lab.errors import LabError
from lab.live import Live
from lab.reading.stack import Stack
from lab.reading.world import News

Follow = Callable[[Live, Callable[[News], None]], Awaitable[None]]


def write_lines(stack: Stack, follow: Follow, out: TextIO, clock: Callable[[], datetime]) -> None:
    """Write each sentence as it comes, until Ctrl-C.

    Raises BrokenPipeError where the reader of the pipe has left, LabError where nothing can be written.
    """
    live = Live(stack)
    failed: list[OSError | UnicodeError] = []

    async def run() -> None:
        def take(news: News) -> None:
            try:
                for sentence in () if failed else live.take(news, clock()):
                    print(sentence, file=out, flush=True)
            # Raised here, it would be taken for an API that does not answer.
            except (OSError, UnicodeError) as error:
                failed.append(error)
                following.cancel()

        following = asyncio.ensure_future(follow(live, take))
        try:
            await following
        except asyncio.CancelledError:
            if not failed:
                raise

    asyncio.run(run())
    for error in failed:
        if isinstance(error, BrokenPipeError):
            raise error
        raise LabError(f"the sentences cannot be written: {error}")
