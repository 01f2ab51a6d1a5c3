"""lab status: shows the chain of persistence as a tree, once or at every change."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn, TextIO

from lab.chain import MISSING, Chain, Link, chain_of
from lab.reading.ec2 import Ec2Reader
from lab.reading.kubectl import kubectl_of
from lab.reading.objects import age
from lab.reading.snapshot import take_snapshots
from lab.reading.stack import Stack

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

# Between two looks: often enough to see a claim wait; each look costs a tenth of a second of one core.
PAUSE_SECONDS = 1.0
# A pipe has no width: a link stays on one line.
PIPED_WIDTH = 500


def status(stack: Stack, out: TextIO, *, watching: bool = False) -> int:
    """Write the chain of every server; while `watching` again at each change, until Ctrl-C. Returns the exit status.

    Raises LabError.
    """
    from rich.console import Console

    console = Console(file=out, width=None if out.isatty() else PIPED_WIDTH, highlight=False)
    with kubectl_of(stack) as kubectl:
        ec2 = Ec2Reader.of(stack)

        def look() -> list[Chain]:
            return [chain_of(seen) for seen in take_snapshots(stack, kubectl, ec2)]

        if watching:
            try:
                watch(look, console)
            except KeyboardInterrupt:
                return 0
        else:
            console.print(picture(look(), datetime.now(UTC)))
    return 0


def watch(look: Callable[[], list[Chain]], console: "Console") -> NoReturn:
    """Draw over the last picture on a terminal; elsewhere add one at every change. Ends with what `look` raises."""
    from rich.live import Live

    chains = look()
    if not console.is_terminal:
        _print_changes(chains, look, console)
    # The ages change all the time, so a terminal shows every look.
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
    """Return a tree for each chain, each link below what holds it; several trees hang below their servers' names.

    Snapshots hang below the claim that they are copies of.
    """
    from rich.console import Group
    from rich.text import Text
    from rich.tree import Tree

    trees: list[Tree] = []
    for chain in chains:
        root, *rest = [Tree(_label(link, now)) for link in chain.links]
        for upper, lower in zip([root, *rest], rest, strict=False):
            upper.children.append(lower)
        for link, tree in zip(chain.links, [root, *rest], strict=True):
            if link.kind == "PersistentVolumeClaim":
                tree.children[:0] = [Tree(_label(copy, now)) for copy in chain.copies]
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
