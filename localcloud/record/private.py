"""The files of a cloud that older code created: readable by their owner only, as those of today are from the start."""

import os
import stat
from pathlib import Path


def make_private(folder: Path) -> None:
    """Take from group and others every permission on the folder and on all that it holds."""
    for parent, folders, files in os.walk(folder):
        for path in (Path(parent), *(Path(parent, name) for name in (*folders, *files))):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & 0o077:
                path.chmod(stat.S_IMODE(mode) & 0o700)
