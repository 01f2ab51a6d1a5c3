"""Interrupted commands: each kind of interruption once, then random walks.

A walk interrupts command after command, each on what the one before it left. Two walks run side by side, each with a
lab of its own, because a command waits more than it works.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from subprocess import Popen

import pytest

from checkout.until import until
from tests.faults.conftest import NewFaultLab
from tests.faults.fault_lab import FaultLab, Struck, errors, interrupt, interrupt_twice, kill_tree
from tests.faults.selection import cases

SEED = 20240229
WALKERS, LEGS, POINTS = 2, 4, 26
BLOWS = {"SIGINT": interrupt, "SIGINT twice": interrupt_twice, "SIGKILL of the tree": kill_tree}


@dataclass
class Walk:
    """The walk so far. `lasts` is how long an undisturbed command takes, in seconds."""

    fault_lab: FaultLab
    chance: random.Random
    lasts: dict[str, float] = field(default_factory=dict)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    recovery: list[float] = field(default_factory=list)

    def step(self) -> None:
        """Interrupt one command. A command that ends before it is struck is repeated, and does not count."""
        while True:
            command = self.chance.choice(["up", "up", "up", "destroy", "destroy"])
            blow = self.chance.choice(list(BLOWS))
            moment = self.chance.uniform(0.2, self.lasts[command])
            struck = self.fault_lab.strike(command, moment, BLOWS[blow])
            self.cancelled[blow] += unlock(self.fault_lab)
            if not struck.early:
                self.struck[command, blow] += 1
                check_output(struck, f"{blow} {moment:.2f} s into {command}")
                return

    def whole(self, command: str) -> None:
        """Run an undisturbed command, which must finish whatever it finds."""
        begun = time.monotonic()
        checkout = self.fault_lab.checkout
        getattr(checkout, command)()
        self.recovery.append(time.monotonic() - begun)
        if command == "up":
            self.fault_lab.check_standing()
        else:
            self.fault_lab.check_gone()


def unlock(fault_lab: FaultLab) -> bool:
    """Run `pulumi cancel` if the interrupted command left its lock, as the next command's message says."""
    locks = fault_lab.checkout.folder / ".lab" / "state" / ".pulumi" / "locks"
    locked = any(path.is_file() for path in locks.rglob("*"))
    if locked:
        fault_lab.checkout.pulumi("cancel", "--yes", "--stack", fault_lab.checkout.stack)
    return locked


def check_output(struck: Struck, where: str) -> None:
    # A Ctrl-C may show where it struck in Pulumi's own code, but never in the lab's.
    wrong = re.search(r'File ".*/(components|localcloud)/|panic:|failed to load checkpoint|JSON', struck.output)
    assert not wrong, f"{where} shows this:\n{struck.output}"


@pytest.mark.parametrize("blow", cases(BLOWS, telling=["SIGKILL of the tree"]))
def test_next_command_finishes_after_one_interruption(new_fault_lab: NewFaultLab, blow: str) -> None:
    fault_lab = new_fault_lab()
    for command, doing, check in (
        ("up", "creating", fault_lab.check_standing),
        ("destroy", "deleting", fault_lab.check_gone),
    ):
        with fault_lab.fault(blow, f"{command}, {doing} the claim") as saw:
            struck = fault_lab.strike(command, f"PersistentVolumeClaim nfs-server {doing}", BLOWS[blow])
            assert not struck.early, f"{command} ended before it was struck"
            check_output(struck, f"{blow} while {command} is {doing} the claim")
            cancel = "; pulumi cancel lifts the lock" if unlock(fault_lab) else ""
            getattr(fault_lab.checkout, command)()
            check()
            saw((errors(struck.output) or f"status {struck.status}") + cancel)


@pytest.fixture(scope="module")
def walks(new_fault_lab: NewFaultLab) -> list[Walk]:
    walks = [
        Walk(new_fault_lab(config={"reclaimTimeoutSeconds": 30}), random.Random(SEED + number))
        for number in range(WALKERS)
    ]

    def measure(walk: Walk) -> None:
        for command in ("up", "destroy"):
            walk.whole(command)
            walk.lasts[command] = walk.recovery[-1]

    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(measure, walks))
    return walks


def leg(walk: Walk) -> None:
    for point in range(POINTS):
        walk.step()
        if point % 13 == 12:
            walk.whole(walk.chance.choice(["up", "destroy"]))
    if walk.fault_lab.checkout.pending():
        walk.fault_lab.checkout.up()  # or what is being created would be forgotten
        walk.fault_lab.checkout.refresh("--clear-pending-creates")
    assert walk.fault_lab.checkout.pending() == [], "operations that the documented command does not clear"


@pytest.mark.parametrize("blow", ["SIGINT", "SIGKILL of pulumi alone"])
@pytest.mark.parametrize("moment", [0.2, 0.5, 1.0, 1.5])
def test_command_stopped_at_its_start_leaves_no_process(walks: list[Walk], blow: str, moment: float) -> None:
    fault_lab = walks[0].fault_lab
    strike: Callable[[Popen[bytes]], None] = interrupt if blow == "SIGINT" else Popen[bytes].kill
    with fault_lab.fault(blow, f"up, after {moment} s") as saw:
        struck = fault_lab.strike("up", moment, strike)
        assert "Traceback" not in struck.output, struck.output
        until(lambda: fault_lab.plugins() == [], "language host, program and providers have ended with the engine", 10)
        fault_lab.checkout.pulumi("cancel", "--yes", "--stack", fault_lab.checkout.stack, expect=None)
        fault_lab.checkout.destroy()
        fault_lab.check_gone()
        saw(errors(struck.output) or f"status {struck.status}, nothing runs on")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(LEGS))
def test_next_command_finishes_after_random_interruptions(walks: list[Walk], number: int) -> None:
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(leg, walks))


def test_walks_had_two_hundred_points_and_end_clean(walks: list[Walk]) -> None:
    struck = sum((walk.struck for walk in walks), Counter[tuple[str, str]]())
    assert struck.total() >= 200, f"only {struck}"
    assert set(struck) == {(command, blow) for command in ("up", "destroy") for blow in BLOWS}
    for walk in walks:
        walk.whole("up")
        walk.whole("destroy")
    cancelled = sum((walk.cancelled for walk in walks), Counter[str]())
    slowest = max(seconds for walk in walks for seconds in walk.recovery)
    for (command, blow), count in sorted(struck.items()):
        seen = f"pulumi cancel needed {cancelled[blow]} times after {blow}, up and destroy together"
        walks[0].fault_lab.note(f"{blow}, {count} random points", f"pulumi {command}", seen, slowest)
