"""A list of records: draws only the rows on the screen, so thousands scroll like ten."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import ClassVar, Generic

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mailtui.model.text import pad, shorten, width
from mailtui.tui.columns import GAP, Column, Measures, R, Span, fit, wishes
from mailtui.tui.messages import AccountHighlighted, AccountOpened
from mailtui.tui.ordering import Group, Order, Row
from mailtui.tui.selection import Selection
from mailtui.tui.widgets.record_sheet import Sheet
from mailtui.tui.words import Role

_SELECTED, _NOT_SELECTED = "◆ ", "  "


class RecordList(ScrollView, Generic[R], can_focus=True):
    """One line for each record, below a header and in groups if wanted; a cursor, and a selection by name.

    What is shown of a record is told by `row`, `lead` and the columns; text is never parsed as markup.
    """

    class SortAsked(Message):
        """The header of a column was clicked."""

        def __init__(self, column: str) -> None:
            self.column = column
            super().__init__()

    class SelectionChanged(Message):
        """Other records are selected now."""

        def can_replace(self, message: Message) -> bool:
            """The last one tells all."""
            return isinstance(message, RecordList.SelectionChanged)

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "record-list--header",
        "record-list--group",
        "record-list--cursor",
        "record-list--selected",
        *(f"record-list--{role.value}" for role in Role),
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up", tooltip="One row up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down", tooltip="One row down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up", tooltip="One page up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down", tooltip="One page down"),
        Binding("home,g", "first", "First", show=False, id="list.first", tooltip="To the first row"),
        Binding("end,G", "last", "Last", show=False, id="list.last", tooltip="To the last row"),
        Binding("left,h", "sideways(-1)", "Left", show=False, id="list.left", tooltip="The columns to the left"),
        Binding("right,l", "sideways(1)", "Right", show=False, id="list.right", tooltip="The columns to the right"),
        Binding("enter", "open", "Open", show=False, id="list.open", tooltip="Everything about the last check"),
        Binding("space", "select", "Select", show=False, id="list.select", tooltip="Select it, and go down"),
        Binding("shift+up", "extend(-1)", "Extend up", show=False, id="list.extend_up", tooltip="Select upwards"),
        Binding(
            "shift+down", "extend(1)", "Extend down", show=False, id="list.extend_down", tooltip="Select downwards"
        ),
        Binding(
            "asterisk",
            "select_all",
            "Select all",
            show=False,
            key_display="*",
            id="list.select_all",
            tooltip="Select all that are shown, or none",
        ),
    ]

    lead_title = ""
    """Above what `lead` gives, and as wide."""
    lead_column = ""
    """What a click on that title sorts by."""
    pinned = 1
    """How many columns stay while the others scroll sideways."""

    def __init__(self, columns: Sequence[Column[R]], now: datetime, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._columns = columns
        self._now = now
        self._rows: list[Row] = []
        self._names: tuple[str, ...] = ()
        self._places: dict[str, int] = {}
        self._measures = Measures(columns)
        self._wishes = wishes(columns, [])
        self._sheet = Sheet(width(self.lead_title), [wish.full for wish in self._wishes], self.pinned)
        self._cursor = 0
        self._order: Order | None = None
        self._styles: dict[tuple[str, Role], Style] = {}
        self._painted: dict[int, Strip] = {}
        self.selection = Selection()
        self.empty_text = "…"
        self.repaints = 0
        """How often rows were asked to be drawn again; a flood of events must not show here one by one."""

    def row(self, name: str) -> R:
        """The record of that name, as the columns read it."""
        raise NotImplementedError

    def subject(self, name: str) -> object:
        """Another object than before when the texts of that record have changed."""
        raise NotImplementedError

    def lead(self, name: str) -> Sequence[Span]:
        """What stands before the columns."""
        raise NotImplementedError

    def heading(self, group: Group) -> Sequence[Span]:
        """The line above a group."""
        return [(f" {group.title}", Role.STRONG)]

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        row = self._rows[self._cursor] if self._cursor < len(self._rows) else None
        return row if isinstance(row, str) else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names shown, from top to bottom."""
        return self._names

    def show(
        self,
        rows: Iterable[Row],
        now: datetime,
        *,
        order: Order | None = None,
        known: Collection[str] | None = None,
        select: str | None = None,
    ) -> None:
        """Show these rows; the cursor stays on its record where it can.

        `known` are all the records there are, shown or not: by them the columns are fitted anew, and no others
        stay selected.
        """
        before = self.selected
        wanted = select or before
        rows = list(rows)
        if rows == self._rows and order == self._order and known is None and select is None:
            self.refresh_ages(now)
            return
        self._rows = rows
        self._places = {row: place for place, row in enumerate(self._rows) if isinstance(row, str)}
        self._names = tuple(self._places)
        self._now, self._order = now, order
        if known is not None:
            self._wishes = self._measures.wishes(known, self.subject, self.row, now)
            self.selection.keep(known)
        self._cursor = self._nearest(self._places.get(wanted or "", self._cursor), -1)
        self._lay_out()
        self._scroll_to_cursor()
        self.refresh()
        if self.selected != before or select is not None:
            self.post_message(AccountHighlighted(self.selected))

    def refresh_names(self, names: Iterable[str], now: datetime) -> None:
        """Draw what the rows of `names`, and the headings above them, say differently now."""
        self._now = now
        changed = frozenset(names)
        self._repaint(
            y
            for y, row in self._visible()
            if (row in changed if isinstance(row, str) else not changed.isdisjoint(row.names))
        )

    def refresh_ages(self, now: datetime) -> None:
        """Time has passed: draw the rows that say so again."""
        self._now = now
        self._repaint(y for y, _ in self._visible())

    def _visible(self) -> Iterable[tuple[int, Row]]:
        top = round(self.scroll_y)
        return enumerate(self._rows[top : top + max(self.size.height - 1, 0)], 1)

    def _repaint(self, lines: Iterable[int]) -> None:
        """Draw those of `lines` again that would look different."""
        changed = [y for y in lines if self._painted.get(y) != self._line(y)]
        if changed:
            self.repaints += 1
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """Line 0 is the header; it stays while the rows scroll."""
        strip = self._painted[y] = self._line(y)
        return strip

    def _line(self, y: int) -> Strip:
        size = self.scrollable_content_region.width
        place = round(self.scroll_y) + y - 1
        if y == 0:
            return self._sheet.crop(self._header(), round(self.scroll_x), size, header=True)
        if place < len(self._rows):
            row = self._rows[place]
            if not isinstance(row, str):
                return self._heading(row, size)
            return self._sheet.crop(self._row(place), round(self.scroll_x), size)
        if y == 2 and not self._rows:
            text = shorten("  " + self.empty_text, size)
            return Strip([Segment(text, self._style("", Role.DIM))]).adjust_cell_length(size, self.rich_style)
        return Strip.blank(size, self.rich_style)

    @property
    def _lead_columns(self) -> int:
        return width(self.lead_title) + (len(_SELECTED) if len(self.selection) else 0)

    def _header(self) -> Strip:
        mark = self._order.mark if self._order is not None else ""
        by = self._order.column if self._order is not None else ""
        lead = _NOT_SELECTED if len(self.selection) else ""
        lead += (
            pad(self.lead_title.rstrip() + mark, width(self.lead_title)) if by == self.lead_column else self.lead_title
        )
        titles = (
            column.heading(size, mark if by == column.id else "") + " " * GAP
            for column, size in zip(self._columns, self._sheet.widths, strict=True)
        )
        return Strip([Segment(lead + "".join(titles), self._style("header", Role.PLAIN))])

    def _heading(self, group: Group, size: int) -> Strip:
        style = self._style("group", Role.PLAIN)
        spans = [Segment(text, self._style("group", role)) for text, role in self.heading(group)]
        return Strip(spans).crop_extend(0, size, style)

    def _row(self, place: int) -> Strip:
        name = self._rows[place]
        assert isinstance(name, str)
        try:
            row, lead = self.row(name), self.lead(name)
        except KeyError:
            # Removed a moment ago: the list is about to be shown without it.
            return Strip([Segment(" ", self._style("", Role.PLAIN))])
        chosen = name in self.selection
        kind = "cursor" if place == self._cursor else "selected" if chosen else ""
        spans: list[Span] = []
        if len(self.selection):
            spans.append((_SELECTED if chosen else _NOT_SELECTED, Role.BUSY))
        spans += lead
        for column, size in zip(self._columns, self._sheet.widths, strict=True):
            spans += column.spans(row, self._now, size)
            spans.append((" " * GAP, Role.PLAIN))
        return Strip([Segment(text, self._style(kind, role)) for text, role in spans])

    def _style(self, kind: str, role: Role) -> Style:
        style = self._styles.get((kind, role))
        if style is None:
            style = self.rich_style
            if kind:
                style += self.get_component_rich_style(f"record-list--{kind}", partial=True)
            style += self.get_component_rich_style(f"record-list--{role.value}", partial=True)
            self._styles[kind, role] = style
        return style

    def _lay_out(self) -> None:
        lead = self._lead_columns
        widths = fit(self._columns, self._wishes, self.scrollable_content_region.width - lead - 1)
        self._sheet = Sheet(lead, widths, self.pinned)
        self.virtual_size = Size(self._sheet.width, len(self._rows) + 1)

    def on_resize(self) -> None:
        """Share the new width among the columns."""
        self._lay_out()
        self._scroll_to_cursor()

    def notify_style_update(self) -> None:
        """Draw again in the colours of another theme."""
        super().notify_style_update()
        self._styles.clear()
        self.refresh()

    def _nearest(self, place: int, direction: int) -> int:
        """The place of a name at `place`, else in that direction, else in the other."""
        place = max(0, min(place, len(self._rows) - 1))
        for step in (direction, -direction):
            near = place
            while 0 <= near < len(self._rows):
                if isinstance(self._rows[near], str):
                    return near
                near += step
        return 0

    def _move_to(self, place: int, *, settle: bool = True) -> None:
        if settle:
            self.selection.settle()
        place = self._nearest(place, 1 if place > self._cursor else -1)
        if not self._rows or place == self._cursor:
            return
        before, self._cursor = self._cursor, place
        top = round(self.scroll_y)
        self._scroll_to_cursor()
        if round(self.scroll_y) == top:
            self._repaint(y for y in (before - top + 1, place - top + 1) if 0 < y < self.size.height)
        self.post_message(AccountHighlighted(self.selected))

    def _scroll_to_cursor(self) -> None:
        room = self.scrollable_content_region.height - 1
        top = round(self.scroll_y)
        if room < 1 or not self._rows:
            return
        first = self._cursor
        if first and not isinstance(self._rows[first - 1], str) and room > 1:
            # The first of a group is seen with the group's name.
            first -= 1
        if first < top:
            self.scroll_to(y=first, animate=False, immediate=True)
        elif self._cursor >= top + room:
            self.scroll_to(y=self._cursor - room + 1, animate=False, immediate=True)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._move_to(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screens."""
        self._move_to(self._cursor + pages * max(self.scrollable_content_region.height - 2, 1))

    def action_first(self) -> None:
        """Go to the first record."""
        self._move_to(0)

    def action_last(self) -> None:
        """Go to the last record."""
        self._move_to(len(self._rows) - 1)

    def action_sideways(self, direction: int) -> None:
        """Scroll to the next column, or back to the one before."""
        target = self._sheet.next_stop(round(self.scroll_x), direction, self.scrollable_content_region.width)
        self.scroll_to(x=target, animate=False, immediate=True)

    def action_open(self) -> None:
        """Open the record under the cursor."""
        if self.selected is not None:
            self.post_message(AccountOpened(self.selected))

    def action_select(self) -> None:
        """Select the record under the cursor, or no more, and go on to the next."""
        if self.selected is not None:
            self.selection.toggle(self.selected)
            self.show_selection()
            self._move_to(self._cursor + 1)

    def action_extend(self, rows: int) -> None:
        """Select all from where extending began to where the cursor goes."""
        start = self.selected
        if start is None:
            return
        self._move_to(self._cursor + rows, settle=False)
        self.selection.extend(self._names, start, self.selected or start)
        self.show_selection()

    def action_select_all(self) -> None:
        """Select all that are shown; if they are, none."""
        self.selection.toggle_all(self._names)
        self.show_selection()

    def show_selection(self) -> None:
        """Draw the selection as it is now, and tell."""
        if self._lead_columns != self._sheet.lead:
            self._lay_out()
            self.refresh()
        else:
            self._repaint(y for y, _ in self._visible())
        self.post_message(self.SelectionChanged())

    def on_click(self, event: events.Click) -> None:
        """Go to the record under the mouse, open it with a second click, select it with ctrl; a title sorts."""
        place = round(self.scroll_y) + event.y - 1
        if event.y == 0:
            if column := self._column_at(event.x):
                self.post_message(self.SortAsked(column))
        elif place < len(self._rows) and isinstance(self._rows[place], str):
            self._move_to(place)
            if event.ctrl:
                self.selection.toggle(str(self._rows[place]))
                self.show_selection()
            elif event.chain == 2:
                self.action_open()

    def _column_at(self, x: int) -> str:
        """What the title at `x` sorts by, empty where there is none that sorts."""
        index = self._sheet.column_at(x, round(self.scroll_x), self.scrollable_content_region.width)
        if index is None:
            return ""
        if index < 0:
            return self.lead_column
        return self._columns[index].id if self._columns[index].key is not None else ""
