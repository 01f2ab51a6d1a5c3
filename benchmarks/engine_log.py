"""Splits the time of a pulumi command by cause, from the engine's own log (`--logtostderr -v=7`).

Each line is a JSON object with a time and a message. The engine logs when it runs the program, when the program
registers its first resource, and the beginning and end of every call to a provider.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

_CALL = re.compile(r"Provider\[[^\]]*\]\.(Create|Update|Delete|Read)\((.*?)\) (executing|success|failed|error)")
# The call that runs the processes of the local cloud; Pulumi marks a Delete's URN with the id behind a comma.
_CONTROL_PLANE = "storage-lab:ControlPlane::"

Span = tuple[float, float]


@dataclass(frozen=True)
class Split:
    """Seconds of a command: starting, stopping or looking at the local cloud; the program's imports; calls that
    change or read what is in Kubernetes or EC2, waits included; and the engine with its plugins, the rest."""

    whole: float
    control_plane: float
    program: float
    kubernetes: float

    @property
    def engine(self) -> float:
        return self.whole - self.control_plane - self.program - self.kubernetes


def split(lines: Iterable[str], whole: float) -> Split:
    """Return the split of a command that took `whole` seconds. Lines that are not the engine's are skipped."""
    began: dict[str, float] = {}
    planes: list[Span] = []
    others: list[Span] = []
    run: float | None = None
    program: Span = (0.0, 0.0)
    for when, message in _events(lines):
        if run is None and message.startswith("langhost[python].Run(") and "executing" in message:
            run = when
        elif run is not None and program == (0.0, 0.0) and _is_first_of_ours(message):
            program = (run, when)
        elif call := _CALL.match(message):
            key = f"{call[1]} {call[2]}"
            if call[3] == "executing":
                began[key] = when
            elif key in began:
                (planes if _CONTROL_PLANE in key else others).append((began.pop(key), when))
    control_plane = _covered(planes)
    # Each moment counts once, for the first in this order that it belongs to.
    kubernetes = _covered([*planes, *others]) - control_plane
    both = _covered([*planes, *others, program])
    return Split(whole, control_plane, both - control_plane - kubernetes, kubernetes)


def _is_first_of_ours(message: str) -> bool:
    return message.startswith("registering resource: ty=storage-lab:")


def _events(lines: Iterable[str]) -> Iterable[tuple[float, str]]:
    for line in lines:
        try:
            entry = json.loads(line)
            yield datetime.fromisoformat(_microseconds(entry["time"])).timestamp(), str(entry["msg"])
        except (ValueError, KeyError, TypeError):
            continue


def _microseconds(time: str) -> str:
    """Go writes up to nine digits of a second; Python reads six, or three."""
    head, _, fraction = time.removesuffix("Z").partition(".")
    return f"{head}.{fraction[:6].ljust(6, '0')}+00:00"


def _covered(spans: Sequence[Span]) -> float:
    """Return the seconds that lie in at least one span."""
    total, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total
