"""Whether a local cloud is well: each process lives, and each one that listens answers."""

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .kwok.kwokctl import COMPONENTS, Component
from .machine import ports, processes
from .record.layout import Layout
from .record.record import Facts

# A port is open some time before its server answers.
_SECONDS = 2
# Two hooks of the API server poll once a second before they write the default RBAC roles and priority classes, which
# nothing here uses: every client is an administrator. Whoever waits for them starts a second later.
_READY = "/readyz?" + "&".join(
    f"exclude=poststarthook%2F{hook}"
    for hook in ("rbac%2Fbootstrap-roles", "scheduling%2Fbootstrap-system-priority-classes")
)
# The controller without which no claim is ever bound.
_BINDER = b"persistentvolume-binder-controller"


@dataclass(frozen=True)
class Fault:
    """What is wrong with one component, as half a sentence: "does not run"."""

    component: str
    problem: str

    def __str__(self) -> str:
        return f"{self.component} {self.problem}"


class Api:
    """The API server, asked as its administrator."""

    def __init__(self, facts: Facts, layout: Layout) -> None:
        self._port = facts.api_port
        self._layout = layout
        self._context: ssl.SSLContext | None = None

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of a GET request. Raises OSError, also where there is no certificate yet, or
        http.client.HTTPException."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=str(self._layout.ca))
        token = self._layout.token.read_text().split(",", 1)[0]
        connection = http.client.HTTPSConnection(ports.LOOPBACK, self._port, context=self._context, timeout=_SECONDS)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def is_ready(self) -> bool:
        try:
            return self.get(_READY)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def find(self, path: str) -> Any:
        """The object at this path; None where it does not exist yet, or the API server does not answer."""
        try:
            status, body = self.get(path)
        except (OSError, http.client.HTTPException):
            return None
        return json.loads(body) if status == 200 else None


def faults(facts: Facts, layout: Layout, api: Api) -> Iterator[Fault]:
    """All that is wrong, component by component."""
    for component in COMPONENTS:
        pid_file = layout.pid_file(component.name)
        if processes.read_pid_file(pid_file, layout.folder, component.name) is None:
            yield Fault(component.name, "does not run")
        elif not is_ready(component, facts, api):
            yield Fault(component.name, "runs but does not answer")


def is_ready(component: Component, facts: Facts, api: Api) -> bool:
    if component.name == "kube-apiserver":
        return api.is_ready()
    if component.name == "kube-controller-manager":
        return _controls(facts.ports[component.ports[0]])
    if component.name == "ebs-csi":
        return Path(facts.socket).exists()
    # The supervisor listens nowhere: it is up when it runs.
    return not component.ports or ports.answers(facts.ports[component.ports[0]])


def _controls(port: int) -> bool:
    """Whether the controller manager has started its controllers.

    It listens some time before that, waits for the API server, and ends where that takes too long: an open port is
    no promise. Its report of health names the controllers once they run.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # its certificate signs itself, and is made anew at every start
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(ports.LOOPBACK, port, context=context, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz?verbose")
        return _BINDER in connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
