"""Starts again what has ended: what a kubelet does for a control plane on real machines.

    python -m localcloud.supervisor FOLDER

A command that waits for one process cannot know that another process, on which the first depends, has ended: it would
wait until its own deadline. Where the supervisor has ended too, the credential plugin revives the cloud.
"""

import json
import os
import sys
import time
from pathlib import Path

from .errors import LocalCloudError
from .liveness import runs
from .record.layout import Layout

# A look costs a third of a millisecond.
_POLL_SECONDS = 0.5


def watch(folder: Path) -> None:
    """Keep the cloud in `folder` running until its processes are ended.

    It acts only while the cloud is meant to run: start, stop and delete first remove running.json. It returns when
    another supervisor took its place, because the cloud was started with other commands.
    Raises LocalCloudError where it cannot start the cloud: the next command meets the same obstacle and tells its user.
    """
    layout = Layout(folder)
    while True:
        time.sleep(_POLL_SECONDS)
        if layout.running.exists() and not runs(layout):
            from .control_plane import ControlPlane

            ControlPlane.at(folder, tell=_log).ensure_running()
            if os.getpid() not in json.loads(layout.running.read_text()).values():
                return


def _log(message: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {message}", flush=True)


if __name__ == "__main__":
    try:
        watch(Path(sys.argv[1]))
    except LocalCloudError as error:
        _log(f"giving up: {error}")
        sys.exit(1)
