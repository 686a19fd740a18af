"""The list of accounts: draws only the rows on the screen, so thousands of accounts scroll like ten."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mailtui.model.check import Leg
from mailtui.model.text import pad
from mailtui.tui.board import Board
from mailtui.tui.columns import COLUMNS, GAP, fit, wishes
from mailtui.tui.messages import AccountHighlighted, AccountOpened
from mailtui.tui.words import Role

# The marks stand below the first letter of their leg.
_MARKS_HEADER = " Out In "
_MARKS_COLUMNS = len(_MARKS_HEADER)


class AccountList(ScrollView, can_focus=True):
    """One line for each account, with a cursor. Text is cleaned and never parsed as markup."""

    HELP = "The accounts. The marks tell how the last check of sending (Out) and receiving (In) ended."

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "account-list--header",
        "account-list--cursor",
        *(f"account-list--{role.value}" for role in Role),
    }

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home,g", "first", "First", show=False, id="list.first"),
        Binding("end,G", "last", "Last", show=False, id="list.last"),
        Binding("left,h", "sideways(-8)", "Scroll left", show=False, id="list.left"),
        Binding(
            "right,l",
            "sideways(8)",
            "Scroll right",
            show=False,
            id="list.right",
            tooltip="See the columns to the right",
        ),
        Binding("enter", "open", "Open", id="list.open", tooltip="Everything about the last check of this account"),
    ]

    def __init__(self, board: Board, now: datetime, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._board = board
        self._now = now
        self._names: list[str] = []
        self._rows: dict[str, int] = {}
        self._wishes = wishes([], now)
        self._widths = [wish.full for wish in self._wishes]
        self._cursor = 0
        self.empty_text = "…"
        self.repaints = 0
        """How often rows were asked to be drawn again; a flood of events must not show here one by one."""

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        return self._names[self._cursor] if self._names else None

    @property
    def names(self) -> tuple[str, ...]:
        """The names shown, from top to bottom."""
        return tuple(self._names)

    def show(self, names: Iterable[str], now: datetime, *, select: str | None = None, measure: bool = True) -> None:
        """Show these accounts; the cursor stays on its account where it can. `measure` fits the columns anew."""
        before = self.selected
        wanted = select or before
        self._names = list(names)
        self._rows = {name: row for row, name in enumerate(self._names)}
        self._now = now
        if measure:
            self._wishes = wishes([self._board.account(name) for name in self._board.names], now)
        self._cursor = self._rows.get(wanted or "", min(self._cursor, max(len(self._names) - 1, 0)))
        self._lay_out()
        self._scroll_to_cursor()
        self.refresh()
        if self.selected != before or select is not None:
            self.post_message(AccountHighlighted(self.selected))

    def refresh_names(self, names: Iterable[str], now: datetime) -> None:
        """Draw the rows of `names` again where they are on the screen."""
        self._now = now
        top = round(self.scroll_y)
        visible = range(top, top + self.size.height - 1)
        changed = [self._rows[name] for name in names if name in self._rows]
        regions = [Region(0, row - top + 1, self.size.width, 1) for row in changed if row in visible]
        if regions:
            self.repaints += 1
            self.refresh(*regions)

    def refresh_ages(self, now: datetime) -> None:
        """Time has passed: draw what is on the screen again."""
        self._now = now
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Line 0 is the header; it stays while the rows scroll."""
        left, top = round(self.scroll_x), round(self.scroll_y)
        size = self.scrollable_content_region.width
        if y == 0:
            strip = self._header()
        elif (row := top + y - 1) < len(self._names):
            strip = self._row(row)
        else:
            if y == 2 and not self._names:
                return self._strip([("  " + self.empty_text, Role.DIM)], self.rich_style).adjust_cell_length(
                    size, self.rich_style
                )
            return Strip.blank(size, self.rich_style)
        strip = strip.crop_extend(left, left + size, next(iter(strip)).style)
        if y == 0 and left + size < self.virtual_size.width:
            # More columns are to the right; the list has no scroll bar for them, rows are worth more.
            strip = Strip.join([strip.crop(0, size - 1), Strip([Segment("›", next(iter(strip)).style)])])
        return strip

    def _header(self) -> Strip:
        style = self.get_component_rich_style("account-list--header")
        titles = "".join(
            pad(column.title, size) + " " * GAP for column, size in zip(COLUMNS, self._widths, strict=True)
        )
        return Strip([Segment(_MARKS_HEADER + titles, style)])

    def _row(self, row: int) -> Strip:
        name = self._names[row]
        account, report = self._board.account(name), self._board.report(name)
        outbound, inbound = self._board.mark(name, Leg.OUTBOUND), self._board.mark(name, Leg.INBOUND)
        base = self.rich_style
        if row == self._cursor:
            base += self.get_component_rich_style("account-list--cursor", partial=True)
        words = Role.PLAIN if account.active else Role.DIM
        spans = [
            (" ", Role.PLAIN),
            (outbound.glyph, outbound.role),
            ("   ", Role.PLAIN),
            (inbound.glyph, inbound.role),
            ("  ", Role.PLAIN),
        ]
        for index, (column, size) in enumerate(zip(COLUMNS, self._widths, strict=True)):
            role = words if index == 0 else Role.DIM
            if index == 0 and row == self._cursor:
                role = Role.STRONG
            spans.append((column.cell(account, report, self._now, size) + " " * GAP, role))
        return self._strip(spans, base)

    def _strip(self, spans: Iterable[tuple[str, Role]], base: Style) -> Strip:
        styles = {role: self.get_component_rich_style(f"account-list--{role.value}", partial=True) for role in Role}
        return Strip([Segment(text, base + styles[role]) for text, role in spans])

    def _lay_out(self) -> None:
        self._widths = fit(self._wishes, self.scrollable_content_region.width - _MARKS_COLUMNS - 1)
        self.virtual_size = Size(_MARKS_COLUMNS + sum(size + GAP for size in self._widths) - GAP, len(self._names) + 1)

    def on_resize(self) -> None:
        """Share the new width among the columns."""
        self._lay_out()
        self._scroll_to_cursor()

    def notify_style_update(self) -> None:
        """Draw again in the colours of another theme."""
        super().notify_style_update()
        self.refresh()

    def _move_to(self, row: int) -> None:
        row = max(0, min(row, len(self._names) - 1))
        if not self._names or row == self._cursor:
            return
        self._cursor = row
        self._scroll_to_cursor()
        self.refresh()
        self.post_message(AccountHighlighted(self.selected))

    def _scroll_to_cursor(self) -> None:
        room = self.scrollable_content_region.height - 1
        top = round(self.scroll_y)
        if room < 1:
            return
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False)
        elif self._cursor >= top + room:
            self.scroll_to(y=self._cursor - room + 1, animate=False)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._move_to(self._cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screens."""
        self._move_to(self._cursor + pages * max(self.scrollable_content_region.height - 2, 1))

    def action_first(self) -> None:
        """Go to the first account."""
        self._move_to(0)

    def action_last(self) -> None:
        """Go to the last account."""
        self._move_to(len(self._names) - 1)

    def action_sideways(self, columns: int) -> None:
        """Scroll by columns."""
        self.scroll_to(x=self.scroll_x + columns, animate=False)

    def action_open(self) -> None:
        """Open the selected account."""
        if self.selected is not None:
            self.post_message(AccountOpened(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select the account under the mouse; a second click opens it."""
        row = round(self.scroll_y) + event.y - 1
        if event.y > 0 and row < len(self._names):
            self._move_to(row)
            if event.chain == 2:
                self.action_open()
