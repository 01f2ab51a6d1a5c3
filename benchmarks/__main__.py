"""python -m benchmarks [PART ...]: measure, and write tables and plot into docs/performance.md.

lab        the everyday commands on one server, split by what they wait for, and the bare way
scale      stacks of 1 to 100 servers, and a class of 30 namespaces
claims     500 volumes at once, straight at the CSI controller
watch      `lab watch`: its start, a change on its way to the screen, the processor at rest
setup      unit tests, what each target imports, the check that everything is built
large      a stack of 200 servers, about 10 minutes; only when it is named
toolchain  every tool compiled from nothing, about 8 minutes; only when it is named

Without a PART the first five run, in at most 17 minutes on two idle cores. A part replaces its own tables and leaves
the others as they are.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import claims, lab, scale, setup, toolchain, watch
from benchmarks.measure import machine
from benchmarks.report import Report, write

PARTS: dict[str, Callable[[Path, int, bool], Report]] = {
    "lab": lab.measure,
    "scale": scale.measure,
    "claims": claims.measure,
    "watch": watch.measure,
    "setup": setup.measure,
    "large": scale.measure_large,
    "toolchain": toolchain.measure,
}
DEFAULT = [name for name in PARTS if name not in ("large", "toolchain")]


def main() -> int:
    """Measure the parts of the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--runs", type=int, default=3, help="runs of which the median counts (default 3)")
    parser.add_argument("--quick", action="store_true", help="one run, small sizes; prints, and writes no file")
    given = parser.parse_args()
    if unknown := [part for part in given.parts if part not in PARTS]:
        parser.error(f"{unknown[0]!r} is not a part; accepted are {', '.join(PARTS)}")
    if given.runs < 1:
        parser.error(f"--runs {given.runs}: accepted is 1 or more")
    for part in given.parts or DEFAULT:
        began = time.monotonic()
        surroundings = machine()
        with tempfile.TemporaryDirectory(prefix=f"bench-{part}-") as folder:
            report = PARTS[part](Path(folder), 1 if given.quick else given.runs, given.quick)
        report.notes.insert(0, surroundings)
        print(report.text())
        print(f"{part}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        if not given.quick:
            write(part, report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
