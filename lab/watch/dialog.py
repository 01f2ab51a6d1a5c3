"""Shows the command of a key before it is typed."""

from typing import Any, ClassVar, cast

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from lab.watch.actions import Action
from lab.words import say


class Dialog(ModalScreen[bool]):
    """Ends with whether to run the command. Where something ends, Enter alone would come too easily.

    `preparation` is what to type first, so that kubectl asks this lab.
    """

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical { width: 74; max-width: 100%; height: auto; padding: 0 2; }
    Dialog > Vertical { background: $surface; border: round $accent; }
    Dialog .command { margin: 1 0; text-style: bold; color: $accent; }
    Dialog .first { margin: 0 0 1 0; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)"),
        Binding("enter", "enter"),
        Binding("c", "copy"),
        Binding("escape,n,q", "answer(False)"),
    ]

    def __init__(self, action: Action, preparation: str) -> None:
        super().__init__()
        self._action, self._preparation = action, preparation

    def compose(self) -> ComposeResult:
        run = say("y  do it") if self._action.asks else say("Enter  do it")
        first = say("To type it yourself, first: {preparation}", preparation=self._preparation)
        with Vertical():
            yield Static(self._action.title, markup=False)
            yield Static(f"$ {self._action.command}", classes="command", markup=False)
            yield Static(self._action.expect, markup=False)
            yield Static(first, classes="first", markup=False)
            yield Static(say("{run}    c  copy the command    Esc  leave it", run=run), markup=False)

    def action_answer(self, run: bool) -> None:
        self.dismiss(run)

    def action_enter(self) -> None:
        if not self._action.asks:
            self.dismiss(True)

    def action_copy(self) -> None:
        cast("App[Any]", self.app).copy_to_clipboard(self._action.command)  # pyright: ignore[reportUnknownMemberType]
        self.notify(say("The command is in the clipboard, if this terminal allows that."))
