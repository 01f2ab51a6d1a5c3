"""lab status: shows the chain of persistence as a tree."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

from lab.chain import MISSING, Chain, Link, chain_of
from lab.reading.ec2 import Ec2Reader
from lab.reading.kubectl import kubectl_of
from lab.reading.objects import age
from lab.reading.snapshot import take_snapshots
from lab.reading.stack import Stack

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

CLAIM = "PersistentVolumeClaim"
# A pipe has no width: a link stays on one line.
PIPED_WIDTH = 500


def status(stack: Stack, out: TextIO) -> int:
    """Write the chain of every server. Returns the exit status.

    Raises LabError.
    """
    from rich.console import Console

    console = Console(file=out, width=None if out.isatty() else PIPED_WIDTH, highlight=False)
    with kubectl_of(stack) as kubectl:
        chains = [chain_of(seen) for seen in take_snapshots(stack, kubectl, Ec2Reader.of(stack))]
    console.print(picture(chains, datetime.now(UTC)))
    return 0


def picture(chains: Sequence[Chain], now: datetime) -> "Group":
    """Return a tree for each chain, each link below what holds it, snapshots below their claim.

    Several trees hang below their servers' names.
    """
    from rich.console import Group
    from rich.text import Text
    from rich.tree import Tree

    trees: list[Tree] = []
    for chain in chains:
        root, *rest = [Tree(_label(link, now)) for link in chain.links]
        for upper, lower in zip([root, *rest], rest, strict=False):
            upper.children.append(lower)
        claim = next(tree for tree, link in zip([root, *rest], chain.links, strict=True) if link.kind == CLAIM)
        claim.children[:0] = [Tree(_label(link, now)) for link in chain.beside]
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
