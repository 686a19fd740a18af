"""Everything about one account: its last check leg by leg, and how it went before."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from mailtui.model.check import CheckReport, Leg
from mailtui.model.errors import MailtuiError
from mailtui.model.trends import capability_change
from mailtui.tui.desk import Desk
from mailtui.tui.detail_head import fact_lines, title_line, verified
from mailtui.tui.detail_lines import detail
from mailtui.tui.flow import Paragraph
from mailtui.tui.messages import AccountsChanged, ChecksProgressed
from mailtui.tui.retrieval_lines import retrieval_section
from mailtui.tui.screens.remedy_keys import ACCEPT, FIX, INSIST
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import paint
from mailtui.tui.widgets.leg_column import LegColumn
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.widgets.search_bar import SearchBar, SearchLine
from mailtui.tui.words import Mark

_AGES_INTERVAL = 5.0
"""Seconds between two looks at the clock for the ages."""


class DetailScreen(Screen[None]):
    """Where there is no room for two columns, the focused leg is shown."""

    CSS_PATH = "detail.tcss"
    AUTO_FOCUS = "#outbound LegDetail"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-normal"), (30, "-high")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="detail.back", tooltip="End the search, or go back to the list"),
        Binding("n", "hit(1)", "Next", id="detail.next_hit", tooltip="The next place that the search found"),
        Binding("N", "hit(-1)", "Previous", id="detail.previous_hit", tooltip="The place that was found before"),
        Binding("tab,shift+tab", "other_leg", "Other leg", id="detail.other", tooltip="The other leg"),
        Binding("o", "leg('outbound')", "Outbound", show=False, id="detail.outbound", tooltip="The leg that sends"),
        Binding("i", "leg('inbound')", "Inbound", show=False, id="detail.inbound", tooltip="The leg that receives"),
        Binding("t", "test", "Test", id="detail.test", tooltip="Test both legs of this account"),
        Binding("e", "edit", "Edit", id="detail.edit", tooltip="Change this account's settings"),
        # First of all keys: what is typed right after it must not be taken for other keys.
        Binding(
            "slash",
            "search",
            "Search",
            key_display="/",
            priority=True,
            id="detail.search",
            tooltip="Search in this leg, its transcript included",
        ),
        Binding(
            "w", "write", "Write", id="detail.write", tooltip="Write a report without your names, to show to others"
        ),
        FIX,
        ACCEPT,
        INSIST,
        Binding("m", "retrieval", "Retrieval", id="detail.retrieval", tooltip="This account in Message Retrieval"),
        Binding(
            "c", "duplicate", "Duplicate", show=False, id="detail.duplicate", tooltip="A new account like this one"
        ),
        Binding(
            "d,delete", "remove", "Delete", show=False, id="detail.delete", tooltip="Delete this account, after asking"
        ),
    ]

    def __init__(self, desk: Desk, name: str, first: Leg | None = None) -> None:
        """`first` is the leg to begin with; without it, the one that fails."""
        super().__init__(classes="show-outbound")
        self._first = first
        self._desk = desk
        self._account = name
        self._history: Sequence[CheckReport] = ()
        self._seen = desk.board.serial

    def compose(self) -> ComposeResult:
        """The account, its legs in full, and the line to search with."""
        yield Static(id="title", markup=False)
        yield Static(id="facts", markup=False)
        with Horizontal(id="columns"):
            for leg in Leg:
                yield LegColumn(leg)
        yield SearchBar()
        yield MessageBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Show what is known, and fetch the transcripts and the history."""
        self._show()
        marks = {leg: self._desk.board.mark(self._account, leg) for leg in Leg}
        fails = marks[Leg.INBOUND] is Mark.FAILED and marks[Leg.OUTBOUND] is not Mark.FAILED
        if self._first is Leg.INBOUND or (self._first is None and fails):
            # Who opens an account that fails wants to see what fails, from the first frame on.
            self.action_leg(Leg.INBOUND.value)
            # Where only one leg has room it was hidden until then, and took no focus.
            self.call_after_refresh(self.action_leg, Leg.INBOUND.value)
        # What is known already is seen first: threads that read would hold up the drawing.
        self.call_after_refresh(self._fetch)
        self.set_interval(_AGES_INTERVAL, self._show)

    @property
    def account(self) -> str:
        """The name of the account that is shown."""
        return self._account

    def _fetch(self) -> None:
        self._desk.complete(self._account)
        self._fetch_history()

    def _fetch_history(self) -> None:
        self.run_worker(self._read_history(), group="history", exclusive=True)

    async def _read_history(self) -> None:
        name = self._account
        try:
            stored = await self._desk.history(name)
        except MailtuiError as error:
            self._desk.say(str(error), "error")
            return
        # What was checked meanwhile is perhaps still on its way to the store.
        newest = stored[0].started if stored else None
        fresh = [one for one in self._history if one.account == name and (newest is None or one.started > newest)]
        self._history = (*fresh, *stored)
        self._show()

    @on(ChecksProgressed)
    def _repaint(self) -> None:
        changed = self._account in set(self._desk.board.changed_since(self._seen))
        self._seen = self._desk.board.serial
        if changed:
            self._show()

    @on(AccountsChanged)
    def _follow(self, message: AccountsChanged) -> None:
        if self._account not in self._desk.board and message.select is not None:
            self._account = message.select
            self._history = ()
        self._leave_if_gone()
        if self._account in self._desk.board:
            self._show()
            self._desk.complete(self._account)
            self._fetch_history()

    def on_screen_resume(self) -> None:
        """Back from another screen, which may have removed the account."""
        self._leave_if_gone()

    def _leave_if_gone(self) -> None:
        # One that is covered cannot be dismissed; it goes when it comes to the front.
        if self._account not in self._desk.board and self.is_active:
            self.dismiss()

    def _show(self) -> None:
        board, now = self._desk.board, self._desk.now
        if self._account not in board:
            return
        report = board.report(self._account)
        if report is not None and not any(one.started == report.started for one in self._history):
            self._history = (report, *self._history)
        history = self._history
        account = verified(board.account(self._account), history)
        at_hand = set()
        for column in self.query(LegColumn):
            view = board.view(self._account, column.leg)
            change = None if report is None else capability_change(report, column.leg, history)
            if view.remedy is not None and board.testable([self._account]):
                at_hand.add(view.remedy.action)
            paragraphs = detail(
                view,
                now,
                account,
                change,
                warned_days=self._desk.options.certificate_days,
                retrieval=self._retrieval() if column.leg is Leg.INBOUND else (),
            )
            column.show(view, history, paragraphs)
        self.query_one(KeyBar).offer(at_hand)
        self._entitle()

    def _retrieval(self) -> Iterable[Paragraph]:
        board = self._desk.board
        return retrieval_section(
            board.retrievals.of(self._account),
            board.retrievals.last(self._account),
            self._desk.automatic.next_at(self._account),
            self._desk.now,
            board.account(self._account).email,
        )

    def _entitle(self) -> None:
        now, columns = self._desk.now, self.size.width
        account = verified(self._desk.board.account(self._account), self._history)
        self.query_one("#title", Static).update(paint(title_line(account, now, columns)))
        facts = Content("\n").join(paint(line) for line in fact_lines(account, now, columns))
        self.query_one("#facts", Static).update(facts)

    def on_resize(self) -> None:
        """Fit the head to the new width."""
        if self._account in self._desk.board:
            self._entitle()

    def on_descendant_focus(self) -> None:
        """Where only one leg has room it is the focused one; a search goes on there."""
        if isinstance(shown := self.focused, LegDetail):
            for leg in Leg:
                self.set_class(leg is shown.leg, f"show-{leg.value}")
            self._search(self.query_one(SearchBar).wanted)
        self.refresh_bindings()

    @property
    def shown(self) -> LegDetail:
        """The leg that keys speak of."""
        leg = Leg.OUTBOUND if self.has_class("show-outbound") else Leg.INBOUND
        return self.query_one(f"#{leg.value}", LegColumn).detail

    def action_leg(self, leg: str) -> None:
        """Show the leg of that name."""
        for other in Leg:
            self.set_class(other.value == leg, f"show-{other.value}")
        self.query_one(f"#{leg}", LegColumn).detail.focus()

    def action_other_leg(self) -> None:
        """Show the other leg; from the line of the search, go to what it found."""
        if isinstance(self.focused, SearchLine):
            self.shown.focus()
            return
        self.action_leg(Leg.INBOUND.value if self.shown.leg is Leg.OUTBOUND else Leg.OUTBOUND.value)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer offers what can be done now."""
        if action == "hit":
            return any(bar.is_open for bar in self.query(SearchBar))
        if action == "search":
            return not isinstance(self.focused, SearchLine)
        return True

    def action_back(self) -> None:
        """End the search; without one, leave."""
        bar = self.query_one(SearchBar)
        if bar.is_open:
            self.shown.focus()
            bar.close()
            self._search("")
            self.refresh_bindings()
        else:
            self.dismiss()

    def action_search(self) -> None:
        """Open the line to search with."""
        self.query_one(SearchBar).open()
        self.refresh_bindings()

    @on(SearchBar.Wanted)
    def _wanted(self, message: SearchBar.Wanted) -> None:
        self._search(message.text)

    @on(SearchBar.Left)
    def _to_hits(self) -> None:
        self.shown.focus()

    def _search(self, wanted: str) -> None:
        for column in self.query(LegColumn):
            column.detail.search(wanted if column.detail is self.shown else "")

    @on(LegDetail.Found)
    def _found(self) -> None:
        self.query_one(SearchBar).count(self.shown.present, self.shown.hits)

    def action_hit(self, by: int) -> None:
        """Go to another hit of the search."""
        self.shown.next_hit(by)

    def action_test(self) -> None:
        """Check this account."""
        if not self._desk.checker.test([self._account]):
            self._desk.say(f"{self._account} is being tested already.")

    def action_fix(self) -> None:
        """Make the changes that the diagnosis proposes."""
        self._desk.errands.fix([self._account])

    def action_accept(self) -> None:
        """Take the servers as they are now, if they changed."""
        self._desk.errands.accept([self._account])

    def action_insist(self) -> None:
        """Log in again although that was refused."""
        self._desk.errands.insist([self._account])

    def action_edit(self) -> None:
        """Open this account's form."""
        self._desk.errands.edit(self._account)

    def action_duplicate(self) -> None:
        """Open the form of an account like this one."""
        self._desk.errands.duplicate(self._account)

    def action_remove(self) -> None:
        """Delete this account, after asking."""
        self._desk.errands.remove([self._account])

    def action_retrieval(self) -> None:
        """Show this account's entry of Message Retrieval."""
        if self._desk.board.account(self._account).retrieval is None:
            self._desk.say(f"{self._account} only sends mail: it has no entry in Message Retrieval.")
            return
        # Loaded with the first use.
        from mailtui.tui.screens.retrieval import RetrievalScreen

        if any(isinstance(screen, RetrievalScreen) for screen in self.app.screen_stack):
            # It is what the details were opened from.
            self.dismiss()
        else:
            self.app.push_screen(RetrievalScreen(self._desk, self._account))

    def action_write(self) -> None:
        """Write the last check to a file that can be shown to others."""
        report = self._desk.board.report(self._account)
        if report is None:
            self._desk.say(f"{self._account} was not checked yet; press t to test it first.")
        else:
            self.run_worker(self._write(report), group="write", exclusive=True)

    async def _write(self, report: CheckReport) -> None:
        # Loaded with the first use.
        from mailtui.tui.reporting import report_flow

        account = self._desk.board.account(self._account)
        try:
            told = await report_flow(self.app, self._desk.services, account, report)
        except MailtuiError as error:
            self._desk.say(str(error), "error")
            return
        if told is not None:
            self._desk.say(told)
