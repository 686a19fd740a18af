"""What the database knew of accounts that were removed, to be put back as it was."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mailtui.model.account import Account
from mailtui.model.check import utc_now
from mailtui.model.errors import UsageError
from mailtui.model.text import clean
from mailtui.storage import history, learnt_rows, retrieval_rows
from mailtui.storage.account_rows import COLUMNS, AccountRows, id_of, require_unchanged

LIMIT = 64 << 20
"""Octets of history that are kept for putting back; of longer histories, the newest reports."""

_FIELDS = (*COLUMNS, "document")
_INSERT_ACCOUNT = f"INSERT INTO account ({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))})"
_REPORTS = """
    SELECT started, severity, report, transcripts FROM report WHERE account = ? ORDER BY started DESC, id DESC
"""
_INSERT_REPORT = "INSERT INTO report (account, started, severity, report, transcripts) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Removed:
    """Removed accounts, and the rows of their history, and of what checks taught, as they were stored.

    A row of a report is the name of its account and the columns, newest first. `left_out` counts the oldest reports,
    which were too many to be kept. `learnt` has such rows for each of its tables. What was retrieved stays in the
    database for a while; `retrievals` tells where, and holds the last reports.
    """

    accounts: tuple[Account, ...]
    reports: tuple[tuple[Any, ...], ...] = field(default=(), repr=False)
    rows: tuple[tuple[Any, ...], ...] = field(default=(), repr=False)
    left_out: int = 0
    learnt: tuple[learnt_rows.Rows, ...] = field(default=(), repr=False)
    retrievals: tuple[retrieval_rows.Row, ...] = field(default=(), repr=False)


def take_out(
    connection: sqlite3.Connection,
    accounts: AccountRows,
    names: Sequence[str],
    expected: Mapping[str, datetime | None],
    limit: int = LIMIT,
) -> Removed:
    """Remove accounts and their history, and return both.

    Raises UsageError if one does not exist, or has changed since the time that `expected` gives for it.
    """
    rows = [accounts.require(connection, name) for name in dict.fromkeys(names)]
    removed = tuple(accounts.read(row) for row in rows)
    for account in removed:
        require_unchanged(account, expected.get(account.name))
    reports: list[tuple[Any, ...]] = []
    left_out = 0
    for position, row in enumerate(rows):
        # What one account does not need of its share, the next ones may have.
        share = limit // (len(rows) - position)
        taken, size, total = _newest(connection, row["id"], share)
        reports += [(row["name"], *report) for report in taken]
        left_out += total - len(taken)
        limit -= size
    names_by_id = {row["id"]: row["name"] for row in rows}
    taught = learnt_rows.take_out(connection, names_by_id)
    now = utc_now()
    retrievals = retrieval_rows.take_out(connection, names_by_id, now)
    retrieval_rows.prune(connection, now)
    connection.executemany("DELETE FROM account WHERE id = ?", [(row["id"],) for row in rows])
    stored = tuple(tuple(row[name] for name in _FIELDS) for row in rows)
    return Removed(removed, tuple(reports), stored, left_out, taught, retrievals)


def _newest(connection: sqlite3.Connection, account: int, limit: int) -> tuple[list[tuple[Any, ...]], int, int]:
    """The newest reports of an account within `limit` octets, how many octets they take, and how many there are."""
    taken: list[tuple[Any, ...]] = []
    size = 0
    for row in connection.execute(_REPORTS, (account,)):
        octets = len(row["report"]) + len(row["transcripts"])
        if size + octets > limit:
            break
        taken.append(tuple(row))
        size += octets
    return taken, size, history.count(connection, account)


def put_back(connection: sqlite3.Connection, accounts: AccountRows, removed: Removed) -> list[Account]:
    """Add removed accounts again with their times and history. Raises UsageError if a name is taken."""
    names = [row[0] for row in removed.rows]
    taken = [name for name in names if id_of(connection, name) is not None]
    if taken:
        listed = ", ".join(repr(clean(name)) for name in taken[:5]) + " and others" * (len(taken) > 5)
        raise UsageError(
            f"{listed} {'exist' if len(taken) > 1 else 'exists'} again, added meanwhile; nothing was brought back: "
            "rename or remove what was added, then undo again"
        )
    ids = {row[0]: connection.execute(_INSERT_ACCOUNT, row).lastrowid for row in removed.rows}
    # The oldest first: where two began at the same time, the later id is the newer.
    connection.executemany(_INSERT_REPORT, [(ids[name], *columns) for name, *columns in reversed(removed.reports)])
    learnt_rows.put_back(connection, removed.learnt, ids)
    retrieval_rows.put_back(connection, removed.retrievals, ids)
    return [accounts.read(accounts.require(connection, name)) for name in names]
