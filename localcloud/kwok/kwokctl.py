"""kwokctl: what it is asked to run, and how it is called.

Its binary runtime keeps one process per component, with a pid file and a log each, and starts those whose pid file
names no living process.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..components import COMPONENTS, Component
from ..liveness import COMPONENT_VARIABLE, FOLDER_VARIABLE
from ..machine.ports import LOOPBACK
from ..record.layout import CLUSTER, PROJECT, PYTHON, Layout
from ..record.record import CloudRecord, write_atomically

KUBERNETES_VERSION = "v1.36.3"

# The arguments that kwokctl sets itself: a component gets ours in their place.
_OVERRIDDEN = frozenset({
    *("listen-client-urls", "advertise-client-urls", "listen-peer-urls", "initial-advertise-peer-urls"),
    *("initial-cluster", "etcd-servers", "authorization-always-allow-paths"),
})  # fmt: skip

CREATE = ("create", "cluster")
START = ("start", "cluster")


def environment(record: CloudRecord) -> dict[str, str]:
    """Return all that the processes see of the environment: no proxy, AWS profile or kubeconfig of the user.

    HOME is the cloud's folder, so nothing is written to the user's home, which may be read-only.
    """
    kept = {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ}
    return kept | {
        "HOME": record.folder,
        "PATH": f"{record.tools}{os.pathsep}{os.defpath}",  # kwokctl takes the first kubectl on PATH
        "LC_ALL": "C.UTF-8",
        FOLDER_VARIABLE: record.folder,
    }


def start_process(record: CloudRecord, layout: Layout, *arguments: str) -> "subprocess.Popen[bytes]":
    """Run kwokctl in a session of its own, so that Ctrl-C in the terminal does not strike it half-way."""
    with layout.kwokctl_log.open("wb") as log:
        return subprocess.Popen(
            [Path(record.tools) / "kwokctl", "--name", CLUSTER, *arguments],
            cwd=layout.folder,
            env=environment(record),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o077,  # kwokctl writes its keys with 0644, and the logs of all processes
        )


def write_configuration(record: CloudRecord, layout: Layout) -> None:
    """Write what `kwokctl create cluster --config` reads: YAML, in JSON."""
    write_atomically(layout.configuration, json.dumps(configuration(record, layout), indent=1))


def write_commands(layout: Layout) -> None:
    """Write the commands of the components in Python, with the interpreter of today.

    They are scripts because kwokctl names pid file and log after the command, and because a link to the interpreter
    would lose the virtual environment.
    """
    layout.commands.mkdir(exist_ok=True)
    for component in COMPONENTS:
        if component.kind == "python":
            words = f'PYTHONPATH={shlex.quote(str(PROJECT))} exec {shlex.quote(str(PYTHON))} -m {component.runs} "$@"'
            write_atomically(layout.commands / component.name, f"#!/bin/sh\n{words}\n", mode=0o700)


def configuration(record: CloudRecord, layout: Layout) -> dict[str, Any]:
    """Return the KwokctlConfiguration of a cloud."""
    known = [component for component in COMPONENTS if component.kind == "kubernetes"]
    return {
        "kind": "KwokctlConfiguration",
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "options": options(Path(record.tools), record.ports) | {"disableQPSLimits": True},
        "componentsPatches": [_patch(component, record, layout) for component in known],
        "components": [own_component(c, record, layout) for c in COMPONENTS if c not in known],
    }


def options(tools: Path, ports: Mapping[str, int]) -> dict[str, Any]:
    """Return the options of a control plane of these binaries that listens on these ports of loopback, by name."""
    known = [component for component in COMPONENTS if component.kind == "kubernetes"]
    return {
        "runtime": "binary",
        "bindAddress": LOOPBACK,
        "kubeVersion": KUBERNETES_VERSION,
        "kubectlBinary": str(tools / "kubectl"),
        "components": [component.name for component in known],
        **{_option(c.name, "Binary"): str(tools / (c.tool or c.name)) for c in known},
        **{_option(port, "Port"): ports[port] for c in known for port in c.ports},
    }


def _option(name: str, what: str) -> str:
    """kube-apiserver, Port: kubeApiserverPort."""
    first, *others = name.split("-")
    return "".join((first, *(word.capitalize() for word in others), what))


def _patch(component: Component, record: CloudRecord, layout: Layout) -> dict[str, Any]:
    pairs = [argument.removeprefix("--").split("=", 1) for argument in component.arguments(record, layout)]
    return {
        "name": component.name,
        "extraArgs": [{"key": key, "value": value, "override": key in _OVERRIDDEN} for key, value in pairs],
        "extraEnvs": _environment_of(component),
    }


def own_component(component: Component, record: CloudRecord, layout: Layout) -> dict[str, Any]:
    """Return a component that kwokctl does not know, as its configuration describes one."""
    return {
        "name": component.name,
        "binary": str(component.binary(record, layout)),
        "workDir": str(layout.cluster),
        "args": component.arguments(record, layout),
        "envs": _environment_of(component),
    }


def _environment_of(component: Component) -> list[dict[str, str]]:
    return [{"name": COMPONENT_VARIABLE, "value": component.name}]
