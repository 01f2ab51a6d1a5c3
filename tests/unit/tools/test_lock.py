"""A lock lets one process work at a time, and ends with its process."""

import subprocess
import sys
from pathlib import Path

from checkout.until import until
from tools.lock import exclusive

ROOT = Path(__file__).resolve().parents[3]


def locked(lock: Path, *command: str) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "tools.lock", str(lock), *command]
    return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE)


def test_waiting_is_told_and_ends_when_the_holder_is_killed(tmp_path: Path) -> None:
    lock, begun = tmp_path / "folder" / "lock", tmp_path / "begun"
    with locked(lock, "sh", "-c", f": > {begun}; exec cat") as holder:
        until(begun.exists, "the holder has the lock")
        told: list[str] = []

        def waiting() -> None:
            told.append("waiting")
            holder.kill()

        with exclusive(lock, waiting):
            assert told == ["waiting"]


def test_free_lock_is_taken_without_a_word(tmp_path: Path) -> None:
    told: list[str] = []
    with exclusive(tmp_path / "lock", lambda: told.append("waiting")):
        assert told == []


def test_command_under_the_lock_passes_its_status_on(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", "sh", "-c", "exit 3") as command:
        assert command.wait() == 3
