"""A choice in one line: all options side by side where they fit, else the present one between arrows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from mailtui.model.text import clean, shorten, width

Value = str | bool
Option = tuple[Value, str]

_CHOSEN, _OTHER = "● ", "○ "
_GAPS = (2, 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """Where an option stands in the line."""

    option: int
    start: int
    end: int


def line_of(options: Sequence[Option], columns: int) -> list[Cell]:
    """Where each option stands in a line of `columns`; empty where they do not all fit."""
    for gap in _GAPS:
        cells: list[Cell] = []
        at = 0
        for index, (_, label) in enumerate(options):
            end = at + width(_CHOSEN) + width(label)
            cells.append(Cell(index, at, end))
            at = end + gap
        if at - gap <= columns:
            return cells
    return []


class OptionLine(Widget, can_focus=True):
    """One of several options. Its message says what a person chose, never what a program set."""

    HELP = "left and right choose, space takes the next one, a letter the one that begins with it; or click."
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Previous", show=False, id="option.previous", tooltip="Choose the previous option"),
        Binding("right,space", "step(1)", "Next", show=False, id="option.next", tooltip="Choose the next option"),
    ]
    DEFAULT_CSS = """
    OptionLine {
        height: 1;
        width: 1fr;
    }
    """

    value: reactive[Value] = reactive[Value]("")
    options: reactive[tuple[Option, ...]] = reactive(())

    class Chosen(Message):
        """A person chose another option."""

        def __init__(self, line: "OptionLine", value: Value) -> None:
            super().__init__()
            self.line = line
            self.value = value

        @property
        def control(self) -> "OptionLine":
            """The line."""
            return self.line

    def __init__(self, options: Sequence[Option], value: Value, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(OptionLine.options, tuple(options))
        self.set_reactive(OptionLine.value, value)

    def render(self) -> Content:
        """The options, the chosen one marked by its shape."""
        columns = self.content_size.width
        present = "bold reverse" if self.has_focus else "bold"
        cells = line_of(self.options, columns)
        if not cells:
            place = f" {self._index + 1} of {len(self.options)}"
            label = shorten(self._label(self._index), max(columns - 6 - width(place), 4))
            return Content.assemble(("‹ ", "dim"), (f" {label} ", present), (" ›", "dim"), (place, "dim"))
        parts: list[str | tuple[str, str]] = []
        at = 0
        for cell in cells:
            chosen = cell.option == self._index
            text = (_CHOSEN if chosen else _OTHER) + self._label(cell.option)
            parts += [" " * (cell.start - at), (text, present if chosen else "")]
            at = cell.end
        return Content.assemble(*parts)

    def _label(self, index: int) -> str:
        return clean(self.options[index][1])

    @property
    def _index(self) -> int:
        return next((index for index, (value, _) in enumerate(self.options) if value == self.value), 0)

    def _choose(self, index: int) -> Self:
        value = self.options[index % len(self.options)][0]
        if value != self.value:
            self.value = value
            self.post_message(self.Chosen(self, value))
        return self

    def action_step(self, steps: int) -> None:
        """Choose the option that many further; after the last comes the first."""
        self._choose(self._index + steps)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Letters choose here, and do nothing else."""
        return character is not None and character.isprintable() and character != " "

    async def on_key(self, event: events.Key) -> None:
        """Choose by the first letter; of several with the same, the next."""
        if not event.is_printable or event.key == "space" or event.character is None:
            return
        event.stop()
        event.prevent_default()
        letter = event.character.lower()
        count = len(self.options)
        for step in range(1, count + 1):
            index = (self._index + step) % count
            if self._label(index).lower().startswith(letter):
                self._choose(index)
                return

    async def on_click(self, event: events.Click) -> None:
        """Choose what was clicked on."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        cells = line_of(self.options, self.content_size.width)
        if not cells:
            self._choose(self._index + (-1 if offset.x < 2 else 1))
        for cell in cells:
            if cell.start <= offset.x < cell.end:
                self._choose(cell.option)
