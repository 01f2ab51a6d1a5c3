"""The table of the fault tier: what was done to the lab, and what the user met."""

import textwrap
from dataclasses import dataclass

HEAD = ("fault", "where it struck", "what the user saw", "s", "volumes", "foreign")
WIDTHS = (36, 26, 58, 6, 7, 7)


@dataclass(frozen=True)
class Row:
    """One fault: seconds from it to a healthy or an empty lab; EBS volumes without a claim at the end; other people's
    processes that were signalled."""

    fault: str
    where: str
    saw: str
    seconds: float
    volumes: int
    foreign: int


ROWS: list[Row] = []


def table() -> list[str]:
    """The lines of the table; long cells go on below."""
    cells = [(r.fault, r.where, r.saw, f"{r.seconds:.1f}", str(r.volumes), str(r.foreign)) for r in ROWS]
    return [line for row in (HEAD, tuple("-" * width for width in WIDTHS), *cells) for line in _lines(row)]


def _lines(row: tuple[str, ...]) -> list[str]:
    folded = [_folded(cell, width) for cell, width in zip(row, WIDTHS, strict=True)]
    height = max(map(len, folded))
    filled = [lines + [""] * (height - len(lines)) for lines in folded]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, WIDTHS, strict=True)).rstrip()
        for line in zip(*filled, strict=True)
    ]


def _folded(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width) or [""]
