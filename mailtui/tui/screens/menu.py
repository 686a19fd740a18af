"""Choose one of a few: a small list over the screen."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList

from mailtui.model.text import clean, pad, width
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.message_bar import MessageBar

_DIGITS = "123456789"
_WIDEST = 40

Option = tuple[str, str, str]
"""What is chosen, how it is called, and a few words beside it."""


class Choices(OptionList):
    """The options, each with the digit that chooses it."""

    HELP = "Choose with up, down and enter, or press the digit before a line."


class MenuScreen(ModalScreen[str | None]):
    """The result is the value of an option, None when the person leaves. All text is literal."""

    CSS_PATH = "menu.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose", id="menu.choose", tooltip="Take the marked line"),
        Binding("escape", "dismiss(None)", "Cancel", id="menu.cancel", tooltip="Leave it as it is"),
    ]

    def __init__(self, title: str, options: Sequence[Option], current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._options = list(options)
        self._current = current

    def compose(self) -> ComposeResult:
        """The options, the present one marked."""
        with Vertical(classes="menu") as menu:
            menu.border_title = Content(clean(self._title))
            yield Choices(*self._lines(), markup=False)
        yield MessageBar()
        yield KeyBar(show_command_palette=False)

    def _lines(self) -> list[Content]:
        columns = min(max((width(clean(label)) for _, label, _ in self._options), default=0), _WIDEST)
        lines = []
        for index, (value, label, hint) in enumerate(self._options):
            digit = _DIGITS[index] if index < len(_DIGITS) else " "
            mark = "•" if value == self._current else " "
            lines.append(
                Content.assemble(
                    (f"{digit} ", "dim"),
                    (f"{mark} ", "$text-primary"),
                    pad(clean(label), columns),
                    "  ",
                    (clean(hint), "dim"),
                )
            )
        return lines

    def on_mount(self) -> None:
        """Begin at the present option."""
        values = [value for value, _, _ in self._options]
        if self._current in values:
            self.query_one(Choices).highlighted = values.index(self._current)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._options[event.option_index][0])

    def action_choose(self) -> None:
        """Take the marked option."""
        self.query_one(Choices).action_select()

    def on_key(self, event: events.Key) -> None:
        """A digit chooses its line."""
        if event.character and event.character in _DIGITS and _DIGITS.index(event.character) < len(self._options):
            event.stop()
            self.dismiss(self._options[_DIGITS.index(event.character)][0])
