"""ControlPlane: when the local cloud counts as changed, what brings it back, and what is said when it is lost."""

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from components.access import dynamic_provider
from components.access.dynamic_provider import Failure
from components.local.control_plane import CloudFolderProvider, ControlPlaneProvider
from localcloud.errors import LocalCloudError
from localcloud.record import record as record_file
from tests.unit.components.local.local_processes import Processes

PROPS = {"cloud": "local", "owner": "a-uid", "region": "us-east-1", "zone": "us-east-1a", "snapshots": False}


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
    assert processes.asked == ["start"]
    assert outs == state


def test_an_outdated_cloud_is_restarted_by_up_alone(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    processes.outdated = True
    provider.read("local", state)
    assert processes.asked == ["run"], "a destroy would restart, in its refresh, what it is about to delete"
    assert provider.diff("local", state, PROPS).changes, "the cloud would keep the open ports of older code"
    assert provider.update("local", state, PROPS).outs == state
    assert processes.asked == ["run", "start"]


def test_a_preview_knows_of_an_update_what_the_cloud_reports(
    provider: ControlPlaneProvider, state: dict[str, Any]
) -> None:
    outputs = state.keys() - PROPS.keys()
    unknown = {**PROPS, **dict.fromkeys(outputs)}
    given = provider.check(PROPS, unknown).inputs
    assert {key: given[key] for key in outputs} == {key: state[key] for key in outputs}, (
        "an unknown kubeconfig shows everything in the cluster as replaced, and KeptClaims refuses it"
    )
    assert provider.check({}, unknown).inputs == unknown, "what a new cloud reports is known once it runs"


def test_snapshots_come_and_end_in_place(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    for snapshots in (True, False):
        wanted = {**PROPS, "snapshots": snapshots}
        diff = provider.diff("local", state, wanted)
        assert diff.changes
        assert not diff.replaces, "a replacement would throw the volumes away"
        state = {**(provider.update("local", state, wanted).outs or {})}
        assert processes.known
        assert (processes.known.snapshots, state["snapshots"]) == (snapshots, snapshots)
        assert provider.diff("local", state, wanted).changes is False
    assert processes.asked == ["start", "start"]


def test_a_state_from_before_snapshots_has_none(provider: ControlPlaneProvider, state: dict[str, Any]) -> None:
    del state["snapshots"]
    assert provider.diff("local", state, PROPS).changes is False, "every older stack would be updated"
    assert provider.diff("local", state, {**PROPS, "snapshots": True}).changes


def test_another_port_than_the_states_is_a_change(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    processes.exist(api_port=7443)
    assert provider.diff("local", state, PROPS).changes
    outs = provider.update("local", state, PROPS).outs
    assert outs
    assert outs["api_endpoint"] == "https://127.0.0.1:7443"


@pytest.mark.parametrize("found", [None, "another-cluster"])
def test_a_deleted_cloud_is_forgotten_and_said(
    provider: ControlPlaneProvider,
    state: dict[str, Any],
    processes: Processes,
    found: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    processes.known = None
    if found:
        processes.exist(found)
    with pytest.raises(Failure, match="pulumi up --refresh"):
        provider.diff("local", state, PROPS)
    assert provider.read("local", state).id == ""
    assert "was deleted, and its volumes with it" in capsys.readouterr().out
    assert processes.asked == ([] if found else ["delete"]), "what runs without its data ends, another cloud stays"
    provider.delete("local", state)
    assert processes.asked == ([] if found else ["delete"])


def test_a_renamed_stack_keeps_its_cloud_and_learns_the_way_back(
    provider: ControlPlaneProvider, state: dict[str, Any], clouds: Callable[[str], Processes]
) -> None:
    [failure] = CloudFolderProvider().check({"cloud": "local"}, {"cloud": "x"}).failures
    assert "pulumi stack rename --stack x local" in failure.reason
    with pytest.raises(Failure, match="pulumi stack rename --stack x local"):
        provider.diff("local", state, {**PROPS, "cloud": "x"})
    provider.delete("local", state)
    assert clouds("local").asked == ["delete"], "a destroy under the new name leaves nothing"


def test_a_stack_that_was_renamed_by_older_code_is_led_back(
    provider: ControlPlaneProvider, state: dict[str, Any], clouds: Callable[[str], Processes]
) -> None:
    renamed = {**state, "cloud": "x"}
    assert provider.read("local", renamed).outs == state, (
        "the cloud is the one with the id, whatever the state calls it"
    )
    assert CloudFolderProvider().check({"cloud": "x"}, {"cloud": "local"}).failures == []
    provider.delete("local", renamed)
    assert clouds("x").asked == []
    assert clouds("local").asked == ["run", "delete"], "its processes and its folder would be left for good"


@pytest.mark.parametrize("act", ["read", "delete"])
@pytest.mark.parametrize("gone_for_good", ["false", "true"])
def test_a_state_of_another_checkout_is_refused(
    provider: ControlPlaneProvider,
    state: dict[str, Any],
    processes: Processes,
    tmp_path: Path,
    act: str,
    gone_for_good: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    record_file.write(elsewhere, processes.exist())
    processes.exist("another-cluster", owner="another-uid")
    processes.asked.clear()
    kubeconfig = f'      args: ["-m", "localcloud", "credential", "{elsewhere}"]\n'
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", gone_for_good)
    with pytest.raises(Failure, match=f"its local cloud is in {elsewhere}"):
        getattr(provider, act)("local", {**state, "kubeconfig": kubeconfig})
    assert processes.asked == [], "the cloud of this checkout has the same name, and is not meant"


def test_a_stack_of_older_code_gets_a_uid_and_its_cloud_an_owner(
    provider: ControlPlaneProvider, state: dict[str, Any], processes: Processes
) -> None:
    folder = CloudFolderProvider()
    assert folder.diff("local", {"cloud": "local"}, {"cloud": "local", "uid": None}).changes
    outs = folder.update("local", {"cloud": "local"}, {"cloud": "local"}).outs
    assert outs
    assert not folder.diff("local", outs, {"cloud": "local", "uid": None}).changes
    older = {key: value for key, value in state.items() if key != "owner"}
    assert provider.diff("local", older, PROPS).changes
    processes.exist(owner="")
    assert provider.update("local", older, PROPS).outs == state
    assert processes.known
    assert processes.known.owner == PROPS["owner"]


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
    assert f"storage-lab:{key} is {PROPS[key]} in this lab and cannot become {value}" in failure.reason


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


@pytest.mark.parametrize("provider", [ControlPlaneProvider(), CloudFolderProvider()], ids=["processes", "folder"])
def test_interrupted_delete_of_the_cloud_fails(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, provider: ControlPlaneProvider | CloudFolderProvider
) -> None:
    processes.exist()
    interrupted = Event()
    interrupted.set()
    monkeypatch.setattr(dynamic_provider, "cancelled", interrupted)
    with pytest.raises(Failure, match="run the command again"):
        provider.delete("local", {**PROPS, "cluster_id": "a-cluster", "uid": "a-uid"})
    assert "delete" in processes.asked, "the next destroy finds it deleted, which does no harm"
