"""kwokctl: what it is asked to run, and how it is called.

Its binary runtime keeps one process per component, with a pid file and a log each, and starts those whose pid file
names no living process.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..machine.ports import LOOPBACK
from ..machine.processes import COMPONENT_VARIABLE, FOLDER_VARIABLE
from ..record.layout import CLUSTER, Layout
from ..record.record import Facts, write_atomically
from . import stages

PROJECT = Path(__file__).resolve().parents[2]
# The interpreter under the name that does not change with the way it was called: it is in the kubeconfig.
PYTHON = Path(sys.prefix) / "bin" / "python"
KUBERNETES_VERSION = "v1.36.3"


@dataclass(frozen=True)
class Component:
    """A process of the local cloud; its pid file and log have its name.

    `ports` names what it listens on, the first of which tells that it is up. `needs_api` is true for those that may
    give up when the API server is slow to answer.
    """

    name: str
    ports: tuple[str, ...] = ()
    needs_api: bool = False


COMPONENTS = (
    Component("etcd", ("etcd", "etcd-peer")),
    Component("kube-apiserver", ("kube-apiserver",)),
    Component("ec2-api", ("ec2-api",)),
    Component("ebs-csi"),
    Component("kube-controller-manager", ("kube-controller-manager",), needs_api=True),
    Component("kube-scheduler", ("kube-scheduler",), needs_api=True),
    Component("kwok-controller", ("kwok-controller",), needs_api=True),
    Component("csi-provisioner", ("csi-provisioner",), needs_api=True),
    Component("csi-attacher", ("csi-attacher",), needs_api=True),
    Component("supervisor"),
)
# Those that are written in Python, and the module of each.
OUR_COMMANDS = {
    "ec2-api": "localcloud.ec2_emulator",
    "ebs-csi": "localcloud.csi.server",
    "supervisor": "localcloud.supervisor",
}
# They end by themselves when the CSI controller does.
SIDECARS = ("csi-provisioner", "csi-attacher")
TOOLS = (
    *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok", "kwokctl"),
    *SIDECARS,
)

# No leases for the fake nodes: one of a killed kwok would keep its successor off the nodes, and their pods from being
# deleted, for 200 seconds. As a flag, because the configuration takes 0 for "not given".
CREATE = ("create", "cluster", "--node-lease-duration-seconds=0")
START = ("start", "cluster")


def environment(facts: Facts) -> dict[str, str]:
    """All that the processes see of the environment: nothing of the user's proxies, AWS profiles or kubeconfigs.

    HOME is the cloud's folder, so nothing is written to the user's, which may be read-only.
    """
    kept = {name: os.environ[name] for name in ("TMPDIR",) if name in os.environ}
    return kept | {
        "HOME": facts.folder,
        "PATH": f"{facts.tools}{os.pathsep}{os.defpath}",  # kwokctl takes the first kubectl on PATH
        "LC_ALL": "C.UTF-8",
        FOLDER_VARIABLE: facts.folder,
    }


def start_process(facts: Facts, layout: Layout, *arguments: str) -> "subprocess.Popen[bytes]":
    """Run kwokctl in a session of its own, so that Ctrl-C in the terminal does not strike it half-way."""
    with layout.kwokctl_log.open("wb") as log:
        return subprocess.Popen(
            [Path(facts.tools) / "kwokctl", "--name", CLUSTER, *arguments],
            cwd=layout.folder,
            env=environment(facts),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def write_configuration(facts: Facts, layout: Layout) -> None:
    """Write what `kwokctl create cluster --config` reads: documents of YAML, in JSON."""
    documents = [json.dumps(configuration(facts, layout), indent=1), *stages.documents()]
    write_atomically(layout.configuration, "\n---\n".join(documents))


def write_commands(layout: Layout) -> None:
    """Write the commands of our own processes, with the interpreter of today.

    Scripts, because kwokctl names pid file and log after the command, and a link to the interpreter would lose the
    virtual environment.
    """
    layout.commands.mkdir(exist_ok=True)
    for name, module in OUR_COMMANDS.items():
        words = f'PYTHONPATH={shlex.quote(str(PROJECT))} exec {shlex.quote(str(PYTHON))} -m {module} "$@"'
        write_atomically(layout.commands / name, f"#!/bin/sh\n{words}\n", mode=0o700)


def configuration(facts: Facts, layout: Layout) -> dict[str, Any]:
    """The KwokctlConfiguration of a cloud."""
    return {
        "kind": "KwokctlConfiguration",
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "options": options(Path(facts.tools), facts.ports) | {"disableQPSLimits": True},
        "componentsPatches": [_patch(name, arguments) for name, arguments in _patches(layout).items()],
        "components": _own_components(facts, layout),
    }


def options(tools: Path, ports: Mapping[str, int]) -> dict[str, Any]:
    """The options of a control plane of these binaries that listens on these ports of loopback, by component."""
    return {
        "runtime": "binary",
        "bindAddress": LOOPBACK,
        "kubeVersion": KUBERNETES_VERSION,
        "etcdBinary": str(tools / "etcd"),
        "kubeApiserverBinary": str(tools / "kube-apiserver"),
        "kubeControllerManagerBinary": str(tools / "kube-controller-manager"),
        "kubeSchedulerBinary": str(tools / "kube-scheduler"),
        "kwokControllerBinary": str(tools / "kwok"),
        "kubectlBinary": str(tools / "kubectl"),
        "etcdPort": ports["etcd"],
        "etcdPeerPort": ports["etcd-peer"],
        "kubeApiserverPort": ports["kube-apiserver"],
        "kubeControllerManagerPort": ports["kube-controller-manager"],
        "kubeSchedulerPort": ports["kube-scheduler"],
        "kwokControllerPort": ports["kwok-controller"],
    }


def _patches(layout: Layout) -> dict[str, dict[str, str]]:
    # A lease of a killed predecessor would hold its successor back for 15 seconds.
    alone = {"leader-elect": "false"}
    return {
        "etcd": {},
        "kube-apiserver": {
            # Both for machines without a default route, where it finds no address of its own.
            "endpoint-reconciler-type": "none",
            "advertise-address": LOOPBACK,
            "token-auth-file": str(layout.token),
            # It marks new nodes as not ready until a controller has looked. These are ready at once, and a scheduler
            # that has refused a pod for the mark lets it wait for a second.
            "disable-admission-plugins": "TaintNodesByCondition",
        },
        "kube-controller-manager": alone,
        "kube-scheduler": alone,
        "kwok-controller": {},
    }


def _patch(name: str, arguments: dict[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "extraArgs": [{"key": key, "value": value} for key, value in arguments.items()],
        "extraEnvs": [{"name": COMPONENT_VARIABLE, "value": name}],
    }


def _own_components(facts: Facts, layout: Layout) -> list[dict[str, Any]]:
    sidecar = [
        f"--kubeconfig={layout.admin_kubeconfig}",
        f"--csi-address=unix://{facts.socket}",
        "--timeout=60s",
        # As unlimited as the control plane's own components are here: with the default, 5 requests a second, the
        # volumes of a class of 30 would wait for their sidecars.
        "--kube-api-qps=1000",
        "--kube-api-burst=1000",
        # A volume is refused to be deleted while it is being detached, and here that takes no second.
        "--retry-interval-start=100ms",
    ]
    provisioner = [
        *("--extra-create-metadata", "--feature-gates=Topology=true", "--default-fstype=ext4"),
        # There are no snapshots here. To look for them it asks for their API once, and an API server that is not quite
        # up answers: in five seconds.
        "--snapshot-orphan-sweep-interval=0",
    ]
    ec2_api = [f"--port={facts.ec2_port}", f"--state={layout.ec2_state}", "--services=ec2", f"--region={facts.region}"]
    ebs_csi = [f"--endpoint=unix://{facts.socket}", f"--ec2-endpoint={facts.ec2_endpoint}", f"--region={facts.region}"]
    commands: dict[str, tuple[Path, list[str]]] = {
        "ec2-api": (layout.commands / "ec2-api", ec2_api),
        "ebs-csi": (layout.commands / "ebs-csi", ebs_csi),
        "csi-provisioner": (Path(facts.tools) / "csi-provisioner", sidecar + provisioner),
        "csi-attacher": (Path(facts.tools) / "csi-attacher", sidecar),
        "supervisor": (layout.commands / "supervisor", [facts.folder]),
    }
    for name in SIDECARS:
        # Served once nothing can make it give up any more: how we know that it is up.
        commands[name][1].append(f"--http-endpoint={LOOPBACK}:{facts.ports[name]}")
    return [
        {
            "name": name,
            "binary": str(command),
            "workDir": str(layout.cluster),
            "args": arguments,
            "envs": [{"name": COMPONENT_VARIABLE, "value": name}],
        }
        for name, (command, arguments) in commands.items()
    ]
