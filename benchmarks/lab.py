"""Measures the everyday commands on a lab of one server, and in turns the bare way to the same objects."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.bare import Bare, manifests, run_bare
from benchmarks.engine_log import Split
from benchmarks.report import Report, table
from benchmarks.stack import Stack

_COMMANDS = (
    ("from nothing", "up"),
    ("`up` again", "up"),
    ("`preview`", "preview"),
    ("`refresh`", "refresh"),
    ("`destroy`", "destroy"),
)
_HEADER = ("seconds", "whole", "control plane", "program start", "engine and plugins", "Kubernetes and EC2")


def measure(folder: Path, runs: int, quick: bool) -> Report:
    """Return a table of the commands and of the bare way; the figures of a run are from the same minutes."""
    splits: list[list[Split]] = [[] for _ in _COMMANDS]
    bare: list[Bare] = []
    for run in range(runs):
        stack = Stack(folder / f"lab-{run}", ["nfs-server"])
        try:
            objects = []
            for number, (_, command) in enumerate(_COMMANDS):
                splits[number].append(stack.timed(command).split)
                objects = objects or manifests(stack.checkout.state())
            bare.append(run_bare(folder / f"bare-{run}", objects))
        finally:
            stack.take_down()
    rows = [(name, *_medians(found)) for (name, _), found in zip(_COMMANDS, splits, strict=True)]
    ratio = median(up.whole / way.up for up, way in zip(splits[0], bare, strict=True))
    rows.append(
        (
            "bare way, from nothing",
            median(way.up for way in bare),
            median(way.control_plane for way in bare),
            0.0,
            0.0,
            median(way.apply + way.wait for way in bare),
        )
    )
    rows.append(
        ("bare way, removed", median(way.delete for way in bare), median(w.delete for w in bare), 0.0, 0.0, 0.0)
    )
    return Report(
        [table(_HEADER, rows)],
        [f"From nothing takes {ratio:.2f} times the bare way (median of {runs} pairs, each from one run)."],
    )


def _medians(found: Sequence[Split]) -> tuple[float, ...]:
    return tuple(
        median(getattr(one, what) for one in found)
        for what in ("whole", "control_plane", "program", "engine", "kubernetes")
    )
