"""Ending the processes of a local cloud, and clearing its folder away."""

import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

from .components import COMPONENTS
from .errors import LocalCloudError
from .machine import processes
from .record import record as record_file
from .record.layout import Layout

GRACE_SECONDS = 5


def end(owned: Collection[processes.Owned], layout: Layout) -> None:
    """End these processes of the cloud, and with them its pid files and the note of what runs."""
    layout.running.unlink(missing_ok=True)
    processes.end([one for one in owned if one.component == processes.STARTER], grace_seconds=0)
    keepers = {component.name for component in COMPONENTS if component.keeps_data}
    stores = [one for one in owned if one.component in keepers]
    # A process that keeps no data needs no grace, and ending it first leaves the stores at rest.
    processes.end([one for one in owned if one not in stores], grace_seconds=0)
    processes.end(stores, grace_seconds=GRACE_SECONDS)
    for one in owned:
        layout.pid_file(one.component).unlink(missing_ok=True)


def clear(layout: Layout) -> None:
    """End whatever runs for the folder and remove the folder.

    Raises LocalCloudError where it is not the folder of a local cloud.
    """
    folder = layout.folder
    running = processes.find(folder)
    processes.end(running, grace_seconds=0)
    if not folder.exists():
        return
    content = {path.name for path in folder.iterdir() if not path.name.startswith(f".{record_file.FILE}.")}
    # When somebody removes the folder of a running cloud, its processes write parts of it again.
    if content and record_file.FILE not in content and not running:
        raise LocalCloudError(f"{folder} is not the folder of a local cloud: move it away")
    # The record is removed last, so that what a crash leaves is known as a local cloud's; but not as a whole one, which
    # the next command would try to start.
    with suppress(LocalCloudError, OSError):  # a damaged record, a full disk
        if record := record_file.read(folder):
            record_file.write(folder, replace(record, cluster_id=""))
    for path in folder.iterdir():
        if path.name != record_file.FILE:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    shutil.rmtree(folder)
