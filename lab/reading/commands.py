"""Runs the command-line tools that a learner would use too, and says in one sentence why one failed."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.errors import LabError

ROOT = Path(__file__).resolve().parents[2]
# The first question may have to start a local cloud that is down, or log in at AWS.
COMMAND_SECONDS = 120


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
    try:
        done = subprocess.run(
            words, cwd=ROOT, input=given, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise LabError(f"{words[0]} {words[1]} did not end within {timeout:.0f} s") from None
    if done.returncode:
        said = [line.strip() for line in (done.stderr.strip() or done.stdout).splitlines() if line.strip()]
        last = said.pop() if said else f"exit status {done.returncode}"
        raise CommandFailed(last.removeprefix("error: "), said)
    return done.stdout
