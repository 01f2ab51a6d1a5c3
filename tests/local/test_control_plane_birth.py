"""Creating and deleting clouds: side by side, half-made, with a process that does not start."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from checkout.until import until
from localcloud.control_plane import ControlPlane
from localcloud.errors import ComponentDied, LocalCloudError
from localcloud.machine import ports, processes
from localcloud.machine.lock import lock_file
from localcloud.record.layout import Layout
from tests.local.clouds import ROOT, TOOLS, kubectl, record_of
from tests.local.conftest import REGION

pytestmark = pytest.mark.thorough

# With what people have in their paths; long enough that no socket fits.
STRANGE = "Eigene Übungen " + "x" * 120
CREATE = "import sys, pathlib; from localcloud.control_plane import ControlPlane as C; C({0}, tools={1}).create('{2}')"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "clouds" / "local"
    yield folder
    ControlPlane(folder, tools=TOOLS).delete()


def _create(folder: Path, tools: Path = TOOLS) -> "subprocess.Popen[str]":
    paths = (f"pathlib.Path({str(path)!r})" for path in (folder, tools))
    return subprocess.Popen(
        [sys.executable, "-c", CREATE.format(*paths, REGION)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def _tools_with(folder: Path, name: str, script: str) -> Path:
    """The tools, one of them replaced by a script."""
    tools = folder / "tools"
    tools.mkdir()
    for tool in TOOLS.iterdir():
        (tools / tool.name).symlink_to(tool)
    (tools / name).unlink()
    (tools / name).write_text(f"#!/bin/sh\n{script}\n")
    (tools / name).chmod(0o755)
    return tools


def test_two_clouds_of_the_same_second_share_nothing(tmp_path: Path) -> None:
    tools = tmp_path / STRANGE / "bin"
    tools.parent.mkdir()
    tools.symlink_to(TOOLS)
    clouds = [ControlPlane(tmp_path / name / "clouds" / "local", tools=tools) for name in (STRANGE, "plain")]
    try:
        for creation in [_create(cloud.folder, tools) for cloud in clouds]:
            _, err = creation.communicate(timeout=120)
            assert creation.returncode == 0, f"one of two clouds was not created: {err}"
        one, other = (record_of(cloud) for cloud in clouds)
        assert not set(one.ports.values()) & set(other.ports.values()), "they would take each other's ports"
        assert one.cluster_id != other.cluster_id, "one answers for the other"
        for cloud in clouds:
            cloud.ensure_running()
            assert cloud.health() == []
            assert kubectl(cloud, "get", "namespaces").returncode == 0
    finally:
        for cloud in clouds:
            cloud.delete()
    for cloud, record in zip(clouds, (one, other), strict=True):
        assert processes.find(cloud.folder) == [], "delete left a process"
        assert all(ports.is_free(port) for port in record.ports.values()), "delete left a listener"
        assert not cloud.folder.exists(), "delete left data"
        assert not lock_file(cloud.folder).exists(), "delete left its lock"
        assert not Path(record.socket).parent.exists(), "delete left the socket's folder"


# kwokctl asks a tool for its version before it starts it.
SAYS_ITS_VERSION = '[ "$1" = --version ] && echo v1.36.3 && exit; '


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("kube-controller-manager", SAYS_ITS_VERSION + "sleep 1; echo out of cheese; exit 1"),
        ("csi-attacher", "echo out of cheese; exit 3"),
        ("etcd", SAYS_ITS_VERSION + "echo out of cheese; exit 3"),
    ],
    ids=["after a second, twice", "a sidecar", "what the API server waits for"],
)
def test_a_process_that_does_not_start_is_named_with_its_log(
    folder: Path, tmp_path: Path, name: str, script: str
) -> None:
    cloud = ControlPlane(folder, tools=_tools_with(tmp_path, name, script))
    begun = time.monotonic()
    with pytest.raises(ComponentDied) as died:
        cloud.create(REGION)
    assert died.value.component == name, "the user must learn which process it was"
    assert "out of cheese" in str(died.value), "and what it said last"
    assert time.monotonic() - begun < 30, "soon, not at the deadline of the start"
    assert processes.find(folder) == [], "what was started must not run on"
    assert cloud.record() is None, "a cloud that never was healthy must not count as created"


def test_a_tool_that_cannot_run_at_all_is_named(folder: Path, tmp_path: Path) -> None:
    cloud = ControlPlane(folder, tools=_tools_with(tmp_path, "kube-scheduler", "echo out of cheese; exit 3"))
    with pytest.raises(LocalCloudError, match=r"kube-scheduler.*exit status 3"):
        cloud.create(REGION)
    assert processes.find(folder) == []


def test_a_killed_creation_does_not_hinder_the_next(folder: Path) -> None:
    creation = _create(folder)
    layout = Layout(folder)
    until(layout.pid_file("kube-apiserver").exists, "the creation starts the API server", pause=0.01)
    creation.send_signal(signal.SIGKILL)
    creation.communicate()
    cloud = ControlPlane(folder, tools=TOOLS)
    assert cloud.record() is None, "a half-made cloud must not be taken for a whole one"
    assert processes.find(folder), "the killed creation left its processes, which the next one must deal with"
    cloud.create(REGION)
    assert {fault.component for fault in cloud.health()} <= {"kube-controller-manager"}, "only its controllers may wait"
    cloud.ensure_running()
    assert cloud.health() == []
    kept = {psutil.Process(one.process.pid).ppid() for one in processes.find(folder)}
    assert len(kept) == 1, "processes of the killed creation run on beside the new ones"


def test_a_foreign_folder_is_never_removed(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    cloud = ControlPlane(folder, tools=TOOLS)
    for act in (lambda: cloud.create(REGION), cloud.delete):
        with pytest.raises(LocalCloudError, match="not the folder of a local cloud"):
            act()
    assert (folder / "thesis.txt").read_text() == "years"


def test_missing_tools_are_named_before_the_start(tmp_path: Path) -> None:
    cloud = ControlPlane(tmp_path / "local", tools=tmp_path)
    with pytest.raises(LocalCloudError, match=r"etcd, .*make setup"):
        cloud.create(REGION)
    assert not cloud.folder.exists(), "nothing must be written before the tools are there"


def test_a_cloud_that_was_moved_says_so(folder: Path, tmp_path: Path) -> None:
    cloud = ControlPlane(folder, tools=TOOLS)
    cloud.create(REGION)
    cloud.stop()
    moved = folder.rename(tmp_path / "elsewhere")
    with pytest.raises(LocalCloudError, match="works only there"):
        ControlPlane(moved, tools=TOOLS).start()
    ControlPlane(moved, tools=TOOLS).delete()
    assert not moved.exists(), "a moved cloud can still be deleted"
