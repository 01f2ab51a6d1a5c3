"""Draws a chain as rows of text: states in colour and in words, and a mark at what changed last."""

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from lab.chain import MISSING, Chain, Link
from lab.live import ASKING, Place, Sentence, broken_links, places
from lab.reading.objects import age
from lab.words import say

KIND_WIDTH, NAME_WIDTH = 22, 28
# A narrow terminal takes from the name, because its end tells objects apart, and a state is a word.
SHORTEST_NAME, STATE_WIDTH = 10, 14
# In the table of a class.
BROKEN_WIDTH = 40
# From this width on, a row also has the facts about its object.
WIDE = 110
LAST = "▶"


def chains_text(chains: Sequence[Chain], last: Place | None, now: datetime, width: int) -> Text:
    """Return a row for each link, from the Deployment down to the EC2 instance, then what is beside the chain."""
    rows = [_row(link, place == last, now, width) for chain in chains for place, link in places(chain).items()]
    return Text("\n", no_wrap=True, overflow="ellipsis").join(rows)


def _row(link: Link, last: bool, now: datetime, width: int) -> Text:
    asking = link.state == ASKING
    style = "dim" if asking else "green" if link.well else "bold red"
    row = Text(f"{LAST if last else ' '} ", style="bold", no_wrap=True, overflow="ellipsis")
    row.append("· " if asking else "● " if link.well else "✗ ", style=style)
    row.append(f"{link.kind:<{KIND_WIDTH}}", style="not bold")
    room = max(width - 4 - KIND_WIDTH - STATE_WIDTH, SHORTEST_NAME)
    name_width = min(room, NAME_WIDTH) if width < WIDE else NAME_WIDTH + 14
    row.append(f"{_shortened(link.name, name_width - 1):<{name_width}}", style="bold" if last else "not bold")
    row.append(link.state, style=f"reverse {style}" if last else style)
    if link.state != MISSING and (old := age(link.since, now)):
        row.append(f"  {old}", style="dim")
    if width >= WIDE and link.about:
        row.append(f"  {'; '.join(link.about)}", style="dim")
    row.truncate(width, overflow="ellipsis")
    return row


def _shortened(name: str, width: int) -> str:
    """Return a name that fits: what differs between two objects is at its end."""
    if len(name) <= width:
        return name
    end = width // 3
    return f"{name[: width - end - 1]}…{name[-end:]}"


def server_cells(chain: Chain, latest: datetime | None) -> tuple[str, Text, str]:
    """Return the row of a server in the table of a class: its name, what is broken, and when it last changed."""
    broken = broken_links(chain)
    state = Text(f"✗ {broken}", style="bold red") if broken else Text(f"● {say('the chain holds')}", style="green")
    state.truncate(BROKEN_WIDTH, overflow="ellipsis")
    return chain.server, state, f"{latest:%H:%M:%S}" if latest else ""


def timeline_text(sentences: Sequence[Sentence]) -> Text:
    """Return the timeline, oldest first."""
    lines = [
        Text.assemble((f"{one.when:%H:%M:%S} ", "dim"), (one.text, "bold red" if one.bad else _style(one.text)))
        for one in sentences
    ]
    return Text("\n").join(lines)


def _style(text: str) -> str:
    return "cyan" if text.startswith("$ ") else ""
