"""Runs the command-line tools that a learner would use too, and says in one sentence why one failed."""

import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from lab.errors import LabError

ROOT = Path(__file__).resolve().parents[2]
# The first question may have to start a local cloud that is down, or log in at AWS.
COMMAND_SECONDS = 120
_running: set["subprocess.Popen[str]"] = set()


class CommandFailed(LabError):
    """A tool that ended with a failure: `str()` is its last line, `before` are the lines before that."""

    def __init__(self, last: str, before: Sequence[str] = ()) -> None:
        super().__init__(last)
        self.before = before


def run(*words: str, given: str = "", timeout: float = COMMAND_SECONDS) -> str:
    """Return what the tool printed on its standard output. `given` is its standard input, `timeout` is in seconds.

    Raises CommandFailed where the tool fails, LabError where it is not installed or does not end.
    """
    if shutil.which(words[0]) is None:
        raise LabError(f"{words[0]} is not on the PATH: run make setup, then . .lab/activate")
    with subprocess.Popen(
        words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        _running.add(process)
        try:
            printed, complained = process.communicate(given, timeout)
        except subprocess.TimeoutExpired:
            raise LabError(f"{words[0]} {words[1]} did not end within {timeout:.0f} s") from None
        finally:
            _running.discard(process)
            process.kill()  # does nothing where it has ended
    if process.returncode:
        said = [line.strip() for line in (complained.strip() or printed).splitlines() if line.strip()]
        last = said.pop() if said else f"exit status {process.returncode}"
        raise CommandFailed(last.removeprefix("error: "), said)
    return printed


def end_running() -> None:
    """End what the other threads run, with all that it has started, such as a plugin that asks for a credential."""
    import psutil

    for process in list(_running):
        with suppress(psutil.NoSuchProcess):
            tool = psutil.Process(process.pid)
            for one in (tool, *tool.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
