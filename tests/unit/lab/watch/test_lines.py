"""What is not a terminal gets the timeline as lines."""

import asyncio
import io
from collections.abc import Callable

import pytest

from lab import watch
from lab.live import Live
from lab.reading.world import News
from lab.watch.lines import write_lines
from tests.unit.lab.watch.recorded import recorded, stack


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_pipe_gets_a_line_for_each_sentence() -> None:
    day = list(recorded())
    times = (at for at, _ in day)

    async def follow(_live: Live, tell: Callable[[News], None]) -> None:
        for _, news in day:
            tell(news)

    out = io.StringIO()
    write_lines(stack(), follow, out, lambda: next(times))
    lines = out.getvalue().splitlines()
    assert "09:49:50 Pod nfs-server-576868c54d-tsdkj is being deleted." in lines
    assert lines[-1] == "09:50:24 Kubernetes answers again."
    assert "\x1b" not in out.getvalue()


def test_terminal_that_cannot_draw_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert watch.can_draw(Terminal())
    assert not watch.can_draw(io.StringIO())
    monkeypatch.setenv("TERM", "dumb")
    assert not watch.can_draw(Terminal())


def test_ctrl_c_is_the_ordinary_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def follow(_live: Live, _tell: Callable[[News], None]) -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "read_stack", lambda _name: stack())
    monkeypatch.setattr(watch, "follow", follow)
    assert watch.watch(None, io.StringIO()) == 0
