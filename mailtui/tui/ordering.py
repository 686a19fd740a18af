"""The order of a list: sorted by a column, and in groups. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from mailtui.tui.columns import Column, R

UP, DOWN = "↑", "↓"
"""Beside the title of the sorted column: smallest first, largest first. (▲ is the mark of a warning.)"""


@dataclass(frozen=True, slots=True)
class Order:
    """By which column a list is sorted, and from which end."""

    column: str
    largest_first: bool = False

    @property
    def mark(self) -> str:
        """The arrow in the header."""
        return DOWN if self.largest_first else UP

    def then(self, column: Column[R]) -> "Order":
        """The order after `column` was chosen: the same column again turns it around."""
        if column.id == self.column:
            return Order(self.column, not self.largest_first)
        return Order(column.id, column.largest_first)


def ordered(names: Sequence[str], row: Callable[[str], R], column: Column[R], largest_first: bool) -> list[str]:
    """`names` sorted by a column. What has nothing there goes last, either way; equals keep their places."""
    key = column.key
    if key is None:
        return list(names)
    return _by_keys(names, {name: key(row(name)) for name in names}, largest_first)


class Sorter(Generic[R]):
    """Sorts as `ordered` does; what a record is sorted by is kept until `subject` gives another object for it."""

    def __init__(self, subject: Callable[[str], object], row: Callable[[str], R]) -> None:
        self._subject = subject
        self._row = row
        self._column: Column[R] | None = None
        self._keys: dict[str, Any] = {}
        self._subjects: dict[str, object] = {}

    def ordered(self, names: Sequence[str], column: Column[R], largest_first: bool) -> list[str]:
        """`names` sorted by a column."""
        key = column.key
        if key is None:
            return list(names)
        if column is not self._column:
            self.clear()
            self._column = column
        keys, subjects, subject_of = self._keys, self._subjects, self._subject
        for name in names:
            subject = subject_of(name)
            if subjects.get(name) is not subject:
                keys[name] = key(self._row(name))
                subjects[name] = subject
        return _by_keys(names, keys, largest_first)

    def clear(self) -> None:
        """Keep nothing: those that were removed would stay for ever."""
        self._keys, self._subjects = {}, {}


def _by_keys(names: Sequence[str], keys: Mapping[str, Any], largest_first: bool) -> list[str]:
    told = [name for name in names if keys[name] is not None]
    told.sort(key=keys.__getitem__, reverse=largest_first)
    return told + [name for name in names if keys[name] is None]


@dataclass(frozen=True, slots=True)
class Group:
    """A heading in a list, and the names below it."""

    title: str
    names: tuple[str, ...]


Row = str | Group
"""One line of a list: a name, or the heading of those that follow."""


def grouped(names: Iterable[str], title: Callable[[str], str]) -> list[Row]:
    """`names` below headings; the groups by title, that without one last. Within a group the order stays."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(title(name), []).append(name)
    rows: list[Row] = []
    for key in sorted(groups, key=lambda key: (not key, key.casefold(), key)):
        rows.append(Group(key, tuple(groups[key])))
        rows += groups[key]
    return rows
