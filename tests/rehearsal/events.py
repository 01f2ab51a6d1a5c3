"""The steps of the engine in their order, read from its own log of events."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One create, update, replacement or delete. `begin` and `end` are places in the engine's sequence of events."""

    op: str
    type: str
    name: str
    begin: int
    end: int

    @property
    def label(self) -> str:
        return f"{self.type.rpartition(':')[2]} {self.name}"


NOTHING = {"same", "read", "refresh", "read-replacement", "read-discard", "discard"}


def steps(log: Path) -> list[Step]:
    """Return the finished steps of one run, in the order in which they began."""
    begun: dict[tuple[str, str], int] = {}
    done: list[Step] = []
    for place, line in enumerate(log.read_text().splitlines()):
        event = json.loads(line)
        for kind in ("resourcePreEvent", "resOutputsEvent"):
            metadata = event.get(kind, {}).get("metadata")
            if not metadata or metadata["op"] in NOTHING:
                continue
            key = (metadata["op"], metadata["urn"])
            if kind == "resourcePreEvent":
                begun[key] = place
            elif key in begun:
                done.append(Step(metadata["op"], metadata["type"], key[1].split("::")[3], begun.pop(key), place))
    return sorted(done, key=lambda step: step.begin)


def one(found: Iterable[Step], op: str, type_end: str, name: str | None = None) -> Step:
    """Return the only step of this kind on a resource whose type ends so, or that also has this name."""
    matching = [s for s in found if s.op == op and s.type.endswith(type_end) and name in (None, s.name)]
    assert len(matching) == 1, f"expected one {op} of {type_end} {name or ''}, found {matching}"
    return matching[0]


def table(title: str, found: list[Step]) -> str:
    """Return the steps as a table: the place of each by its begin, and by its end."""
    rows = [f"{title}\n{'began':>6} {'done':>6}  what"]
    ends = sorted(step.end for step in found)
    for number, step in enumerate(found, 1):
        rows.append(f"{number:>6} {ends.index(step.end) + 1:>6}  {step.op} {step.label}")
    return "\n".join(rows)
