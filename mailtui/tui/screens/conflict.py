"""An account that somebody else changed while it was edited: what differs, and whose values shall be."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from textual.binding import Binding, BindingType
from textual.widget import Widget

from mailtui.model.text import clean, pad, shorten, width
from mailtui.tui.ladder_lines import Line
from mailtui.tui.screens.dialog import Choice, Dialog, FittedText
from mailtui.tui.words import Mark, Role, wrap

Decision = Literal["merge", "mine", "theirs"]
Row = tuple[str, str, str, str]
"""A field's label, its value before, yours and theirs."""

_MARK_COLUMNS = 2
_GAP = 2
_TABLE_FROM = 62
"""Columns from which the values stand side by side."""
_LABEL_COLUMNS = 24
_LONGEST = 400
"""Characters of a value that are shown: enough to tell two apart."""


def conflict_lines(rows: Sequence[Row], columns: int, *, removed: bool = False) -> list[Line]:
    """The differences as a table, or where there is no room for it one value below the other."""
    titles = ("Before", "Yours") if removed else ("Before", "Yours", "Theirs")
    shown = [_shown(row, removed=removed) for row in rows]
    labels = min(max((width(label) for label, _, _ in shown), default=0), _LABEL_COLUMNS)
    each = (columns - _MARK_COLUMNS - labels) // len(titles) - _GAP
    # A name that is broken in two is hard to compare.
    longest = max((width(word) for _, _, values in shown for value, _ in values for word in value.split()), default=0)
    if columns < _TABLE_FROM or longest > each:
        return [line for row in shown for line in _stacked(row, titles, columns)]
    head = "".join(" " * _GAP + pad(title, each) for title in titles)
    lines: list[Line] = [((" " * (_MARK_COLUMNS + labels) + head, Role.STRONG),)]
    for label, mark, values in shown:
        cells = [wrap(value, each) or [""] for value, _ in values]
        for height in range(max(len(cell) for cell in cells)):
            glyph, name = (mark.glyph if mark else "", label) if height == 0 else ("", "")
            spans = [(pad(glyph, _MARK_COLUMNS), Role.WARNING), (pad(name, labels), Role.PLAIN)]
            for cell, (_, role) in zip(cells, values, strict=True):
                spans.append((" " * _GAP + pad(cell[height] if height < len(cell) else "", each), role))
            lines.append(tuple(spans))
    return lines


def both_changed(row: Row) -> bool:
    """Whether both gave the field another value, and not the same one."""
    _, before, yours, theirs = row
    return before != yours and before != theirs and yours != theirs


_Shown = tuple[str, Mark | None, list[tuple[str, Role]]]


def _shown(row: Row, *, removed: bool) -> _Shown:
    label, before, yours, theirs = row
    values = [(_value(before), Role.DIM), (_value(yours), Role.STRONG if yours != before else Role.PLAIN)]
    if not removed:
        values.append((_value(theirs), Role.STRONG if theirs != before else Role.PLAIN))
    return clean(label, 60), Mark.WARNING if both_changed(row) and not removed else None, values


def _value(value: str) -> str:
    return clean(value, _LONGEST) or "(none)"


def _stacked(row: _Shown, titles: Sequence[str], columns: int) -> Iterable[Line]:
    label, mark, values = row
    glyph = pad(mark.glyph if mark else "", _MARK_COLUMNS)
    yield (glyph, Role.WARNING), (shorten(label, columns - _MARK_COLUMNS), Role.STRONG)
    indent = _MARK_COLUMNS + 7
    for title, (value, role) in zip(titles, values, strict=True):
        for at, line in enumerate(wrap(value, columns - indent) or [""]):
            yield (pad(f"  {title.lower()}" if at == 0 else "", indent), Role.DIM), (line, role)


class ConflictScreen(Dialog[Decision | None]):
    """Shows what both did to the account; the result is None when the person goes back to the form."""

    AUTO_FOCUS = "Choice"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "m", "decide('merge')", "Keep both", id="conflict.merge", tooltip="Theirs, and yours where you changed"
        ),
        Binding("y", "decide('mine')", "Save yours", id="conflict.mine", tooltip="Your values, theirs are lost"),
        Binding("t", "decide('theirs')", "Take theirs", id="conflict.theirs", tooltip="Their values, yours are lost"),
        Binding("escape", "decide(None)", "Back", id="conflict.back", tooltip="Back to the form; nothing is saved"),
    ]

    def __init__(self, title: str, rows: Sequence[Row], removed: bool = False) -> None:
        super().__init__(title)
        self._rows = tuple(rows)
        self._removed = removed

    def text(self) -> Iterable[Widget]:
        """What happened, and the differences."""
        yield FittedText(self._lines)

    def choices(self) -> Iterable[Choice]:
        """Whose values shall be; first what loses the least."""
        if self._removed:
            yield Choice("Add it again", "decide('mine')")
            yield Choice("Leave it removed", "decide('theirs')")
        else:
            yield Choice("Keep both", "decide('merge')")
            yield Choice("Save yours", "decide('mine')")
            yield Choice("Take theirs", "decide('theirs')")
        yield Choice("Back", "decide(None)")

    def _lines(self, columns: int) -> list[Line]:
        words = wrap(self._words(), columns)
        return [
            *(((line, Role.PLAIN),) for line in words),
            (),
            *conflict_lines(self._rows, columns, removed=self._removed),
        ]

    def _words(self) -> str:
        if self._removed:
            return "Somebody else removed this account meanwhile. Nothing of yours is saved yet."
        what = "Somebody else changed this account meanwhile. Nothing of yours is saved yet. "
        if any(both_changed(row) for row in self._rows):
            return what + f"Keep both takes yours where both changed a field ({Mark.WARNING.glyph})."
        return what + "You changed different fields: to keep both loses nothing."

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to keep of an account that is gone."""
        return not (self._removed and action == "decide" and parameters == ("merge",))

    def action_decide(self, decision: Decision | None) -> None:
        """Answer."""
        self.answer(decision)
