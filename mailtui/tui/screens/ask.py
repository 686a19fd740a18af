"""Ask a person for a secret that is kept nowhere."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Static

from mailtui.model.text import clean


class AskScreen(ModalScreen[str | None]):
    """One masked line; the result is None when the person would rather not."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel", id="ask.cancel", tooltip="Do not test this account"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and a field that hides what is typed."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "A secret is needed"
            yield Static(clean(self._question), markup=False)
            yield Input(password=True, id="secret")
        yield Footer(show_command_palette=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with what was typed."""
        self.dismiss(event.value)
