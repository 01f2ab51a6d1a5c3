"""The control plane behind the rehearsed EKS cluster: real Kubernetes processes, and the local cloud's nodes.

CreateCluster starts it and DeleteCluster ends it, as on AWS: whoever deletes an object after that reaches nobody.
"""

import base64
import json
import os
import secrets
import shutil
import ssl
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from checkout.until import until
from localcloud.components import NODE, PORTS
from localcloud.kwok import kwokctl as kwok
from localcloud.machine.ports import answers, reserve

CLUSTER = "rehearsal"


@dataclass(frozen=True)
class Kubernetes:
    """One control plane, in `folder`, from the binaries in `tools`."""

    folder: Path
    tools: Path

    @property
    def running(self) -> bool:
        return (self.folder / "kubeconfig").exists()

    def start(self) -> None:
        """Start it and wait until it works. Raises RuntimeError with the end of what kwokctl said."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # Plays the signed token of `aws eks get-token`, and the access entry of the cluster's creator.
        self._tokens.write_text(f'{secrets.token_hex(16)},creator,1,"system:masters"\n')
        with reserve(PORTS) as ports:
            config = self.folder / "kwokctl.yaml"
            config.write_text(yaml.safe_dump(self._configuration(ports)))
            own = ("--kubeconfig", str(self.kubeconfig))
            self._kwokctl("create", "cluster", "--config", str(config), "--wait", "180s", *own)
            until(lambda: self.works(ports), "all components of the control plane work", seconds=180, pause=0.2)

    def works(self, ports: dict[str, int]) -> bool:
        """Return whether scheduler, nodes and the controllers work, and start again whichever has ended.

        Each of them gives up when the API server is slow at first, as it is on busy cores.
        """
        pids = [int(file.read_text()) for file in self._cluster_folder.glob("pids/*.pid")]
        if not all(map(_lives, pids)):
            self._kwokctl("start", "cluster")
        if not (answers(ports[NODE]) and _is_ready(ports["kube-scheduler"])):
            return False
        # The controllers make it. The port of the controller manager answers before they run.
        return "default" in self.kubectl("get", "serviceaccounts", "--namespace=default", "-o", "name")

    def stop(self) -> None:
        """End all of its processes and forget its data."""
        self._kwokctl("delete", "cluster", "--kubeconfig", str(self.kubeconfig))
        shutil.rmtree(self.folder)

    def _kwokctl(self, *words: str) -> None:
        ran = subprocess.run(
            [self.tools / "kwokctl", "--name", CLUSTER, *words],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "KWOK_WORKDIR": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=240,
        )
        if ran.returncode:
            raise RuntimeError(f"kwokctl {' '.join(words[:2])}: {ran.stderr[-2000:]}")

    def _configuration(self, ports: dict[str, int]) -> dict[str, Any]:
        arguments = [
            {"key": "token-auth-file", "value": str(self._tokens)},
            {"key": "endpoint-reconciler-type", "value": "none"},
            {"key": "advertise-address", "value": "127.0.0.1"},
            {"key": "kubelet-preferred-address-types", "value": "InternalIP"},
            {"key": "kubelet-certificate-authority", "value": str(self._pki / "ca.crt")},
            {"key": "kubelet-client-certificate", "value": str(self._pki / "admin.crt")},
            {"key": "kubelet-client-key", "value": str(self._pki / "admin.key")},
        ]
        alone = [{"key": "leader-elect", "value": "false"}]
        return {
            "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
            "kind": "KwokctlConfiguration",
            "options": kwok.options(self.tools, ports),
            "componentsPatches": [
                {"name": "kube-apiserver", "extraArgs": arguments},
                # Whoever loses a lease ends, and on busy cores a lease is easily lost. Nobody would start them again.
                {"name": "kube-controller-manager", "extraArgs": alone},
                {"name": "kube-scheduler", "extraArgs": alone},
            ],
            "components": [self._nodes(ports[NODE])],
        }

    def _nodes(self, port: int) -> dict[str, Any]:
        """Return the node program as kwokctl is to run it."""
        return {
            "name": NODE,
            "binary": str(self.tools / NODE),
            "workDir": str(self._cluster_folder),
            "args": [
                f"--kubeconfig={self._cluster_folder / 'kubeconfig.yaml'}",
                f"--folder={self.volumes.parent}",
                f"--port={port}",
                f"--client-ca={self._pki / 'ca.crt'}",
                f"--certificate={self._pki / 'admin.crt'}",
                f"--key={self._pki / 'admin.key'}",
            ],
        }

    @property
    def volumes(self) -> Path:
        """The folder with the bytes of each volume."""
        return self.folder / "node" / "volumes"

    @property
    def _cluster_folder(self) -> Path:
        return self.folder / "clusters" / CLUSTER

    @property
    def _pki(self) -> Path:
        return self._cluster_folder / "pki"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def server(self) -> str:
        return str(self._cluster["server"])

    @property
    def certificate_authority(self) -> str:
        """Return base64 of PEM, as DescribeCluster gives it."""
        return base64.b64encode(Path(self._cluster["certificate-authority"]).read_bytes()).decode()

    @property
    def _cluster(self) -> dict[str, str]:
        return yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]

    @property
    def _tokens(self) -> Path:
        return self.folder / "tokens.csv"

    @property
    def token(self) -> str:
        """Return the bearer token of the cluster's creator."""
        return self._tokens.read_text().partition(",")[0]

    def kubectl(self, *words: str, given: Any = None) -> str:
        """Return what kubectl prints; `given` is its input, as JSON. Raises RuntimeError with its complaint."""
        ran = subprocess.run(
            [self.tools / "kubectl", "--kubeconfig", self.kubeconfig, *words],
            input=json.dumps(given) if given is not None else None,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if ran.returncode:
            raise RuntimeError(f"kubectl {' '.join(words)}: {ran.stderr.strip()}")
        return ran.stdout


def _is_ready(port: int) -> bool:
    """Return whether the scheduler that listens there has read the cluster."""
    unverified = ssl.create_default_context()  # it signs a certificate for itself
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}/readyz", timeout=2, context=unverified) as answer:
            return answer.status == 200
    except OSError:
        return False


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
