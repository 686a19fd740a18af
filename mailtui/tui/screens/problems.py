"""Why an edited text cannot be saved, and whether to go back to it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Footer, Static

from mailtui.model.text import clean


class ProblemsScreen(ModalScreen[bool]):
    """Lists the problems; the result says whether to edit again."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,e", "dismiss(True)", "Edit again", id="problems.again", tooltip="Back to the text"),
        Binding("escape", "dismiss(False)", "Not now", id="problems.later", tooltip="Keep the text in a file"),
    ]

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__()
        self.problems = problems

    def compose(self) -> ComposeResult:
        """The problems, one on each line."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Not saved yet"
            with VerticalScroll():
                yield Static("\n".join(clean(line) for line in self.problems), markup=False)
        yield Footer(show_command_palette=False)
