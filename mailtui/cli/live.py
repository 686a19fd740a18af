"""A check as it happens, drawn over itself on a terminal: two ladders for one account, a count for many."""

from collections.abc import Callable

from mailtui.cli.output import BAD, BOLD, DANGER, DIM, GOOD, Output, Part, Styled, fit
from mailtui.cli.words import account_line, milliseconds
from mailtui.model.account import Account, Trust
from mailtui.model.check import CheckReport, Leg, LegSetup, Severity, StageResult, Status, legs_of
from mailtui.model.events import Event, LegFinished, StageFinished, StageStarted

LEAST_COLUMNS = 40
"""Below this width two columns cannot be read; plain lines are printed instead."""

REDRAW_SECONDS = 0.1

_NAME_WIDTH = 12
_TIME_WIDTH = 9


class _Rungs:
    """One leg: what is known of each stage of its plan."""

    def __init__(self, setup: LegSetup) -> None:
        self.leg = setup.leg
        self.title = f"{setup.leg.value.capitalize()}  {setup.protocol.label} {setup.endpoint.label}"
        self.unsafe = setup.endpoint.certificate.trust is Trust.ANYTHING
        self.stages = setup.plan
        self.results: list[StageResult | None] = [None] * len(self.stages)
        self.started: dict[int, float] = {}
        self.finished = False


class LadderView:
    """One account, its legs side by side, each stage with its time; at the end the caller prints the verdicts."""

    def __init__(self, output: Output, account: Account, legs: frozenset[Leg], clock: Callable[[], float]) -> None:
        self._output = output
        self._account = account
        self._clock = clock
        self._rungs = {setup.leg: _Rungs(setup) for setup in legs_of(account) if setup.leg in legs}
        self._marks = ("+", "x", ">", "-") if output.plain_marks else ("✓", "✗", "▸", "·")
        self._bar = "|" if output.plain_marks else "│"

    @property
    def height(self) -> int:
        """Lines that the drawing takes."""
        return 3 + max((len(rungs.stages) for rungs in self._rungs.values()), default=0)

    def on_event(self, event: Event) -> None:
        """Take note of what happened and draw it."""
        if isinstance(event, StageStarted):
            self._rungs[event.leg].started[event.step] = self._clock()
        elif isinstance(event, StageFinished):
            self._rungs[event.leg].results[event.step] = event.result
        elif isinstance(event, LegFinished):
            rungs = self._rungs[event.report.leg]
            rungs.finished = True
            rungs.results[: len(event.report.stages)] = list(event.report.stages)
        self.draw()

    def draw(self) -> None:
        """Draw the present state over the last one."""
        self._output.redraw(self.lines(self._output.columns))

    def lines(self, columns: int) -> list[list[Part]]:
        """The drawing, each line at most `columns` wide."""
        legs = list(self._rungs.values())
        if not legs:
            return []
        # One column stays free: writing into the last one makes some terminals wrap.
        each = (columns - 1 - 3 * (len(legs) - 1)) // len(legs)
        drawing: list[list[Part]] = [[Styled(fit(self._account.name, columns - 1), BOLD)]]
        drawing.append(self._beside([[Styled(fit(rungs.title, each), BOLD)] for rungs in legs]))
        if any(rungs.unsafe for rungs in legs):
            warning = f"certificates: {Trust.ANYTHING.label}"
            drawing.append(self._beside([[Styled(fit(warning if r.unsafe else "", each), DANGER)] for r in legs]))
        steps = range(max(len(rungs.stages) for rungs in legs))
        return drawing + [self._beside([self._rung(rungs, step, each) for rungs in legs]) for step in steps]

    def _beside(self, cells: list[list[Part]]) -> list[Part]:
        line: list[Part] = []
        for number, cell in enumerate(cells):
            if number:
                line.append(Styled(f" {self._bar} ", DIM))
            line += cell
        return line

    def _rung(self, rungs: _Rungs, step: int, columns: int) -> list[Part]:
        if step >= len(rungs.stages):
            return [" " * columns]
        mark, style, took, detail = self._state(rungs, step)
        name = f" {rungs.stages[step].value:<{_NAME_WIDTH}} {took:>{_TIME_WIDTH}}  {detail}"
        return [Styled(mark, style), Styled(fit(name, columns - 1), "" if style == GOOD else style)]

    def _state(self, rungs: _Rungs, step: int) -> tuple[str, str, str, str]:
        good, bad, running, waiting = self._marks
        result = rungs.results[step]
        if result is None:
            if step in rungs.started and not rungs.finished:
                return running, BOLD, milliseconds((self._clock() - rungs.started[step]) * 1_000), ""
            return waiting, DIM, "", ""
        if result.status is Status.SKIPPED:
            return waiting, DIM, "", "skipped"
        if result.status is Status.FAILED:
            return bad, BAD, milliseconds(result.ms), result.detail or result.reply
        return good, GOOD, milliseconds(result.ms), result.detail


class ManyView:
    """Many accounts: one line for each as it ends, and below them how many are done."""

    def __init__(self, output: Output, total: int, name_columns: int) -> None:
        self._output = output
        self._total = total
        self._name_columns = name_columns
        self.checked = 0
        self.failing = 0

    def on_report(self, report: CheckReport) -> None:
        """Print the account's line and count it."""
        self.checked += 1
        self.failing += report.severity is Severity.FAILED
        self._output.erase()
        self._output.line(*account_line(report, self._name_columns))
        self.draw()

    def draw(self) -> None:
        """Draw the count below what is printed."""
        text = f"{self.checked}/{self._total} checked, {self.failing} failing"
        self._output.redraw([[Styled(fit(text, self._output.columns - 1), BAD if self.failing else DIM)]])
