"""Other people's processes, which no command of the lab may signal: each writes down the signals that it gets."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_NOTES_SIGNALS = """
import signal, sys
def note(number, frame):
    with open(sys.argv[1], "a") as out:
        print(number, file=out)
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, note)
print("ready", flush=True)
sys.stdin.read()
"""


class UnrelatedProcess:
    """A process of somebody else, started by the test. It ends when its standard input is closed."""

    def __init__(self, notes: Path, env: Mapping[str, str] | None = None) -> None:
        self._notes = notes
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NOTES_SIGNALS, str(notes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def signalled(self) -> bool:
        """Whether the process got a signal, or has ended."""
        return self._process.poll() is not None or self._notes.exists()

    def end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(timeout=10)
