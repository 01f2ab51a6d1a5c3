"""The ways back after an interrupted up or destroy, as docs/eks.md describes them."""

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkout import CommandFailed
from checkout.until import until
from tests.rehearsal.aws_rehearsal import AwsRehearsal
from tests.rehearsal.scenarios import ResultOf

pytestmark = pytest.mark.thorough


@dataclass
class Run:
    """What was seen on the way back."""

    locked: str
    taken: str
    stopped: Counter[str]
    left: Counter[str]
    outputs: dict[str, Any]


def strike(rehearsal: AwsRehearsal, command: str, call: str, number: signal.Signals, whole_tree: bool) -> None:
    """Run a pulumi command, and send a signal to it, or to its whole group, once it has made that AWS call."""
    before = rehearsal.calls().count(call)
    words = ["pulumi", command, "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"]
    with (rehearsal.folder / f"struck-{command}.log").open("wb") as log:
        running = subprocess.Popen(
            words,
            cwd=rehearsal.checkout.folder,
            env=rehearsal.checkout.env,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def called() -> bool:
        assert running.poll() is None, (rehearsal.folder / f"struck-{command}.log").read_text()
        return rehearsal.calls().count(call) > before

    until(called, f"pulumi {command} calls {call}", 90)
    if whole_tree:
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    running.wait(timeout=60)


def failure(command: Callable[[], Any]) -> str:
    with pytest.raises(CommandFailed) as failed:
        command()
    return str(failed.value)


def interrupted(folder: Path) -> Run:
    """Kill an up while the cluster is being created, and stop a destroy by one Ctrl-C."""
    with AwsRehearsal(folder) as rehearsal:
        lab, eks = rehearsal.checkout, rehearsal.aws("eks")
        strike(rehearsal, "up", "eks:CreateCluster", signal.SIGKILL, whole_tree=True)
        locked = failure(lab.up)
        lab.pulumi("cancel", "--yes", "--stack", "dev")
        lab.refresh("--clear-pending-creates")
        taken = failure(lab.up)
        wait_until_active(eks)
        eks.delete_cluster(name="storage-lab-dev")
        lab.up()
        outputs = lab.outputs()
        strike(rehearsal, "destroy", "ec2:DescribeVolumes", signal.SIGINT, whole_tree=False)
        stopped = rehearsal.left()
        lab.destroy()
        return Run(locked, taken, stopped, rehearsal.left(), outputs)


def wait_until_active(eks: Any) -> None:
    def active() -> bool:
        return eks.describe_cluster(name="storage-lab-dev")["cluster"]["status"] == "ACTIVE"

    until(active, "the cluster is ACTIVE")


SCENARIOS = [interrupted]


@pytest.fixture
def run(result_of: ResultOf) -> Run:
    return result_of(interrupted)


def test_killed_up_leaves_a_lock_that_pulumi_cancel_lifts(run: Run) -> None:
    assert "pulumi cancel" in run.locked


def test_cluster_of_a_killed_up_is_not_created_twice(run: Run) -> None:
    assert "Cluster already exists with name: storage-lab-dev" in run.taken, "a second cluster would cost twice"


def test_up_succeeds_after_a_delete_by_hand(run: Run) -> None:
    assert run.outputs["volumeId"].startswith("vol-")


def test_destroy_continues_where_one_was_stopped(run: Run) -> None:
    assert run.stopped["cluster"] == 1, "the cluster was deleted before its volumes were looked at"
    assert run.left == Counter()
