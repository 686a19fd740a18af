"""One leg's last check in full, to be scrolled and searched; only what is on the screen is drawn."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mailtui.model.check import Leg
from mailtui.tui.flow import Flow, Hit, Paragraph
from mailtui.tui.ladder_lines import Line
from mailtui.tui.words import Role

_HIT = "leg-detail--hit"
_PRESENT = "leg-detail--present-hit"


class LegDetail(ScrollView, can_focus=True):
    """Draws paragraphs, laid out anew for each width, with the hits of a search marked."""

    HELP = (
        "The last check of this leg, or a newer retrieval: what is wrong and what to do, stages, certificates, "
        "capabilities, the dialogue with secrets masked, and the account's settings. Above: the times of earlier "
        "checks as bars (× failed), and how each ended."
    )

    COMPONENT_CLASSES: ClassVar[set[str]] = {_HIT, _PRESENT, *(f"leg-detail--{role.value}" for role in Role)}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="leg.up", tooltip="One line up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="leg.down", tooltip="One line down"),
        Binding("pageup", "page_up", "Page up", show=False, id="leg.page_up", tooltip="One page up"),
        Binding("pagedown,space", "page_down", "Page down", show=False, id="leg.page_down", tooltip="One page down"),
        Binding("home,g", "scroll_home", "Top", show=False, id="leg.top", tooltip="To the stages"),
        Binding("end,G", "scroll_end", "End", show=False, id="leg.end", tooltip="To the account's settings"),
    ]

    class Found(Message):
        """The hits of the search, or the present one, have changed."""

    def __init__(self, leg: Leg) -> None:
        super().__init__()
        self.leg = leg
        self._flow = Flow()
        self._wanted = ""
        self._hits: list[Hit] = []
        self._present = 0
        self._marked: dict[int, list[tuple[int, int, bool]]] = {}

    @property
    def lines(self) -> list[Line]:
        """All lines, as laid out now."""
        return self._flow.lines

    @property
    def hits(self) -> int:
        """How many places hold what is searched for."""
        return len(self._hits)

    @property
    def present(self) -> int:
        """The number of the present hit, from 1; 0 without any."""
        return self._present + 1 if self._hits else 0

    @property
    def present_text(self) -> str:
        """The characters that the present hit marks."""
        if not self._hits:
            return ""
        told = []
        for line, start, end in self._hits[self._present]:
            told.append("".join(text for text, _ in self.lines[line])[start:end])
        return "".join(told)

    def show(self, paragraphs: Iterable[Paragraph]) -> None:
        """Show `paragraphs`; what is at the top stays there as far as it can."""
        told = tuple(paragraphs)
        if told != self._flow.paragraphs:
            self._lay_out(told, self._columns)

    @property
    def _columns(self) -> int:
        return self.scrollable_content_region.width

    def _lay_out(self, paragraphs: tuple[Paragraph, ...], columns: int) -> None:
        top = round(self.scroll_y)
        before, within = self._flow, 0
        above = before.paragraph_at(top)
        if above < len(before.paragraphs):
            within = top - before.line_of(above)
        self._flow = Flow(paragraphs, columns)
        self.virtual_size = Size(columns, len(self._flow.lines))
        if top and before.columns != self._flow.columns:
            self.scroll_to(y=self._flow.line_of(above) + within, animate=False)
        self._find(self._present)
        self.refresh()

    def search(self, wanted: str) -> None:
        """Mark where `wanted` stands, and show the first place at or below the top of what is seen."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._hits = self._flow.find(wanted)
        top = round(self.scroll_y)
        below = (number for number, hit in enumerate(self._hits) if hit[0][0] >= top)
        self._present = next(below, 0)
        self._told()
        self._show_present()

    def next_hit(self, by: int) -> None:
        """Go to another hit; after the last comes the first."""
        if self._hits:
            self._present = (self._present + by) % len(self._hits)
            self._told()
            self._show_present()

    def _find(self, present: int) -> None:
        """The text has changed: find again, and stay with the hit of that number."""
        if self._wanted:
            self._hits = self._flow.find(self._wanted)
            self._present = min(present, max(len(self._hits) - 1, 0))
            self._told()

    def _told(self) -> None:
        self._marked = {}
        for number, hit in enumerate(self._hits):
            for line, start, end in hit:
                self._marked.setdefault(line, []).append((start, end, number == self._present))
        self.refresh()
        self.post_message(self.Found())

    def _show_present(self) -> None:
        if not self._hits:
            return
        line = self._hits[self._present][0][0]
        top, room = round(self.scroll_y), self.scrollable_content_region.height
        if not top <= line < top + room:
            self.scroll_to(y=max(line - room // 3, 0), animate=False)

    def render_line(self, y: int) -> Strip:
        """One line of what is seen."""
        row, size = round(self.scroll_y) + y, self._columns
        base = self.rich_style
        if row >= len(self._flow.lines):
            return Strip.blank(size, base)
        segments = [Segment(text, style) for text, style in self._spans(row, base)]
        return Strip(segments).crop_extend(0, size, base)

    def _spans(self, row: int, base: Style) -> Iterator[tuple[str, Style]]:
        marks = self._marked.get(row, [])
        at = 0
        for text, role in self._flow.lines[row]:
            style = base + self.get_component_rich_style(f"leg-detail--{role.value}", partial=True)
            for start, end, look in _parts(marks, at, at + len(text)):
                shown = style if look is None else style + self.get_component_rich_style(look, partial=True)
                yield text[start - at : end - at], shown
            at += len(text)

    def on_resize(self) -> None:
        """Lay out for the new width."""
        if self._flow.columns != max(self._columns, 4):
            self._lay_out(self._flow.paragraphs, self._columns)

    def notify_style_update(self) -> None:
        """Draw again in the colours of another theme."""
        super().notify_style_update()
        self.refresh()


def _parts(marks: list[tuple[int, int, bool]], start: int, end: int) -> Iterator[tuple[int, int, str | None]]:
    """The characters from `start` to `end` in parts that look alike, with the look of each; marks are in order."""
    at = start
    for begin, stop, present in marks:
        begin, stop = max(begin, at), min(stop, end)
        if begin >= stop:
            continue
        if at < begin:
            yield at, begin, None
        yield begin, stop, _PRESENT if present else _HIT
        at = stop
    if at < end:
        yield at, end, None
