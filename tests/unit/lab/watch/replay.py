"""WatchApp on recorded news, driven by Textual's pilot."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from textual.pilot import Pilot

from lab.live import Live
from lab.reading.stack import Stack
from lab.reading.world import News
from lab.watch.actions import Action
from lab.watch.app import WatchApp
from tests.unit.lab.watch.recorded import recorded, stack

DEADLINE_SECONDS = 15.0


class Replay:
    """A lab whose news come from a recording; `typed` collects what kubectl is asked, which answers `answer`."""

    def __init__(self, news: Iterable[tuple[datetime, News]] | None = None, of: Stack | None = None) -> None:
        self.news = list(recorded() if news is None else news)
        self.stack = of or stack()
        self.typed: list[Sequence[str]] = []
        self.answer: Callable[[], str] = lambda: "pod deleted"
        self.now = self.news[0][0]
        self.app = WatchApp(lambda: self.stack, self._follow, self._run, lambda: self.now)
        self._tell: Callable[[News], None] | None = None

    def tell(self, *news: tuple[datetime, News]) -> None:
        assert self._tell
        for self.now, one in news:
            self._tell(one)

    async def _follow(self, _live: Live, tell: Callable[[News], None]) -> None:
        self._tell = tell
        self.tell(*self.news)
        self.now += timedelta(seconds=1)
        await asyncio.Event().wait()

    def _run(self, _stack: Stack, action: Action) -> str:
        self.typed.append(action.words)
        return self.answer()


@asynccontextmanager
async def running(replay: Replay, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Pilot[Any]]:
    async with replay.app.run_test(size=size) as pilot:
        yield pilot


def screen(app: WatchApp) -> str:
    """Return the text on the screen, line by line; below a dialog nothing."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[Any], replay: Replay, words: str) -> str:
    """Return the screen as soon as it has the words, which may go on in the next line."""
    shown = ""
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while words not in " ".join((shown := screen(replay.app)).split()):
                await pilot.pause(0.02)
    except TimeoutError:
        raise AssertionError(f"{words} is not on the screen:\n{shown}") from None
    return shown
