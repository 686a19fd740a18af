"""Columns of lists: what a cell shows, by what they sort, and how they share a screen of any width."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from mailtui.model.text import pad, shorten, width
from mailtui.tui.words import Role

GAP = 2
"""Blank columns after each column."""

_WIDEST = 40
_COMFORT = 24

R = TypeVar("R")
"""What a row is about."""

Span = tuple[str, Role]
Words = Callable[[R, datetime], str]


@dataclass(frozen=True, slots=True)
class Column(Generic[R]):
    """A column of words.

    `least` is how narrow it can be; `full` how wide it is at most, None when that is measured from the texts.
    `short` says the same in fewer words, for cells that do not fit; `short_title` does so in the header. `flag`
    is shown after the words whatever gives way. `key` gives what is compared in sorting, None where there is
    nothing, which goes last; a column without one does not sort. `largest_first` is the order of the first sort.
    An `essential` column is on the screen however narrow that is; of the others, those that fit in full, but before
    the essential ones are as wide as they like one that `fills`, if it is the first of the others.
    """

    id: str
    title: str
    text: Words[R]
    least: int
    full: int | None = None
    short: Words[R] | None = None
    short_title: str = ""
    flag: Callable[[R], str] | None = None
    role: Callable[[R], Role] = lambda row: Role.DIM
    key: Callable[[R], Any] | None = None
    largest_first: bool = False
    essential: bool = False
    fills: bool = False

    def cell(self, row: R, now: datetime, columns: int) -> str:
        """The cell's text in exactly `columns`."""
        return "".join(text for text, _ in self.spans(row, now, columns))

    def spans(self, row: R, now: datetime, columns: int) -> tuple[Span, ...]:
        """The cell in exactly `columns`, in pieces of one colour."""
        role = self.role(row)
        flag = self.flag(row) if self.flag is not None else ""
        room = columns - width(flag) - 1 if flag else columns
        words = self.text(row, now)
        if self.short is not None and width(words) > room:
            words = self.short(row, now)
        if not flag:
            return ((pad(words, columns), role),)
        words = shorten(words, room)
        rest = " " * (room - width(words))
        return (words + " ", role), (pad(flag, columns - width(words) - 1 - len(rest)), Role.FAILED), (rest, role)

    def heading(self, columns: int, mark: str = "") -> str:
        """The title in exactly `columns`, with the mark of the order behind it."""
        room = columns - width(mark)
        title = self.title if width(self.title) <= room or not self.short_title else self.short_title
        return pad(shorten(title, room) + mark, columns)


@dataclass(frozen=True, slots=True)
class Wish:
    """How wide a column would like to be: with its whole texts, with its short ones, and at least."""

    full: int
    short: int
    least: int

    @property
    def comfort(self) -> int:
        """As wide as most rows need."""
        return max(self.least, min(self.short, _COMFORT))


def measure(columns: Sequence[Column[R]], row: R, now: datetime) -> tuple[tuple[int, int], ...]:
    """How wide each cell of a row would be, with its whole text and with the short one; 0 for fixed columns."""
    sizes = []
    for column in columns:
        if column.full is not None:
            sizes.append((0, 0))
            continue
        flag = column.flag(row) if column.flag is not None else ""
        extra = width(flag) + 1 if flag else 0
        full = width(column.text(row, now)) + extra
        sizes.append((full, full if column.short is None else min(full, width(column.short(row, now)) + extra)))
    return tuple(sizes)


def wishes(columns: Sequence[Column[R]], sizes: Iterable[Sequence[tuple[int, int]]]) -> list[Wish]:
    """What each column wishes for rows of these sizes."""
    # The mark of the order needs a place too.
    titles = [len(column.title) + 1 for column in columns]
    rows = list(sizes)
    wanted = []
    for index, column in enumerate(columns):
        if column.full is not None:
            wanted.append(Wish(column.full, column.least if column.short is not None else column.full, column.least))
            continue
        longest = min(max([titles[index], *(row[index][0] for row in rows)]), _WIDEST)
        short = min(max([titles[index], *(row[index][1] for row in rows)]), longest)
        wanted.append(Wish(longest, short, min(column.least, longest)))
    return wanted


class Measures(Generic[R]):
    """The wishes of columns for many rows; what did not change is not measured again."""

    def __init__(self, columns: Sequence[Column[R]]) -> None:
        self._columns = columns
        self._sizes: dict[str, tuple[object, tuple[tuple[int, int], ...]]] = {}

    def wishes(
        self, names: Iterable[str], subject: Callable[[str], object], row: Callable[[str], R], now: datetime
    ) -> list[Wish]:
        """What the columns wish for the rows of `names`; `subject` is another object when the texts have changed."""
        sizes = {}
        for name in names:
            present = subject(name)
            known = self._sizes.get(name)
            if known is None or known[0] is not present:
                known = (present, measure(self._columns, row(name), now))
            sizes[name] = known
        self._sizes = sizes
        return wishes(self._columns, [size for _, size in sizes.values()])


def fit(columns: Sequence[Column[R]], wanted: Sequence[Wish], room: int) -> list[int]:
    """Widths for `room` columns in all, gaps included.

    Essential columns come first and share what there is: each gets its least width, then they grow to comfort
    together, then to their whole texts from the left. What is left shows more columns, as many as fit. Columns
    that do not fit keep their full width, and are reached by scrolling.
    """
    widths = [wish.full for wish in wanted]
    shown = [index for index, column in enumerate(columns) if column.essential]
    others = [index for index, column in enumerate(columns) if not column.essential]
    for index in shown:
        widths[index] = wanted[index].least
    left = room - sum(widths[index] + GAP for index in shown) + GAP
    left = _grow_together(widths, wanted, shown, left)
    # Measured texts before fixed ones: those have short forms that say nearly as much.
    growing = sorted(shown, key=lambda index: columns[index].full is not None)
    if others and columns[others[0]].fills and wanted[others[0]].least + GAP <= left:
        index = others.pop(0)
        widths[index] = wanted[index].least
        left -= widths[index] + GAP
        shown.append(index)
        growing.append(index)
    left = _grow_in_turn(widths, [(index, wanted[index].full) for index in growing], left)
    for index in others:
        if wanted[index].full + GAP > left:
            break
        left -= wanted[index].full + GAP
        shown.append(index)
    if len(shown) < len(columns) and left > 0:
        # A column cut at the edge would look like a mistake; it begins beyond.
        widths[max(shown)] += left
    return widths


def _grow_together(widths: list[int], wanted: Sequence[Wish], shown: Sequence[int], left: int) -> int:
    """Widen the narrowest of those that are not comfortable, until there is no room or no need; returns the rest."""
    while left > 0:
        narrow = [index for index in shown if widths[index] < wanted[index].comfort]
        if not narrow:
            break
        widths[min(narrow, key=lambda index: widths[index])] += 1
        left -= 1
    return left


def _grow_in_turn(widths: list[int], targets: Sequence[tuple[int, int]], left: int) -> int:
    for index, target in targets:
        given = max(min(target - widths[index], left), 0)
        widths[index] += given
        left -= given
    return left
