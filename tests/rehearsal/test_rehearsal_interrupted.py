"""What docs/eks.md says to do after an interrupted up or destroy, done."""

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
from tests.rehearsal.stage import Stage


@dataclass
class Play:
    """What was seen on the way back."""

    locked: str
    taken: str
    stopped: Counter[str]
    left: Counter[str]
    outputs: dict[str, Any]


def strike(stage: Stage, command: str, call: str, number: signal.Signals, whole_tree: bool) -> None:
    """Run a pulumi command and send it, or all that it started too, a signal once it has made that AWS call."""
    before = stage.calls().count(call)
    words = ["pulumi", command, "--yes", "--skip-preview", "--stack", "dev", "--non-interactive"]
    with (stage.folder / f"struck-{command}.log").open("wb") as log:
        running = subprocess.Popen(
            words, cwd=stage.lab.folder, env=stage.lab.env, stdout=log, stderr=log, start_new_session=True
        )

    def called() -> bool:
        assert running.poll() is None, (stage.folder / f"struck-{command}.log").read_text()
        return stage.calls().count(call) > before

    until(called, f"pulumi {command} calls {call}", 90)
    if whole_tree:
        os.killpg(running.pid, number)
    else:
        running.send_signal(number)
    running.wait(timeout=60)


def failure(stage: Stage, command: Callable[[], Any]) -> str:
    with pytest.raises(CommandFailed) as failed:
        command()
    return str(failed.value)


def interrupted(folder: Path) -> Play:
    """An up killed while the cluster is being made, and a destroy stopped by one Ctrl-C."""
    with Stage(folder) as stage:
        lab, eks = stage.lab, stage.aws("eks")
        strike(stage, "up", "eks:CreateCluster", signal.SIGKILL, whole_tree=True)
        locked = failure(stage, lab.up)
        lab.pulumi("cancel", "--yes", "--stack", "dev")
        lab.refresh("--clear-pending-creates")
        taken = failure(stage, lab.up)
        wait_until_active(eks)
        eks.delete_cluster(name="storage-lab-dev")
        lab.up()
        outputs = lab.outputs()
        strike(stage, "destroy", "ec2:DescribeVolumes", signal.SIGINT, whole_tree=False)
        stopped = stage.left()
        lab.destroy()
        return Play(locked, taken, stopped, stage.left(), outputs)


def wait_until_active(eks: Any) -> None:
    def active() -> bool:
        return eks.describe_cluster(name="storage-lab-dev")["cluster"]["status"] == "ACTIVE"

    until(active, "the cluster is ACTIVE")


PERFORMANCES = [interrupted]


@pytest.fixture
def play(performances: Callable[[Callable[[Path], Any]], Any]) -> Play:
    return performances(interrupted)


def test_a_killed_up_leaves_a_lock_that_pulumi_cancel_lifts(play: Play) -> None:
    assert "pulumi cancel" in play.locked


def test_a_cluster_made_by_a_killed_up_is_met_again_by_its_name_and_not_doubled(play: Play) -> None:
    assert "Cluster already exists with name: storage-lab-dev" in play.taken, "a second cluster would cost twice"


def test_the_lab_comes_up_after_it_is_deleted_by_hand(play: Play) -> None:
    assert play.outputs["volumeId"].startswith("vol-")


def test_a_stopped_destroy_keeps_what_is_left_and_the_next_one_finishes(play: Play) -> None:
    assert play.stopped["cluster"] == 1, "the cluster went although its volumes had not been looked at"
    assert play.left == Counter()
