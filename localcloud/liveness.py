"""Whether a local cloud runs: the one question that every client's first request asks, so this imports little.

A process of a local cloud proves what it is by two variables in its environment; machine/processes.py says why.
"""

import json
import os
from pathlib import Path

from .record.layout import Layout

FOLDER_VARIABLE = "LOCALCLOUD_FOLDER"
COMPONENT_VARIABLE = "LOCALCLOUD_COMPONENT"

EXEC_API_VERSION = "client.authentication.k8s.io/v1beta1"
"""Of the ExecCredential. Every client that has credential plugins knows v1beta1; lightkube 1.0 does not know v1."""

_PROC = Path("/proc")


def runs(layout: Layout) -> bool:
    """Return whether every process of the last healthy start still exists."""
    try:
        pids: dict[str, int] = json.loads(layout.running.read_text())
    except (OSError, ValueError):
        return False
    return all(_exists(pid, layout.folder) for pid in pids.values())


def _exists(pid: int, folder: Path) -> bool:
    # What processes.py asks psutil, without the time that importing psutil takes. A system without /proc tells only
    # that somebody has the pid; after a wrong guess `pulumi up`, which looks properly, starts what is down.
    try:
        if not _PROC.is_dir():
            os.kill(pid, 0)
            return True
        environment = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return f"{FOLDER_VARIABLE}={folder}".encode(errors="surrogateescape") in environment.split(b"\0")
