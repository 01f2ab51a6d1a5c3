"""Whether a local cloud is well: each process runs the command that it should, and shows that it is up."""

import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .components import Component, components_of
from .errors import LocalCloudError
from .machine import ports, processes
from .record.layout import Layout
from .record.record import CloudRecord

# A port is open some time before its server answers.
_SECONDS = 2
# Two hooks of the API server poll once a second before they write the default RBAC roles and priority classes. Nothing
# here uses these, because every client is an administrator, and to wait for them would take a second.
_READY = "/readyz?" + "&".join(
    f"exclude=poststarthook%2F{hook}"
    for hook in ("rbac%2Fbootstrap-roles", "scheduling%2Fbootstrap-system-priority-classes")
)
# The controller without which no claim is ever bound.
_BINDER = b"persistentvolume-binder-controller"


@dataclass(frozen=True)
class Fault:
    """What is wrong with one component; `problem` is the half of a sentence, such as "does not run"."""

    component: str
    problem: str

    def __str__(self) -> str:
        return f"{self.component} {self.problem}"


class Api:
    """The API server, asked as its administrator."""

    def __init__(self, record: CloudRecord, layout: Layout) -> None:
        self._port = record.api_port
        self._layout = layout
        self._context: ssl.SSLContext | None = None

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body of a GET request.

        Raises OSError, also where no certificate exists yet, or http.client.HTTPException.
        """
        return self._ask("GET", path)

    def apply(self, path: str, definition: bytes) -> tuple[int, bytes]:
        """Create or update the object at this path from its definition in YAML; raises what `get` raises."""
        kind = {"Content-Type": "application/apply-patch+yaml"}
        return self._ask("PATCH", f"{path}?fieldManager=localcloud&force=true", definition, kind)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        if self._context is None:
            self._context = ssl.create_default_context(cafile=str(self._layout.ca))
        token = self._layout.token.read_text().split(",", 1)[0]
        connection = http.client.HTTPSConnection(ports.LOOPBACK, self._port, context=self._context, timeout=_SECONDS)
        try:
            connection.request(method, path, body, {**(headers or {}), "Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def is_ready(self) -> bool:
        """Return whether the API server calls itself ready."""
        try:
            return self.get(_READY)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def cluster_id(self) -> str:
        """Return the uid of kube-system, which the API server creates soon after it has become ready."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if namespace := self.find("/api/v1/namespaces/kube-system"):
                return namespace["metadata"]["uid"]
            time.sleep(0.03)
        raise LocalCloudError("the API server created no namespace kube-system within 30 s: try again")

    def find(self, path: str) -> Any:
        """Return the object at this path; None where it does not exist yet, or the API server does not answer."""
        try:
            status, body = self.get(path)
        except (OSError, http.client.HTTPException):
            return None
        return json.loads(body) if status == 200 else None


def faults(record: CloudRecord, layout: Layout, api: Api) -> Iterator[Fault]:
    """Yield all that is wrong, component by component."""
    for component in components_of(record):
        pid_file = layout.pid_file(component.name)
        if processes.read_pid_file(pid_file, layout.folder, component.name) is None:
            yield Fault(component.name, "does not run")
        elif not is_ready(component, record, layout, api):
            yield Fault(component.name, "runs but does not answer")


def is_ready(component: Component, record: CloudRecord, layout: Layout, api: Api) -> bool:
    """Return whether a component that runs shows that it is up, in the way that the table names."""
    match component.probe:
        case "process":
            return True
        case "socket":
            return Path(record.socket).exists()
        case "readyz":
            return api.is_ready()
        case "controllers":
            return _controls(_port(component, record))
        case "log":  # kwokctl empties it at every start
            return _says(layout.log(component.name), component.says_up.encode())
        case "port":
            return ports.answers(_port(component, record))


def _says(log: Path, words: bytes) -> bool:
    try:
        return words in log.read_bytes()
    except OSError:
        return False


def _port(component: Component, record: CloudRecord) -> int:
    # An older cloud has no port yet for a component that came later; nothing answers at 0.
    return record.ports.get(component.ports[0], 0)


def _controls(port: int) -> bool:
    """Return whether the controller manager has started its controllers.

    It listens some time before that, waits for the API server, and ends where that takes too long: an open port
    promises nothing. Its report of health names the controllers once they run.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it signs a certificate for itself at every start
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(ports.LOOPBACK, port, context=context, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz?verbose")
        return _BINDER in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
