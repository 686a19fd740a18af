"""Ask a person for a secret that is kept nowhere."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from mailtui.model.text import clean
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.widgets.text_line import TextLine


class SecretInput(TextLine):
    """One line that shows dots for what is typed, of which nothing can be copied."""

    HELP = "What is typed here is shown to nobody, kept nowhere, and given to the check that asks."


class AskScreen(ModalScreen[str | None]):
    """One masked line; the result is None when the person would rather not."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer", "Give it", id="ask.answer", tooltip="Use what is typed, for this run only"),
        Binding("escape", "decline", "Cancel", id="ask.cancel", tooltip="Give no secret: the test fails and says so"),
        Binding("f1", "app.help", "Help", show=False, id="ask.help", tooltip="The keys of this question"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question
        self._withdrawn = False

    def compose(self) -> ComposeResult:
        """The question and a field that hides what is typed."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "A secret is needed"
            yield Static(clean(self._question), markup=False)
            yield SecretInput(password=True, id="secret")
        yield MessageBar()
        yield KeyBar(show_command_palette=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer with what was typed."""
        event.stop()
        self.action_answer()

    @on(TextLine.PasteRefused)
    def _not_pasted(self, message: TextLine.PasteRefused) -> None:
        self.app.notify(message.words, severity="warning", markup=False)

    def action_answer(self) -> None:
        """Answer with what was typed."""
        self._close(self.query_one(SecretInput).value)

    def action_decline(self) -> None:
        """Answer with nothing."""
        self._close(None)

    def withdraw(self) -> None:
        """Close, for nobody waits for the answer any more; not before whatever lies above is closed."""
        self._withdrawn = True
        self._close(None)

    def on_screen_resume(self) -> None:
        """Close now if that was due."""
        if self._withdrawn:
            self._close(None)

    def _close(self, answer: str | None) -> None:
        # A screen that is seen below another is current, too; only the one in front may go.
        if self.is_running and self.is_active:
            self.dismiss(answer)
