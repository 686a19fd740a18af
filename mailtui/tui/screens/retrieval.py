"""Message Retrieval: how the mail of each account arrives, as a list of its own."""

from pathlib import PurePath
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from mailtui.model.amounts import counted
from mailtui.model.check import Leg
from mailtui.tui.columns import Column
from mailtui.tui.desk import Desk, Loading
from mailtui.tui.retrieval_columns import RETRIEVAL_COLUMNS
from mailtui.tui.screens.records import FILTER, READING
from mailtui.tui.screens.remedy_keys import ACCEPT, FIX, INSIST
from mailtui.tui.screens.retrieving import RetrievingScreen
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


class RetrievalScreen(RetrievingScreen):
    """The accounts that receive. The result is the account to go back to."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["records.tcss", "retrieval.tcss"]
    heading = "Message Retrieval"
    about = Leg.INBOUND

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "leave", "Accounts", id="retrieval.accounts", tooltip="Back to the accounts"),
        Binding(
            "escape",
            "back",
            "Back",
            show=False,
            id="retrieval.back",
            tooltip="Cancel the retrievals, then the checks; then the selection, the filter; then back to the accounts",
        ),
        Binding(
            "r",
            "retrieve",
            "Retrieve",
            id="retrieval.retrieve",
            tooltip="Fetch the mail of the selected accounts, else of this one",
        ),
        Binding(
            "R", "retrieve_all", "All", id="retrieval.retrieve_all", tooltip="Fetch the mail of all active accounts"
        ),
        Binding(
            "x",
            "stop",
            "Stop",
            id="retrieval.stop",
            tooltip="Cancel the retrieval of the selected accounts, else of this one; what was fetched is kept",
        ),
        Binding(
            "D",
            "dry_run",
            "Dry run",
            id="retrieval.dry_run",
            tooltip="What would be fetched and deleted now; changes nothing",
        ),
        Binding("t", "test", "Test", id="retrieval.test", tooltip="Test the selected accounts, else this one"),
        Binding("e", "edit", "Edit", id="retrieval.edit", tooltip="Edit how this account's mail arrives"),
        FILTER,
        FIX,
        ACCEPT,
        INSIST,
    ]

    def __init__(self, desk: Desk, select: str | None = None) -> None:
        super().__init__(desk)
        self._first = select

    def compose(self) -> ComposeResult:
        """The sums, the filter, the list, the receiving leg and the keys."""
        yield Static(id="summary", markup=False)
        yield FilterInput(id="filter")
        yield RetrievalList(self._board, self._desk.automatic, self._desk.now, id="retrievals")
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
        view = self._board.receiving_view(name) if name is not None and known else None
        self.query_one(LadderPanel).show(view, self._desk.now)

    def tell(self) -> list[list[Content]]:
        """How many accounts receive, how those stand, and how many only send."""
        listed = self.listed()
        shown, total = len(self.records.names), len(listed)
        number = f"{shown} of {total}" if shown != total else str(total)
        first = Content(f" {number} account{'s' * (total != 1)}")
        if self._board.awaits_reports:
            return [[first, *self.selecting(worded=True), *self.progress(worded=True), Content(READING)]]
        only_send = len(self._board) - total
        ways = []
        for worded, busy in ((True, True), (False, True), (False, False)):
            told = [
                Content.assemble((mark.glyph, STYLES[mark.role]), f" {count}{f' {_SAID[mark]}' if worded else ''}")
                for mark in _COUNTED
                if (count := self._board.count_receiving(mark))
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
        """Stopping is offered while something runs."""
        if action == "stop" and self.is_mounted:
            return self._board.retrievals.running > 0
        return super().check_action(action, parameters)

    def action_back(self) -> None:
        """Give up the nearest thing: a filter being typed, what runs, the selection, the filter; then leave."""
        if not self.give_up_nearest(
            self.give_up_typing,
            self.give_up_retrievals,
            self.give_up_checks,
            self.give_up_selection,
            self.give_up_filter,
        ):
            self.action_leave()

    def action_retrieve_all(self) -> None:
        """Fetch the mail of every active account."""
        active = [name for name in self.listed() if self._board.account(name).active]
        if active:
            self.retrieve(active, f"all {counted(len(active), 'active account')}")
        else:
            self._desk.say("There is no active account that receives mail.")

    def action_stop(self) -> None:
        """Cancel the retrieval of the selected accounts, else of the one under the cursor."""
        names = self.targets()
        if names and not self.cancel_retrievals(names):
            self._desk.say(f"{self.told_of(names)}: nothing is being retrieved.")

    def action_dry_run(self) -> None:
        """Look what would be fetched and deleted for the account under the cursor."""
        # Loaded with the first use.
        from mailtui.tui.screens.dry_run import DryRunScreen

        if (name := self.records.selected) is None:
            return
        if self._board.retrievable([name]):
            self.app.push_screen(DryRunScreen(self._desk, self._board.account(name)), self._after_dry_run)
        else:
            self._desk.say(f"{name}: is being retrieved or tested; D can look once that has ended.")

    def _after_dry_run(self, name: str | None) -> None:
        if name is not None and name in self._board:
            self.retrieve([name], name)

    def action_leave(self) -> None:
        """Back to where the person came from, with the account under the cursor."""
        self.dismiss(self.records.selected)

    def action_edit(self) -> None:
        """Edit how mail arrives."""
        if (name := self.records.selected) is not None:
            self._desk.errands.edit(name, section="incoming")
