"""What is not a terminal gets the timeline as lines."""

import asyncio
import errno
import io
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lab import watch
from lab.errors import LabError
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
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert watch.can_draw(Terminal())
    assert not watch.can_draw(io.StringIO())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert not watch.can_draw(Terminal()), "Textual draws on it"
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not watch.can_draw(Terminal())


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (BrokenPipeError(), BrokenPipeError),
        (OSError(errno.ENOSPC, "No space left on device"), LabError),
        (UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"), LabError),
    ],
)
def test_output_that_takes_nothing_ends_the_watch(error: Exception, raised: type[Exception]) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise error

    day = [news for _, news in recorded()]

    async def follow(_live: Live, tell: Callable[[News], None]) -> None:
        while True:
            try:
                for news in day:
                    tell(news)
            except OSError:  # as an API that is away
                pass
            await asyncio.sleep(0)

    with pytest.raises(raised):
        write_lines(stack(), follow, Closed(), lambda: datetime(2026, 3, 1, tzinfo=UTC))


def test_ctrl_c_is_the_ordinary_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def follow(_live: Live, _tell: Callable[[News], None]) -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(watch, "read_stack", lambda _name: stack())
    monkeypatch.setattr(watch, "follow", follow)
    assert watch.watch(None, io.StringIO()) == 0
