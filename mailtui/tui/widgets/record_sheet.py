"""How a list's lines lie on the screen: the first columns stay, the others scroll sideways below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from rich.segment import Segment
from textual.strip import Strip

from mailtui.tui.columns import GAP

_MORE_LEFT, _MORE_RIGHT = "‹", "›"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands before the columns is `lead` wide; `pinned` columns stay, where that leaves room for others."""

    lead: int
    widths: Sequence[int]
    pinned: int

    @property
    def width(self) -> int:
        """The width of a whole line."""
        return self.lead + sum(size + GAP for size in self.widths) - GAP

    def staying(self, room: int) -> int:
        """How many terminal columns of `room` do not scroll; only the margin where too few would be left."""
        staying = self.lead + sum(size + GAP for size in self.widths[: self.pinned])
        return staying if staying <= room * 2 // 3 else 1

    def crop(self, strip: Strip, left: int, room: int, *, header: bool = False) -> Strip:
        """What of a line is seen in `room` when scrolled by `left`; the header tells of columns at both sides."""
        staying = self.staying(room)
        style = next(iter(strip)).style
        if left:
            strip = Strip.join([strip.crop(0, staying), strip.crop(staying + left)])
        strip = strip.crop_extend(0, room, style)
        if header:
            # The list has no scroll bar for columns: rows are worth more.
            for x, mark, shown in (
                (staying - 1, _MORE_LEFT, left > 0),
                (room - 1, _MORE_RIGHT, left + room < self.width),
            ):
                if shown:
                    strip = Strip.join([strip.crop(0, x), Strip([Segment(mark, style)]), strip.crop(x + 1)])
        return strip

    def next_stop(self, left: int, direction: int, room: int) -> int:
        """Where scrolling sideways by one column leads from `left`."""
        moving = self.widths[self.pinned :] if self.staying(room) > 1 else self.widths
        starts = [0, *accumulate(size + GAP for size in moving)]
        if direction > 0:
            return next((start for start in starts if start > left), left)
        return next((start for start in reversed(starts) if start < left), 0)

    def column_at(self, x: int, left: int, room: int) -> int | None:
        """The column that is seen at `x`: -1 for what stands before the first, None beyond the last."""
        if left and x >= self.staying(room):
            x += left
        x -= self.lead
        if x < 0:
            return -1
        for index, size in enumerate(self.widths):
            if x < size + GAP:
                return index
            x -= size + GAP
        return None
