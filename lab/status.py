"""lab status: the chain of persistence as a tree, once or at every change."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, TextIO

from lab.chain import MISSING, Chain, Link, chain_of
from lab.reading.kubectl import kubectl_of
from lab.reading.objects import age
from lab.reading.snapshot import InEc2, gather
from lab.reading.stack import Stack

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

# Between two looks: often enough to see a claim wait; each look costs a tenth of a second of one core.
PAUSE_SECONDS = 1.0
# Where nobody's window is the limit, a line is a line.
PIPED_WIDTH = 500


def status(stack: Stack, out: TextIO, *, watching: bool = False) -> int:
    """Writes the chain of every server; while `watching` again at each change, until Ctrl-C. Returns the exit status.

    Raises CannotLook.
    """
    from rich.console import Console

    console = Console(file=out, width=None if out.isatty() else PIPED_WIDTH, highlight=False)
    with kubectl_of(stack) as kubectl:
        in_ec2 = InEc2.of(stack)

        def look() -> list[Chain]:
            return [chain_of(seen) for seen in gather(stack, kubectl, in_ec2)]

        if watching:
            try:
                watch(look, console)
            except KeyboardInterrupt:
                return 0
        else:
            console.print(picture(look(), datetime.now(UTC)))
    return 0


def watch(look: Callable[[], list[Chain]], console: "Console") -> NoReturn:
    """Draws over the last picture on a terminal, adds one at every change elsewhere. Ends by what `look` raises."""
    from rich.live import Live

    chains = look()
    if not console.is_terminal:
        _print_changes(chains, look, console)
    # Ages grow all the time, so on a terminal every look is drawn.
    with Live(picture(chains, datetime.now(UTC)), console=console, auto_refresh=False) as live:
        while True:
            time.sleep(PAUSE_SECONDS)
            live.update(picture(look(), datetime.now(UTC)), refresh=True)


def _print_changes(chains: list[Chain], look: Callable[[], list[Chain]], console: "Console") -> NoReturn:
    while True:
        now = datetime.now(UTC)
        console.print(f"{now:%H:%M:%S} UTC", picture(chains, now))
        # A reader at the other end of the pipe gets each change as it comes.
        console.file.flush()
        shown = chains
        while chains == shown:
            time.sleep(PAUSE_SECONDS)
            chains = look()


def picture(chains: Sequence[Chain], now: datetime) -> "Group":
    """A tree for each chain, each link below what holds it; of several, each below its server's name."""
    from rich.console import Group
    from rich.text import Text
    from rich.tree import Tree

    trees: list[Tree] = []
    for chain in chains:
        root, *rest = [Tree(_label(link, now)) for link in chain.links]
        for upper, lower in zip([root, *rest], rest, strict=False):
            upper.children.append(lower)
        if len(chains) > 1:
            server = Tree(Text("NfsServer ").append(chain.server, style="bold"))
            server.children.append(root)
            root = server
        trees.append(root)
    return Group(*trees)


def _label(link: Link, now: datetime) -> "Text":
    from rich.text import Text

    label = Text(link.kind).append(f" {link.name}" if link.name else "", style="bold")
    label.append(f"  {link.state}", style="green" if link.well else "bold red")
    if link.state != MISSING and (old := age(link.since, now)):
        label.append(f"  {old}", style="dim")
    if link.about:
        label.append(f"  {'; '.join(link.about)}", style="dim")
    return label
