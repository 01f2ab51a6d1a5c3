"""Processes of the local cloud killed: one by one at any moment, or all of them, as a reboot does."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from subprocess import Popen, TimeoutExpired

import pytest

from checkout import Checkout
from checkout.until import until
from localcloud.kwok.kwokctl import COMPONENTS
from localcloud.record.layout import Layout
from tests.faults.scene import Scene, errors, summary

NAMES = [component.name for component in COMPONENTS]
SEED = 7


def kill(scene: Scene, *names: str) -> None:
    """SIGKILL for these components, each proven to be of the scene's cloud, or for all."""
    struck = [one for one in scene.lab.processes() if not names or one.component in names]
    struck.sort(key=lambda one: one.component != "supervisor")  # or it would be faster than a kill of all
    for one in struck:
        one.process.kill()
    until(lambda: not any(one.alive for one in struck), "the killed processes are gone")


def when_started(scene: Scene, name: str, running: "Popen[bytes]") -> None:
    """Waits until a component runs, or the command is over."""
    until(
        lambda: running.poll() is not None or any(one.component == name for one in scene.lab.processes()),
        f"{name} runs",
        120,
    )


@pytest.fixture(scope="module")
def chance() -> random.Random:
    return random.Random(SEED)


@pytest.mark.parametrize("name", NAMES)
def test_one_process_killed_in_up_idle_and_destroy_costs_nothing(
    scene: Scene, chance: random.Random, name: str
) -> None:
    lab = scene.lab
    with scene.fault(f"SIGKILL of {name}", "idle") as saw:
        kill(scene, name)
        saw(summary(lab.up().stdout))
        scene.check_standing()
    with scene.fault(f"SIGKILL of {name}", "destroy") as saw:
        struck = scene.strike("destroy", chance.uniform(0.5, 4), lambda _: kill(scene, name))
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        _not_a_riddle(struck.output)
        lab.destroy()
        scene.check_gone()
    with scene.fault(f"SIGKILL of {name}", "up") as saw:
        running = scene.start("up")
        when_started(scene, name, running)
        with suppress(TimeoutExpired):
            running.wait(chance.uniform(0, 4))
        kill(scene, name)
        struck = scene.finish(running)
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        _not_a_riddle(struck.output)
        lab.up()
        scene.check_standing()


def test_a_destroy_that_waits_for_a_deletion_brings_the_api_server_back(scene: Scene) -> None:
    """Its watch of the object outlives the API server, and would wait for minutes without a word."""
    scene.lab.up()
    with scene.fault("SIGKILL of kube-apiserver", "destroy, the claim being deleted") as saw:
        waiting = "PersistentVolumeClaim nfs-server deleting"
        struck = scene.strike("destroy", waiting, lambda _: kill(scene, "kube-apiserver"))
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        scene.lab.destroy()
        scene.check_gone()
    scene.lab.up()


def _not_a_riddle(said: str) -> None:
    assert "Traceback" not in said, f"a traceback is not a sentence:\n{said}"
    assert "panic:" not in said


def _reboot(scene: Scene) -> None:
    """All gone, and their numbers given to others."""
    layout = Layout(scene.lab.cloud)
    kill(scene)
    stranger = scene.bystanders[-1]
    for name in NAMES:
        layout.pid_file(name).write_text(str(stranger.pid))
    layout.running.write_text(json.dumps(dict.fromkeys(NAMES, stranger.pid)))


FIRST: dict[str, Callable[[Checkout], str]] = {
    "kubectl get pvc": lambda lab: lab.kubectl("get", "pvc").stdout,
    "pulumi preview": lambda lab: summary(lab.preview().stdout),
    "pulumi refresh": lambda lab: summary(lab.refresh().stdout),
    "pulumi up": lambda lab: summary(lab.up().stdout),
    "pulumi destroy": lambda lab: summary(lab.destroy().stdout),
}


@pytest.mark.parametrize("command", FIRST)
def test_any_command_is_the_first_after_a_reboot(scene: Scene, command: str) -> None:
    with scene.fault("everything killed, pids taken", f"then {command}") as saw:
        _reboot(scene)
        saw(FIRST[command](scene.lab).strip().splitlines()[-1])
        if command == "pulumi destroy":
            scene.check_gone()
        else:
            assert {one.component for one in scene.lab.processes()} == set(NAMES), "not all of them came back"
            scene.check_standing()
