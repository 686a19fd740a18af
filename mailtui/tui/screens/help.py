"""The keys of the screen below, and what its marks mean."""

from pathlib import PurePath
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, Static

from mailtui.model.text import width
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.words import Mark

_MARKS = (Mark.UNCHECKED, Mark.QUEUED, Mark.HALFWAY, Mark.OK, Mark.WARNING, Mark.FAILED, Mark.ABSENT)
_KEY_COLUMNS = 10


class HelpScreen(ModalScreen[None]):
    """Made from the bindings themselves, so it cannot fall behind them."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "help.tcss"]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "Close", key_display="esc", id="help.close"),
    ]

    def __init__(self, explained: Screen[Any]) -> None:
        super().__init__()
        self._explained = explained

    def compose(self) -> ComposeResult:
        """The keys of the screen below, and what the marks mean."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Help"
            with VerticalScroll():
                yield Static(self._keys(), markup=False)
                yield Static(self._marks(), id="marks", markup=False)
        yield Footer(compact=True, show_command_palette=False)

    def _keys(self) -> Content:
        lines = []
        focused = self._explained.focused
        if focused is not None and focused.HELP:
            lines += [Content(focused.HELP), Content("")]
        told = set()
        for active in self._explained.active_bindings.values():
            binding = active.binding
            if binding.system or not binding.id or not binding.tooltip or binding.id in told:
                continue
            told.add(binding.id)
            key = self.app.get_key_display(binding)
            gap = " " * max(_KEY_COLUMNS - width(key), 1)
            lines.append(Content.assemble((key, "bold $text-primary"), gap, active.tooltip))
        lines.append(Content.assemble(("^p", "bold $text-primary"), " " * (_KEY_COLUMNS - 2), "Every action by name"))
        return Content("\n").join(lines)

    def _marks(self) -> Content:
        return Content("\n").join(
            Content.assemble((mark.glyph, STYLES[mark.role]), " " * (_KEY_COLUMNS - 1), mark.meaning) for mark in _MARKS
        )
