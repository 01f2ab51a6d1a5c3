"""Which processes belong to a local cloud, and how they are ended.

A pid file proves nothing: after a reboot or a kill the number may be anybody's. So every process of a local cloud
carries two variables in its environment, the cloud's folder and its component, which are set when it is started and
which no other process inherits. Only a process that shows both is ever signalled.

The variable keeps the path that the folder had at the start. A working directory follows when the folder is moved, so
it tells where the cloud is today; and it does not follow when the folder is copied.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ..errors import LocalCloudError
from ..liveness import COMPONENT_VARIABLE, FOLDER_VARIABLE
from ..record.layout import Layout

STARTER = "kwokctl"
_POLL_SECONDS = 0.02
_KILL_SECONDS = 10
# An exec takes microseconds, and more while a busy disk reads the program. In the middle of an exec a process has
# neither environment nor arguments, and a look waits for them. A process with arguments and without environment, as
# `env -i` starts it, may never have one, and must not hold up a look.
_EXEC_SECONDS = 2.0
_NO_ENVIRONMENT_SECONDS = 0.05
# The threads of Linux itself, which have neither, and the parent of these threads.
_KERNEL = 2


@dataclass(frozen=True)
class Owned:
    """A living process of a local cloud. psutil compares its creation time before every signal."""

    component: str
    process: psutil.Process

    @property
    def alive(self) -> bool:
        """Whether any of its threads is left. Until the last thread has ended, its ports and files are taken."""
        try:
            if not self.process.is_running():
                return False
            return self.process.status() != psutil.STATUS_ZOMBIE or self.process.num_threads() > 1
        except psutil.Error:
            return False


def find(folder: Path) -> list[Owned]:
    """Return every living process of the cloud in `folder`, whatever its pid files say.

    A process without a component (kwokctl and the programs that it runs for itself) has the component "kwokctl".
    """
    owned = (_identify(process, folder) for process in psutil.process_iter())
    return [one for one in owned if one is not None]


def read_pid_file(file: Path, folder: Path, component: str) -> Owned | None:
    """Return the process that a pid file names, if it lives and is that component of that cloud; None otherwise."""
    try:
        process = psutil.Process(int(file.read_text()))
    except (OSError, ValueError, psutil.Error):
        return None
    owned = _identify(process, folder)
    return owned if owned is not None and owned.component == component else None


def _identify(process: psutil.Process, folder: Path) -> Owned | None:
    try:
        environment = _environment(process)
    except (psutil.Error, OSError):  # another user's, or ended, or a zombie
        return None
    if _folder_today(process, environment) != str(folder):
        return None
    owned = Owned(environment.get(COMPONENT_VARIABLE, STARTER), process)
    return owned if owned.alive else None


def _folder_today(process: psutil.Process, environment: Mapping[str, str]) -> str | None:
    """Return the folder of the process's cloud, None where it belongs to no local cloud."""
    at_start = environment.get(FOLDER_VARIABLE)
    if at_start is None:
        return None
    try:
        working_directory = process.cwd()
    except (psutil.Error, OSError):
        return at_start
    # Every component is started here; kwokctl and what it runs for itself are not, and end soon.
    inside = f"{os.sep}{Layout(Path()).cluster}"
    return working_directory.removesuffix(inside) if working_directory.endswith(inside) else at_start


def _environment(process: psutil.Process) -> dict[str, str]:
    """Return the process's environment. In the middle of an exec it has none, for a moment."""
    begun = time.monotonic()
    while not (environment := process.environ()):
        patience = _NO_ENVIRONMENT_SECONDS if process.cmdline() else _EXEC_SECONDS
        kernel = _KERNEL in (process.pid, process.ppid())
        if time.monotonic() - begun > patience or kernel or process.status() == psutil.STATUS_ZOMBIE:
            break
        time.sleep(0.001)
    return environment


def end(owned: Iterable[Owned], *, grace_seconds: float) -> None:
    """End these processes: with SIGTERM, and with SIGKILL after the grace; without a grace with SIGKILL at once.

    Returns when all have ended. A supervisor that calls this is spared, because it could not finish otherwise.
    Raises LocalCloudError where a process cannot be killed.
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
    with suppress(psutil.NoSuchProcess):  # it ended by itself, and another process may have its pid by now
        send()


def _wait(owned: list[Owned], seconds: float) -> list[Owned]:
    deadline = time.monotonic() + seconds
    while owned and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        owned = [one for one in owned if one.alive]
    return owned
