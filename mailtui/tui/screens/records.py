"""What the screens with a list of accounts have in common: filter, order, selection and their keys."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from mailtui.actions.filtering import Filter
from mailtui.model.check import Leg
from mailtui.tui.columns import Column
from mailtui.tui.desk import Desk
from mailtui.tui.filtering import AccountFilter
from mailtui.tui.messages import AccountHighlighted, AccountOpened, AccountsChanged, ChecksProgressed
from mailtui.tui.ordering import Order, Row, Sorter
from mailtui.tui.summary import fitted, running, selected
from mailtui.tui.widgets.filter_input import FilterInput
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import LadderPanel
from mailtui.tui.widgets.record_list import RecordList

_AGES_INTERVAL = 5.0
"""Seconds between two looks at the clock for the ages."""

_SLICE, _SLICE_INTERVAL = 100, 0.03
"""Accounts that are looked at together for the filter, and the seconds between: a key never waits for long."""

_NEED_AN_ACCOUNT = frozenset(
    {"test", "edit", "edit_text", "duplicate", "switch", "remove", "export", "fix", "accept", "insist"}
)

READING = "reading the last checks …"
"""Said instead of the sums that nobody knows yet."""

FILTER = Binding(
    "slash",
    "filter",
    "Filter",
    key_display="/",
    # First of all keys: what is typed right after it must not be taken for keys of the list.
    priority=True,
    id="list.filter",
    tooltip="Show accounts with a text, a status, a type …",
)
"""Each screen puts it where it belongs among its own keys."""


class RecordsScreen(Screen[str | None]):
    """A list of accounts with its filter. Subclasses compose it, and say which accounts there are and how they sort."""

    AUTO_FOCUS = "RecordList"
    heading = "mailtui"
    """The first words of the summary."""
    about: Leg | None = None
    """The leg that the list is about, if it is one."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (92, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-normal"), (34, "-high")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False, id="list.sort", tooltip="Choose the column to sort by"),
        Binding("ctrl+r", "reload", "Reload", show=False, id="list.reload", tooltip="Read the accounts again"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._board = desk.board
        self._filter = AccountFilter(desk.board)
        self._order = Order("name")
        self._sorter: Sorter[Any] = Sorter(desk.board.judged, lambda name: self.records.row(name))
        self._seen = 0
        self._offered: object = None

    @property
    def records(self) -> RecordList[Any]:
        """The list."""
        return self.query_one(RecordList)

    @property
    def field(self) -> FilterInput:
        """The filter."""
        return self.query_one(FilterInput)

    @property
    def sortable(self) -> Sequence[Column[Any]]:
        """The columns that the list can be sorted by."""
        raise NotImplementedError

    def listed(self) -> list[str]:
        """The accounts that this screen is about, before any filter."""
        raise NotImplementedError

    def empty(self) -> str:
        """What the list says when there is no account at all."""
        raise NotImplementedError

    def tell(self) -> list[list[Content]]:
        """The parts of the summary, from the longest way to say it to the shortest."""
        raise NotImplementedError

    def show_selected(self) -> None:
        """Show more about the account under the cursor."""
        raise NotImplementedError

    def rows_of(self, names: list[str]) -> list[Row]:
        """The rows of the list."""
        return list(names)

    def on_mount(self) -> None:
        """Begin to follow the clock."""
        self.set_interval(_AGES_INTERVAL, self._ages)
        self._preparing = self.set_interval(_SLICE_INTERVAL, self._prepare, pause=True)
        self._rebuild(AccountsChanged())

    @on(AccountsChanged)
    def _rebuild(self, message: AccountsChanged) -> None:
        self._seen = self._board.serial
        self.show_names(select=message.select, changed=True)
        self.show_selected()
        self.offer()
        self._preparing.reset()
        self._preparing.resume()

    @on(ChecksProgressed)
    def _progressed(self) -> None:
        if not self.is_current:
            # Nobody sees it; it catches up when it is in front again.
            return
        names = set(self._board.changed_since(self._seen))
        self._seen = self._board.serial
        if names and not self._board.running and not self._board.retrievals.running:
            # What was found may belong elsewhere, or nowhere; while checks run the rows keep still.
            self.show_names(keep=self.records.selected)
        else:
            self.records.refresh_names(names, self._desk.now)
        if self.records.selected in names:
            self.show_selected()
        self.summarise()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was in front."""
        if self.query(RecordList):
            self._progressed()
            self._ages()

    @on(AccountHighlighted)
    def _highlighted(self) -> None:
        self.show_selected()
        self.offer()

    @on(AccountOpened)
    def _open(self, message: AccountOpened) -> None:
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.tui.screens.detail import DetailScreen

        if message.name in self._board:
            self.app.push_screen(DetailScreen(self._desk, message.name, self.about))

    def show_names(self, *, select: str | None = None, keep: str | None = None, changed: bool = False) -> None:
        """Filter and sort anew. `keep` is shown whether or not it matches any more; `changed` fits the columns anew."""
        listed = self.listed()
        names = self._filter.matches(self.field.value, listed)
        if keep is not None and keep in listed and keep not in names:
            names.append(keep)
        if select is not None and select not in names and select in listed:
            # A person must see what was just saved.
            with self.prevent(FilterInput.Changed):
                self.field.value = ""
            self.field.display = False
            names = listed
        records = self.records
        if changed:
            self._sorter.clear()
        column = next(column for column in self.sortable if column.id == self._order.column)
        names = self._sorter.ordered(names, column, self._order.largest_first)
        records.empty_text = self._no_hits() if listed else self.empty()
        records.show(
            self.rows_of(names),
            self._desk.now,
            order=self._order,
            known=dict.fromkeys(listed) if changed else None,
            select=select,
        )
        self.summarise()

    def _no_hits(self) -> str:
        problem = Filter.parse(self.field.value).problem
        return f"{problem or 'No account matches the filter.'} escape shows all."

    def _prepare(self) -> None:
        if not self._filter.prepare(_SLICE):
            self._preparing.pause()

    def _ages(self) -> None:
        self.records.refresh_ages(self._desk.now)
        self.show_selected()

    def summarise(self) -> None:
        """Tell the sums in the first line: the words go before anything is cut."""
        summary = fitted(self.heading, self.tell(), self.size.width)
        self.query_one("#summary", Static).update(summary, layout=False)
        self.offer()

    def progress(self, *, worded: bool) -> list[Content]:
        """How far the checks and retrievals are that run."""
        return running(self._board, worded=worded)

    def selecting(self, *, worded: bool) -> list[Content]:
        """How many accounts are selected, and how many of those are not to be seen."""
        return selected(len(self.records.selection), self.hidden, worded=worded)

    @property
    def hidden(self) -> int:
        """How many selected accounts the filter hides."""
        return len(self.records.selection.names.difference(self.records.names))

    def targets(self) -> list[str]:
        """The selected accounts, whether or not a filter hides them; without any, the one under the cursor."""
        selection = self.records.selection
        if len(selection):
            return [name for name in self._board.names if name in selection]
        return [] if self.records.selected is None else [self.records.selected]

    def told_of(self, names: Sequence[str]) -> str:
        """`names` in a sentence."""
        if len(names) == 1 and not len(self.records.selection):
            return names[0]
        hidden = f", {self.hidden} of them hidden by the filter" if self.hidden else ""
        return f"{len(names)} selected account{'s' * (len(names) != 1)}{hidden}"

    def offer(self) -> None:
        """Have the footer drawn again when other keys work now; that costs more than most keys do."""
        offered = (self.check_action("test", ()), self._board.retrievals.running > 0)
        if offered != self._offered:
            self._offered = offered
            self.refresh_bindings()
        self.query_one(KeyBar).offer(self._at_hand())

    def _at_hand(self) -> set[str]:
        """The actions that do something about the account under the cursor, if it is what keys act on."""
        name, selection = self.records.selected, self.records.selection
        if name is None or not self._board.testable([name]) or (len(selection) and name not in selection):
            return set()
        remedies = [panel.view.remedy for panel in self.query(LadderPanel)]
        return {remedy.action for remedy in remedies if remedy is not None}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer offers what can be done now."""
        if not self.is_mounted or not self.query(RecordList):
            return True
        if action == "filter":
            return self.focused is not self.field
        if action in _NEED_AN_ACCOUNT:
            return len(self.records.selection) > 0 or self.records.selected is not None
        return True

    def on_resize(self) -> None:
        """Fit the summary to the new width."""
        self.summarise()

    def action_test(self) -> None:
        """Check the selected accounts, else the one under the cursor."""
        names = self.targets()
        if not names:
            return
        started = self._desk.checker.test(names)
        if not started:
            self._desk.say(f"{self.told_of(names)}: already being tested.")
        elif len(self.records.selection):
            busy = f" {len(names) - started} of them are being tested already." if started < len(names) else ""
            self._desk.say(f"Testing {self.told_of(names)}.{busy}")

    def action_fix(self) -> None:
        """Make the changes that the diagnoses propose."""
        if names := self.targets():
            self._desk.errands.fix(names)

    def action_accept(self) -> None:
        """Take servers that changed as they are now."""
        if names := self.targets():
            self._desk.errands.accept(names)

    def action_insist(self) -> None:
        """Log in again although that was refused."""
        if names := self.targets():
            self._desk.errands.insist(names)

    def action_reload(self) -> None:
        """Read the accounts again."""
        self._desk.reload()

    def give_up_nearest(self, *steps: Callable[[], bool]) -> bool:
        """Do the first of `steps` that has something to do; whether there was one."""
        return any(step() for step in steps)

    def give_up_typing(self) -> bool:
        """Clear the filter while it is typed."""
        return self.focused is self.field and self.give_up_filter()

    def give_up_checks(self) -> bool:
        """Cancel all checks."""
        if not self._board.running:
            return False
        cancelled = self._desk.checker.cancel()
        self._desk.say(f"Cancelled the check of {cancelled} account{'s' * (cancelled != 1)}.")
        return True

    def give_up_selection(self) -> bool:
        """Select nothing."""
        if not len(self.records.selection):
            return False
        self.records.selection.clear()
        self.records.show_selection()
        return True

    def give_up_filter(self) -> bool:
        """Show all."""
        if not self.field.display:
            return False
        self.field.value = ""
        self.field.display = False
        self.records.focus()
        return True

    def action_filter(self) -> None:
        """Open the filter."""
        self.field.display = True
        self.set_focus(self.field)

    def ask_for(self, wanted: Filter) -> None:
        """Filter by `wanted`, as if it had been typed."""
        self.field.value = str(wanted)
        self.field.cursor_position = len(self.field.value)
        self.field.display = bool(wanted.terms)

    @on(FilterInput.Changed)
    def _filter_changed(self) -> None:
        self.show_names()

    @on(FilterInput.Done)
    def _filter_done(self) -> None:
        self.records.focus()
        self.field.display = bool(self.field.value.strip())

    @on(RecordList.SelectionChanged)
    def _selection_changed(self) -> None:
        self.summarise()

    def action_sort(self) -> None:
        """Choose a column; the same one again turns the order around."""
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.tui.screens.menu import MenuScreen

        options = []
        for column in self.sortable:
            order = self._order.then(column)
            options.append(
                (
                    column.id,
                    column.title,
                    f"{order.mark} turn around" if column.id == self._order.column else order.mark,
                )
            )
        self.app.push_screen(MenuScreen("Sort by", options, self._order.column), self._sort)

    @on(RecordList.SortAsked)
    def _header_clicked(self, event: RecordList.SortAsked) -> None:
        self._sort(event.column)

    def _sort(self, chosen: str | None) -> None:
        for column in self.sortable:
            if column.id == chosen:
                self._order = self._order.then(column)
                self.show_names()
