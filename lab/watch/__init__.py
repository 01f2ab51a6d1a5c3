"""lab watch: the chain live, a timeline below it, and keys that type what a learner would type."""

import os
import sys
from collections.abc import Callable
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

from lab.errors import LabError
from lab.live import Live
from lab.reading.background import start
from lab.reading.commands import end_running
from lab.reading.kubectl import kubectl_of
from lab.reading.stack import Stack, read_stack
from lab.reading.world import News

if TYPE_CHECKING:
    from lab.watch.actions import Action

# A Pod that ends takes up to half a minute, a volume that moves a minute and more.
COMMAND_SECONDS = 300.0


def watch(stack_name: str | None, out: TextIO = sys.stdout) -> int:
    """Show the lab until the learner leaves. Returns the exit status.

    Raises LabError where there is nothing to watch.
    """
    try:
        if can_draw(out):
            _draw(stack_name)
        else:
            from lab.watch.lines import write_lines

            write_lines(_up(stack_name), follow, out, _now)
    except KeyboardInterrupt:
        pass
    return 0


def can_draw(out: TextIO) -> bool:
    """Return whether there is a terminal at all ends that can be drawn on; Textual draws on the standard error."""
    return all(end.isatty() for end in (out, sys.stdin, sys.stderr)) and os.environ.get("TERM", "dumb") != "dumb"


def preload() -> None:
    """Load the clients of both APIs."""
    import_module("boto3")
    import_module("lightkube")


async def follow(live: Live, tell: Callable[[News], None]) -> None:
    """Tell the news of the stack until cancelled."""
    from lab.reading.follow import Follower

    await Follower(live.stack, tell, live.ec2_ids, partial(_up, live.stack.name)).follow()


def type_kubectl(stack: Stack, action: "Action") -> str:
    """Run the command of a key for the stack, and return what it printed. Raises LabError."""
    with kubectl_of(stack) as kubectl:
        return kubectl.run(*action.words, given=action.given, timeout=COMMAND_SECONDS)


def _draw(stack_name: str | None) -> None:
    from lab.watch.app import WatchApp

    def read() -> Stack:
        # Called after the first picture, which both would delay: Pulumi needs a second, and the clients load meanwhile.
        reading = start(partial(_up, stack_name))
        preload()
        return reading.result()

    try:
        error = WatchApp(read, follow, type_kubectl, _now).run()
    finally:
        end_running()  # a command may hang, and nobody would see its end
    if isinstance(error, LabError):
        raise error


def _up(stack_name: str | None) -> Stack:
    """Return the stack. Raises LabError where nothing of it is up."""
    stack = read_stack(stack_name)
    _ = stack.kubeconfig
    return stack


def _now() -> datetime:
    return datetime.now().astimezone()
