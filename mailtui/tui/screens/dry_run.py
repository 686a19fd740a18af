"""What a retrieval would fetch and delete: looked at on the server, with nothing changed there or here."""

from dataclasses import replace
from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.worker import Worker

from mailtui.actions.retrieve import retrieval_slots
from mailtui.model.account import Account
from mailtui.model.check import Leg
from mailtui.model.errors import MailtuiError
from mailtui.model.retrieval import RetrievalEvent, RetrievalReport
from mailtui.model.text import clean, shorten
from mailtui.tui.desk import Desk
from mailtui.tui.legs import LegView, live_view, setup_of
from mailtui.tui.receiving import retrieved_view
from mailtui.tui.repainting import Repainter
from mailtui.tui.retrieval_lines import dry_run_paragraphs
from mailtui.tui.retrievals import Retrieving
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.words import Mark


class DryRunDetail(LegDetail):
    """The messages, scrolled with the keys."""

    HELP = (
        "What a retrieval would do now: which messages it would fetch, which it would delete on the server, and which "
        "it would leave. Nothing was changed, there or here."
    )


class DryRunScreen(Screen[str | None]):
    """One dry run of an account. The result is its name where it shall be retrieved now."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["detail.tcss", "dry_run.tcss"]
    AUTO_FOCUS = "DryRunDetail"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012  # as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="dry_run.back", tooltip="Cancel, or go back to the list"),
        Binding("r", "retrieve", "Retrieve", id="dry_run.retrieve", tooltip="Go back, and retrieve this account now"),
        Binding("D", "again", "Again", id="dry_run.again", tooltip="Look once more"),
    ]

    def __init__(self, desk: Desk, account: Account) -> None:
        super().__init__()
        self._desk = desk
        self._account = account
        self._report: RetrievalReport | None = None
        self._error = ""
        self._looking: Retrieving | None = None
        self._worker: Worker[None] | None = None
        self._repainter = Repainter(self, self._repaint)

    def compose(self) -> ComposeResult:
        """The frame with what is found, and the keys."""
        with Vertical(id="dry-run") as frame:
            frame.border_title = Content(f"Dry run of {shorten(clean(self._account.name), 50)}")
            yield DryRunDetail(Leg.INBOUND)
        yield MessageBar()
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin at once: whoever opens this wants to know."""
        self.action_again()

    def action_again(self) -> None:
        """Look at the server."""
        self._report, self._error = None, ""
        self._looking = Retrieving.of(self._account, by_hand=True)
        self._worker = self.run_worker(self._look(self._looking), group="dry-run", exclusive=True, exit_on_error=False)
        self._repaint()

    async def _look(self, running: Retrieving) -> None:
        desk = self._desk

        def on_event(event: RetrievalEvent) -> None:
            running.take(event, desk.now)
            self._repainter.soon()

        def on_report(report: RetrievalReport) -> None:
            self._report = report

        try:
            await desk.services.retrieve_many(
                [self._account],
                desk.services.secrets(desk.ask).reader(),
                on_event=on_event,
                on_report=on_report,
                options=replace(desk.retriever.options, dry_run=True),
                # Of its own: a person waits for this one, not for the others.
                slots=retrieval_slots(1),
                memory=desk.memory,
            )
        except MailtuiError as error:
            self._error = str(error)
        except Exception as error:  # noqa: BLE001  # a defect of it must not take the screens along
            self._error = f"The dry run stopped by a defect of mailtui ({type(error).__name__}); please report it."
        finally:
            if self._looking is running:
                self._looking = None
        self._repaint()

    def _repaint(self) -> None:
        try:
            shown = self.query_one(DryRunDetail)
        except NoMatches:
            # The screen is being taken down.
            return
        shown.show(dry_run_paragraphs(self._view(), self._looking, self._report, self._error))
        self.refresh_bindings()

    def _view(self) -> LegView:
        if self._report is not None:
            return retrieved_view(self._account, self._report)
        setup = setup_of(self._account, Leg.INBOUND)
        if setup is None or self._looking is None:
            return LegView(Leg.INBOUND, Mark.ABSENT)
        return live_view(setup, self._looking.mark, self._looking.leg)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While it looks, only leaving is possible."""
        return self._looking is None if action in ("retrieve", "again") else True

    def action_back(self) -> None:
        """Leave; what still runs is cancelled with the screen."""
        if self.is_active:
            self.dismiss(None)

    def action_retrieve(self) -> None:
        """Leave, and have the mail fetched."""
        if self.is_active:
            self.dismiss(self._account.name)
