"""Writes what verify found, for people and for machines."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from lab.steps import Finding, Seen, Step

WORDS = {True: "pass", False: "FAIL", None: "skip"}
COLOURS = {True: "green", False: "bold red", None: "yellow"}


@dataclass(frozen=True)
class Line:
    """A step and its finding. `server` is empty for a step about the whole stack."""

    server: str
    key: str
    says: str
    command: str
    finding: Finding

    @classmethod
    def of(cls, step: Step[Seen], seen: Seen, server: str = "") -> "Line":
        """Return what a step finds in what was seen."""
        return cls(server, step.key, step.says, step.command(seen), step.look(seen))


@dataclass(frozen=True)
class Report:
    """`preparation` is what to type before the commands, `advice` what to type after them; empty if nothing."""

    stack: str
    target: str
    lines: Sequence[Line]
    preparation: str = ""
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether no step failed. A step that could not be tried did not fail."""
        return all(line.finding.ok is not False for line in self.lines)

    @property
    def summary(self) -> str:
        counted = {word: sum(line.finding.ok is ok for line in self.lines) for ok, word in WORDS.items()}
        return f"{counted['pass']} passed, {counted['FAIL']} failed, {counted['skip']} skipped"


def as_json(report: Report) -> str:
    """Return one object: stack, target, ok and the steps; a step's status is passed, failed or skipped."""
    statuses = {True: "passed", False: "failed", None: "skipped"}
    steps = [
        {
            "server": line.server,
            "step": line.key,
            "says": line.says,
            "command": line.command,
            "status": statuses[line.finding.ok],
            "found": line.finding.found,
            "hint": line.finding.hint,
        }
        for line in report.lines
    ]
    return json.dumps({"stack": report.stack, "target": report.target, "ok": report.ok, "steps": steps}, indent=2)


def write(report: Report, out: TextIO) -> None:
    """Write a table on a terminal, plain lines elsewhere."""
    if out.isatty():
        _write_table(report, out)
    else:
        out.write(as_text(report))


def as_text(report: Report) -> str:
    """Return plain lines: the step, and below it what to type, what was found and what to look at."""
    text: list[str] = []
    if report.preparation:
        text += ["To type the commands yourself, first:", f"  $ {report.preparation}", ""]
    server = ""
    for line in report.lines:
        if line.server != server:
            server = line.server
            text.append(f"{server}:")
        text += [f"{WORDS[line.finding.ok]}  {line.says}", f"      $ {line.command}", f"      {line.finding.found}"]
        text += [f"      look: {line.finding.hint}"] if line.finding.hint else []
    return "\n".join([*text, "", f"{report.stack} ({report.target}): {report.summary}", *_last(report)])


def _last(report: Report) -> list[str]:
    return [report.advice, ""] if report.advice else [""]


def _write_table(report: Report, out: TextIO) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=out)
    if report.preparation:
        console.print(Text("To type the commands yourself, first:"))
        console.print(Text(report.preparation, style="cyan"), soft_wrap=True)
    table = Table(title=f"{report.stack} ({report.target})", show_lines=True)
    for heading in ("", "Step, and what to type", "Found"):
        table.add_column(heading, overflow="fold")
    server = ""
    for line in report.lines:
        if line.server != server:
            server = line.server
            table.add_row("", Text(server, style="bold"), "")
        found = Text(line.finding.found)
        if line.finding.hint:
            found.append(f"\nlook: {line.finding.hint}", style=COLOURS[line.finding.ok])
        step = Text(line.says).append(f"\n$ {line.command}", style="cyan")
        table.add_row(Text(WORDS[line.finding.ok], style=COLOURS[line.finding.ok]), step, found)
    console.print(table)
    console.print(Text(report.summary, style=COLOURS[report.ok]))
    if report.advice:
        console.print(Text(report.advice), soft_wrap=True)
