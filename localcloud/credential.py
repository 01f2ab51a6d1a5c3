"""The credential plugin of the kubeconfig: makes sure that the cloud is up, and prints an ExecCredential.

It runs before the first request of every client. Where all processes run it imports little and asks nothing else.
"""

import json
import sys
import time
from pathlib import Path

from .liveness import EXEC_API_VERSION, runs
from .record.layout import Layout

# Clients keep a credential until it expires, and only asking for one revives a cloud. So a client that works for
# minutes, such as a destroy that waits for a deletion, must ask again now and then. An answer takes 0.05 s.
EXPIRES_SECONDS = 5


def print_credential(folder: Path) -> None:
    """Start what is down, and print the credential of the cloud's administrator on stdout.

    It holds the client certificate, for clients of client-go, and a token, for clients that read only that.
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
    json.dump({"kind": "ExecCredential", "apiVersion": EXEC_API_VERSION, "status": status}, sys.stdout)


def _tell(message: str) -> None:
    print(message, file=sys.stderr, flush=True)
