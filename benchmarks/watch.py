"""Measures `lab watch` on a terminal: its start, a change on its way to the screen, the processor at rest."""

import time
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.measure import MEBIBYTE, seconds
from benchmarks.report import Report, table
from benchmarks.stack import Stack
from checkout.terminals import Terminal, on_a_terminal
from components.access.clients import kubernetes_client

_CHANGES, _REST_SECONDS = 20, 60.0
_QUICK_CHANGES, _QUICK_REST_SECONDS = 5, 10.0


def measure(folder: Path, runs: int, quick: bool) -> Report:
    """Return a table of one lab of one server; every start is a run, and the changes are those of all runs."""
    firsts: list[float] = []
    wholes: list[float] = []
    changes: list[float] = []
    rests: list[float] = []
    memory: list[float] = []
    stack = Stack(folder / "lab", ["nfs-server"])
    try:
        stack.timed("up")
        client: Any = kubernetes_client(stack.checkout.outputs()["kubeconfig"])
        for _ in range(runs):
            began = time.monotonic()
            with on_a_terminal(stack.checkout, "python", "-m", "lab", "watch") as terminal:
                terminal.until("reading the stack")
                firsts.append(time.monotonic() - began)
                terminal.until("the chain holds")
                wholes.append(time.monotonic() - began)
                for number in range(_QUICK_CHANGES if quick else _CHANGES):
                    changes.append(_change(client, terminal, f"Change{len(wholes)}x{number}x"))
                share, used = _rest(terminal, _QUICK_REST_SECONDS if quick else _REST_SECONDS)
                rests.append(share)
                memory.append(used)
                terminal.press("q")
                terminal.ended()
    finally:
        stack.take_down()
    rows = [
        ("first picture, seconds", 1, median(firsts), max(firsts)),
        ("whole chain, with the first answer of Pulumi, Kubernetes and EC2, seconds", "", median(wholes), max(wholes)),
        (f"from a change to the screen, seconds ({len(changes)} changes)", 0.3, median(changes), max(changes)),
        ("processor while nothing moves, percent of a core", 2, median(rests), max(rests)),
        ("memory, MiB", "", median(memory), max(memory)),
    ]
    return Report([table(("`lab watch`", "goal", "median", "worst"), rows)])


def _change(client: Any, terminal: Terminal, reason: str) -> float:
    """Return the seconds from the request that changes something until the screen shows it.

    The change is a warning of Kubernetes, which moves nothing in the lab.
    """
    from lightkube.models.core_v1 import ObjectReference
    from lightkube.models.meta_v1 import ObjectMeta
    from lightkube.resources.core_v1 import Event

    warning = Event(
        metadata=ObjectMeta(generateName="bench-", namespace="default"),
        involvedObject=ObjectReference(kind="Pod", name="bench", namespace="default"),
        type="Warning",
        reason=reason,
        message="measured",
    )
    return seconds(lambda: (client.create(warning), terminal.until(reason)))


def _rest(terminal: Terminal, duration: float) -> tuple[float, float]:
    """Return the share of a core that the program takes while nothing moves, and its memory."""
    process = psutil.Process(terminal.pid)
    terminal.read_for(5)
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    terminal.read_for(duration)
    share = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
    return 100 * share, process.memory_info().rss / MEBIBYTE
