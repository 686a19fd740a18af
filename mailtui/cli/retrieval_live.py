"""Retrievals as they happen, drawn over themselves on a terminal: how far each account is, how fast, how long yet."""

from collections.abc import Callable
from dataclasses import dataclass

from mailtui.cli.output import DIM, GOOD, Output, Part, Styled, fit
from mailtui.model.amounts import Pace, octets_words, seconds_words
from mailtui.model.check import Stage
from mailtui.model.events import StageStarted
from mailtui.model.retrieval import RetrievalEvent, RetrievalProgress, RetrievalReport, RetrievalStarted
from mailtui.model.text import clean, width

_BAR_COLUMNS = 24
_LEAST_BAR = 6
_KEPT_ROWS = 4
"""Rows of the terminal that the drawing leaves to what stands above it."""


@dataclass(slots=True)
class _Running:
    """One account whose retrieval has begun. Its pace is that since its first message was on the way."""

    stage: str = ""
    began: float | None = None
    last: RetrievalProgress | None = None


class ProgressView:
    """The accounts that are being retrieved. `clock` is in seconds."""

    def __init__(self, output: Output, total: int, name_columns: int, clock: Callable[[], float]) -> None:
        self._output = output
        self._total = total
        self._name_columns = name_columns
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._done = 0
        self._messages = self._octets = 0
        full, empty = ("#", ".") if output.plain_marks else ("█", "░")
        self._full, self._empty = full, empty

    def take(self, event: RetrievalEvent) -> None:
        """Take note of what happened."""
        if isinstance(event, RetrievalStarted):
            self._running[event.account] = _Running()
        elif isinstance(event, StageStarted):
            self._running.setdefault(event.account, _Running()).stage = event.stage.value
        elif isinstance(event, RetrievalProgress):
            one = self._running.setdefault(event.account, _Running())
            if one.began is None:
                one.began = self._clock()
            one.last = event

    def done(self, report: RetrievalReport) -> None:
        """An account has ended."""
        self._running.pop(report.account, None)
        self._done += 1
        self._messages += report.stored
        self._octets += report.octets

    def draw(self) -> None:
        """Draw the present state over the last one."""
        self._output.redraw(self.lines(self._output.columns, self._output.rows))

    def lines(self, columns: int, rows: int) -> list[list[Part]]:
        """The drawing, each line narrower than `columns`; what moves stands in columns of its own."""
        columns -= 1
        shown = list(self._running.items())[: max(1, rows - _KEPT_ROWS)]
        paces = {name: self._pace(one) for name, one in shown}
        amounts = {name: _amounts(pace) for name, pace in paces.items() if pace is not None}
        widths = [max(map(len, column)) for column in zip(*amounts.values(), strict=True)]
        name_columns = min(max([self._name_columns, *(width(clean(name)) for name, _ in shown)]), columns // 3)
        bar_columns = min(_BAR_COLUMNS, columns - name_columns - sum(widths) - 2 * len(widths) - 2)
        lines: list[list[Part]] = []
        for name, one in shown:
            head, pace = f"{fit(name, name_columns)}  ", paces[name]
            if pace is None:
                stage = "reading the list of messages" if one.stage == Stage.TRANSFER else one.stage or "waiting"
                lines.append([fit(head + stage, columns)])
                continue
            told = "".join(f"  {text:>{size}}" for text, size in zip(amounts[name], widths, strict=True))
            if bar_columns < _LEAST_BAR:
                lines.append([fit(head + told.strip(), columns)])
                continue
            filled = round(pace.share * bar_columns)
            bar = Styled(self._full * filled, GOOD), Styled(self._empty * (bar_columns - filled), DIM)
            lines.append([head, *bar, fit(told, columns - name_columns - bar_columns - 2)])
        if self._total > 1:
            lines.append([Styled(fit(self._sum(), columns), DIM)])
        return lines

    def _pace(self, one: _Running) -> Pace | None:
        last = one.last
        if last is None or not last.messages_in_all or one.began is None:
            return None
        elapsed = self._clock() - one.began
        return Pace(last.messages, last.messages_in_all, last.octets, last.octets_in_all, elapsed)

    def _sum(self) -> str:
        lasts = [one.last for one in self._running.values() if one.last is not None]
        messages = self._messages + sum(last.messages for last in lasts)
        octets = self._octets + sum(last.octets for last in lasts)
        return f"{self._done}/{self._total} accounts done, {messages:,} messages, {octets_words(octets)}"


def _amounts(pace: Pace) -> tuple[str, ...]:
    """How many, how much, how fast, how long yet."""
    octets = octets_words(pace.octets)
    return (
        f"{pace.messages:,}/{pace.messages_in_all:,}",
        f"{octets} of {octets_words(pace.octets_in_all)}" if pace.octets_in_all else octets,
        f"{octets_words(pace.octets_per_second)}/s",
        "" if pace.seconds_left is None else f"{seconds_words(pace.seconds_left)} left",
    )
