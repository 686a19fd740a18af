"""How a check is told: plain lines, a live drawing, or one JSON document. Chosen once, fed with events and reports."""

import json
import time
from collections.abc import Sequence
from typing import Protocol as Interface

from mailtui.actions.check import Listener
from mailtui.cli.live import LEAST_COLUMNS, LadderView, ManyView
from mailtui.cli.output import Output, Part
from mailtui.cli.words import account_line, stage_line, transcript_lines, verdict_lines
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Event, Leg, LegFinished, LegReport, Severity, StageFinished, Status
from mailtui.model.report_json import VERSION, report_to_json, severity_name
from mailtui.model.text import clean, width

NAME_COLUMNS = 40
"""Names are lined up to this width; longer ones stand out."""


class Presenter(Interface):
    """Tells of one run. `on_event` and `on_report` are called on the event loop and return at once."""

    @property
    def on_event(self) -> Listener | None:
        """What wants the events; None where only reports count."""

    def on_report(self, report: CheckReport) -> None:
        """An account is done."""

    def tick(self) -> None:
        """Time has passed; called several times a second."""

    def end(self, severity: Severity) -> None:
        """All accounts are done."""


def choose_presenter(
    output: Output, accounts: Sequence[Account], legs: frozenset[Leg], form: str, *, transcript: bool
) -> Presenter:
    """The presenter for this output, these accounts and this `form` (text or json)."""
    if form == "json":
        return JsonPresenter(output, [account.name for account in accounts], transcript=transcript)
    columns = min(NAME_COLUMNS, max(width(clean(account.name)) for account in accounts))
    if not output.live or output.columns < LEAST_COLUMNS:
        return PlainPresenter(output, len(accounts), columns, transcript=transcript)
    if len(accounts) > 1:
        return ManyPresenter(output, len(accounts), columns, transcript=transcript)
    ladder = LadderView(output, accounts[0], legs, time.monotonic)
    if ladder.height >= output.rows:
        return PlainPresenter(output, 1, columns, transcript=transcript)
    return LadderPresenter(output, ladder, transcript=transcript)


class _Counts:
    """How many accounts ended how."""

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Severity, 0)

    def add(self, severity: Severity) -> None:
        self._counts[severity] += 1

    def told(self) -> str:
        good, warning, failed = (self._counts[severity] for severity in Severity)
        total = good + warning + failed
        return f"{total} accounts: {good} good, {warning} with a warning, {failed} failed"


class PlainPresenter:
    """A line for each stage, then a verdict for each leg: as they come for one account, account by account for many.

    Many end with a table of one line for each account.
    """

    def __init__(self, output: Output, total: int, name_columns: int, *, transcript: bool) -> None:
        self._output = output
        self._name_columns = name_columns
        self._total = total
        self._transcript = transcript
        self._counts = _Counts()
        self._summary: dict[str, list[Part]] = {}

    @property
    def on_event(self) -> Listener | None:
        """What takes the events; None where only whole reports are told."""
        return self._tell if self._total == 1 else None

    def on_report(self, report: CheckReport) -> None:
        """Tell a report, if its stages were not told as they came."""
        self._counts.add(report.severity)
        if self._total > 1:
            for leg in report.legs:
                for result in leg.stages:
                    self._output.line(*stage_line(report.account, leg.leg, result))
                self._end_leg(report.account, leg)
            self._summary[report.account] = account_line(report, self._name_columns)
        self._output.flush()

    def tick(self) -> None:
        """Nothing moves between the lines."""

    def end(self, severity: Severity) -> None:
        """Sum up many accounts."""
        if self._total > 1:
            self._output.line()
            for _, line in sorted(self._summary.items()):
                self._output.line(*line)
            self._output.line(self._counts.told())

    def _tell(self, event: Event) -> None:
        if isinstance(event, StageFinished) and event.result.status is not Status.SKIPPED:
            self._output.line(*stage_line(event.account, event.leg, event.result))
        elif isinstance(event, LegFinished):
            for result in event.report.stages:
                if result.status is Status.SKIPPED:
                    self._output.line(*stage_line(event.account, event.report.leg, result))
            self._end_leg(event.account, event.report)
        self._output.flush()

    def _end_leg(self, account: str, leg: LegReport) -> None:
        _tell_leg(self._output, account, leg, transcript=self._transcript)


class LadderPresenter:
    """One account, drawn live, then its verdicts."""

    def __init__(self, output: Output, ladder: LadderView, *, transcript: bool) -> None:
        self._output = output
        self._ladder = ladder
        self._transcript = transcript

    @property
    def on_event(self) -> Listener | None:
        """What takes the events: the drawing."""
        return self._ladder.on_event

    def on_report(self, report: CheckReport) -> None:
        """Finish the drawing, and print the verdicts below it."""
        self._ladder.draw()
        for leg in report.legs:
            _tell_leg(self._output, report.account, leg, transcript=self._transcript)

    def tick(self) -> None:
        """Draw again, for the times of running stages."""
        self._ladder.draw()

    def end(self, severity: Severity) -> None:
        """All is said by then."""


class ManyPresenter:
    """Many accounts on a terminal: a line for each as it ends, the failed ones told in full at the end."""

    def __init__(self, output: Output, total: int, name_columns: int, *, transcript: bool) -> None:
        self._output = output
        self._view = ManyView(output, total, name_columns)
        self._counts = _Counts()
        self._transcript = transcript

    @property
    def on_event(self) -> Listener | None:
        """None: single stages would be too many lines."""
        return None

    def on_report(self, report: CheckReport) -> None:
        """Print the line of an account that has ended."""
        self._counts.add(report.severity)
        self._view.on_report(report)
        if self._transcript:
            for leg in report.legs:
                for line in transcript_lines(report.account, leg):
                    self._output.line(*line)

    def tick(self) -> None:
        """Draw the count again."""
        self._view.draw()

    def end(self, severity: Severity) -> None:
        """Put the sum in the place of the count."""
        self._output.erase()
        self._output.line(self._counts.told())


class JsonPresenter:
    """One document at the end, the accounts in the order in which they were asked for (docs/json.md)."""

    def __init__(self, output: Output, names: Sequence[str], *, transcript: bool) -> None:
        self._output = output
        self._transcript = transcript
        # Kept as text: a few times smaller than the reports.
        self._texts: dict[str, str] = dict.fromkeys(names, "")

    @property
    def on_event(self) -> Listener | None:
        """None: the document holds whole reports."""
        return None

    def on_report(self, report: CheckReport) -> None:
        """Keep a report for the document."""
        self._texts[report.account] = json.dumps(report_to_json(report, transcript=self._transcript))

    def tick(self) -> None:
        """Nothing is shown before the end."""

    def end(self, severity: Severity) -> None:
        """Print the document."""
        accounts = ",\n".join(text for text in self._texts.values() if text)
        self._output.json_text(
            f'{{"version": {VERSION}, "severity": "{severity_name(severity)}", "accounts": [\n{accounts}\n]}}'
        )


def _tell_leg(output: Output, account: str, leg: LegReport, *, transcript: bool) -> None:
    for line in verdict_lines(account, leg):
        output.line(*line)
    if transcript:
        for line in transcript_lines(account, leg):
            output.line(*line)
