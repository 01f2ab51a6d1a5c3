"""Processes of the local cloud killed: one by one at any moment, or all of them, as a reboot does."""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from subprocess import Popen, TimeoutExpired

import pytest

from checkout import Checkout
from checkout.until import until
from localcloud.components import COMPONENTS
from localcloud.record.layout import Layout
from tests.faults.fault_lab import FaultLab, errors, kill, summary
from tests.faults.selection import cases

NAMES = [component.name for component in COMPONENTS if not component.snapshots]
SEED = 7


def when_started(fault_lab: FaultLab, name: str, running: "Popen[bytes]") -> None:
    """Waits until a component runs, or the command is over."""
    until(
        lambda: running.poll() is not None or any(one.component == name for one in fault_lab.checkout.processes()),
        f"{name} runs",
        120,
    )


@pytest.fixture(scope="module")
def chance() -> random.Random:
    return random.Random(SEED)


@pytest.mark.parametrize("name", cases(NAMES, telling=["kube-apiserver"]))
def test_killed_process_costs_nothing(fault_lab: FaultLab, chance: random.Random, name: str) -> None:
    checkout = fault_lab.checkout
    with fault_lab.fault(f"SIGKILL of {name}", "idle") as saw:
        kill(fault_lab, name)
        saw(summary(checkout.up().stdout))
        fault_lab.check_standing()
    with fault_lab.fault(f"SIGKILL of {name}", "destroy") as saw:
        struck = fault_lab.strike("destroy", chance.uniform(0.5, 4), lambda _: kill(fault_lab, name))
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        _not_a_riddle(struck.output)
        checkout.destroy()
        fault_lab.check_gone()
    with fault_lab.fault(f"SIGKILL of {name}", "up") as saw:
        running = fault_lab.start("up")
        when_started(fault_lab, name, running)
        with suppress(TimeoutExpired):
            running.wait(chance.uniform(0, 4))
        kill(fault_lab, name)
        struck = fault_lab.finish(running)
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        _not_a_riddle(struck.output)
        checkout.up()
        fault_lab.check_standing()


def test_waiting_destroy_revives_the_api_server(fault_lab: FaultLab) -> None:
    """Its watch of the object outlives the API server, and would wait for minutes without a word."""
    fault_lab.checkout.up()
    with fault_lab.fault("SIGKILL of kube-apiserver", "destroy, the claim being deleted") as saw:
        waiting = "PersistentVolumeClaim nfs-server deleting"
        struck = fault_lab.strike("destroy", waiting, lambda _: kill(fault_lab, "kube-apiserver"))
        saw(f"first: {errors(struck.output) or summary(struck.output)}")
        fault_lab.checkout.destroy()
        fault_lab.check_gone()
    fault_lab.checkout.up()


def _not_a_riddle(said: str) -> None:
    assert "Traceback" not in said, f"a traceback is not a sentence:\n{said}"
    assert "panic:" not in said


def _reboot(fault_lab: FaultLab) -> None:
    """All gone, and their numbers given to others."""
    layout = Layout(fault_lab.checkout.cloud)
    kill(fault_lab)
    unrelated = fault_lab.unrelated_processes[-1]
    for name in NAMES:
        layout.pid_file(name).write_text(str(unrelated.pid))
    layout.running.write_text(json.dumps(dict.fromkeys(NAMES, unrelated.pid)))


FIRST: dict[str, Callable[[Checkout], str]] = {
    "kubectl get pvc": lambda checkout: checkout.kubectl("get", "pvc").stdout,
    "pulumi preview": lambda checkout: summary(checkout.preview().stdout),
    "pulumi refresh": lambda checkout: summary(checkout.refresh().stdout),
    "pulumi up": lambda checkout: summary(checkout.up().stdout),
    "pulumi destroy": lambda checkout: summary(checkout.destroy().stdout),
}


@pytest.mark.parametrize("command", cases(FIRST, telling=["pulumi up"]))
def test_any_command_revives_the_cloud_after_a_reboot(fault_lab: FaultLab, command: str) -> None:
    with fault_lab.fault("everything killed, pids taken", f"then {command}") as saw:
        _reboot(fault_lab)
        saw(FIRST[command](fault_lab.checkout).strip().splitlines()[-1])
        if command == "pulumi destroy":
            fault_lab.check_gone()
        else:
            assert {one.component for one in fault_lab.checkout.processes()} == set(NAMES), "not all of them came back"
            fault_lab.check_standing()
