"""One command at a time per local cloud."""

import fcntl
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from ..errors import LocalCloudError

WAIT_SECONDS = 180
_POLL_SECONDS = 0.05


@contextmanager
def exclusive(folder: Path, *, tell: Callable[[str], None]) -> Generator[None]:
    """Hold the lock of the cloud in `folder`; it ends with its holder, so a killed command leaves none behind.

    The lock file is beside the folder, because deleting the cloud removes the folder.
    Raises LocalCloudError after WAIT_SECONDS.
    """
    file = lock_file(folder)
    deadline = time.monotonic() + WAIT_SECONDS
    told = False
    while (handle := _try(file)) is None:
        if not told:
            tell(f"waiting for another command that works on the local cloud {folder.name}")
            told = True
        if time.monotonic() > deadline:
            raise LocalCloudError(
                f"another command has been working on the local cloud {folder} for {WAIT_SECONDS} s: "
                "wait for it or end it, and try again"
            )
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        if not folder.exists():
            file.unlink(missing_ok=True)
        os.close(handle)


def lock_file(folder: Path) -> Path:
    """Return the lock file of the cloud in `folder`."""
    return folder.with_name(f"{folder.name}.lock")


def _try(file: Path) -> int | None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The holder before us may have removed the file together with its cloud: then this lock guards nothing.
        if os.fstat(handle).st_ino == os.stat(file).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None
