"""The columns of the Message Retrieval list."""

from dataclasses import dataclass
from datetime import datetime

from mailtui.model.account import Account, Retrieval, RetrievalMode
from mailtui.model.amounts import seconds_words
from mailtui.model.check import LegReport
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import clean
from mailtui.tui.account_columns import host, server, server_key, short_age, unsafe
from mailtui.tui.columns import Column
from mailtui.tui.diagnosing import short_cause
from mailtui.tui.receiving import troubles
from mailtui.tui.retrieval_words import outcome, short_progress
from mailtui.tui.retrievals import Retrieving, ended_at
from mailtui.tui.words import Mark, Role, age


@dataclass(frozen=True, slots=True)
class RetrievalRow:
    """An account that receives, with the mark of its entry.

    `checked` is when the last check was, whose receiving leg `report` is, `retrieved` the last retrieval; `newest` is
    that where no check came after it. `running` is the retrieval that runs, `due` when the next begins by itself,
    `is_told` whether the server tells of new mail before. `awaited` while what is stored is being read.
    """

    account: Account
    retrieval: Retrieval
    mark: Mark
    report: LegReport | None
    checked: datetime | None
    retrieved: RetrievalReport | None = None
    newest: RetrievalReport | None = None
    running: Retrieving | None = None
    due: datetime | None = None
    is_told: bool = False
    awaited: bool = False


def method(row: RetrievalRow, now: datetime) -> str:
    """Who starts a retrieval, and when the next one is."""
    if row.retrieval.mode is not RetrievalMode.AUTOMATIC:
        return "manual"
    told = f"every {row.retrieval.interval} min"
    if row.due is None:
        return told
    return f"at once, or {_until(row.due, now)}" if row.is_told else f"{told}, {_until(row.due, now)}"


def short_method(row: RetrievalRow, now: datetime) -> str:
    """The same in few columns: of what comes by itself, when."""
    if row.retrieval.mode is not RetrievalMode.AUTOMATIC:
        return "manual"
    if row.due is None:
        return f"{row.retrieval.interval} min"
    return "at once" if row.is_told else _until(row.due, now).replace(" min", "m")


def _until(due: datetime, now: datetime) -> str:
    seconds = (due - now).total_seconds()
    return "now" if seconds < 1 else f"in {seconds_words(seconds)}"


def leave(retrieval: Retrieval) -> str:
    """How long a message stays on the server after it was retrieved."""
    if not retrieval.leave_on_server:
        return "no"
    days = retrieval.delete_after
    return "yes" if days is None else f"{days} day{'s' * (days != 1)}"


def _retrieved(row: RetrievalRow) -> datetime | None:
    return None if row.retrieved is None else ended_at(row.retrieved)


def _new(row: RetrievalRow) -> int | None:
    if row.running is not None and row.running.progress is not None:
        return row.running.progress.messages
    if row.retrieved is None or (row.retrieved.leg.failure is not None and not row.retrieved.stored):
        return None
    return row.retrieved.stored


def _new_words(row: RetrievalRow, now: datetime) -> str:
    number = _new(row)
    return "–" if number is None else str(number)


def _short_new(row: RetrievalRow, now: datetime) -> str:
    number = _new(row)
    return "–" if number is None else f"{number // 1_000}k" if number >= 1_000 else str(number)


def result(row: RetrievalRow, now: datetime) -> str:
    """What runs, else the last retrieval or check of the receiving leg in words, with its age."""
    if row.running is not None:
        return short_progress(row.running)
    if row.mark.role is Role.BUSY:
        return row.mark.meaning
    if row.awaited:
        return "…"
    if row.newest is not None:
        words = "; ".join(filter(None, (outcome(row.newest, row.account.email), troubles(row.newest))))
        return f"{short_age(ended_at(row.newest), now)}: {words}"
    if row.report is None:
        return Mark.UNCHECKED.meaning
    if row.report.failure is not None or row.report.warning:
        words = short_cause(row.report, row.account.email)
    else:
        count = row.report.messages
        words = "good" if count is None else f"good, {count} message{'s' * (count != 1)}"
    return f"{short_age(row.checked, now)}: {words}"


def _result_at(row: RetrievalRow) -> datetime | None:
    return ended_at(row.newest) if row.newest is not None else row.checked


RETRIEVAL_COLUMNS: tuple[Column[RetrievalRow], ...] = (
    Column(
        "name",
        "Account",
        lambda row, now: clean(row.account.name),
        12,
        role=lambda row: Role.PLAIN if row.account.active else Role.DIM,
        key=lambda row: row.account.name.casefold(),
        essential=True,
    ),
    Column(
        "protocol",
        "Protocol",
        lambda row, now: row.retrieval.protocol.label,
        4,
        full=9,
        short=lambda row, now: row.retrieval.protocol.label,
        short_title="By",
        key=lambda row: row.retrieval.protocol.value,
        essential=True,
    ),
    Column(
        "server",
        "Server",
        lambda row, now: server(row.retrieval.endpoint),
        12,
        short=lambda row, now: host(row.retrieval.endpoint),
        flag=lambda row: unsafe(row.retrieval.endpoint),
        key=lambda row: server_key(row.retrieval.endpoint),
        essential=True,
    ),
    Column(
        "method",
        "Method",
        method,
        7,
        full=24,
        short=short_method,
        key=lambda row: row.retrieval.interval if row.retrieval.mode is RetrievalMode.AUTOMATIC else 1_000_000,
        essential=True,
    ),
    Column(
        "retrieved",
        "Last retrieved",
        lambda row, now: "…" if row.awaited else age(_retrieved(row), now),
        5,
        full=14,
        short=lambda row, now: "…" if row.awaited else short_age(_retrieved(row), now),
        short_title="Last",
        key=_retrieved,
        largest_first=True,
        essential=True,
    ),
    Column(
        "new",
        "New",
        _new_words,
        3,
        full=5,
        short=_short_new,
        role=lambda row: Role.STRONG if _new(row) else Role.DIM,
        key=_new,
        largest_first=True,
        essential=True,
    ),
    Column(
        "result",
        "Last result",
        result,
        20,
        full=44,
        role=lambda row: row.mark.role,
        key=_result_at,
        largest_first=True,
        essential=True,
    ),
    Column(
        "folder",
        "Folder",
        lambda row, now: clean(row.retrieval.folder),
        7,
        key=lambda row: row.retrieval.folder.casefold(),
    ),
    Column(
        "leave",
        "Leave on server",
        lambda row, now: leave(row.retrieval),
        6,
        full=16,
        short=lambda row, now: leave(row.retrieval),
        short_title="Leave",
        key=lambda row: (not row.retrieval.leave_on_server, row.retrieval.delete_after or 1_000_000),
    ),
)
