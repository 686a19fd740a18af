"""Check reports in the database: written, read back, and pruned so that failures stay longest."""

import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from mailtui.model.check import CheckReport, Severity
from mailtui.model.report_json import report_from_json, report_to_json

KEEP_GOOD = 100
"""Reports without a failure that are kept of one account, at most."""
KEEP_GOOD_FOR = timedelta(days=30)
"""How long they are kept."""
KEEP_FAILED = 200
"""Reports with a failure that are kept of one account, at most."""
KEEP_FAILED_FOR = timedelta(days=365)
"""How long they are kept. The newest report of an account stays in any case."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEGS = ("outbound", "inbound")

_LATEST = """
    SELECT account.id, account.name, report.report, {transcripts} AS transcripts
    FROM account JOIN report ON report.id = (
        SELECT id FROM report WHERE account = account.id ORDER BY started DESC, id DESC LIMIT 1
    )
"""
_HISTORY = "SELECT report, {transcripts} AS transcripts FROM report WHERE account = ? ORDER BY started DESC, id DESC"


def to_stored_time(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_stored_time(stored: int) -> datetime:
    """The inverse of `to_stored_time`, in UTC."""
    return _EPOCH + timedelta(microseconds=stored)


Packed = tuple[int, int, bytes, bytes]
"""A report as its columns: started, severity, report, transcripts."""


def pack(report: CheckReport) -> Packed:
    """The columns of `report`; the dialogues apart, so that lists need not read them."""
    data: dict[str, Any] = report_to_json(report)
    transcripts = [data[leg] and data[leg].pop("transcript") for leg in _LEGS]
    return to_stored_time(report.started), int(report.severity), squeeze(data), squeeze(transcripts)


def unpack(account: str, report: bytes, transcripts: bytes | None) -> CheckReport:
    """A report under the name that its account has now. Raises ValueError or zlib.error if it is damaged."""
    data = json.loads(zlib.decompress(report))
    data["account"] = account
    if transcripts is not None:
        for leg, transcript in zip(_LEGS, json.loads(zlib.decompress(transcripts)), strict=True):
            if data[leg] is not None:
                data[leg]["transcript"] = transcript
    return report_from_json(data)


def squeeze(data: object) -> bytes:
    """Plain data as a column."""
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode("ascii"), 1)


def insert(connection: sqlite3.Connection, account: int, packed: Packed) -> None:
    """Add a report of the account with the id `account`. Raises sqlite3.Error."""
    connection.execute(
        "INSERT INTO report (account, started, severity, report, transcripts) VALUES (?, ?, ?, ?, ?)",
        (account, *packed),
    )


def latest(connection: sqlite3.Connection, *, transcripts: bool) -> dict[str, CheckReport]:
    """The newest report that can be read of every account, by the account's name. Raises sqlite3.Error."""
    found: dict[str, CheckReport] = {}
    for row in connection.execute(_LATEST.format(transcripts=_column(transcripts))).fetchall():
        name = row["name"]
        report = _read(name, row)
        if report is None:
            report = next(iter(newest(connection, row["id"], name, 1, transcripts=transcripts)), None)
        if report is not None:
            found[name] = report
    return found


def newest(
    connection: sqlite3.Connection, account: int, name: str, limit: int, *, transcripts: bool
) -> list[CheckReport]:
    """The reports that can be read of the account with the id `account`, newest first. Raises sqlite3.Error."""
    rows = connection.execute(_HISTORY.format(transcripts=_column(transcripts)), (account,))
    return list(islice(_readable(name, rows), max(limit, 0)))


def count(connection: sqlite3.Connection, account: int) -> int:
    """How many reports there are of the account with the id `account`. Raises sqlite3.Error."""
    return int(connection.execute("SELECT count(*) FROM report WHERE account = ?", (account,)).fetchone()[0])


def _column(transcripts: bool) -> str:
    return "transcripts" if transcripts else "NULL"


def _readable(account: str, rows: Iterable[Any]) -> Iterator[CheckReport]:
    for row in rows:
        if (report := _read(account, row)) is not None:
            yield report


def _read(account: str, row: Any) -> CheckReport | None:
    """The report of a row; None if it cannot be read: one of them must not cost the others, nor the accounts."""
    try:
        return unpack(account, row["report"], row["transcripts"])
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error):
        return None


def prune(connection: sqlite3.Connection, account: int, now: datetime) -> None:
    """Forget the reports of an account that are too old or too many. Raises sqlite3.Error."""
    for failed, count, age in ((False, KEEP_GOOD, KEEP_GOOD_FOR), (True, KEEP_FAILED, KEEP_FAILED_FOR)):
        connection.execute(
            f"""
            WITH kind AS (
                SELECT id, started, row_number() OVER (ORDER BY started DESC, id DESC) AS place
                FROM report WHERE account = :account AND severity {">=" if failed else "<"} :failed
            )
            DELETE FROM report
            WHERE id IN (SELECT id FROM kind WHERE place > :count OR started < :oldest)
            AND id <> (SELECT id FROM report WHERE account = :account ORDER BY started DESC, id DESC LIMIT 1)
            """,
            {
                "account": account,
                "failed": int(Severity.FAILED),
                "count": count,
                "oldest": to_stored_time(now - age),
            },
        )


def verifies(report: CheckReport, receives: bool) -> bool:
    """Whether `report` proves a whole account: every leg that it has was checked, and none failed."""
    complete = report.outbound is not None and (report.inbound is not None or not receives)
    return complete and report.severity < Severity.FAILED
