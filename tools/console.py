"""Shows progress: one line that changes in place on a terminal, a line now and then where the output is a file."""

from __future__ import annotations

import sys
import threading
import time

# A log that nobody watches live needs no more than this many seconds between two lines.
QUIET_INTERVAL = 15.0


def clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """What is being done, and for how long; safe to call from several threads."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._last_line = 0.0
        self._width = 0

    def show(self, text: str) -> None:
        """Show a passing state: it replaces the one before it on a terminal, and most are left out elsewhere."""
        now = time.monotonic()
        with self._lock:
            if self._live:
                line = f"  {clock(now - self._started)}  {text}"[:100]
                sys.stderr.write("\r" + line.ljust(self._width))
                self._width = len(line)
            elif now - self._last_line >= QUIET_INTERVAL:
                self._last_line = now
                sys.stderr.write(f"  {clock(now - self._started)}  {text}\n")
            sys.stderr.flush()

    def done(self, text: str) -> None:
        """Show a finished step, which stays on the screen."""
        with self._lock:
            line = f"  {clock(time.monotonic() - self._started)}  {text}"
            sys.stderr.write(("\r" + line.ljust(self._width) if self._live else line) + "\n")
            sys.stderr.flush()
            self._width = 0
            self._last_line = time.monotonic()
