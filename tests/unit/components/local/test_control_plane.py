"""ControlPlane: when the local cloud counts as changed, what brings it back, and what is said when it is lost."""

from pathlib import Path
from typing import Any

import pytest

from components.access.dynamic_provider import Failure
from components.local import control_plane
from components.local.control_plane import CloudFolderProvider, ControlPlaneProvider
from localcloud.errors import LocalCloudError
from localcloud.record.record import CloudRecord

PROPS = {"cloud": "local", "region": "us-east-1", "zone": "us-east-1a"}


class Processes:
    """A local cloud that only remembers what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "kubeconfig").write_text("a kubeconfig")
        self.known: CloudRecord | None = None
        self.faults: list[str] = []
        self.asked: list[str] = []
        self.error: LocalCloudError | None = None

    def exist(self, cluster_id: str = "a-cluster", api_port: int = 6443) -> CloudRecord:
        ports = {"kube-apiserver": api_port, "ec2-api": 4566}
        self.known = CloudRecord("local", str(self.folder), "us-east-1", "", ports, socket="", cluster_id=cluster_id)
        return self.known

    def create(self, region: str) -> CloudRecord:
        self._asked(f"create in {region}")
        return self.exist()

    def record(self) -> CloudRecord | None:
        return self.known

    def health(self) -> list[str]:
        return self.faults

    def ensure_running(self) -> None:
        self._asked("run")
        self.faults = []

    def delete(self) -> None:
        self._asked("delete")

    def _asked(self, what: str) -> None:
        if self.error:
            raise self.error
        self.asked.append(what)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Processes:
    fake = Processes(tmp_path)
    monkeypatch.setattr(control_plane, "processes_of", lambda _cloud: fake)
    return fake


@pytest.fixture
def provider() -> ControlPlaneProvider:
    return ControlPlaneProvider()


@pytest.fixture
def state(processes: Processes, provider: ControlPlaneProvider) -> dict[str, Any]:
    """What Pulumi remembers after the first up."""
    made = provider.create({**PROPS, "__provider": "code"})
    processes.asked.clear()
    assert made.outs
    return {**made.outs}


def test_creating_it_starts_the_cloud_and_knows_where_it_is(state: dict[str, Any]) -> None:
    assert state == {
        **PROPS,
        "cluster_id": "a-cluster",
        "kubeconfig": "a kubeconfig",
        "api_endpoint": "https://127.0.0.1:6443",
        "ec2_endpoint": "http://127.0.0.1:4566",
    }


def test_while_it_runs_nothing_changes(provider: ControlPlaneProvider, state: dict[str, Any]) -> None:
    assert provider.diff("local", state, {**PROPS, "__provider": "newer code"}).changes is False


def test_when_something_is_down_up_brings_it_back(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    processes.faults = ["etcd is not running"]
    diff = provider.diff("local", state, PROPS)
    assert diff.changes
    assert not diff.replaces, "a replacement would throw the volumes away"
    outs = provider.update("local", state, PROPS).outs
    assert processes.asked == ["run"]
    assert outs == state


def test_another_port_than_the_states_is_a_change(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    processes.exist(api_port=7443)
    assert provider.diff("local", state, PROPS).changes
    outs = provider.update("local", state, PROPS).outs
    assert outs
    assert outs["api_endpoint"] == "https://127.0.0.1:7443"


@pytest.mark.parametrize("found", [None, "another-cluster"])
def test_a_lost_cloud_is_refused_with_the_way_out(
    provider: ControlPlaneProvider,
    state: dict[str, Any],
    processes: Processes,
    found: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    processes.known = None
    if found:
        processes.exist(found)
    with pytest.raises(Failure, match="PULUMI_K8S_DELETE_UNREACHABLE=true pulumi up"):
        provider.diff("local", state, PROPS)
    with pytest.raises(Failure, match="PULUMI_K8S_DELETE_UNREACHABLE=true pulumi destroy"):
        provider.read("local", state)
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert provider.read("local", state).id == "", "the user has said that it is gone for good"
    assert processes.asked == ([] if found else ["delete"]), "what runs without its data ends, another cloud stays"


def test_deleting_the_folder_ends_the_processes_of_a_killed_start(processes: Processes) -> None:
    made = CloudFolderProvider().create({"cloud": "local", "__provider": "code"})
    assert made.outs == {"cloud": "local"}
    assert processes.asked == [], "it is only a place: what starts there comes later"
    CloudFolderProvider().delete(made.id, made.outs)
    assert processes.asked == ["delete"]
    processes.error = LocalCloudError("etcd (pid 12) did not end within 10 s of being killed: try again")
    with pytest.raises(Failure, match="did not end"):
        CloudFolderProvider().delete(made.id, made.outs)


def test_refresh_keeps_a_cloud_that_is_only_down(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    processes.faults = ["everything is down"]
    read = provider.read("local", state)
    assert processes.asked == ["run"], "everything else of the stack is read from it"
    assert read.id == "local", "forgetting it would orphan its volumes"
    assert read.outs == state


def test_a_cloud_that_cannot_start_can_be_given_up_for_good(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes.error = LocalCloudError("port 20006 of kube-scheduler is taken by nginx (pid 12)")
    with pytest.raises(Failure, match="taken by nginx"):
        provider.read("local", state)
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    assert provider.read("local", state).id == "local", "its delete ends the processes that there are"


@pytest.mark.parametrize(("key", "value"), [("region", "eu-west-1"), ("zone", "us-east-1b")])
def test_a_cloud_cannot_be_moved(provider: ControlPlaneProvider, state: dict[str, Any], key: str, value: str) -> None:
    [failure] = provider.check(state, {**PROPS, key: value}).failures
    assert failure.property == key
    assert f"storage-lab:{key} is {PROPS[key]} since this lab was created and cannot become {value}" in failure.reason


def test_the_first_check_has_nothing_to_compare_with(provider: ControlPlaneProvider) -> None:
    assert provider.check({}, PROPS).failures == []


def test_deleting_it_deletes_the_cloud(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    provider.delete("local", state)
    assert processes.asked == ["delete"]


def test_what_the_cloud_says_is_passed_on_as_it_is(provider: ControlPlaneProvider, processes: Processes) -> None:
    processes.error = LocalCloudError("etcd ended while the local cloud was starting")
    with pytest.raises(Failure, match=r"^etcd ended while the local cloud was starting$"):
        provider.create(PROPS)
