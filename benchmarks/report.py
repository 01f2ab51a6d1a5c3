"""The report of a part: tables and notes, and their place in docs/performance.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "performance.md"


@dataclass
class Report:
    """`body` is Markdown, tables for the most part; `notes` follow it; `pictures` are file names with their SVG."""

    body: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    pictures: dict[str, str] = field(default_factory=dict[str, str])

    def text(self) -> str:
        return "\n\n".join([*self.body, *self.notes])


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table, numbers on the right; a fraction is rounded to about three digits."""
    numeric = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(header))]
    lines = [header, ["--:" if right else "---" for right in numeric], *([_cell(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def placed(page: str, part: str, text: str) -> str:
    """Return the page with `text` between the markers of `part`. Raises ValueError where it has no such markers."""
    begin, end = f"<!-- measured: {part} -->", f"<!-- end of {part} -->"
    head, found, rest = page.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page lacks {begin} or {end}")
    return f"{head}{begin}\n{text}\n{end}{tail}"


def write(part: str, report: Report) -> None:
    """Put a report into its place on the page, and its pictures beside it."""
    PAGE.write_text(placed(PAGE.read_text(), part, report.text()))
    for name, svg in report.pictures.items():
        (DOCS / name).write_text(svg)
