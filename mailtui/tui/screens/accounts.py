"""The accounts, and below them both legs of the one under the cursor."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from mailtui.actions.filtering import Filter
from mailtui.actions.standing import Standing
from mailtui.model.check import Leg
from mailtui.model.text import clean
from mailtui.tui.account_columns import ACCOUNT_COLUMNS, STATUS
from mailtui.tui.columns import Column
from mailtui.tui.desk import Desk, Loading
from mailtui.tui.ordering import Row, grouped
from mailtui.tui.screens.records import FILTER, READING
from mailtui.tui.screens.remedy_keys import ACCEPT, FIX, INSIST
from mailtui.tui.screens.retrieving import RetrievingScreen
from mailtui.tui.widgets.account_list import AccountList
from mailtui.tui.widgets.filter_input import FilterInput
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import STYLES, LadderPanel
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.words import Mark

_COUNTED = (
    (Standing.GOOD, Mark.OK),
    (Standing.WARNING, Mark.WARNING),
    (Standing.FAILING, Mark.FAILED),
    (Standing.UNCHECKED, Mark.UNCHECKED),
    (Standing.OFF, Mark.ABSENT),
)

_EMPTY = {
    Loading.BUSY: "Reading the accounts …",
    Loading.DONE: "No accounts yet. n makes the first; many come by: mailtui account apply FILE",
    Loading.FAILED: "The accounts could not be read. ctrl+r tries again.",
}


class AccountsScreen(RetrievingScreen):
    """The home of the program."""

    CSS_PATH = "records.tcss"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "back",
            "Cancel",
            show=False,
            id="accounts.cancel",
            tooltip="Cancel your retrievals, then the checks; then the selection, then the filter",
        ),
        Binding("n", "new", "New", id="accounts.new", tooltip="Make a new account"),
        Binding("e", "edit", "Edit", id="accounts.edit", tooltip="Edit the account under the cursor"),
        Binding("t", "test", "Test", id="accounts.test", tooltip="Test the selected accounts, else this one"),
        Binding("T", "test_all", "All", id="accounts.test_all", tooltip="Test every active account"),
        FILTER,
        Binding("a", "switch", "On/off", id="accounts.toggle", tooltip="Make accounts active or inactive"),
        Binding("d,delete", "remove", "Delete", id="accounts.delete", tooltip="Delete accounts; asks first"),
        Binding("m", "retrieval", "Retrieval", id="accounts.retrieval", tooltip="Message Retrieval of this account"),
        Binding("u", "undo", "Undo", show=False, id="accounts.undo", tooltip="Bring back what was deleted last"),
        Binding(
            "c", "duplicate", "Duplicate", show=False, id="accounts.duplicate", tooltip="Make a copy of this account"
        ),
        Binding(
            "E", "edit_text", "Edit as TOML", show=False, id="accounts.edit_text", tooltip="Edit it in your editor"
        ),
        Binding("N", "new_text", "New as TOML", show=False, id="accounts.new_text", tooltip="Write one in your editor"),
        Binding("x", "export", "Export", show=False, id="accounts.export", tooltip="Write accounts to a TOML file"),
        Binding(
            "r",
            "retrieve",
            "Retrieve",
            show=False,
            id="accounts.retrieve",
            tooltip="Fetch the mail of the selected accounts, else of this one",
        ),
        Binding("f", "show", "Show", show=False, id="accounts.show", tooltip="Show those of one status or type"),
        FIX,
        ACCEPT,
        INSIST,
        Binding("o", "group", "Group", show=False, id="accounts.group", tooltip="Group the accounts by type, or not"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._grouped = False

    def compose(self) -> ComposeResult:
        """The summary, the filter, the list, the two legs and the keys."""
        yield Static(id="summary", markup=False)
        yield FilterInput(id="filter")
        yield AccountList(self._board, self._desk.now, id="accounts")
        with Horizontal(id="legs"):
            yield LadderPanel(Leg.OUTBOUND, id="outbound")
            yield LadderPanel(Leg.INBOUND, id="inbound")
        yield MessageBar()
        yield KeyBar()

    @property
    def sortable(self) -> tuple[Column[Any], ...]:
        """The columns, and the status."""
        return (*ACCOUNT_COLUMNS[1:], ACCOUNT_COLUMNS[0], STATUS)

    def listed(self) -> list[str]:
        """All accounts."""
        return self._board.names

    def empty(self) -> str:
        """What to do without accounts."""
        return _EMPTY[self._desk.state]

    def rows_of(self, names: list[str]) -> list[Row]:
        """The rows, in groups if that is wanted."""
        if not self._grouped:
            return list(names)
        return grouped(names, lambda name: self._board.account(name).type)

    def show_selected(self) -> None:
        """Both legs."""
        name = self.records.selected
        known = name is not None and name in self._board and not self._board.awaits_report(name)
        for panel in self.query(LadderPanel):
            panel.show(self._board.view(name, panel.view.leg) if name is not None and known else None, self._desk.now)

    def tell(self) -> list[list[Content]]:
        """How many accounts there are, are selected, are being tested, and how they stand."""
        total, shown = len(self._board), len(self.records.names)
        number = f"{shown} of {total}" if shown != total else str(total)
        first = Content(f" {number} account{'s' * (total != 1)}")
        if self._board.awaits_reports:
            return [[first, *self.selecting(worded=True), *self.progress(worded=True), Content(READING)]]
        counts = [(standing, mark, self._board.count(standing)) for standing, mark in _COUNTED]
        ways = []
        for worded, busy in ((True, True), (False, True), (False, False)):
            told = [
                Content.assemble((mark.glyph, STYLES[mark.role]), f" {count}{f' {standing.value}' if worded else ''}")
                for standing, mark, count in counts
                if count
            ]
            ways.append([first, *self.selecting(worded=worded), *self.progress(worded=busy), *told])
        return ways

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """escape is offered while there is something to give up."""
        if action == "back" and self.is_mounted:
            busy = self._board.running + self._board.retrievals.by_hand
            return busy > 0 or self.field.display or len(self.records.selection) > 0
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Give up the nearest thing: the filter while it is typed, what runs, the selection, the filter."""
        self.give_up_nearest(
            self.give_up_typing,
            self.give_up_own_retrievals,
            self.give_up_checks,
            self.give_up_selection,
            self.give_up_filter,
        )

    def action_test_all(self) -> None:
        """Check every active account."""
        active = [name for name in self._board.names if self._board.account(name).active]
        if not self._desk.checker.test(active):
            busy = self._board.running
            self._desk.say("All active accounts are being tested already." if busy else "There is no active account.")

    def action_switch(self) -> None:
        """Make accounts inactive if they are all active, else active."""
        names = self.targets()
        if names:
            self._desk.set_active(names, not all(self._board.account(name).active for name in names))

    def action_remove(self) -> None:
        """Delete accounts; the desk asks first."""
        if names := self.targets():
            self._desk.errands.remove(names)

    def action_undo(self) -> None:
        """Bring back what was deleted last."""
        self._desk.errands.undo()

    def action_export(self) -> None:
        """Write accounts to a file."""
        if names := self.targets():
            self._desk.errands.export(names)

    def action_new(self) -> None:
        """Make a new account."""
        self._desk.errands.new()

    def action_edit(self) -> None:
        """Edit the account under the cursor."""
        if (name := self.records.selected) is not None:
            self._desk.errands.edit(name)

    def action_edit_text(self) -> None:
        """Edit the account under the cursor in the person's own editor."""
        if (name := self.records.selected) is not None:
            self._desk.errands.edit_text(name)

    def action_new_text(self) -> None:
        """Write a new account in the person's own editor."""
        self._desk.errands.edit_text(None)

    def action_duplicate(self) -> None:
        """Make a new account like the one under the cursor."""
        if (name := self.records.selected) is not None:
            self._desk.errands.duplicate(name)

    def retrieve(self, names: Sequence[str], whose: str) -> None:
        """Fetch mail, and say where that is seen: this list tells of checks."""
        before = self._board.retrievals.running
        super().retrieve(names, whose)
        if len(names) == 1 and self._board.retrievals.running > before:
            self._desk.say(f"Retrieving {whose}; m shows how far it is.")

    def action_retrieval(self) -> None:
        """Go to Message Retrieval, and come back to the account that was looked at last."""
        from mailtui.tui.screens.retrieval import RetrievalScreen

        self.app.push_screen(RetrievalScreen(self._desk, self.records.selected), self._come_back)

    def _come_back(self, name: str | None) -> None:
        if name is not None:
            self.show_names(select=name, keep=name)

    def action_group(self) -> None:
        """Group by type, or not."""
        self._grouped = not self._grouped
        self.show_names()

    def action_show(self) -> None:
        """Choose one status or type to show; it becomes part of the filter."""
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.tui.screens.menu import MenuScreen

        present = Filter.parse(self.field.value)
        options = [("", "all", str(len(self._board)))]
        current = ""
        for standing, mark in _COUNTED:
            wanted = str(present.asking(status=standing.value, type=None))
            options.append((wanted, standing.value, f"{mark.glyph} {self._board.count(standing)}"))
            if present.value("status") == standing.value:
                current = wanted
        types = Counter(clean(self._board.account(name).type) for name in self._board.names)
        for kind in sorted(types, key=lambda kind: (not kind, kind.casefold())) if set(types) != {""} else ():
            wanted = str(present.asking(type=kind, status=None))
            options.append((wanted, kind or "no type", f"type, {types[kind]}"))
            if present.value("type") == kind.casefold():
                current = wanted
        options[0] = (str(present.asking(type=None, status=None)), *options[0][1:])
        self.app.push_screen(MenuScreen("Show", options, current or options[0][0]), self._show)

    def _show(self, wanted: str | None) -> None:
        if wanted is not None:
            self.ask_for(Filter.parse(wanted))
