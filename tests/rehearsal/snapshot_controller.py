"""The add-on snapshot-controller of the rehearsal: the CRDs of snapshots, and the real controller, run at will."""

from pathlib import Path

from localcloud.snapshot_kinds import DEFINITIONS
from tests.rehearsal.kubernetes import Kubernetes
from tests.rehearsal.processes import Processes

_FILES = [f"--filename={file}" for file in sorted(DEFINITIONS.glob("*.yaml"))]


class SnapshotController:
    """`install` and `remove` are what CreateAddon and DeleteAddon do; between them it runs where there are nodes."""

    def __init__(self, folder: Path, kubernetes: Kubernetes, tools: Path) -> None:
        self._kubernetes, self._tools = kubernetes, tools
        self._processes = Processes(folder)
        self._installed = False

    def install(self) -> None:
        if not self._installed:
            self._kubernetes.kubectl("apply", "--server-side", *_FILES)
            self._installed = True

    def remove(self) -> None:
        """Take away the CRDs too, as AWS does where `preserve` is not said, and with them whatever is left of them."""
        self.stop()
        if self._installed:
            self._kubernetes.kubectl("delete", "--wait=false", *_FILES)
            self._installed = False

    def start(self) -> None:
        if not self._processes:
            words = (f"--kubeconfig={self._kubernetes.kubeconfig}", "--leader-election=false")
            self._processes.run("snapshot-controller", str(self._tools / "snapshot-controller"), *words)

    def stop(self) -> None:
        self._processes.kill()

    def forget(self) -> None:
        """End with the cluster."""
        self.stop()
        self._installed = False
