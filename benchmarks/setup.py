"""Measures what comes before the lab: unit tests, imports, and the check that everything is built."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.measure import seconds
from benchmarks.report import Report, table
from checkout import ROOT, activated

_PROGRAM = (
    "components.settings",
    "components.nfs_server",
    "components.storage_class",
    "components.guards.foreign_users",
)
_TARGETS = {"local": "components.local.cluster", "eks": "components.eks.cluster"}
_LOADED = "import sys; print(len(sys.modules), *sorted({name.partition('.')[0] for name in sys.modules}))"


def measure(folder: Path, runs: int, quick: bool) -> Report:
    """Return medians in seconds, and which of Pulumi's packages each target loads."""
    python = str(ROOT / ".venv" / "bin" / "python")
    rows: list[tuple[str, float]] = [
        ("toolchain check, everything built", _median(runs, lambda: _run(sys.executable, "-m", "tools.setup", "test"))),
        (
            "unit tests",
            _median(runs, lambda: _run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")),
        ),
    ]
    imports: list[tuple[object, ...]] = []
    for target, module in _TARGETS.items():
        modules = ", ".join((*_PROGRAM, module))
        took = _median(runs, lambda modules=modules: _run(python, "-c", f"import {modules}"))
        number, *packages = _run(python, "-c", f"import {modules}; {_LOADED}").split()
        loaded = ", ".join(name for name in packages if name.startswith("pulumi"))
        imports.append((target, took, int(number), loaded))
    return Report(
        [
            table(("what", "seconds"), rows),
            table(("imports of the target", "seconds", "modules", "of Pulumi"), imports),
        ]
    )


def _median(runs: int, action: Callable[[], object]) -> float:
    return median(seconds(action) for _ in range(runs))


def _run(*words: str) -> str:
    done = subprocess.run(words, cwd=ROOT, env=dict(activated()), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words[:4])} ended with {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout
