"""Startup: when a process counts as started, and when as dead."""

from pathlib import Path
from typing import Any, cast

import pytest

from localcloud import startup
from localcloud.components import Component
from localcloud.errors import ComponentDied
from localcloud.health import Api
from localcloud.record.layout import Layout
from localcloud.record.record import CloudRecord
from localcloud.startup import Startup

ETCD = Component("etcd", "kubernetes", ("etcd",))
PID = 4711


class Running:
    """A process that lives."""

    component = "etcd"

    class process:
        pid = PID


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Startup:
    """The start of a cloud of one process, which was launched before."""
    monkeypatch.setattr(startup, "components_of", lambda _record: (ETCD,))
    monkeypatch.setattr(startup, "is_ready", lambda *_: True)
    layout = Layout(tmp_path)
    layout.pid_file("etcd").parent.mkdir(parents=True)
    record = CloudRecord("local", str(tmp_path), "us-east-1", "", {"etcd": 1}, socket="")
    return Startup(record, layout, cast(Api, None))


def test_a_pid_that_is_written_during_a_look_is_not_a_death(
    start: Startup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid_file = Layout(tmp_path).pid_file("etcd")
    pid_file.touch()

    def read(file: Path, *_: Any) -> Any:
        found = Running() if file.read_text() else None
        pid_file.write_text(str(PID))  # kwokctl, just behind the look
        return found

    monkeypatch.setattr(startup.processes, "read_pid_file", read)
    assert start.run() == {"etcd": PID}, "the cloud was given up although nothing had died"


def test_a_pid_without_a_process_is_a_death(start: Startup, tmp_path: Path) -> None:
    Layout(tmp_path).pid_file("etcd").write_text("1")
    with pytest.raises(ComponentDied, match="etcd ended"):
        start.run()
