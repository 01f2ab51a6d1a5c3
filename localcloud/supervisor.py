"""Starts again what has ended: what a kubelet does for a control plane on real machines.

    python -m localcloud.supervisor FOLDER

A command that waits for one process cannot know that another one, on which that depends, is gone: it would wait to the
end of its patience. Where everything is gone, this process too, the credential plugin is what revives the cloud.
"""

import sys
import time
from pathlib import Path

from .credential import runs
from .errors import LocalCloudError
from .record.layout import Layout

# A look costs a third of a millisecond.
_POLL_SECONDS = 0.5


def watch(folder: Path) -> None:
    """Keeps the cloud in `folder` running until its processes are ended.

    Raises LocalCloudError where it cannot: the next command meets the same obstacle, and tells its user. It acts only
    while the cloud is meant to run: who starts, stops or deletes it removes the note of what runs first.
    """
    layout = Layout(folder)
    while True:
        time.sleep(_POLL_SECONDS)
        if layout.running.exists() and not runs(layout):
            from .control_plane import ControlPlane

            ControlPlane.at(folder, tell=_log).ensure_running()


def _log(message: str) -> None:
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {message}", flush=True)


if __name__ == "__main__":
    try:
        watch(Path(sys.argv[1]))
    except LocalCloudError as error:
        _log(f"giving up: {error}")
        sys.exit(1)
