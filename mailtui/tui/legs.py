"""One leg as the screens show it, whether it was never checked, is running or has a report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from mailtui.model.account import Account, Endpoint, Protocol, Trust
from mailtui.model.check import (
    CheckReport,
    Failure,
    Leg,
    LegReport,
    LegSetup,
    Severity,
    Stage,
    StageResult,
    Status,
    current,
    legs_of,
)
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.events import Event, LegFinished, StageFinished, StageStarted
from mailtui.tui.diagnosing import Remedy, diagnosis_of, remedy_of
from mailtui.tui.words import Mark


@dataclass(frozen=True, slots=True)
class StageView:
    """One line of the ladder. `ms` is None until the stage has ended."""

    stage: Stage
    mark: Mark
    ms: float | None = None
    detail: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class LegView:
    """Everything that a panel shows. `protocol` and `endpoint` are None when the account has no such leg."""

    leg: Leg
    mark: Mark
    protocol: Protocol | None = None
    endpoint: Endpoint | None = None
    stages: tuple[StageView, ...] = ()
    failure: Failure | None = None
    warning: str = ""
    ms: float | None = None
    checked: datetime | None = None
    report: LegReport | None = None
    diagnosis: Diagnosis | None = None
    outdated: bool = False
    """The report speaks of settings that the account no longer has."""

    @property
    def remedy(self) -> Remedy | None:
        """The key that does something about what is wrong; None where none does."""
        return None if self.report is None or self.outdated else remedy_of(self.report, self.diagnosis)

    @property
    def key_words(self) -> str:
        """That key and what it does; empty where there is none."""
        return f"{self.remedy.key}: {self.remedy.words}" if self.remedy is not None else ""

    @property
    def accepts_anything(self) -> bool:
        """Whether the account proves this server's identity by nothing at all."""
        return self.endpoint is not None and self.endpoint.certificate.trust is Trust.ANYTHING


@dataclass(slots=True)
class LegProgress:
    """A running leg, filled by its events. `results` is keyed by the step of the plan."""

    planned: tuple[Stage, ...]
    running: int | None = None
    results: dict[int, StageResult] = field(default_factory=dict)
    failure: Failure | None = None
    report: LegReport | None = None

    def take(self, event: Event) -> None:
        """Learn from one event of this leg."""
        if isinstance(event, StageStarted):
            self.running = event.step
        elif isinstance(event, StageFinished):
            self.results[event.step] = event.result
            self.failure = event.failure or self.failure
            if self.running == event.step:
                self.running = None
        else:
            self.report = event.report

    @property
    def mark(self) -> Mark:
        """The mark of a leg that is being checked."""
        if self.report is not None:
            return severity_mark(self.report.severity)
        if self.failure is not None:
            return Mark.FAILED
        if self.running is None and not self.results:
            return Mark.QUEUED
        return Mark.of_progress(len(self.results), len(self.planned))


def severity_mark(severity: Severity) -> Mark:
    """The mark of what has ended so."""
    return {Severity.OK: Mark.OK, Severity.WARNING: Mark.WARNING, Severity.FAILED: Mark.FAILED}[severity]


def leg_of(event: Event) -> Leg:
    """The leg that `event` belongs to."""
    return event.report.leg if isinstance(event, LegFinished) else event.leg


def progress_of(account: Account) -> dict[Leg, LegProgress]:
    """A fresh start for each leg of `account`."""
    return {setup.leg: LegProgress(setup.plan) for setup in legs_of(account)}


def setup_of(account: Account, leg: Leg) -> LegSetup | None:
    """How `account` has `leg`; None if it has none."""
    return next((setup for setup in legs_of(account) if setup.leg is leg), None)


def leg_report(report: CheckReport | None, leg: Leg) -> LegReport | None:
    """The report of one leg, None if it was not checked."""
    if report is None:
        return None
    return report.outbound if leg is Leg.OUTBOUND else report.inbound


def leg_mark(account: Account, leg: Leg, progress: Mapping[Leg, LegProgress], report: CheckReport | None) -> Mark:
    """The mark of one leg: what runs now goes before what was."""
    if leg is Leg.INBOUND and account.retrieval is None:
        return Mark.ABSENT
    if (running := progress.get(leg)) is not None:
        return running.mark
    return settled_mark(account, leg, current(report, account))


def settled_mark(account: Account, leg: Leg, last: CheckReport | None) -> Mark:
    """The mark of one leg that no check is busy with; `last` is what is current of its account's last report."""
    if leg is Leg.INBOUND and account.retrieval is None:
        return Mark.ABSENT
    found = leg_report(last, leg)
    return Mark.UNCHECKED if found is None else severity_mark(found.severity)


def leg_view(account: Account, leg: Leg, progress: Mapping[Leg, LegProgress], report: CheckReport | None) -> LegView:
    """All that is known of one leg of `account`."""
    mark = leg_mark(account, leg, progress, report)
    setup = setup_of(account, leg)
    if setup is None:
        return LegView(leg, mark)
    running = progress.get(leg)
    last = running.report if running is not None else leg_report(report, leg)
    if last is not None:
        checked = None if running is not None or report is None else report.started
        return report_view(account, setup, mark, last, checked)
    if running is not None:
        return live_view(setup, mark, running)
    waiting = tuple(StageView(stage, Mark.UNCHECKED) for stage in setup.plan)
    return LegView(leg, mark, setup.protocol, setup.endpoint, waiting)


def report_view(account: Account, setup: LegSetup, mark: Mark, last: LegReport, at: datetime | None) -> LegView:
    """A leg as `last` found it at that time."""
    return LegView(
        setup.leg,
        mark,
        setup.protocol,
        setup.endpoint,
        tuple(_finished(result) for result in last.stages),
        last.failure,
        last.warning,
        last.ms,
        at,
        last,
        diagnosis_of(last, account.email),
        outdated=(last.protocol, last.endpoint) != (setup.protocol, setup.endpoint),
    )


def live_view(setup: LegSetup, mark: Mark, running: LegProgress) -> LegView:
    """A leg that is being walked."""
    stages = tuple(_live(running, step, stage) for step, stage in enumerate(running.planned))
    return LegView(setup.leg, mark, setup.protocol, setup.endpoint, stages, running.failure)


_STATUS_MARKS = {Status.OK: Mark.OK, Status.FAILED: Mark.FAILED, Status.SKIPPED: Mark.SKIPPED}


def _finished(result: StageResult) -> StageView:
    ms = None if result.status is Status.SKIPPED else result.ms
    return StageView(result.stage, _STATUS_MARKS[result.status], ms, result.detail, result.reply)


def _live(running: LegProgress, step: int, stage: Stage) -> StageView:
    if (result := running.results.get(step)) is not None:
        return _finished(result)
    if step == running.running:
        return StageView(stage, Mark.HALFWAY)
    return StageView(stage, Mark.SKIPPED if running.failure is not None else Mark.UNCHECKED)
