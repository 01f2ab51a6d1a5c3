"""Reads the documents: headings, tables, fenced blocks; and runs those blocks that are for the local target.

A block with the info string `sh local` is run. A block `text local` right after it is what it shows: each line of it is
found in what was printed, in that order. In it, … stands for anything within a line, and a line of nothing but … for
any number of lines; without one, lines may be left out all the same, for a guide shows what matters.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DOTS = "…"
RUN, SHOWN = "sh local", "text local"


@dataclass(frozen=True)
class Block:
    """A fenced block: `info` is what follows the fence, `line` where it begins, `title` the heading above it."""

    info: str
    text: str
    line: int
    title: str


@dataclass
class Document:
    """What can be compared between two languages."""

    headings: list[int] = field(default_factory=list)
    tables: list[tuple[int, int]] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


def read(path: Path) -> Document:
    """The headings' levels, the tables' sizes (rows, columns) and the blocks of a Markdown file.

    Raises ValueError for a block without an end.
    """
    document = Document()
    title, after_row = "", 0
    numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    for number, line in numbered:
        if fence := re.match(r"(\s*)```(.*)$", line):
            text = list(_fenced(numbered, fence[1], path, number))
            document.blocks.append(Block(fence[2].strip(), "\n".join(text), number, title))
        elif heading := re.match(r"(#+) (.*)", line):
            document.headings.append(len(heading[1]))
            title = heading[2]
        elif line.startswith("|"):
            columns = len(re.findall(r"(?<!\\)\|", line)) - 1
            if number != after_row:
                document.tables.append((0, columns))
            rows, width = document.tables[-1]
            document.tables[-1] = (rows + 1, max(width, columns))
            after_row = number + 1
    return document


def program(path: Path, title: str) -> str:
    """Return the only Python program under that heading of a Markdown file."""
    [only] = [block.text for block in read(path).blocks if block.info == "python" and block.title == title]
    return only


def runs(document: Document) -> Iterator[tuple[Block, Block | None]]:
    """Each block to be run, with what it shows."""
    for block, following in zip(document.blocks, [*document.blocks[1:], None], strict=True):
        if block.info == RUN:
            shows = following is not None and following.info == SHOWN
            yield block, following if shows else None


class Shell:
    """One learner's terminal: what a block exports is there for the next."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder, self.env = folder, dict(env)

    def run(self, block: Block, timeout: float) -> str:
        """What the block printed, on both streams. Raises AssertionError where one of its commands fails."""
        with tempfile.NamedTemporaryFile() as kept:
            script = f"{block.text}\nenv -0 > {kept.name}\n"
            done = subprocess.run(
                ["bash", "-e", "-o", "pipefail", "-c", script], cwd=self._folder, env=self.env, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"line {block.line}: status {done.returncode}\n{block.text}\n\n{done.stdout}"
            entries = Path(kept.name).read_bytes().decode().split("\0")
        self.env = dict(entry.split("=", 1) for entry in entries if entry)
        return done.stdout


def not_shown(shown: str, printed: str) -> str | None:
    """The first line of `shown` that is not in `printed` after those before it; None if all are."""
    lines = iter([_spaced(line) for line in printed.splitlines()])
    for line in shown.splitlines():
        wanted = _spaced(line)
        if wanted in ("", DOTS):
            continue
        pattern = re.compile(".*".join(map(re.escape, wanted.split(DOTS))))
        if not any(pattern.fullmatch(seen) for seen in lines):
            return line
    return None


def _spaced(line: str) -> str:
    """Without the widths of columns, which follow the longest name in them."""
    return " ".join(line.split())


def _fenced(numbered: Iterator[tuple[int, str]], indent: str, path: Path, begin: int) -> Iterator[str]:
    for _number, line in numbered:
        if line == f"{indent}```":
            return
        yield line.removeprefix(indent)
    raise ValueError(f"{path.name}: the block in line {begin} has no end")
