"""A command on a terminal of its own, as a person has it before them."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from checkout import Checkout

DEADLINE_SECONDS = 60.0
ROWS = 24


class Terminal:
    """What a program has drawn, and keys for it."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: int) -> None:
        self._process, self._end, self._drawn = process, end, ""

    @property
    def pid(self) -> int:
        """The program's."""
        return self._process.pid

    def press(self, keys: str) -> None:
        os.write(self._end, keys.encode())

    def until(self, words: str) -> None:
        """Wait until the words are drawn in one piece, whatever their colours are."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while words not in self._drawn:
            assert time.monotonic() < deadline, f"{words} is not drawn:\n{self._drawn[-4000:]}"
            assert self._read(), f"{words} is not drawn, and the program has ended:\n{self._drawn[-4000:]}"

    def read_for(self, seconds: float) -> None:
        """Take what is drawn for so long: a program that nobody reads waits."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._read():
            pass

    def ended(self) -> int:
        """Return the exit status. The program has to be read to its end, or it waits for its reader."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self._read():
            assert time.monotonic() < deadline, "the program does not end"
        return self._process.wait(DEADLINE_SECONDS)

    def _read(self) -> bool:
        """Take what is drawn within a moment. Returns whether the program still has the terminal."""
        if not select.select([self._end], [], [], 0.1)[0]:
            return True
        try:
            some = os.read(self._end, 65536)
        except OSError:  # the other end is closed
            return False
        self._drawn += re.sub(r"\x1b\[[0-9;:?<>=]*[a-zA-Z]", "", some.decode(errors="replace"))
        return bool(some)


@contextmanager
def on_a_terminal(checkout: Checkout, *words: str, columns: int = 80) -> Iterator[Terminal]:
    """Run the command on a terminal of 24 rows, and end it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    env = {**checkout.env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
    process = subprocess.Popen(
        words, cwd=checkout.folder, env=env, start_new_session=True,
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
