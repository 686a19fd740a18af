"""What can be done here, on which keys, and what the marks mean."""

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from mailtui.model.text import width
from mailtui.tui.account_columns import UNSAFE
from mailtui.tui.keys import Action, actions_on, shown
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.words import Mark, Role, wrap

_SIGNS = (
    (UNSAFE, Role.FAILED, "a certificate that nobody checks"),
    ("◆", Role.BUSY, "selected"),
    ("↑ ↓", Role.PLAIN, "sorted by this column"),
)
"""What is on the lists beside the marks."""
_HERE, _SCREEN, _EVERYWHERE = "Where you are", "On this screen", "Everywhere"
_KEY_COLUMNS = 12
_NARROW_KEY_COLUMNS = 8
_ROOMY = 76
"""Columns from which there is room for the ids."""


class HelpText(Widget):
    """The text, fitted to its width; as high as it is long."""

    def __init__(self, intro: str, groups: list[tuple[str, list[Action]]]) -> None:
        super().__init__()
        self._intro = intro
        self._groups = groups

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines there are at this width."""
        return len(self.lines(width))

    def render(self) -> Content:
        """The lines, fitted to the width."""
        return Content("\n").join(self.lines(self.content_size.width))

    def lines(self, columns: int) -> list[Content]:
        """The intro, the keys by where they work, and the marks."""
        columns = max(columns, 20)
        lines: list[Content] = []
        if self._intro:
            lines += [*map(Content, wrap(self._intro, columns)), Content("")]
        ids = columns >= _ROOMY
        for title, actions in self._groups:
            lines.append(Content.styled(title, "bold underline"))
            for action in actions:
                lines += self._action(action, columns, ids)
            lines.append(Content(""))
        lines.append(Content.styled("The marks", "bold underline"))
        lines += self._marks(columns)
        lines.append(Content(""))
        told = "The settings file, usually ~/.config/mailtui/config.toml, can give other keys to actions" + (
            ", by the names on the right." if ids else "; in 100 columns and more their names stand here."
        )
        lines += [Content.styled(line, "dim") for line in wrap(told, columns)]
        return lines

    def _action(self, action: Action, columns: int, ids: bool) -> Iterable[Content]:
        lead = _KEY_COLUMNS if columns >= 50 else _NARROW_KEY_COLUMNS
        keys = _fitting(shown(action.keys, action.binding, self.app), lead - 2)
        gap = " " * max(lead - width(keys), 1)
        identity = action.binding.id or ""
        room = columns - width(keys) - len(gap) - (len(identity) + 2 if ids else 0)
        first, *rest = wrap(action.what if action.ready else f"{action.what} (not now)", room) or [""]
        line = Content.assemble((keys, "bold $text-primary"), gap, first)
        if ids:
            line += Content(" " * (columns - line.cell_length - len(identity))) + Content.styled(identity, "dim")
        return [line, *(Content(" " * lead + words) for words in rest)]

    @staticmethod
    def _marks(columns: int) -> Iterable[Content]:
        meanings: dict[str, list[Mark]] = {}
        for mark in Mark:
            meanings.setdefault(mark.meaning, []).append(mark)
        explained = [
            Content(" ").join(Content.styled(mark.glyph, STYLES[mark.role]) for mark in marks) + f" {meaning}"
            for meaning, marks in meanings.items()
        ]
        explained += [Content.styled(glyph, STYLES[role]) + f" {meaning}" for glyph, role, meaning in _SIGNS]
        line = Content("")
        for told in explained:
            if line.cell_length and line.cell_length + 3 + told.cell_length > columns:
                yield line
                line = Content("")
            line += Content("   " if line.cell_length else "") + told
        yield line


def _fitting(keys: list[str], columns: int) -> str:
    """As many of the keys as there is room for, one at least."""
    told = "" if not keys else keys[0]
    for key in keys[1:]:
        if width(told) + 1 + width(key) <= columns:
            told += f" {key}"
    return told


class HelpScroll(VerticalScroll):
    """Scrolls the help; it is what has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="help.up", tooltip="Scroll up"),
        Binding("down,j", "scroll_down", "Down", id="help.down", show=False, tooltip="Scroll down"),
        Binding("pageup", "page_up", "Page up", show=False, id="help.page_up", tooltip="Scroll up by a page"),
        Binding("pagedown,space", "page_down", "More", id="help.page_down", tooltip="Scroll down by a page"),
        Binding("home,g", "scroll_home", "Top", show=False, id="help.top", tooltip="Go to the top"),
        Binding("end,G", "scroll_end", "End", show=False, id="help.end", tooltip="Go to the end"),
    ]


class HelpScreen(ModalScreen[None]):
    """Made from the bindings themselves, so it cannot fall behind them."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialogs.tcss", "help.tcss"]
    AUTO_FOCUS = "HelpScroll"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-normal")]  # noqa: RUF012  # as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape,question_mark,f1,q,enter", "dismiss", "Close", id="help.close", tooltip="Back to where you were"
        ),
    ]

    def __init__(self, explained: Screen[Any], keys: Mapping[str, str]) -> None:
        super().__init__()
        self._explained = explained
        self._keys = keys

    def compose(self) -> ComposeResult:
        """What has the focus below, the keys by where they work, and what the marks mean."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Help"
            with HelpScroll():
                yield HelpText(self._intro(), self._groups())
        yield MessageBar()
        yield KeyBar(show_command_palette=False)

    def _intro(self) -> str:
        focused = self._explained.focused
        for node in (*(focused.ancestors_with_self if focused is not None else ()), self._explained):
            if isinstance(node, Widget) and node.HELP:
                return " ".join(node.HELP.split())
        return ""

    def _groups(self) -> list[tuple[str, list[Action]]]:
        groups: dict[str, list[Action]] = {_HERE: [], _SCREEN: [], _EVERYWHERE: []}
        for action in actions_on(self._explained, self._keys):
            if not action.keys:
                continue
            if action.node is self.app:
                groups[_EVERYWHERE].append(action)
            else:
                groups[_SCREEN if action.node is self._explained else _HERE].append(action)
        # What the footer shows goes before what everybody tries anyway, such as the arrows.
        told = [(title, sorted(actions, key=_is_minor)) for title, actions in groups.items() if actions]
        if groups[_HERE] and all(map(_is_minor, groups[_HERE])):
            told.sort(key=lambda group: (_SCREEN, _HERE, _EVERYWHERE).index(group[0]))
        return told


def _is_minor(action: Action) -> bool:
    return not action.binding.show
