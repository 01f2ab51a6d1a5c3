"""Shows the command of a key before it is typed."""

from typing import Any, ClassVar, cast

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from lab.watch.actions import Action


class Dialog(ModalScreen[bool]):
    """Ends with whether to run the command. Where something ends, Enter alone would come too easily."""

    DEFAULT_CSS = """
    Dialog { align: center middle; }
    Dialog > Vertical { width: 74; max-width: 100%; height: auto; padding: 1 2; }
    Dialog > Vertical { background: $surface; border: round $accent; }
    Dialog .command { margin: 1 0; text-style: bold; color: $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Run it"),
        Binding("enter", "enter", "Run it", show=False),
        Binding("c", "copy", "Copy"),
        Binding("escape,n,q", "answer(False)", "Leave it"),
    ]

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def compose(self) -> ComposeResult:
        run = "y  do it" if self._action.asks else "Enter  do it"
        with Vertical():
            yield Static(self._action.title, markup=False)
            yield Static(f"$ {self._action.command}", classes="command", markup=False)
            yield Static(self._action.expect, markup=False)
            yield Static(f"\n{run}    c  copy the command    Esc  leave it", markup=False)

    def action_answer(self, run: bool) -> None:
        self.dismiss(run)

    def action_enter(self) -> None:
        if not self._action.asks:
            self.dismiss(True)

    def action_copy(self) -> None:
        cast("App[Any]", self.app).copy_to_clipboard(self._action.command)  # pyright: ignore[reportUnknownMemberType]
        self.notify("The command is in the clipboard, if this terminal allows that.")
