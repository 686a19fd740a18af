"""What mailtui said lately, in full: the message bar has few lines and little time."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.message_bar import Notice


class MessagesScreen(ModalScreen[None]):
    """The last messages, the newest first."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,f7", "dismiss", "Close", id="messages.close", tooltip="Back to where you were"),
    ]

    def __init__(self, told: Sequence[Notice]) -> None:
        super().__init__()
        self._told = tuple(reversed(told))

    def compose(self) -> ComposeResult:
        """The messages, in a frame that scrolls."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Messages, the newest first"
            with VerticalScroll():
                yield Static(Content("\n").join(self._lines()) if self._told else Content("Nothing was said yet."))
        yield KeyBar(show_command_palette=False)

    def _lines(self) -> list[Content]:
        return [
            Content.assemble((notice.glyph, notice.style), " ", notice.words.replace("\n", "\n  "))
            for notice in self._told
        ]
