"""WatchApp: a thin view of Live on a terminal."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.coordinate import Coordinate
from textual.widgets import DataTable, Footer, Static

from lab.chain import Chain
from lab.errors import LabError
from lab.live import Live
from lab.reading.background import in_background
from lab.reading.commands import CommandFailed
from lab.reading.stack import Stack
from lab.reading.world import News
from lab.watch.actions import KEYS, Action, NotNow
from lab.watch.dialog import Dialog
from lab.watch.picture import chains_text, server_cells, timeline_text
from lab.words import say

# News that come together are drawn together.
FRAME_SECONDS = 0.1
AGE_SECONDS = 1.0
# EC2 is asked every 10 s.
EC2_LATE = timedelta(seconds=30)
# Of what a command prints.
MOST_LINES = 10

Follow = Callable[[Live, Callable[[News], None]], Awaitable[None]]
Run = Callable[[Stack, Action], str]


class Lines(Static):
    """Shows a text; one that is given again is not drawn again, and one whose lines stay is not laid out again."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._shown = Text()

    def show(self, text: Text) -> None:
        if text != self._shown:
            # A text that does not wrap is as high as it has lines.
            layout = not text.no_wrap or text.plain.count("\n") != self._shown.plain.count("\n")
            self._shown = text
            self.update(text, layout=layout)


class WatchApp(App[LabError]):
    """Ends with the LabError for which there is nothing to watch; with None when the learner leaves.

    `read` returns the stack, `follow` tells the news until it is cancelled, `run` types the command of a key.
    """

    TITLE = "storage-lab"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #top { height: 1; background: $panel; padding: 0 1; }
    #top.away { background: $error; }
    #servers { height: auto; max-height: 30%; display: none; }
    #chain { height: auto; max-height: 60%; border-top: solid $primary; padding: 0 1; }
    #timeline { border-top: solid $primary; padding: 0 1; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]

    def __init__(self, read: Callable[[], Stack], follow: Follow, run: Run, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.bind("q", "quit", description=say("Quit"))  # first: a narrow foot cuts the last ones
        for name, key in KEYS.items():
            self.bind(key.key, f"act('{name}')", description=say(key.label))
        self._read, self._follow, self._run, self._clock = read, follow, run, clock
        self._live: Live | None = None
        self._waiting = False
        self._can_snapshot = False
        self._rows: list[str] = []
        self._top = Lines(id="top")
        self._servers = DataTable[Any](id="servers", cursor_type="row")
        self._links, self._lines = Lines(), Lines()
        self._chain_panel = VerticalScroll(self._links, id="chain")
        self._timeline = VerticalScroll(self._lines, id="timeline")

    def compose(self) -> ComposeResult:
        yield from (self._top, self._servers, self._chain_panel, self._timeline, Footer())

    def on_mount(self) -> None:
        for told_to_end in (signal.SIGTERM, signal.SIGHUP):  # the window is closed
            asyncio.get_running_loop().add_signal_handler(told_to_end, self.exit)
        self._top.show(Text(say("storage-lab: reading the stack")))
        self._timeline.border_title = say("What happened")
        # Its end stays in sight until the learner scrolls up.
        self._timeline.anchor()
        self._servers.add_columns("NfsServer", say("State"), say("Changed"))
        self.run_worker(self._begin())
        self.set_interval(AGE_SECONDS, self._show)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_data_table_row_highlighted(self) -> None:
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key for snapshots only where a snapshot can be taken."""
        return self._can_snapshot if (action, *parameters) == ("act", "snapshot") else True

    def action_act(self, name: str) -> None:
        """Show the command of a key, and run it where the learner says so."""
        live, chain = self._live, self._chain()
        if live is None or chain is None:
            self.notify(say("The cluster has not answered yet."), severity="warning")
            return
        [seen] = [seen for seen in live.snapshots() if seen.server.label == chain.server]
        try:
            action = KEYS[name].action(seen)
        except NotNow as why:
            self.notify(str(why), severity="warning")
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.run_worker(self._type(live, action))

        self.push_screen(Dialog(action, live.stack.preparation), answered)

    async def _begin(self) -> None:
        try:
            stack = await in_background(self._read)
            self._live = live = Live(stack)
            self._show()
            await self._follow(live, self._take)
        except LabError as error:
            self.exit(error)

    def _take(self, news: News) -> None:
        assert self._live
        self._live.take(news, self._clock())
        self._soon()

    async def _type(self, live: Live, action: Action) -> None:
        for line in f"$ {action.command}".splitlines():
            live.say(line, self._clock())
        self._soon()
        try:
            said, failed = await in_background(lambda: self._run(live.stack, action), cleans_up=True), False
        except CommandFailed as error:
            said, failed = "\n".join([*error.before, str(error)]), True
        except LabError as error:
            said, failed = str(error), True
        for line in said.strip().splitlines()[-MOST_LINES:]:
            live.say(line, self._clock(), bad=failed)
        self._soon()

    def _soon(self) -> None:
        if not self._waiting:
            self._waiting = True
            self.set_timer(FRAME_SECONDS, self._show)

    def _show(self) -> None:
        """Draw what differs from the screen."""
        self._waiting = False
        live = self._live
        if live is None:
            return
        self._top.set_class(bool(live.away), "away")
        self._top.show(Text(f"{live.stack.name} ({live.stack.settings.target})  {self._following(live)}", no_wrap=True))
        chains = live.look()
        if self._can_snapshot != live.can_snapshot():
            self._can_snapshot = live.can_snapshot()
            self.refresh_bindings()
        if self._servers.display != (len(chains) > 1):
            self._servers.display = len(chains) > 1
            (self._servers if len(chains) > 1 else self._timeline).focus()
        if len(chains) > 1:
            self._show_servers(chains, live)
        if chain := self._chain():
            self._chain_panel.border_title = chain.server
            shown = [chain, *([tour] if (tour := live.tour()) else [])]
            width = max(self._chain_panel.scrollable_content_region.width, 20)
            self._links.show(chains_text(shown, live.last_change(), self._clock(), width))
        self._lines.show(timeline_text(live.timeline))

    def _following(self, live: Live) -> str:
        """Return whom the picture is from, and how old that is where it is not of this moment."""
        if live.away:
            return "; ".join(say("{api} does not answer: {why}", api=api, why=why) for api, why in live.away.items())
        if not live.listed:
            return say("asking Kubernetes")
        if live.ec2_at and self._clock() - live.ec2_at > EC2_LATE:
            return say("following Kubernetes; EC2 is slow, and is shown as of {time}", time=f"{live.ec2_at:%H:%M:%S}")
        return say("following Kubernetes and EC2")

    def _show_servers(self, chains: Sequence[Chain], live: Live) -> None:
        table = self._servers
        if self._rows != (rows := [chain.server for chain in chains]):
            table.clear()
            self._rows = rows
        latest = live.latest_changes()
        for row, chain in enumerate(chains):
            cells = server_cells(chain, latest.get(chain.server))
            if row >= table.row_count:
                table.add_row(*cells, key=chain.server)
                continue
            for column, (old, new) in enumerate(zip(table.get_row_at(row), cells, strict=True)):
                if old != new:
                    table.update_cell_at(Coordinate(row, column), new, update_width=True)

    def _chain(self) -> Chain | None:
        """Return the chain that the keys are about: the only one, or the one at the table's cursor."""
        chains = self._live.look() if self._live else ()
        row = self._servers.cursor_row if len(chains) > 1 else 0
        return chains[row] if row < len(chains) else None
