"""The columns of the Message Retrieval list."""

from dataclasses import dataclass
from datetime import datetime

from mailtui.model.account import Account, Retrieval, RetrievalMode
from mailtui.model.check import LegReport
from mailtui.model.text import clean
from mailtui.tui.account_columns import host, server, server_key, short_age, unsafe
from mailtui.tui.columns import Column
from mailtui.tui.diagnosing import short_cause
from mailtui.tui.words import Mark, Role


@dataclass(frozen=True, slots=True)
class RetrievalRow:
    """An account that receives, with the mark of its receiving leg and the last report of that.

    `awaited` while that report is being read.
    """

    account: Account
    retrieval: Retrieval
    mark: Mark
    report: LegReport | None
    checked: datetime | None
    awaited: bool = False


def method(retrieval: Retrieval) -> str:
    """Who starts a retrieval."""
    return f"every {retrieval.interval} min" if retrieval.mode is RetrievalMode.AUTOMATIC else "manual"


def leave(retrieval: Retrieval) -> str:
    """How long a message stays on the server after it was retrieved."""
    if not retrieval.leave_on_server:
        return "no"
    days = retrieval.delete_after
    return "yes" if days is None else f"{days} day{'s' * (days != 1)}"


def result(row: RetrievalRow, now: datetime) -> str:
    """The last check of the receiving leg in words, with its age."""
    if row.mark.role is Role.BUSY:
        return row.mark.meaning
    if row.awaited:
        return "…"
    if row.report is None:
        return Mark.UNCHECKED.meaning
    if row.report.failure is not None or row.report.warning:
        words = short_cause(row.report, row.account.email)
    else:
        count = row.report.messages
        words = "good" if count is None else f"good, {count} message{'s' * (count != 1)}"
    return f"{short_age(row.checked, now)}: {words}"


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
        lambda row, now: method(row.retrieval),
        7,
        short=lambda row, now: method(row.retrieval).removeprefix("every "),
        key=lambda row: row.retrieval.interval if row.retrieval.mode is RetrievalMode.AUTOMATIC else 1_000_000,
        essential=True,
    ),
    Column(
        "folder",
        "Folder",
        lambda row, now: clean(row.retrieval.folder),
        7,
        key=lambda row: row.retrieval.folder.casefold(),
        essential=True,
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
        essential=True,
    ),
    Column(
        "retrieved",
        "Last retrieved",
        lambda row, now: "never",
        5,
        full=14,
        short=lambda row, now: "never",
        short_title="Last",
        essential=True,
    ),
    Column("new", "New", lambda row, now: "–", 3, full=3, essential=True),
    Column(
        "result",
        "Last result",
        result,
        20,
        full=60,
        fills=True,
        role=lambda row: row.mark.role,
        key=lambda row: row.checked,
        largest_first=True,
    ),
)
