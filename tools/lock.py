"""A file lock; `python -m tools.lock LOCKFILE COMMAND...` runs a command while it holds one.

Two `pulumi stack select --create` that run at once see each other's lock, and both fail.
"""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def exclusive(file: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock `file` while the block runs. Calls `waiting` once if another process holds it.

    The lock ends with its process, however that ends. Raises OSError where the file cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def main(words: list[str]) -> int:
    """Run the command when its turn comes. Returns its exit status."""
    file, *command = words
    with exclusive(Path(file)):
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
