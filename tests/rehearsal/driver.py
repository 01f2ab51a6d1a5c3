"""The EBS driver of the rehearsal: the local cloud's CSI controller and the real sidecars, run at will."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from components.settings.conventions import EBS_DRIVER
from tests.rehearsal.kubernetes import Kubernetes
from tests.rehearsal.signatures import SECRET

MOST_VOLUMES = 25


class DriverProcesses:
    """Controller, provisioner, attacher and resizer, and what the driver's node half registers."""

    def __init__(self, folder: Path, kubernetes: Kubernetes, tools: Path, endpoint: str) -> None:
        self._folder, self._kubernetes, self._tools, self._endpoint = folder, kubernetes, tools, endpoint
        self._processes: list[subprocess.Popen[bytes]] = []
        self._registered: set[str] = set()

    def start(self, nodes: dict[str, str]) -> None:
        """Start the processes and register the driver on these nodes, where that is not done yet."""
        for name in nodes.keys() - self._registered:
            self._kubernetes.kubectl("apply", "-f", "-", given=_csi_node(name))
        self._registered = set(nodes)
        if self._processes:
            return
        self._kubernetes.kubectl("apply", "-f", "-", given=_CSI_DRIVER)
        self._folder.mkdir(exist_ok=True)
        socket = self._folder / "csi.sock"
        kubeconfig = f"--kubeconfig={self._kubernetes.kubeconfig}"
        address = f"--csi-address={socket}"
        key = self._folder / "aws.env"
        key.write_text(f"export AWS_ACCESS_KEY_ID=DRIVER\nexport AWS_SECRET_ACCESS_KEY={SECRET}\n")
        ours = ["--endpoint", f"unix://{socket}", "--ec2-endpoint", self._endpoint, "--region", "us-east-1"]
        ours += ["--ec2-key", str(key)]
        self._run("controller", sys.executable, "-m", "localcloud.csi.server", *ours)
        topology = ["--extra-create-metadata", "--feature-gates=Topology=true", "--default-fstype=ext4"]
        for sidecar, more in (("csi-provisioner", topology), ("csi-attacher", []), ("csi-resizer", [])):
            self._run(sidecar, str(self._tools / sidecar), kubeconfig, address, "--timeout=60s", *more)

    def stop(self) -> None:
        """End them at once, as Pods end when their node ends."""
        for process in self._processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
        self._processes = []
        self._registered = set()

    def _run(self, name: str, *words: str) -> None:
        environment = {"PATH": os.environ["PATH"]}
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes.append(subprocess.Popen(words, env=environment, stdout=log, stderr=log))


_CSI_DRIVER: dict[str, Any] = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "CSIDriver",
    "metadata": {"name": EBS_DRIVER},
    "spec": {"attachRequired": True, "podInfoOnMount": False, "fsGroupPolicy": "File"},
}


def _csi_node(name: str) -> dict[str, Any]:
    driver = {
        "name": EBS_DRIVER,
        "nodeID": name,
        "topologyKeys": ["topology.kubernetes.io/zone"],
        "allocatable": {"count": MOST_VOLUMES},
    }
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": name},
        "spec": {"drivers": [driver]},
    }
