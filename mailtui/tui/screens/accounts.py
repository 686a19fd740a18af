"""The accounts, and below them both legs of the selected one."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from mailtui.model.check import Leg
from mailtui.tui.board import Standing
from mailtui.tui.desk import Desk, Loading
from mailtui.tui.filtering import AccountFilter
from mailtui.tui.messages import AccountHighlighted, AccountOpened, AccountsChanged, ChecksProgressed
from mailtui.tui.widgets.account_list import AccountList
from mailtui.tui.widgets.ladder import STYLES, LadderPanel
from mailtui.tui.words import Mark, Role

_AGES_INTERVAL = 5.0
"""Seconds between two looks at the clock for the ages."""

_COUNTED = (
    (Standing.GOOD, Mark.OK),
    (Standing.WARNING, Mark.WARNING),
    (Standing.FAILING, Mark.FAILED),
    (Standing.UNCHECKED, Mark.UNCHECKED),
    (Standing.OFF, Mark.ABSENT),
)

_EMPTY = {
    Loading.BUSY: "Reading the accounts …",
    Loading.DONE: "No accounts yet. Press n to write the first one.",
    Loading.FAILED: "The accounts could not be read. ctrl+r tries again.",
}


class AccountsScreen(Screen[None]):
    """The home of the program."""

    CSS_PATH = "accounts.tcss"
    AUTO_FOCUS = "AccountList"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (92, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (22, "-normal"), (34, "-high")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Cancel", id="accounts.cancel", tooltip="Cancel the running checks"),
        Binding("t", "test", "Test", id="accounts.test", tooltip="Test both legs of the selected account"),
        Binding("T", "test_all", "All", id="accounts.test_all", tooltip="Test every active account"),
        # First of all keys: what is typed right after it must not be taken for keys of the list.
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            priority=True,
            id="accounts.filter",
            tooltip="Show accounts with a text",
        ),
        Binding("a", "switch", "On/off", id="accounts.toggle", tooltip="Make the account active or inactive"),
        Binding("n", "new", "New", id="accounts.new", tooltip="Write a new account in your editor"),
        Binding("e", "edit", "Edit", id="accounts.edit", tooltip="Open the account in your editor"),
        Binding("ctrl+r", "reload", "Reload", show=False, id="accounts.reload", tooltip="Read the accounts again"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._board = desk.board
        self._matcher = AccountFilter(desk.board)
        self._seen = 0

    def compose(self) -> ComposeResult:
        """The summary, the filter, the list, the two legs and the keys."""
        yield Static(id="summary", markup=False)
        yield Input(id="filter", compact=True, placeholder="name, address, server, type, failing, good, off …")
        yield AccountList(self._board, self._desk.now, id="accounts")
        with Horizontal(id="legs"):
            yield LadderPanel(Leg.OUTBOUND, id="outbound")
            yield LadderPanel(Leg.INBOUND, id="inbound")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Begin to follow the clock."""
        self.accounts.empty_text = _EMPTY[self._desk.state]
        self.set_interval(_AGES_INTERVAL, self._ages)
        self._summarise()

    @property
    def accounts(self) -> AccountList:
        """The list."""
        return self.query_one(AccountList)

    @on(AccountsChanged)
    def _rebuild(self, message: AccountsChanged) -> None:
        self._seen = self._board.serial
        self._matcher.forget()
        self._show_names(select=message.select, measure=True)
        self._show_selected()

    @on(ChecksProgressed)
    def _repaint(self) -> None:
        names = set(self._board.changed_since(self._seen))
        self._seen = self._board.serial
        self.accounts.refresh_names(names, self._desk.now)
        if self.accounts.selected in names:
            self._show_selected()
        self._summarise()

    @on(AccountHighlighted)
    def _show_selected(self) -> None:
        name = self.accounts.selected
        for panel in self.query(LadderPanel):
            panel.show(None if name is None else self._board.view(name, panel.view.leg), self._desk.now)

    @on(AccountOpened)
    def _open(self, message: AccountOpened) -> None:
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.tui.screens.detail import DetailScreen

        self.app.push_screen(DetailScreen(self._desk, message.name))

    def _show_names(self, *, select: str | None = None, measure: bool = False) -> None:
        wanted = self.query_one("#filter", Input).value
        names = self._matcher.matches(wanted)
        if select is not None and select not in names and select in self._board:
            # A person must see what was just saved.
            self.query_one("#filter", Input).value = ""
            names = self._board.names
        if len(self._board):
            self.accounts.empty_text = "No account has this text. escape shows all."
        else:
            self.accounts.empty_text = _EMPTY[self._desk.state]
        self.accounts.show(names, self._desk.now, select=select, measure=measure)
        self._summarise()

    def _ages(self) -> None:
        self.accounts.refresh_ages(self._desk.now)
        self._show_selected()

    def _summarise(self) -> None:
        board = self._board
        total = len(board)
        shown = len(self.accounts.names)
        number = f"{shown} of {total}" if shown != total else str(total)
        title = Content.styled(" mailtui ", "bold $text-primary")
        parts = [Content(f" {number} account{'s' * (total != 1)}")]
        if board.running:
            parts.append(Content.styled(f"{Mark.HALFWAY.glyph} testing {board.running}", STYLES[Role.BUSY]))
        counts = [(standing, mark, board.count(standing)) for standing, mark in _COUNTED if board.count(standing)]
        # The words go before anything is cut.
        for worded, gap in ((True, "   "), (True, "  "), (True, " "), (False, "  "), (False, " ")):
            told = [
                Content.assemble((mark.glyph, STYLES[mark.role]), f" {count}{f' {standing.value}' if worded else ''}")
                for standing, mark, count in counts
            ]
            summary = title + Content(gap).join([*parts, *told])
            if summary.cell_length <= self.size.width:
                break
        self.query_one("#summary", Static).update(summary)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer offers what can be done now."""
        if action == "back":
            return self._board.running > 0 or self.query_one("#filter", Input).display
        if action == "filter":
            return self.focused is not self.query_one("#filter", Input)
        if action in ("test", "switch", "edit"):
            return self.accounts.selected is not None
        return True

    def action_test(self) -> None:
        """Check the selected account."""
        name = self.accounts.selected
        if name is not None and not self._desk.checker.test([name]):
            self._desk.say(f"{name} is being tested already.")

    def action_test_all(self) -> None:
        """Check every active account."""
        active = [name for name in self._board.names if self._board.account(name).active]
        if not self._desk.checker.test(active):
            busy = self._board.running
            self._desk.say("All active accounts are being tested already." if busy else "There is no active account.")

    def action_back(self) -> None:
        """Give up the nearest thing: the filter while it is typed, then the checks, then the filter."""
        field = self.query_one("#filter", Input)
        if self._board.running and self.focused is not field:
            cancelled = self._desk.checker.cancel()
            self._desk.say(f"Cancelled the check of {cancelled} account{'s' * (cancelled != 1)}.")
        elif field.display:
            field.value = ""
            field.display = False
            self.accounts.focus()
            self.refresh_bindings()

    def action_filter(self) -> None:
        """Open the filter."""
        field = self.query_one("#filter", Input)
        field.display = True
        self.set_focus(field)
        self.refresh_bindings()

    def on_descendant_focus(self) -> None:
        """Offer the keys that work where the focus is now."""
        self.refresh_bindings()

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._show_names()

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        self.accounts.focus()
        event.input.display = bool(event.value)

    def action_switch(self) -> None:
        """Make the selected account active or inactive."""
        if (name := self.accounts.selected) is not None:
            self._desk.toggle(name)

    def action_new(self) -> None:
        """Write a new account in the editor."""
        self._desk.edit(None)

    def action_edit(self) -> None:
        """Open the selected account in the editor."""
        if (name := self.accounts.selected) is not None:
            self._desk.edit(name)

    def on_resize(self) -> None:
        """Fit the summary to the new width."""
        self._summarise()

    def action_reload(self) -> None:
        """Read the accounts again."""
        self._desk.reload()
