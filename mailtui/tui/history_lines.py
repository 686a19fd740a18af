"""The history of one leg in two lines: how long its checks took, and how they ended."""

from collections.abc import Iterable, Sequence

from mailtui.model.check import Severity
from mailtui.model.text import width
from mailtui.model.trends import Point, record, steps
from mailtui.tui.ladder_lines import Line, Span
from mailtui.tui.words import Mark, Role, duration

BARS = "▁▂▃▄▅▆▇█"
GAP = "×"
"""Stands in the place of a bar where the check failed."""

ENDINGS = {
    Severity.OK: ("■", Role.OK),
    Severity.WARNING: (Mark.WARNING.glyph, Role.WARNING),
    Severity.FAILED: (Mark.FAILED.glyph, Role.FAILED),
}
"""The shapes differ, for colours may not be there."""

_LEAST_SHOWN = 12
"""Checks that are shown before words take their room."""


def history_lines(told: Sequence[Point], columns: int) -> list[Line]:
    """Two lines of at most `columns` columns, or none without checks; `told` is oldest first.

    Above, the times of the last checks as bars; below them, how the same checks ended. As many as fit.
    """
    summary = record(told)
    if summary is None:
        return []
    counted = f"{summary.count} check{'s' * (summary.count != 1)}"
    since = f"{summary.since:%Y-%m-%d}"
    typical = "none was good" if summary.median_ms is None else f"median {duration(summary.median_ms)}"
    last = told[-1]
    latest = typical if last.severity is Severity.FAILED else f"{typical}, last {duration(last.ms)}"
    shown = min(len(told), _LEAST_SHOWN)
    above = _fitting((latest, typical), columns - shown - 2)
    below = _fitting(
        (
            f"{counted} since {since}, {summary.percent} % good",
            f"{counted}, {summary.percent} % good",
            f"{summary.percent} % good",
        ),
        columns - shown - 2,
    )
    words = max(width(above), width(below))
    recent = told[-max(columns - words - 2 if words else columns, 1) :]
    gap = "  " if words else ""
    return [(*bars(recent), (gap + above, Role.DIM)), (*strip(recent), (gap + below, Role.DIM))]


def bars(told: Sequence[Point]) -> Line:
    """A sparkline: one bar for each check, on a logarithmic scale."""
    return _joined((GAP, Role.FAILED) if step is None else (BARS[step], Role.BUSY) for step in steps(told, len(BARS)))


def strip(told: Sequence[Point]) -> Line:
    """One sign for each check: good, warning or failed."""
    return _joined(ENDINGS[point.severity] for point in told)


def _joined(spans: Iterable[Span]) -> Line:
    joined: list[Span] = []
    for text, role in spans:
        if joined and joined[-1][1] is role:
            joined[-1] = (joined[-1][0] + text, role)
        else:
            joined.append((text, role))
    return tuple(joined)


def _fitting(wordings: Sequence[str], columns: int) -> str:
    """The first that fits, or nothing."""
    return next((words for words in wordings if width(words) <= columns), "")
