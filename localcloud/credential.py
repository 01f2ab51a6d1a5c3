"""The credential plugin of the kubeconfig: makes sure that the cloud is up, and prints an ExecCredential.

It runs before the first request of every client, so where all is well it imports little, and asks only whether the
processes of the last healthy start are still there.
"""

import json
import os
import sys
import time
from pathlib import Path

from .record.layout import Layout

# v1beta1 is what every client understands that has credential plugins at all; lightkube 1.0 does not know v1.
API_VERSION = "client.authentication.k8s.io/v1beta1"
PROC = Path("/proc")
# Clients keep a credential until it expires, and only asking for one revives a cloud. So what runs for minutes, as a
# destroy that waits for a deletion, must ask again now and then; to answer takes 0.05 s.
EXPIRES_SECONDS = 5


def print_credential(folder: Path) -> None:
    """Print the credential of the cloud's administrator on stdout, after reviving what is down.

    It has the client certificate, for clients of client-go, and a token, for clients that read only that.
    Raises LocalCloudError.
    """
    layout = Layout(folder)
    if not runs(layout):
        from .control_plane import ControlPlane

        ControlPlane.at(folder, tell=_tell).ensure_running()
    status = {
        "clientCertificateData": layout.client_certificate.read_text(),
        "clientKeyData": layout.client_key.read_text(),
        "token": layout.token.read_text().split(",", 1)[0],
        "expirationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + EXPIRES_SECONDS)),
    }
    json.dump({"kind": "ExecCredential", "apiVersion": API_VERSION, "status": status}, sys.stdout)


def runs(layout: Layout) -> bool:
    """Whether every process of the last healthy start is still there."""
    try:
        pids: dict[str, int] = json.loads(layout.running.read_text())
    except (OSError, ValueError):
        return False
    return all(_is_there(pid, layout.folder) for pid in pids.values())


def _is_there(pid: int, folder: Path) -> bool:
    # What processes.py asks psutil for, without the time to import it. Systems without /proc tell only that the pid
    # is somebody's; a wrong guess leaves the cloud to `pulumi up`, which looks properly.
    try:
        if not PROC.is_dir():
            os.kill(pid, 0)
            return True
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return False
    return f"LOCALCLOUD_FOLDER={folder}".encode(errors="surrogateescape") in environment.split(b"\0")


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
