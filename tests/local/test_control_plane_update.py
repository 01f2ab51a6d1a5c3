"""A cloud that older code created: it gets today's commands, and keeps its data."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from localcloud.components import components_of
from localcloud.control_plane import ControlPlane
from localcloud.record import record as record_file
from localcloud.record.layout import Layout
from tests.local.clouds import ROOT, TOOLS, kubectl, pids, record_of
from tests.local.conftest import REGION

pytestmark = pytest.mark.thorough

NEW = "ec2-api"


@pytest.fixture
def older(tmp_path: Path) -> Iterator[ControlPlane]:
    """A cloud whose creator knew another command for the scheduler, and no ec2-api at all."""
    cloud = ControlPlane(tmp_path / "clouds" / "local", tools=TOOLS)
    cloud.create(REGION)
    kubectl(cloud, "create", "configmap", "kept", "--from-literal=a=b")
    cloud.stop()
    layout = Layout(cloud.folder)
    written = json.loads((cloud.folder / record_file.FILE).read_text())
    del written["commands"], written["ports"][NEW]
    (cloud.folder / record_file.FILE).write_text(json.dumps(written))
    configuration, *stages = yaml.safe_load_all(layout.cluster_configuration.read_text())
    configuration["components"] = [one for one in configuration["components"] if one["name"] != NEW]
    for one in configuration["components"]:
        if one["name"] == "kube-scheduler":
            one["args"].remove("--leader-elect=false")
    layout.cluster_configuration.write_text(yaml.safe_dump_all([configuration, *stages]))
    yield cloud
    cloud.delete()
    assert not cloud.folder.exists(), "a cloud of older code could not be deleted"


def test_a_start_brings_an_older_cloud_up_to_date(older: ControlPlane) -> None:
    older.start()
    assert older.health() == []
    assert set(pids(older)) == {component.name for component in components_of(record_of(older))}, (
        "a new component must come along"
    )
    assert record_of(older).ports[NEW] not in [p for name, p in record_of(older).ports.items() if name != NEW]
    scheduler = Path(f"/proc/{pids(older)['kube-scheduler']}/cmdline")
    if scheduler.exists():  # Linux
        assert b"--leader-elect=false" in scheduler.read_bytes().split(b"\0"), "it runs the command of older code"
    assert kubectl(older, "get", "configmap", "kept").returncode == 0, "the update lost what was in the cluster"


def test_a_running_older_cloud_says_so_until_a_start(older: ControlPlane) -> None:
    older.start()
    layout = Layout(older.folder)
    before = pids(older)
    written = json.loads((older.folder / record_file.FILE).read_text())
    (older.folder / record_file.FILE).write_text(json.dumps(written | {"commands": "of another day"}))
    assert (older.health(), older.is_outdated()) == ([], True)
    older.ensure_running()
    assert older.is_outdated(), "a mere client of the cloud would restart it under others"
    older.start()
    assert (older.health(), older.is_outdated()) == ([], False)
    assert pids(older) == before, "commands that did not change must not be restarted"
    assert json.loads(layout.running.read_text()) == before, f"see {ROOT}/localcloud/liveness.py"
