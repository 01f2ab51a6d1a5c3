"""Which processes belong to a local cloud, and how they are ended.

A pid file proves nothing: after a reboot, or a kill, the number may be anybody's. So every process of a local
cloud carries two variables in its environment, the cloud's folder and its component, set when it was started and
inherited by no one else. Only a process that shows both is ever signalled.
"""

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..errors import LocalCloudError

FOLDER_VARIABLE = "LOCALCLOUD_FOLDER"
COMPONENT_VARIABLE = "LOCALCLOUD_COMPONENT"
STARTER = "kwokctl"
_POLL_SECONDS = 0.02
_KILL_SECONDS = 10
# An exec takes microseconds, and more while a busy disk reads the program. In the middle of it a process has neither
# environment nor arguments: that is waited for. One with arguments and no environment, as `env -i` starts it, may have
# none for good, and must not hold up a look at all.
_EXEC_SECONDS = 2.0
_NO_ENVIRONMENT_SECONDS = 0.05
# The threads of Linux itself, which have neither, and their parent.
_KERNEL = 2


@dataclass(frozen=True)
class Owned:
    """A living process of a local cloud. psutil compares its creation time before every signal."""

    component: str
    process: psutil.Process

    @property
    def alive(self) -> bool:
        """Whether any thread of it is left. Until the last one has ended, its ports and files are taken."""
        try:
            if not self.process.is_running():
                return False
            return self.process.status() != psutil.STATUS_ZOMBIE or self.process.num_threads() > 1
        except psutil.Error:
            return False


def find(folder: Path) -> list[Owned]:
    """Every living process of the cloud in `folder`, whatever its pid files say.

    A process without a component (kwokctl and what it runs for itself) has the component "kwokctl".
    """
    owned = (_identify(process, folder) for process in psutil.process_iter())
    return [one for one in owned if one is not None]


def read_pid_file(file: Path, folder: Path, component: str) -> Owned | None:
    """The process that a pid file names, if it lives and is that component of that cloud; None otherwise."""
    try:
        process = psutil.Process(int(file.read_text()))
    except (OSError, ValueError, psutil.Error):
        return None
    owned = _identify(process, folder)
    return owned if owned is not None and owned.component == component else None


def _identify(process: psutil.Process, folder: Path) -> Owned | None:
    try:
        environment = _environment(process)
    except (psutil.Error, OSError):  # another user's, or gone, or a zombie
        return None
    if environment.get(FOLDER_VARIABLE) != str(folder):
        return None
    owned = Owned(environment.get(COMPONENT_VARIABLE, STARTER), process)
    return owned if owned.alive else None


def _environment(process: psutil.Process) -> dict[str, str]:
    """The process's environment. While a process puts another program in its place, it has none for a moment."""
    begun = time.monotonic()
    while not (environment := process.environ()):
        patience = _NO_ENVIRONMENT_SECONDS if process.cmdline() else _EXEC_SECONDS
        kernel = _KERNEL in (process.pid, process.ppid())
        if time.monotonic() - begun > patience or kernel or process.status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.001)
    return environment


def end(owned: Iterable[Owned], *, grace_seconds: float) -> None:
    """End these processes: SIGTERM, and SIGKILL for those still there after the grace; at once without a grace.

    Returns when all of them are gone. Raises LocalCloudError where one cannot be killed. A supervisor that asks for it
    is spared, or it could not finish.
    """
    remaining = [one for one in owned if one.process.pid != os.getpid()]
    if grace_seconds > 0:
        for one in remaining:
            _signal(one.process.terminate)
        remaining = _wait(remaining, grace_seconds)
    for one in remaining:
        _signal(one.process.kill)
    if stuck := _wait(remaining, _KILL_SECONDS):
        names = ", ".join(f"{one.component} (pid {one.process.pid})" for one in stuck)
        raise LocalCloudError(f"{names} did not end within {_KILL_SECONDS} s of being killed: try again")


def _signal(send: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):  # it ended by itself, and its number may be another's by now
        send()


def _wait(owned: list[Owned], seconds: float) -> list[Owned]:
    deadline = time.monotonic() + seconds
    while owned and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        owned = [one for one in owned if one.alive]
    return owned
