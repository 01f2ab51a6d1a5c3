"""Compiles every tool from nothing, in a Go build cache of its own, in the order of `make setup`."""

import os
import sys
from pathlib import Path

from benchmarks.measure import seconds
from benchmarks.report import Report, table
from tools.catalogue import MODULES, GoModule
from tools.console import Progress
from tools.go_build import Build, Go


def measure(folder: Path, runs: int, quick: bool) -> Report:
    """Return the seconds of compiling and linking, measured once. Downloaded sources are kept."""
    os.environ["GOCACHE"] = str(folder / "cache")
    rows: list[tuple[object, ...]] = []
    total = 0.0
    for module in MODULES[-1:] if quick else MODULES:
        took = seconds(lambda module=module: _build(module, folder))
        total += took
        rows.append((module.title, ", ".join(module.tools), took))
        print(f"{module.title}: {took:.0f} s", file=sys.stderr)
    rows.append(("all", "", total))
    return Report([table(("Go module", "tools", "seconds"), rows)])


def _build(module: GoModule, folder: Path) -> None:
    Build(module, folder, folder / module.folder, Progress()).run(Go(folder))
