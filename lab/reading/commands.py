"""Runs the command-line tools that a learner would use too, and tells in one sentence why one failed."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import CannotLook

ROOT = Path(__file__).resolve().parents[2]
# A first question may have to start a local cloud that is down, or log in at AWS.
PATIENCE_SECONDS = 120


class Refused(Exception):
    """A tool ended with a failure: `str()` is what it said last, `before` its lines before that."""

    def __init__(self, last: str, before: Sequence[str] = ()) -> None:
        super().__init__(last)
        self.before = before


def run(*words: str, env: Mapping[str, str] | None = None, timeout: float = PATIENCE_SECONDS) -> str:
    """What the tool printed on its standard output. `env` is added to the environment; `timeout` is in seconds.

    Raises Refused where the tool fails, CannotLook where it is not there or does not end.
    """
    if shutil.which(words[0]) is None:
        raise CannotLook(f"{words[0]} is not on the PATH: run make setup, then . .lab/activate")
    try:
        done = subprocess.run(
            words, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CannotLook(f"{words[0]} {words[1]} did not end within {timeout:.0f} s") from None
    if done.returncode:
        said = [line.strip() for line in (done.stderr.strip() or done.stdout).splitlines() if line.strip()]
        last = said.pop() if said else f"exit status {done.returncode}"
        raise Refused(last.removeprefix("error: "), said)
    return done.stdout
