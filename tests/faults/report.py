"""The table of the fault tier: what was done to the lab, and what the user met.

A test notes its rows in the process that runs it. They travel to the process that prints the table with the test's
report, because under pytest-xdist the two are not the same.
"""

import textwrap
from collections.abc import Generator
from dataclasses import astuple, dataclass
from typing import Any

import pytest

HEAD = ("fault", "where it struck", "what the user saw", "s", "volumes", "foreign")
WIDTHS = (36, 26, 58, 6, 7, 7)
PROPERTY = "fault"


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


NOTED: list[Row] = []
"""The rows of the test that runs."""


class FaultTable:
    """A plugin of pytest that collects the rows of all tests and prints them at the end."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, Row]] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        item.user_properties += [(PROPERTY, astuple(row)) for row in NOTED]
        NOTED.clear()
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            rows = [Row(*values) for name, values in report.user_properties if name == PROPERTY]  # type: ignore[misc]
            self.rows += [(report.location[0], row) for row in rows]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.rows:
            terminalreporter.section("faults", sep="=")
            # Module by module: under xdist they come in the order in which they were noted.
            for line in table([row for _, row in sorted(self.rows, key=lambda entry: entry[0])]):
                terminalreporter.write_line(line)


def table(rows: list[Row]) -> list[str]:
    """Return the lines of the table; a long cell goes on in the next line."""
    cells = [(r.fault, r.where, r.saw, f"{r.seconds:.1f}", str(r.volumes), str(r.foreign)) for r in rows]
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
