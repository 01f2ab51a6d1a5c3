"""The lock of a cloud: held by one command at a time."""

import threading
from pathlib import Path

import pytest

from localcloud.errors import LocalCloudError
from localcloud.machine import lock


def test_a_second_command_waits_for_the_lock(tmp_path: Path) -> None:
    folder = tmp_path / "clouds" / "one"
    waiting: list[str] = []
    entered = threading.Event()

    def second() -> None:
        with lock.exclusive(folder, tell=waiting.append):
            entered.set()

    with lock.exclusive(folder, tell=waiting.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.2), "two commands worked on one cloud at the same time"
    thread.join(timeout=10)
    assert entered.is_set(), "the lock was not handed on"
    assert len(waiting) == 1, "the command that waits says so, once"
    assert list(folder.parent.iterdir()) == [], "a lock file of a cloud that does not exist stays behind"


def test_a_lock_that_is_never_released_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0)
    with (
        lock.exclusive(tmp_path, tell=print),
        pytest.raises(LocalCloudError, match="another command"),
        lock.exclusive(tmp_path, tell=print),
    ):
        pass
