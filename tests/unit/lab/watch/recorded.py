"""News of a living lab, as a file: what was told, and when.

`python -m tests.unit.lab.watch.recorded FILE` adds to the file what happens in the selected stack, until Ctrl-C.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from components.settings import parse
from lab.live import Live
from lab.reading.ec2 import Ec2Seen
from lab.reading.stack import Stack, read_stack
from lab.reading.world import Away, Changed, Ec2Told, Listed, News, StackRead

HERE = Path(__file__).parent
# A Pod is deleted, its container crashes, the Deployment is scaled to zero and back, the API server is killed.
DAY = HERE / "day.jsonl"


def recorded(file: Path = DAY) -> Iterator[tuple[datetime, News]]:
    """Return the news with their times."""
    for line in file.read_text().splitlines():
        told = json.loads(line)
        yield datetime.fromisoformat(told["at"]), _news(told)


def stack(**config: str) -> Stack:
    """Return the stack that was recorded, with a configuration of the test's."""
    outputs = {"kubeconfig": "a kubeconfig", "servers": {"nfs-server": {}}}
    return Stack("local", parse({"target": "local", **config}), outputs)


def _news(told: dict[str, Any]) -> News:
    match told["news"]:
        case "Listed":
            return Listed(told["things"])
        case "Changed":
            return Changed(told["thing"], told["deleted"])
        case "Ec2Told":
            return Ec2Told(Ec2Seen(told["volumes"], told["instances"]))
        case _:
            return Away(told["api"], told["why"])


def _written(news: News, now: datetime) -> str:
    body: dict[str, Any]
    match news:
        case Listed(things):
            body = {"things": [_slim(thing) for thing in things if thing["kind"] not in ("Event", "StorageClass")]}
        case Changed(thing, deleted):
            body = {"thing": _slim(thing), "deleted": deleted}
        case Ec2Told(seen):
            body = {"volumes": seen.volumes, "instances": seen.instances}
        case Away(api, why):
            body = {"api": api, "why": why}
        case StackRead():
            raise ValueError("the recorder reads its stack once")
    return json.dumps({"at": now, "news": type(news).__name__, **body}, default=str)


def _slim(thing: dict[str, Any]) -> dict[str, Any]:
    """Return the object without the record of who wrote which field, and other long parts that nobody looks at."""
    long = ("managedFields", "annotations", "nodeInfo", "images", "allocatable", "capacity", "tolerations")
    return {
        key: _slim(value) if isinstance(value, dict) else value
        for key, value in thing.items()
        if key not in long or thing.get("phase")  # a claim's status has its size in capacity
    }


async def _record(out: TextIO) -> None:
    from lab.reading.follow import Follower

    live = Live(read_stack())

    def tell(news: News) -> None:
        now, before = datetime.now(UTC), live.look()
        if live.take(news, now) or live.look() != before:
            print(_written(news, now), file=out, flush=True)

    await Follower(live.stack, tell, live.ec2_ids, lambda: live.stack).follow()


if __name__ == "__main__":
    with Path(sys.argv[1]).open("a") as file:
        asyncio.run(_record(file))
