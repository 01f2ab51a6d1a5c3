"""A double of localcloud.control_plane.ControlPlane."""

from dataclasses import replace
from pathlib import Path

from localcloud.errors import LocalCloudError
from localcloud.record.record import CloudRecord


class Processes:
    """A local cloud that only remembers what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kubeconfig").write_text("a kubeconfig")
        self.known: CloudRecord | None = None
        self.faults: list[str] = []
        self.outdated = False
        self.asked: list[str] = []
        self.error: LocalCloudError | None = None

    def exist(self, cluster_id: str = "a-cluster", api_port: int = 6443, owner: str = "a-uid") -> CloudRecord:
        ports = {"kube-apiserver": api_port, "ec2-api": 4566}
        self.known = CloudRecord(
            "local", str(self.folder), "us-east-1", "", ports, socket="", cluster_id=cluster_id, owner=owner
        )
        return self.known

    def create(self, region: str, owner: str, *, snapshots: bool) -> CloudRecord:
        self._asked(f"create in {region}")
        self.known = replace(self.exist(owner=owner), snapshots=snapshots)
        return self.known

    def adopt(self, owner: str) -> None:
        assert self.known
        self.known = replace(self.known, owner=owner)

    def record(self) -> CloudRecord | None:
        return self.known

    def health(self) -> list[str]:
        return self.faults

    def is_outdated(self) -> bool:
        return self.outdated

    def ensure_running(self) -> None:
        self._asked("run")
        self.faults = []

    def start(self, *, snapshots: bool) -> None:
        self._asked("start")
        assert self.known
        self.known = replace(self.known, snapshots=snapshots)
        self.faults, self.outdated = [], False

    def delete(self) -> None:
        self._asked("delete")

    def _asked(self, what: str) -> None:
        if self.error:
            raise self.error
        self.asked.append(what)
