"""The timeline as lines: for a pipe, a screen reader, a terminal that cannot draw."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TextIO

from lab.live import Live
from lab.reading.stack import Stack
from lab.reading.world import News

Follow = Callable[[Live, Callable[[News], None]], Awaitable[None]]


def write_lines(stack: Stack, follow: Follow, out: TextIO, clock: Callable[[], datetime]) -> None:
    """Write each sentence as it comes, until Ctrl-C."""
    live = Live(stack)

    def take(news: News) -> None:
        for sentence in live.take(news, clock()):
            print(sentence, file=out, flush=True)

    async def run() -> None:
        await follow(live, take)

    asyncio.run(run())
