"""The bytes of EBS volumes and snapshots: a folder each. The node program fills those of the volumes.

A folder ends with its volume or snapshot. Not the end of a PersistentVolume counts, because with the policy Retain the
EBS volume outlives it, but the answer of EC2 to DeleteVolume, whoever asked for it.
"""

import logging
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger("localcloud.ec2_emulator")

_UNFINISHED = ".unfinished-"
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK
_FOLDER = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY


class Folders:
    """The folders in `folder`, each named after the id of its volume or snapshot."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids = set[str]()

    def start(self, ids: Iterable[str]) -> None:
        """Take these for all that exist, and remove what a kill left: folders without one, and unfinished copies."""
        self._ids = set(ids)
        if self._folder.is_dir():
            self._remove({one.name for one in self._folder.iterdir()} - self._ids)

    def keep(self, ids: Iterable[str]) -> None:
        """Take these for all that exist, and remove the folders of those that existed before."""
        before, self._ids = self._ids, set(ids)
        self._remove(before - self._ids)

    def copy_to(self, others: "Folders", source: str, target: str) -> None:
        """Copy the bytes of `source` to `target` in `others`: whole or, where OSError is raised, not at all.

        A volume that no Pod has mounted yet has no bytes, and its copy none either.
        """
        unfinished = others._folder / f"{_UNFINISHED}{target}"
        unfinished.mkdir(parents=True)
        try:
            with suppress(FileNotFoundError):
                _copy_folder(self._folder / source, unfinished)
            unfinished.rename(others._folder / target)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise

    def _remove(self, ids: Iterable[str]) -> None:
        for one in ids:
            try:
                shutil.rmtree(self._folder / one)
            except FileNotFoundError:  # no Pod has mounted it
                pass
            except OSError as error:
                logger.error("the bytes of the deleted %s stay: %s", one, error)


def _copy_folder(source: Path, target: Path) -> None:
    """Copy what is in `source` into the empty folder `target`, with modes and times, and symlinks as symlinks.

    A Pod may be writing meanwhile. So what is deleted under way is left out, and no name is followed that a Pod could
    turn into a symlink: it might lead to a file of this machine.
    """
    there = os.open(target, _FOLDER)
    try:
        here = os.open(source, _FOLDER)
        try:
            _copy_entries(here, there)
        finally:
            os.close(here)
    finally:
        os.close(there)


def _copy_entries(source: int, target: int) -> None:
    for name in os.listdir(source):
        with suppress(FileNotFoundError):
            kind = os.stat(name, dir_fd=source, follow_symlinks=False).st_mode
            if stat.S_ISLNK(kind):
                os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
            elif stat.S_ISDIR(kind):
                _copy_below(name, source, target)
            elif stat.S_ISREG(kind):
                _copy_file(name, source, target)


def _copy_below(name: str, source: int, target: int) -> None:
    here = os.open(name, _FOLDER, dir_fd=source)
    try:
        os.mkdir(name, 0o700, dir_fd=target)
        there = os.open(name, _FOLDER, dir_fd=target)
        try:
            _copy_entries(here, there)
            _copy_mode(here, there)
        finally:
            os.close(there)
    finally:
        os.close(here)


def _copy_file(name: str, source: int, target: int) -> None:
    with open(os.open(name, os.O_RDONLY | _FILE, dir_fd=source), "rb") as here:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE
        with open(os.open(name, flags, 0o600, dir_fd=target), "wb") as there:
            shutil.copyfileobj(here, there, 2**20)
            there.flush()
            _copy_mode(here.fileno(), there.fileno())


def _copy_mode(source: int, target: int) -> None:
    seen = os.fstat(source)
    os.fchmod(target, stat.S_IMODE(seen.st_mode))
    os.utime(target, ns=(seen.st_atime_ns, seen.st_mtime_ns))
