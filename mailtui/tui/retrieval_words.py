"""A retrieval in a few words: how far it is, and what came of it. Pure text."""

from mailtui.model.amounts import Pace, counted, octets_words, seconds_words
from mailtui.model.check import Stage
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import clean
from mailtui.tui.diagnosing import short_cause
from mailtui.tui.retrievals import Retrieving
from mailtui.tui.words import STAGE_NAMES, Mark

_BAR = 10
"""Columns of the bar."""


def bar(share: float) -> str:
    """A bar that is filled by `share`, from 0 to 1."""
    filled = int(share * _BAR)
    return "━" * filled + "╌" * (_BAR - filled)


def progress_words(running: Retrieving) -> str:
    """How far a retrieval is, with a bar; what can be cut is last."""
    if running.is_ending:
        return "stopping once the present messages are stored"
    pace = running.pace
    if pace is None or not pace.messages_in_all:
        return "looking for new mail" if running.stage is Stage.TRANSFER else ""
    return f"{bar(pace.share)} {_how_far(pace)}"


def short_progress(running: Retrieving) -> str:
    """The same for a column."""
    if running.is_ending:
        return "stopping …"
    if running.leg.report is not None:
        return "ending …"
    if running.leg.failure is not None:
        return clean(running.leg.failure.hint)
    pace = running.pace
    if pace is not None and pace.messages_in_all:
        return _how_far(pace)
    if running.stage is None:
        return Mark.QUEUED.meaning if not running.leg.results else "…"
    return "looking for new mail" if running.stage is Stage.TRANSFER else f"{STAGE_NAMES[running.stage]} …"


def _how_far(pace: Pace) -> str:
    words = [f"{pace.share:.0%}", f"{pace.messages} of {pace.messages_in_all}"]
    if pace.seconds > 0:
        words.append(f"{octets_words(pace.octets_per_second)}/s")
    if pace.seconds_left is not None:
        words.append(f"{seconds_words(pace.seconds_left)} left")
    return ", ".join(words)


def outcome(report: RetrievalReport, email: str) -> str:
    """What came of a retrieval: mail first, then what went wrong."""
    told = []
    if report.stored:
        told.append(f"{report.stored} new, {octets_words(report.octets)}")
    if report.deleted:
        told.append(f"{report.deleted} deleted there")
    failure = report.leg.failure
    if failure is not None:
        told.append(short_cause(report.leg, email))
    return "; ".join(told) or "nothing new"


def fetched(report: RetrievalReport) -> str:
    """What a retrieval has brought, in one sentence without its stop."""
    if not report.stored:
        return "nothing new"
    return f"{counted(report.stored, 'new message')}, {octets_words(report.octets)}"
