"""The picture of `lab watch` in README and guide, drawn from the recorded day.

`python -m tests.unit.lab.watch.screenshot` writes it in both languages.
"""

import asyncio
import html
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tests.unit.lab.watch.recorded import recorded
from tests.unit.lab.watch.replay import Replay, running, until

DOCS = Path(__file__).parents[4] / "docs"
# A file for each language, and the words with which timeline and foot of its view are complete.
PICTURES = {
    "en": ("watch.svg", ["is to run on node-1", "q Quit"]),
    "ja": ("watch.ja.svg", ["の行き先は node-1", "q 終了"]),
}
SIZE = (100, 20)
# The Pod was deleted and the next one starts: all that holds the data stays.
SCENE = 9
# Textual's own fonts come from a server, which a picture in a page may not ask.
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"


def drawn(language: str) -> str:
    """Return the SVG in that language."""
    _, complete = PICTURES[language]
    before = os.environ.get("LC_ALL")
    os.environ["LC_ALL"] = f"{language}.UTF-8"
    try:
        return asyncio.run(_drawn(complete))
    finally:
        os.environ.pop("LC_ALL")
        if before is not None:
            os.environ["LC_ALL"] = before


async def _drawn(complete: Sequence[str]) -> str:
    replay = Replay(list(recorded())[:SCENE])
    async with running(replay, SIZE) as pilot:
        for words in complete:
            await until(pilot, replay, words)
        await pilot.pause()
        svg = replay.app.export_screenshot(title="make watch")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: *[^;]*;", f"font-family: {FONT};", svg)


def texts(svg: str) -> list[str]:
    """Return the words of the picture in their order: what a reader reads, without colours and places."""
    return [html.unescape(text).replace("\xa0", " ").strip() for text in re.findall(r"<text[^>]*>(.*?)</text>", svg)]


if __name__ == "__main__":
    for language, (file, _) in PICTURES.items():
        (DOCS / file).write_text(drawn(language))
