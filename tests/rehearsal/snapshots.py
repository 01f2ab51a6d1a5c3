"""The add-on snapshot-controller of the rehearsal: the real controller and its kinds, run and removed at will."""

import os
import signal
import subprocess
from pathlib import Path

from tests.rehearsal.kubernetes import Kubernetes


class SnapshotController:
    """`installed` says whether the cluster has the kinds of snapshots."""

    def __init__(self, folder: Path, kubernetes: Kubernetes, tools: Path) -> None:
        self._folder, self._kubernetes, self._tools = folder, kubernetes, tools
        self._process: subprocess.Popen[bytes] | None = None
        self.installed = False

    def start(self) -> None:
        """Install the kinds and start the process, where that is not done yet."""
        if not self.installed:
            self._kubernetes.kubectl("apply", *self._kinds)
            self._kubernetes.kubectl("wait", *self._kinds, "--for=condition=Established", "--timeout=60s")
            self.installed = True
        if self._process is None:
            self._folder.mkdir(exist_ok=True)
            words = [str(self._tools / "snapshot-controller"), f"--kubeconfig={self._kubernetes.kubeconfig}"]
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(words, env={"PATH": os.environ["PATH"]}, stdout=log, stderr=log)

    def stop(self) -> None:
        """End the process at once, as a Pod ends when its node ends."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def uninstall(self) -> None:
        """Delete the kinds, and with them all that is of them: EKS deletes what an add-on brought along."""
        if self.installed:
            self._kubernetes.kubectl("delete", *self._kinds, "--wait=false")
            self.installed = False

    @property
    def _kinds(self) -> list[str]:
        return [f"--filename={file}" for file in sorted((self._tools.parent / "crds").glob("*.yaml"))]
