"""A random walk of interrupted commands: each goes on from what the one before it left behind."""

import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.faults.conftest import NewScene
from tests.faults.scene import Scene, Struck, interrupt, interrupt_twice, kill_tree, summary

SEED = 20240229
POINTS, LEGS = 208, 8
BLOWS = {"SIGINT": interrupt, "SIGINT twice": interrupt_twice, "SIGKILL of the tree": kill_tree}
LOCKED = "the stack is currently locked"


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
        wrong = re.search(r"Traceback|panic:|failed to load checkpoint|JSON", struck.output)
        assert not wrong, f"{blow} {moment:.2f} s into {command} shows this:\n{struck.output}"

    def whole(self, command: str) -> None:
        """An undisturbed command must finish, whatever was left to it."""
        begun = time.monotonic()
        lab = self.scene.lab
        done = lab.up() if command == "up" else lab.destroy()
        self.recovery.append(time.monotonic() - begun)
        if command == "up":
            self.scene.check_standing()
            return
        if any(operation == "creating lab" for operation in lab.pending()) and lab.processes():
            assert "interrupted while creating" in done.stdout + done.stderr, "nothing hints at what still runs"
            lab.run("python", "-m", "localcloud", "delete", str(lab.cloud))
        self.scene.check_gone()


@pytest.fixture(scope="module")
def walk(new_scene: NewScene) -> Iterator[Walk]:
    walk = Walk(new_scene(config={"reclaimTimeoutSeconds": 30}), random.Random(SEED))
    for command in ("up", "destroy"):
        walk.whole(command)
        walk.lasts[command] = walk.recovery[-1]
    yield walk
    if walk.struck:
        for (command, blow), count in sorted(walk.struck.items()):
            seen = f"cancel needed {walk.cancelled[blow]} times after {blow}"
            walk.scene.note(f"{blow}, {count} random points", f"pulumi {command}", seen, max(walk.recovery))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("leg", range(LEGS))
def test_after_interruptions_at_random_points_the_next_run_goes_on(walk: Walk, leg: int) -> None:
    for point in range(POINTS // LEGS):
        walk.step()
        if point % 13 == 12:
            walk.whole("destroy" if point > 20 else walk.chance.choice(["up", "destroy"]))
    if walk.scene.lab.pending():
        walk.scene.lab.refresh("--clear-pending-creates")
    assert walk.scene.lab.pending() == [], "operations that one documented command does not clear"


def test_the_walk_had_at_least_two_hundred_points(walk: Walk) -> None:
    assert sum(walk.struck.values()) >= 200, f"only {walk.struck}"
    assert set(walk.struck) == {(command, blow) for command in ("up", "destroy") for blow in BLOWS}
    assert summary(walk.scene.lab.up().stdout)
    walk.scene.check_standing()
    walk.scene.lab.destroy()
    walk.scene.check_gone()
