"""Everything about one account's last check: both legs, side by side where there is room."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from mailtui.model.check import Leg
from mailtui.model.text import clean
from mailtui.tui.desk import Desk
from mailtui.tui.messages import AccountsChanged, ChecksProgressed
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.words import LEG_NAMES


class LegColumn(VerticalScroll):
    """One leg, scrolled with the keys."""

    HELP = "The last check of this leg: stages, certificate, capabilities and the dialogue with secrets masked."

    def __init__(self, leg: Leg, detail: LegDetail) -> None:
        super().__init__(detail, id=leg.value)
        self.leg = leg
        self.detail = detail


class DetailScreen(Screen[None]):
    """Where there is no room for two columns, the focused leg is shown."""

    CSS_PATH = "detail.tcss"
    AUTO_FOCUS = "#outbound"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="detail.back", tooltip="Back to the accounts"),
        Binding("o", "leg('outbound')", "Outbound", id="detail.outbound", tooltip="The leg that sends"),
        Binding("i", "leg('inbound')", "Inbound", id="detail.inbound", tooltip="The leg that receives"),
        Binding("tab,shift+tab", "other_leg", "Other leg", show=False, id="detail.other", tooltip="The other leg"),
        Binding("t", "test", "Test", id="detail.test", tooltip="Test both legs of this account"),
        Binding("e", "edit", "Edit", id="detail.edit", tooltip="Open the account in your editor"),
    ]

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__(classes="show-outbound")
        self._desk = desk
        self._account = name
        self._seen = desk.board.serial

    def compose(self) -> ComposeResult:
        """The account, and its legs in full."""
        yield Static(id="title", markup=False)
        with Horizontal(id="columns"):
            for leg in Leg:
                yield LegColumn(leg, LegDetail(self._desk.board.view(self._account, leg), self._desk.now))
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what is known, and fetch the transcripts."""
        self._entitle()
        self._show_titles()
        self._desk.complete(self._account)

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
        if self._account in self._desk.board:
            self._show()
        else:
            self.dismiss()

    def _show(self) -> None:
        for column in self.query(LegColumn):
            column.detail.show(self._desk.board.view(self._account, column.leg), self._desk.now)
        self._entitle()
        self._show_titles()

    def _show_titles(self) -> None:
        for column in self.query(LegColumn):
            view = self._desk.board.view(self._account, column.leg)
            protocol = f" {view.protocol.label}" if view.protocol else ""
            column.border_title = Content.assemble(
                (view.mark.glyph, STYLES[view.mark.role]), f" {LEG_NAMES[column.leg]}{protocol}"
            )

    def _entitle(self) -> None:
        account = self._desk.board.account(self._account)
        parts: list[tuple[str, str] | str] = [
            (f" {clean(account.name)} ", "bold $text-primary"),
            f" {clean(account.email)}",
        ]
        if not account.active:
            parts.append(("  off", "dim"))
        self.query_one("#title", Static).update(Content.assemble(*parts))

    def on_descendant_focus(self) -> None:
        """Where only one leg has room it is the focused one."""
        if isinstance(column := self.focused, LegColumn):
            for leg in Leg:
                self.set_class(leg is column.leg, f"show-{leg.value}")

    def action_leg(self, leg: str) -> None:
        """Show the leg of that name."""
        for other in Leg:
            self.set_class(other.value == leg, f"show-{other.value}")
        self.query_one(f"#{leg}", LegColumn).focus()

    def action_other_leg(self) -> None:
        """Show the other leg."""
        outbound = self.query_one(f"#{Leg.OUTBOUND.value}", LegColumn)
        self.action_leg(Leg.INBOUND.value if outbound.has_focus else Leg.OUTBOUND.value)

    def action_test(self) -> None:
        """Check this account."""
        if not self._desk.checker.test([self._account]):
            self._desk.say(f"{self._account} is being tested already.")

    def action_edit(self) -> None:
        """Open this account in the editor."""
        self._desk.edit(self._account)
