"""How a check is told: plain lines, a live drawing, or one JSON document. Chosen once, fed with events and reports."""

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from mailtui.actions.check import Listener
from mailtui.cli.live import LEAST_COLUMNS, LadderView, ManyView
from mailtui.cli.output import GOOD, Output, Part, Styled
from mailtui.cli.remedies import Remedies, change_json
from mailtui.cli.todo import ToDo
from mailtui.cli.words import account_line, stage_line, transcript_lines, verdict_lines
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, LegReport, Severity, Status
from mailtui.model.events import Event, LegFinished, StageFinished
from mailtui.model.report_json import VERSION, severity_name
from mailtui.model.text import clean, width

if TYPE_CHECKING:
    from mailtui.actions.fixing import Proposal

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

    def fixed(self, proposal: "Proposal") -> None:
        """An account was changed as proposed, and will be tested again."""

    def end(self, severity: Severity) -> None:
        """All accounts are done."""


def choose_presenter(teller: "Teller", accounts: Sequence[Account], legs: frozenset[Leg], form: str) -> Presenter:
    """The presenter for this teller's output, these accounts and this `form` (text or json)."""
    output = teller.output
    if form == "json":
        return JsonPresenter(teller, [account.name for account in accounts])
    columns = min(NAME_COLUMNS, max(width(clean(account.name)) for account in accounts))
    if not output.live or output.columns < LEAST_COLUMNS:
        return PlainPresenter(teller, len(accounts), columns)
    if len(accounts) > 1:
        return ManyPresenter(teller, len(accounts), columns)
    ladder = LadderView(output, accounts[0], legs, time.monotonic)
    if ladder.height >= output.rows:
        return PlainPresenter(teller, 1, columns)
    return LadderPresenter(teller, ladder)


class Teller:
    """Puts into lines what presenters of text have in common: the end of a leg, and a fix that was made."""

    def __init__(self, output: Output, remedies: Remedies, *, transcript: bool) -> None:
        self.output = output
        self.remedies = remedies
        self.transcript = transcript

    def leg(self, account: str, leg: LegReport, todo: ToDo | None = None) -> None:
        """The verdict of a leg, what to do about it unless `todo` takes that, and its dialogue if that is wanted."""
        is_left = todo is not None and todo.add(account, leg)
        for line in (*verdict_lines(account, leg), *(() if is_left else self.remedies.lines(account, leg))):
            self.output.line(*line)
        self.dialogue(account, leg)

    def dialogue(self, account: str, leg: LegReport) -> None:
        """The dialogue of a leg, if that is wanted."""
        if self.transcript:
            for line in transcript_lines(account, leg):
                self.output.line(*line)

    def fixed(self, proposal: "Proposal") -> None:
        """What was changed."""
        head = f"{proposal.account.name}  {proposal.leg.leg.value:<8}  "
        self.output.line(head, Styled("applied", GOOD), f": {proposal.fix.words}; testing again")
        self.output.flush()


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

    def __init__(self, teller: Teller, total: int, name_columns: int) -> None:
        self._output = teller.output
        self._teller = teller
        self._name_columns = name_columns
        self._total = total
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
                self._teller.leg(report.account, leg)
            self._summary[report.account] = account_line(report, self._name_columns)
        self._output.flush()

    def tick(self) -> None:
        """Nothing moves between the lines."""

    def fixed(self, proposal: "Proposal") -> None:
        """Say what was changed."""
        self._teller.fixed(proposal)

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
            self._teller.leg(event.account, event.report)
        self._output.flush()


class LadderPresenter:
    """One account, drawn live, then its verdicts."""

    def __init__(self, teller: Teller, ladder: LadderView) -> None:
        self._teller = teller
        self._ladder = ladder

    @property
    def on_event(self) -> Listener | None:
        """What takes the events: the drawing."""
        return self._ladder.on_event

    def on_report(self, report: CheckReport) -> None:
        """Finish the drawing, and print the verdicts below it."""
        self._ladder.draw()
        for leg in report.legs:
            self._teller.leg(report.account, leg)

    def tick(self) -> None:
        """Draw again, for the times of running stages."""
        self._ladder.draw()

    def fixed(self, proposal: "Proposal") -> None:
        """Say what was changed."""
        self._teller.fixed(proposal)

    def end(self, severity: Severity) -> None:
        """All is said by then."""


class ManyPresenter:
    """Many accounts on a terminal: a line for each as it ends, and at the end what to do about those that failed."""

    def __init__(self, teller: Teller, total: int, name_columns: int) -> None:
        self._output = teller.output
        self._teller = teller
        self._view = ManyView(self._output, total, name_columns)
        self._counts = _Counts()
        self._todo = ToDo(self._output, teller.remedies)

    @property
    def on_event(self) -> Listener | None:
        """None: single stages would be too many lines."""
        return None

    def on_report(self, report: CheckReport) -> None:
        """Print the line of an account that has ended."""
        self._counts.add(report.severity)
        self._view.on_report(report)
        for leg in report.legs:
            self._todo.add(report.account, leg)
            self._teller.dialogue(report.account, leg)

    def tick(self) -> None:
        """Draw the count again."""
        self._view.draw()

    def fixed(self, proposal: "Proposal") -> None:
        """Say what was changed."""
        self._teller.fixed(proposal)

    def end(self, severity: Severity) -> None:
        """Put what to do and the sum in the place of the count."""
        self._output.erase()
        self._todo.tell()
        self._output.line(self._counts.told())


class JsonPresenter:
    """One document at the end, the accounts in the order in which they were asked for (docs/json.md)."""

    def __init__(self, teller: Teller, names: Sequence[str]) -> None:
        self._teller = teller
        self._fixed: list[dict[str, object]] = []
        # Kept as text: a few times smaller than the reports.
        self._texts: dict[str, str] = dict.fromkeys(names, "")

    @property
    def on_event(self) -> Listener | None:
        """None: the document holds whole reports."""
        return None

    def on_report(self, report: CheckReport) -> None:
        """Keep a report for the document; the one of a second test takes the place of the first."""
        document = self._teller.remedies.report_json(report, transcript=self._teller.transcript)
        self._texts[report.account] = json.dumps(document)

    def tick(self) -> None:
        """Nothing is shown before the end."""

    def fixed(self, proposal: "Proposal") -> None:
        """Keep what was changed for the document."""
        where = {"account": proposal.account.name, "leg": proposal.leg.leg.value}
        self._fixed.append({**where, "change": change_json(proposal)})

    def end(self, severity: Severity) -> None:
        """Print the document."""
        accounts = ",\n".join(text for text in self._texts.values() if text)
        self._teller.output.json_text(
            f'{{"version": {VERSION}, "severity": "{severity_name(severity)}", '
            f'"fixed": {json.dumps(self._fixed)}, "accounts": [\n{accounts}\n]}}'
        )
