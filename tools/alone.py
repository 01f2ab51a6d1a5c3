"""Runs a command while no other one runs under the same lock: `python -m tools.alone LOCKFILE COMMAND...`.

Two `pulumi stack select --create` at once see each other's lock, and both give up.
"""

import fcntl
import subprocess
import sys
from pathlib import Path


def main(words: list[str]) -> int:
    """Waits for its turn. Returns the command's exit status."""
    lock, *command = words
    Path(lock).parent.mkdir(parents=True, exist_ok=True)
    with Path(lock).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
