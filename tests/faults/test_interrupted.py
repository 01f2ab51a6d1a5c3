"""Random walks of interrupted commands: each goes on from what the one before it left behind.

Two walks go side by side, each with a lab of its own, for a command waits more than it works.
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
from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, Struck, errors, interrupt, interrupt_twice, kill_tree

SEED = 20240229
WALKERS, LEGS, POINTS = 2, 4, 26
BLOWS = {"SIGINT": interrupt, "SIGINT twice": interrupt_twice, "SIGKILL of the tree": kill_tree}


@dataclass
class Walk:
    """The walk so far. `lasts` is how long an undisturbed command takes, in seconds."""

    scene: Scene
    chance: random.Random
    lasts: dict[str, float] = field(default_factory=dict)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    cancelled: Counter[str] = field(default_factory=Counter)
    recovery: list[float] = field(default_factory=list)

    def step(self) -> None:
        """One interrupted command; a command that ends before it is struck is repeated, and does not count."""
        while True:
            command = self.chance.choice(["up", "up", "up", "destroy", "destroy"])
            blow = self.chance.choice(list(BLOWS))
            moment = self.chance.uniform(0.2, self.lasts[command])
            struck = self.scene.strike(command, moment, BLOWS[blow])
            self._unlock(blow)
            if not struck.early:
                self.struck[command, blow] += 1
                self._check(command, blow, moment, struck)
                return

    def _unlock(self, blow: str) -> None:
        """What the next command's message says to do."""
        locks = self.scene.lab.folder / ".lab" / "state" / ".pulumi" / "locks"
        if any(path.is_file() for path in locks.rglob("*")):
            self.cancelled[blow] += 1
            self.scene.lab.pulumi("cancel", "--yes", "--stack", self.scene.lab.stack)

    def _check(self, command: str, blow: str, moment: float, struck: Struck) -> None:
        # A Ctrl-C may show where it struck in Pulumi's own code, but never in the lab's.
        wrong = re.search(r'File ".*/(components|localcloud)/|panic:|failed to load checkpoint|JSON', struck.output)
        assert not wrong, f"{blow} {moment:.2f} s into {command} shows this:\n{struck.output}"

    def whole(self, command: str) -> None:
        """An undisturbed command must finish, whatever was left to it."""
        begun = time.monotonic()
        lab = self.scene.lab
        getattr(lab, command)()
        self.recovery.append(time.monotonic() - begun)
        if command == "up":
            self.scene.check_standing()
        else:
            self.scene.check_gone()


@pytest.fixture(scope="module")
def walks(new_scene: NewScene) -> list[Walk]:
    walks = [
        Walk(new_scene(config={"reclaimTimeoutSeconds": 30}), random.Random(SEED + number)) for number in range(WALKERS)
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
    if walk.scene.lab.pending():
        walk.scene.lab.up()  # or what is being created would be forgotten
        walk.scene.lab.refresh("--clear-pending-creates")
    assert walk.scene.lab.pending() == [], "operations that the documented command does not clear"


@pytest.mark.parametrize("blow", ["SIGINT", "SIGKILL of pulumi alone"])
@pytest.mark.parametrize("moment", [0.2, 0.5, 1.0, 1.5])
def test_a_command_that_is_stopped_in_its_first_seconds_ends_quietly_with_its_plugins(
    walks: list[Walk], blow: str, moment: float
) -> None:
    scene = walks[0].scene
    strike: Callable[[Popen[bytes]], None] = interrupt if blow == "SIGINT" else Popen[bytes].kill
    with scene.fault(blow, f"up, after {moment} s") as saw:
        struck = scene.strike("up", moment, strike)
        assert "Traceback" not in struck.output, struck.output
        until(lambda: scene.plugins() == [], "language host, program and providers have ended with the engine", 10)
        scene.lab.pulumi("cancel", "--yes", "--stack", scene.lab.stack, expect=None)
        scene.lab.destroy()
        scene.check_gone()
        saw(errors(struck.output) or f"status {struck.status}, nothing runs on")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", range(LEGS))
def test_after_interruptions_at_random_points_the_next_run_goes_on(walks: list[Walk], number: int) -> None:
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(leg, walks))


def test_the_walks_had_two_hundred_points_and_end_where_they_began(walks: list[Walk]) -> None:
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
        walks[0].scene.note(f"{blow}, {count} random points", f"pulumi {command}", seen, slowest)
