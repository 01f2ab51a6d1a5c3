"""Measures stacks of more and more servers in one namespace, and a class: one server in each of 30 namespaces.

Each size is measured once: the large ones take minutes, and what matters is how the figures grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.plot import line_plot
from benchmarks.report import Report, table
from benchmarks.stack import Stack, Timing
from checkout import CommandFailed
from localcloud.components import NODE

SIZES = (1, 10, 50, 100)
LARGE = (1, 200)
CLASS = 30
_HEADER = ("servers", "nodes", "up, s", "s a further server", "up again, s", "destroy, s")
_MEMORY = ("servers", "engine, MiB", "program, MiB", "provider, MiB", "API server, MiB", "nodes, MiB")
_PROCESSOR = ("servers", "engine", "program", "provider")


@dataclass(frozen=True)
class Size:
    """The figures of one stack."""

    name: str
    servers: int
    nodes: int
    up: Timing
    again: Timing
    destroy: Timing
    api_server: float
    node_program: float


def measure(folder: Path, _runs: int, quick: bool) -> Report:
    """Return the tables of all sizes, and their plot."""
    cases = [_numbered(n) for n in ((1, 5) if quick else SIZES)]
    if not quick:
        cases.append((f"{CLASS}, a namespace each", [f"learner-{i}/nfs-server" for i in range(1, CLASS + 1)]))
    found, report = _measured(folder, cases)
    lines = [one for one in found if one.name.isdigit()]
    report.pictures["performance.svg"] = line_plot(
        "A stack of NFS servers on the local cloud",
        "servers in the stack",
        "seconds",
        {
            "from nothing": [(one.servers, one.up.split.whole) for one in lines],
            "up again": [(one.servers, one.again.split.whole) for one in lines],
            "destroy": [(one.servers, one.destroy.split.whole) for one in lines],
        },
    )
    report.body.append("![Seconds over the number of servers](performance.svg)")
    return report


def measure_large(folder: Path, _runs: int, quick: bool) -> Report:
    """Return the tables of the largest size, and of one server in the same minutes."""
    return _measured(folder, [_numbered(n) for n in ((1, 5) if quick else LARGE)])[1]


def _numbered(servers: int) -> tuple[str, list[str]]:
    return str(servers), [f"nfs-{i}" for i in range(1, servers + 1)]


def _measured(folder: Path, cases: Sequence[tuple[str, list[str]]]) -> tuple[list[Size], Report]:
    notes: list[str] = []
    found: list[Size] = []
    for name, servers in cases:
        try:
            found.append(_of(folder / f"stack-{len(found)}", name, servers))
        except CommandFailed as failure:
            notes.append(f"{name} servers were not measured: {str(failure).splitlines()[0]}")
    if not found:
        raise SystemExit("\n".join(notes))
    return found, Report(_tables(found), notes)


def _of(folder: Path, name: str, servers: list[str]) -> Size:
    stack = Stack(folder, servers)
    try:
        up, again = stack.timed("up"), stack.timed("up")
        api_server, node_program = stack.memory("kube-apiserver"), stack.memory(NODE)
        nodes = len(stack.checkout.get("nodes")["items"])
        return Size(name, len(servers), nodes, up, again, stack.timed("destroy"), api_server, node_program)
    finally:
        stack.take_down()


def _tables(found: list[Size]) -> list[str]:
    one = found[0].up.split.whole
    times = [
        (
            size.name,
            size.nodes,
            size.up.split.whole,
            (size.up.split.whole - one) / (size.servers - 1) if size.servers > 1 else "",
            size.again.split.whole,
            size.destroy.split.whole,
        )
        for size in found
    ]
    memory = [
        (
            size.name,
            *(size.up.memory.get(role, 0.0) for role in ("engine", "program", "provider")),
            size.api_server,
            size.node_program,
        )
        for size in found
    ]
    processor = [
        (size.name, *(size.again.cpu.get(role, 0.0) for role in ("engine", "program", "provider"))) for size in found
    ]
    return [
        table(_HEADER, times),
        "Memory at its highest in the first `up`, and that of API server and node program after the second:",
        table(_MEMORY, memory),
        "Processor seconds of the second `up`:",
        table(_PROCESSOR, processor),
    ]
