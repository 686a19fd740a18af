"""Test what is typed in a form, both legs side by side, before anything is stored."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import PurePath
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.widgets import Static
from textual.worker import Worker

from mailtui.actions.check import CheckOptions, Limits, Slots
from mailtui.actions.saving import Edited, trial_reader
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg
from mailtui.model.errors import MailtuiError
from mailtui.model.events import Event
from mailtui.model.text import clean, shorten
from mailtui.tui.desk import Desk
from mailtui.tui.detail_lines import detail
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.repainting import Repainter
from mailtui.tui.screens.trial_remedies import RemediedTrial
from mailtui.tui.trial import Trial
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import STYLES, LadderPanel
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.widgets.message_bar import MessageBar
from mailtui.tui.words import LEG_NAMES

_PATIENCE = 5.0
"""Seconds that closing waits for a check to let go of its connections."""


class TrialPanel(LadderPanel, can_focus=True):
    """The stages of one leg, as they run."""

    more = "d"
    HELP = "The stages of this leg as the test walks them. d shows everything that was said and found."


class TrialDetail(LegDetail):
    """Everything about one leg, scrolled with the keys."""

    HELP = "All that the test found on this leg: stages, certificate, capabilities and the dialogue, secrets masked."


class TrialScreen(RemediedTrial):
    """Runs one check at once; neither history nor list learn of it. The result is the form's field to go to."""

    CSS_PATH: ClassVar[list[str | PurePath]] = ["detail.tcss", "trial.tcss"]
    AUTO_FOCUS = "#outbound-panel"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (72, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-normal"), (34, "-high")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="trial.cancel", tooltip="Cancel the test, back to the form"),
        Binding("escape", "ladder", "Stages", id="trial.stages", tooltip="Back from the details to the stages"),
        Binding("enter", "back", "Back to the form", id="trial.back", tooltip="Back to the field that matters"),
        Binding("escape", "back", show=False, id="trial.leave", tooltip="Back to the form"),
        Binding("t", "again", "Test again", id="trial.again", tooltip="Test the same once more"),
        Binding("d", "details", "Details", id="trial.details", tooltip="Everything that was said and found"),
        Binding("o", "leg('outbound')", "Outbound", show=False, id="trial.outbound", tooltip="The leg that sends"),
        Binding("i", "leg('inbound')", "Inbound", show=False, id="trial.inbound", tooltip="The leg that receives"),
        Binding("tab,shift+tab", "other_leg", "Other leg", show=False, id="trial.other", tooltip="The other leg"),
        Binding("f1,question_mark", "app.help", "Help", show=False, id="trial.help", tooltip="The keys of this screen"),
    ]

    def __init__(self, desk: Desk, edited: Edited, on_change: Callable[[Account], None] = lambda account: None) -> None:
        """`on_change` is told of the account with the servers as a fix made them."""
        super().__init__(desk, edited, on_change)
        self.add_class("show-outbound")
        self._worker: Worker[None] | None = None
        self._leaving = False
        self._repainter = Repainter(self, self._repaint)

    @property
    def failed(self) -> bool:
        """Whether the last test found a leg that fails."""
        return bool(self.trial.failed)

    def compose(self) -> ComposeResult:
        """The two legs, their details, the verdict and the keys."""
        with Vertical(id="trial") as frame:
            name = shorten(clean(self.edited.account.name or self.edited.account.email), 50)
            frame.border_title = Content(f"Test of {name}" if name else "Test")
            with Horizontal(id="panels"):
                for leg in Leg:
                    yield TrialPanel(leg, id=f"{leg.value}-panel")
            with Horizontal(id="details"):
                for leg in Leg:
                    column = TrialDetail(leg)
                    column.id = f"{leg.value}-detail"
                    column.border_title = Content(LEG_NAMES[leg])
                    yield column
            yield Static(id="verdict", markup=False)
        yield MessageBar()
        yield KeyBar(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin at once: whoever opens this wants to know."""
        self.begin()

    def begin(self, *, insist: bool = False) -> None:
        """Test what is typed, with the fixes that were made."""
        options = replace(self._desk.options, insist=insist)
        self.trial = Trial(self.edited.account)
        self.remove_class("-details")
        self._worker = self.run_worker(self._check(self.trial, options), group="trial", exit_on_error=False)
        self._repaint()

    async def _check(self, trial: Trial, options: CheckOptions) -> None:
        def on_report(report: CheckReport) -> None:
            trial.report = report

        try:
            await self._desk.services.check_many(
                [trial.account],
                trial_reader(self.edited, self._desk.services.secrets(self._desk.ask).reader()),
                on_event=partial(self._on_event, trial),
                on_report=on_report,
                options=options,
                # Of its own: a person waits for these two connections, not for the hundreds of another run.
                slots=Slots(Limits()),
                memory=self._desk.memory,
            )
        except MailtuiError as error:
            trial.error = f"The test could not be made: {error}"
        except Exception as error:  # noqa: BLE001  # a defect of the check must not take along what is typed in the form
            trial.error = f"The test stopped by a defect of mailtui ({type(error).__name__}); please report it."
        finally:
            trial.end()
        self._repaint()
        if trial.failed:
            self._focus_leg(trial.failed[0].leg)

    def _on_event(self, trial: Trial, event: Event) -> None:
        trial.take_event(event)
        self._repainter.soon()

    def _repaint(self) -> None:
        trial, now = self.trial, self._desk.now
        try:
            for leg in Leg:
                self.query_one(f"#{leg.value}-panel", TrialPanel).show(trial.view(leg), now)
            self.query_one("#verdict", Static).update(self._told())
            self.query_one(KeyBar).offer(self.at_hand)
        except NoMatches:
            # The screen is being taken down.
            return
        self.refresh_bindings()

    def _told(self) -> Content:
        mark, role, words = self.trial.verdict()
        told = Content.assemble((f"{mark.glyph} ", STYLES[role]), (words, STYLES[role]))
        # Where lines are dear, the footer's words for the key must do.
        field = None if self.has_class("-low") else FIELDS.get(self.trial.field or "")
        if field is not None:
            told += Content(f" enter goes to {field.title}.")
        return told

    def on_resize(self) -> None:
        """Say as much as there is room for now."""
        self._repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What can be done now."""
        running, details = self.trial.running, self.has_class("-details")
        if action == "cancel":
            return running
        if action == "ladder":
            return details and not running
        if action == "back" and details:
            return not running
        return not running if action in ("back", "again", "details") else True

    def action_cancel(self) -> None:
        """Drop the connections, and close once that is done."""
        if self._worker is not None and not self._leaving:
            self._leaving = True
            self._worker.cancel()
            self.set_timer(_PATIENCE, self._leave)

    @on(Worker.StateChanged)
    def _ended(self, event: Worker.StateChanged) -> None:
        if self._leaving and event.worker is self._worker and event.worker.is_finished:
            self._leave()

    def on_screen_resume(self) -> None:
        """A question lay over this screen when it was to close."""
        if self._leaving and self._worker is not None and self._worker.is_finished:
            self._leave()

    def _leave(self, field: str | None = None) -> None:
        # Of two quick keys, the second must not close the form below.
        if self.is_active:
            self.dismiss(field)

    def action_back(self) -> None:
        """Back to the form, at the field that the failure speaks of."""
        self._leave(self.trial.field)

    def action_again(self) -> None:
        """Test once more."""
        self.begin()
        self._focus_leg(Leg.OUTBOUND)

    def action_details(self) -> None:
        """Show everything, or the stages again."""
        leg = self._leg
        self.toggle_class("-details")
        # What is hidden has no width yet, to which its lines could be fitted.
        self.call_after_refresh(self._fill_details)
        self._focus_leg(leg)
        self.refresh_bindings()

    def _fill_details(self) -> None:
        for leg in Leg:
            self.query_one(f"#{leg.value}-detail", TrialDetail).show(
                detail(self.trial.view(leg), self._desk.now, warned_days=self._desk.options.certificate_days)
            )

    def action_ladder(self) -> None:
        """Show the stages again."""
        if self.has_class("-details"):
            self.action_details()

    def action_leg(self, leg: str) -> None:
        """Show the leg of that name."""
        self._focus_leg(Leg(leg))

    def action_other_leg(self) -> None:
        """Show the other leg."""
        self._focus_leg(Leg.OUTBOUND if self._leg is Leg.INBOUND else Leg.INBOUND)

    @property
    def _leg(self) -> Leg:
        return Leg.INBOUND if self.has_class("show-inbound") else Leg.OUTBOUND

    def _focus_leg(self, leg: Leg) -> None:
        for other in Leg:
            self.set_class(other is leg, f"show-{other.value}")
        kind = "detail" if self.has_class("-details") else "panel"
        # Of two legs only one may have room, and what is hidden takes no focus.
        self.call_after_refresh(self.set_focus, self.query_one(f"#{leg.value}-{kind}"))

    def on_descendant_focus(self) -> None:
        """Where only one leg has room it is the focused one."""
        for leg in Leg:
            if self.focused is not None and (self.focused.id or "").startswith(leg.value):
                for other in Leg:
                    self.set_class(other is leg, f"show-{other.value}")
