"""The bytes of EBS volumes: a folder each, which the node program fills, and which ends with its volume.

Not the end of a PersistentVolume counts, because with the policy Retain the EBS volume outlives it, but the answer of
EC2 to DeleteVolume, whoever asked for it.
"""

import json
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

logger = logging.getLogger("localcloud.ec2_emulator")


class VolumeFolders:
    """The folders in `folder`, each named after the id of its volume."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ids = set[str]()

    def start(self, state: Path) -> None:
        """Take over the volumes in EC2's file of state, and remove what a kill just before `keep` left.

        Without a state that can be read nothing is removed, because nobody knows then what was deleted.
        """
        try:
            saved = json.loads(state.read_text())["payload"]["volumes"]["data"]
            self._ids = {volume["VolumeId"] for volume in saved.values()}
        except (OSError, ValueError, KeyError, TypeError):
            return
        if self._folder.is_dir():
            self._remove({one.name for one in self._folder.iterdir()} - self._ids)

    def keep(self, ids: Iterable[str]) -> None:
        """Take these for all volumes that exist, and remove the folders of those that existed before."""
        before, self._ids = self._ids, set(ids)
        self._remove(before - self._ids)

    def _remove(self, ids: Iterable[str]) -> None:
        for one in ids:
            try:
                shutil.rmtree(self._folder / one)
            except FileNotFoundError:  # no Pod has mounted it
                pass
            except OSError as error:
                logger.error("the bytes of the deleted volume %s stay: %s", one, error)
