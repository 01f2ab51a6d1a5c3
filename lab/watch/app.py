"""WatchApp: a thin view of Live on a terminal."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
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
from lab.reading.stack import Stack
from lab.reading.world import News
from lab.watch.actions import KEYS, Action, NotNow
from lab.watch.dialog import Dialog
from lab.watch.picture import chain_text, server_cells, timeline_text

# News that come together are drawn together.
FRAME_SECONDS = 0.1
AGE_SECONDS = 1.0
# Of what a command prints.
MOST_LINES = 10

Follow = Callable[[Live, Callable[[News], None]], Awaitable[None]]
Run = Callable[[Stack, Sequence[str]], str]


class Lines(Static):
    """Shows a text; one that is given again is not laid out again."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._shown = Text()

    def show(self, text: Text) -> None:
        if text != self._shown:
            self._shown = text
            self.update(text)


class WatchApp(App[LabError]):
    """Ends with the LabError for which there is nothing to watch; with None when the learner leaves.

    `read` returns the stack, `follow` tells the news until it is cancelled, `run` types a kubectl command.
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
        *(Binding(key.key, f"act('{name}')", key.label) for name, key in KEYS.items()),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
    ]

    def __init__(self, read: Callable[[], Stack], follow: Follow, run: Run, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self._read, self._follow, self._run, self._clock = read, follow, run, clock
        self._live: Live | None = None
        self._waiting = False
        self._top = Lines(id="top")
        self._servers = DataTable[Any](id="servers", cursor_type="row")
        self._links, self._lines = Lines(), Lines()
        self._chain_panel = VerticalScroll(self._links, id="chain", can_focus=False)
        self._timeline = VerticalScroll(self._lines, id="timeline")

    def compose(self) -> ComposeResult:
        yield from (self._top, self._servers, self._chain_panel, self._timeline, Footer())

    def on_mount(self) -> None:
        self._top.show(Text("storage-lab: reading the stack"))
        self._timeline.border_title = "What happened"
        # Its end stays in sight until the learner scrolls up.
        self._timeline.anchor()
        self._servers.add_columns("NfsServer", "State", "Changed")
        self.run_worker(self._begin())
        self.set_interval(AGE_SECONDS, self._show)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    def on_data_table_row_highlighted(self) -> None:
        self._show()

    def action_act(self, name: str) -> None:
        """Show the command of a key, and run it where the learner says so."""
        live, chain = self._live, self._chain()
        if live is None or chain is None:
            self.notify("The cluster has not answered yet.", severity="warning")
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

        self.push_screen(Dialog(action), answered)

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
        live.say(f"$ {action.command}", self._clock())
        self._soon()
        try:
            said, failed = await in_background(lambda: self._run(live.stack, action.words)), False
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
        away = "; ".join(f"{api} does not answer: {why}" for api, why in live.away.items())
        following = "following Kubernetes and EC2" if live.listed else "asking Kubernetes"
        self._top.set_class(bool(live.away), "away")
        self._top.show(Text(f"{live.stack.name} ({live.stack.settings.target})  {away or following}", no_wrap=True))
        chains = live.look()
        if len(chains) > 1:
            self._show_servers(chains, live)
        if chain := self._chain():
            self._chain_panel.border_title = chain.server
            width = max(self.size.width - 2, 20)
            self._links.show(chain_text(chain, live.beside(), live.last_change(), self._clock(), width))
        self._lines.show(timeline_text(live.timeline))

    def _show_servers(self, chains: Sequence[Chain], live: Live) -> None:
        table = self._servers
        table.display = True
        for row, chain in enumerate(chains):
            cells = server_cells(chain, live.changed)
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
