"""Message Retrieval: how the mail of each account arrives, as a list of its own."""

from pathlib import PurePath
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from mailtui.model.check import Leg
from mailtui.tui.columns import Column
from mailtui.tui.desk import Desk, Loading
from mailtui.tui.retrieval_columns import RETRIEVAL_COLUMNS
from mailtui.tui.screens.records import FILTER, READING, RecordsScreen
from mailtui.tui.screens.remedy_keys import ACCEPT, FIX, INSIST
from mailtui.tui.widgets.filter_input import FilterInput
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import STYLES, LadderPanel
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.widgets.retrieval_list import RetrievalList
from mailtui.tui.words import Mark

_EMPTY = {
    Loading.BUSY: "Reading the accounts …",
    Loading.DONE: "No account receives mail. Edit one and switch on “receive mail” to see it here.",
    Loading.FAILED: "The accounts could not be read. ctrl+r tries again.",
}
_COUNTED = (Mark.OK, Mark.WARNING, Mark.FAILED, Mark.UNCHECKED)
_SAID = {Mark.OK: "good", Mark.WARNING: "warning", Mark.FAILED: "failing", Mark.UNCHECKED: "unchecked"}


class RetrievalScreen(RecordsScreen):
    """The accounts that receive. The result is the account to go back to."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["records.tcss", "retrieval.tcss"]
    heading = "Message Retrieval"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "leave", "Accounts", id="retrieval.accounts", tooltip="Back to the accounts"),
        Binding(
            "escape",
            "back",
            "Back",
            show=False,
            id="retrieval.back",
            tooltip="Cancel the running checks; then the selection, then the filter; then back to the accounts",
        ),
        Binding("t", "test", "Test", id="retrieval.test", tooltip="Test the selected accounts, else this one"),
        Binding("e", "edit", "Edit", id="retrieval.edit", tooltip="Edit how this account's mail arrives"),
        FILTER,
        Binding("r", "retrieve", "Retrieve", id="retrieval.retrieve", tooltip="Fetch the mail of this account"),
        FIX,
        ACCEPT,
        INSIST,
        Binding("R", "retrieve_all", "All", id="retrieval.retrieve_all", tooltip="Fetch the mail of all accounts"),
    ]

    def __init__(self, desk: Desk, select: str | None = None) -> None:
        super().__init__(desk)
        self._first = select

    def compose(self) -> ComposeResult:
        """The sums, what cannot be done yet, the filter, the list, the receiving leg and the keys."""
        yield Static(id="summary", markup=False)
        yield Static(Content(self._desk.retrieval_unavailable), id="unavailable", markup=False)
        yield FilterInput(id="filter")
        yield RetrievalList(self._board, self._desk.now, id="retrievals")
        with Horizontal(id="legs"):
            yield LadderPanel(Leg.INBOUND, id="inbound")
        yield MessageBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin at the account that was looked at."""
        if self._first is not None and self._first in self.listed():
            self.show_names(select=self._first)
            self.show_selected()

    @property
    def sortable(self) -> tuple[Column[Any], ...]:
        """The columns that tell accounts apart."""
        return tuple(column for column in RETRIEVAL_COLUMNS if column.key is not None)

    def listed(self) -> list[str]:
        """The accounts that receive."""
        return [name for name in self._board.names if self._board.account(name).retrieval is not None]

    def empty(self) -> str:
        """What to do when no account receives."""
        return _EMPTY[self._desk.state]

    def show_selected(self) -> None:
        """The receiving leg."""
        name = self.records.selected
        known = name is not None and name in self._board and not self._board.awaits_report(name)
        view = self._board.view(name, Leg.INBOUND) if name is not None and known else None
        self.query_one(LadderPanel).show(view, self._desk.now)

    def tell(self) -> list[list[Content]]:
        """How many accounts receive, how those stand, and how many only send."""
        listed = self.listed()
        shown, total = len(self.records.names), len(listed)
        number = f"{shown} of {total}" if shown != total else str(total)
        first = Content(f" {number} account{'s' * (total != 1)}")
        if self._board.awaits_reports:
            return [[first, *self.selecting(worded=True), *self.progress(worded=True), Content(READING)]]
        marks = [self._board.mark(name, Leg.INBOUND) for name in listed]
        only_send = len(self._board) - total
        ways = []
        for worded, busy in ((True, True), (False, True), (False, False)):
            told = [
                Content.assemble((mark.glyph, STYLES[mark.role]), f" {count}{f' {_SAID[mark]}' if worded else ''}")
                for mark in _COUNTED
                if (count := marks.count(mark))
            ]
            if only_send:
                told.append(
                    Content.styled(
                        f"{only_send} account{'s' * (only_send != 1)} only send{'s' * (only_send == 1)}", "dim"
                    )
                )
            ways.append([first, *self.selecting(worded=worded), *self.progress(worded=busy), *told])
        return ways

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be retrieved; the line above the list says why."""
        if action in ("retrieve", "retrieve_all"):
            return None
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Give up the nearest thing: a filter being typed, the checks, the selection, the filter; then leave."""
        if not self.give_up_nearest(
            self.give_up_typing, self.give_up_checks, self.give_up_selection, self.give_up_filter
        ):
            self.action_leave()

    def action_leave(self) -> None:
        """Back to where the person came from, with the account under the cursor."""
        self.dismiss(self.records.selected)

    def action_edit(self) -> None:
        """Edit how mail arrives."""
        if (name := self.records.selected) is not None:
            self._desk.errands.edit(name, section="incoming")
