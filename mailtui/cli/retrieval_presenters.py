"""How retrievals are told: plain lines, a live drawing, or one JSON document. Chosen once."""

import json
import time
from collections.abc import Sequence
from typing import Protocol as Interface

from mailtui.actions.retrieve import Listener, RetrieveOptions
from mailtui.cli.live import LEAST_COLUMNS
from mailtui.cli.output import Output
from mailtui.cli.presenters import NAME_COLUMNS, Teller
from mailtui.cli.remedies import Remedies
from mailtui.cli.retrieval_live import ProgressView
from mailtui.cli.retrieval_words import candidate_lines, mailbox_lines, result_line, total_line
from mailtui.cli.todo import ToDo
from mailtui.model.account import Account
from mailtui.model.check import Severity
from mailtui.model.report_json import VERSION, severity_name
from mailtui.model.retrieval import RetrievalEvent, RetrievalReport
from mailtui.model.text import clean, width


class RetrievalPresenter(Interface):
    """Tells of one run. `on_event` and `on_report` are called on the event loop and return at once."""

    @property
    def on_event(self) -> Listener | None:
        """What wants the events; None where only reports count."""

    def on_report(self, report: RetrievalReport) -> None:
        """An account is done."""

    def tick(self) -> None:
        """Time has passed; called several times a second."""

    def end(self, severity: Severity) -> None:
        """All accounts are done."""


def choose_presenter(
    output: Output, remedies: Remedies, accounts: Sequence[Account], options: RetrieveOptions, form: str
) -> RetrievalPresenter:
    """The presenter for this output, these accounts and this `form` (text or json)."""
    if form == "json":
        return JsonRetrievals(output, remedies, [account.name for account in accounts], options)
    teller = RetrievalTeller(Teller(output, remedies, transcript=options.transcript), accounts, options.dry_run)
    if not output.live or output.columns < LEAST_COLUMNS:
        return PlainRetrievals(teller)
    return LiveRetrievals(teller, ProgressView(output, len(accounts), teller.name_columns, time.monotonic))


class RetrievalTeller:
    """Puts reports into lines, and counts them."""

    def __init__(self, teller: Teller, accounts: Sequence[Account], is_dry_run: bool) -> None:
        self.output = teller.output
        self.name_columns = min(NAME_COLUMNS, max(width(clean(account.name)) for account in accounts))
        self._teller = teller
        self._todo = ToDo(teller.output, teller.remedies) if len(accounts) > 1 else None
        self._is_dry_run = is_dry_run
        self._counts = dict.fromkeys(Severity, 0)
        self._stored = self._octets = 0

    def tell(self, report: RetrievalReport) -> None:
        """One account's line, and below it what else is to be said of it."""
        self._counts[report.severity] += 1
        self._stored += report.stored
        self._octets += report.octets
        self.output.line(*result_line(report, self.name_columns))
        for line in (*mailbox_lines(report), *candidate_lines(report)):
            self.output.line(*line)
        if report.leg.severity is not Severity.OK:
            self._teller.leg(report.account, report.leg, self._todo)
        else:
            self._teller.dialogue(report.account, report.leg)
        self.output.flush()

    def total(self) -> None:
        """What to do, and all accounts in one line, where there are several."""
        if self._todo is not None:
            self._todo.tell()
            line = total_line(self._counts, self._stored, self._octets, is_dry_run=self._is_dry_run)
            self.output.line(line)


class PlainRetrievals:
    """A line for each account as it ends."""

    def __init__(self, teller: RetrievalTeller) -> None:
        self._teller = teller

    @property
    def on_event(self) -> Listener | None:
        """None: single steps would be too many lines."""
        return None

    def on_report(self, report: RetrievalReport) -> None:
        """Print an account that has ended."""
        self._teller.tell(report)

    def tick(self) -> None:
        """Nothing moves between the lines."""

    def end(self, severity: Severity) -> None:
        """Print the sum."""
        self._teller.total()


class LiveRetrievals:
    """A line for each account as it ends, and below them how far the others are."""

    def __init__(self, teller: RetrievalTeller, view: ProgressView) -> None:
        self._teller = teller
        self._view = view

    @property
    def on_event(self) -> Listener | None:
        """What takes the events: the drawing, which follows with the next tick."""
        return self._take

    def _take(self, event: RetrievalEvent) -> None:
        self._view.take(event)

    def on_report(self, report: RetrievalReport) -> None:
        """Put an account that has ended above the drawing."""
        self._view.done(report)
        self._teller.output.erase()
        self._teller.tell(report)
        self._view.draw()

    def tick(self) -> None:
        """Draw again."""
        self._view.draw()

    def end(self, severity: Severity) -> None:
        """Put the sum in the place of the drawing."""
        self._teller.output.erase()
        self._teller.total()


class JsonRetrievals:
    """One document at the end, the accounts in the order in which they were asked for (docs/json.md)."""

    def __init__(self, output: Output, remedies: Remedies, names: Sequence[str], options: RetrieveOptions) -> None:
        self._output = output
        self._remedies = remedies
        self._options = options
        # Kept as text: a few times smaller than the reports.
        self._texts: dict[str, str] = dict.fromkeys(names, "")

    @property
    def on_event(self) -> Listener | None:
        """None: the document holds whole reports."""
        return None

    def on_report(self, report: RetrievalReport) -> None:
        """Keep a report for the document."""
        document = self._remedies.retrieval_json(report, transcript=self._options.transcript)
        self._texts[report.account] = json.dumps(document)

    def tick(self) -> None:
        """Nothing is shown before the end."""

    def end(self, severity: Severity) -> None:
        """Print the document."""
        accounts = ",\n".join(text for text in self._texts.values() if text)
        self._output.json_text(
            f'{{"version": {VERSION}, "severity": "{severity_name(severity)}", '
            f'"dry_run": {json.dumps(self._options.dry_run)}, "accounts": [\n{accounts}\n]}}'
        )
