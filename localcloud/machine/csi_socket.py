"""Where the CSI controller listens: a unix socket, whose path the system limits."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from ..errors import LocalCloudError

# The shortest limit of the systems that this runs on: macOS, without the final zero. Linux takes 107.
LONGEST_PATH = 103


def choose(folder: Path) -> Path:
    """Return the socket of the cloud in `folder`: inside it, or in a short private folder below the temporary one.

    The sidecars accept only an absolute path, as part of a URL. Raises LocalCloudError where both are too long.
    """
    inside = folder / "csi.sock"
    if len(os.fsencode(inside)) <= LONGEST_PATH and re.fullmatch(r"[\w./-]+", str(inside), re.ASCII):
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    outside = Path(tempfile.gettempdir()) / f"storage-lab-{os.getuid()}-{digest}" / "csi.sock"
    if len(os.fsencode(outside)) > LONGEST_PATH:
        raise LocalCloudError(
            f"{outside} is too long for a socket ({LONGEST_PATH} bytes): set TMPDIR to a shorter folder"
        )
    return outside


def prepare(socket: Path, folder: Path) -> None:
    """Create the socket's folder where it is not the cloud's own: a reboot may have cleared the temporary folder.

    Raises LocalCloudError where another user could use the folder.
    """
    if socket.parent == folder:
        return
    socket.parent.mkdir(mode=0o700, exist_ok=True)
    found = socket.parent.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LocalCloudError(f"{socket.parent} is not a private folder of yours: remove it and try again")


def remove(socket: Path, folder: Path) -> None:
    """Remove the socket, and its folder where that is not the cloud's own."""
    socket.unlink(missing_ok=True)
    if socket.parent != folder and socket.parent.exists():
        socket.parent.rmdir()
