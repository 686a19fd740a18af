"""The accounts and their check history, in one SQLite file that several processes may use at once."""

import contextlib
import json
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailtui.model.account import Account
from mailtui.model.check import CheckReport, utc_now
from mailtui.model.errors import StorageError, UsageError
from mailtui.model.text import clean
from mailtui.model.validation import require_valid
from mailtui.storage import history
from mailtui.storage.codec import from_document, to_document
from mailtui.storage.connection import open_connection, told
from mailtui.storage.history import from_stored_time, to_stored_time
from mailtui.storage.names import no_such_account

COLUMNS = ("name", "active", "created", "updated", "last_verified")
"""The fields of an account that are columns of their own; the others are in its document."""

_ACCOUNT = f"SELECT id, {', '.join(COLUMNS)}, document FROM account"
_LATEST = """
    SELECT account.id, account.name, report.report, {transcripts} AS transcripts
    FROM account JOIN report ON report.id = (
        SELECT id FROM report WHERE account = account.id ORDER BY started DESC, id DESC LIMIT 1
    )
"""
_HISTORY = "SELECT report, {transcripts} AS transcripts FROM report WHERE account = ? ORDER BY started DESC, id DESC"


@dataclass(frozen=True, slots=True)
class Change:
    """One of several changes: `account` takes the place of `before`, as it was read here; None adds it."""

    account: Account
    before: Account | None = None


class Database:
    """Accounts and check history. Every method blocks, may be called from any thread and raises StorageError."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the database at `path`, made with its folder if there is none.

        Raises StorageError, and leaves the file as it is, if it is damaged, of a newer version or not ours.
        """
        return cls(path, open_connection(path))

    def close(self) -> None:
        """Wait for a call under way in another thread, then close; later calls raise StorageError."""
        with self._lock, told(self.path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def accounts(self) -> list[Account]:
        """All accounts, by name."""
        return [self._account(row) for row in self._rows(f"{_ACCOUNT} ORDER BY name COLLATE NOCASE, name")]

    def account(self, name: str) -> Account:
        """The account of that name. Raises UsageError, which names similar ones, if there is none."""
        with self._reading() as connection:
            row = self._require(connection, name)
        return self._account(row)

    def add(self, account: Account) -> Account:
        """Store a new account and return it. Raises InvalidAccount, and UsageError if its name is taken."""
        require_valid(account)
        with self._writing() as connection:
            return self._insert(connection, account)

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        """Put `account` in the place of the one named `old_name` and return it; its times are kept here.

        A new name takes the history along. Nothing is written if nothing differs. Raises InvalidAccount, and
        UsageError if there is no such account, the new name is taken, or `expected_updated` is given and the account
        has changed since.
        """
        require_valid(account)
        with self._writing() as connection:
            return self._replace(connection, old_name, account, expected_updated)

    def apply(self, changes: Iterable[Change]) -> list[Account]:
        """Make all of `changes`, in their order and in one transaction, or none; returns the accounts as stored.

        Raises what `add` and `update` raise; also UsageError if a `before` was changed or removed meanwhile.
        """
        changes = tuple(changes)
        for change in changes:
            require_valid(change.account)
        with self._writing() as connection:
            return [
                self._insert(connection, change.account)
                if change.before is None
                else self._replace(connection, change.before.name, change.account, change.before.updated)
                for change in changes
            ]

    def remove(self, *names: str) -> None:
        """Forget accounts and their history: all of them, or none and UsageError if one does not exist.

        Their secrets stay where they are.
        """
        with self._writing() as connection:
            rows = [self._require(connection, name) for name in names]
            connection.executemany("DELETE FROM account WHERE id = ?", [(row["id"],) for row in rows])

    def set_active(self, names: Iterable[str], active: bool) -> None:
        """Switch accounts on or off: all of them, or none and UsageError if one does not exist."""
        with self._writing() as connection:
            for name in names:
                row = self._require(connection, name)
                if bool(row["active"]) != active:
                    connection.execute(
                        "UPDATE account SET active = ?, updated = ? WHERE id = ?",
                        (active, _after(row["updated"]), row["id"]),
                    )

    def record(self, report: CheckReport) -> None:
        """Add a report to the history of its account; see `record_many`."""
        self.record_many((report,))

    def record_many(self, reports: Iterable[CheckReport]) -> None:
        """Add reports to the history in one transaction, and prune it (the limits are in `history`).

        A report whose account is gone is dropped: it was removed while the check ran.
        """
        packed = [(report, history.pack(report)) for report in reports]
        now = utc_now()
        with self._writing() as connection:
            ids: dict[str, int | None] = {}
            for report, columns in packed:
                if report.account not in ids:
                    ids[report.account] = _id(connection, report.account)
                account = ids[report.account]
                if account is not None:
                    history.insert(connection, account, columns)
                    self._note_verified(connection, account, report)
            for account in ids.values():
                if account is not None:
                    history.prune(connection, account, now)

    def latest(self, *, transcripts: bool = True) -> dict[str, CheckReport]:
        """The newest report of every account that has one, by the account's name.

        Without `transcripts` it is several times faster, for a list of thousands. A report that cannot be read, since
        a newer program wrote it perhaps, counts as not there.
        """
        column = "transcripts" if transcripts else "NULL"
        found: dict[str, CheckReport] = {}
        with self._reading() as connection:
            for row in connection.execute(_LATEST.format(transcripts=column)).fetchall():
                name = row["name"]
                report = _read_report(name, row)
                if report is None:
                    older = connection.execute(_HISTORY.format(transcripts=column), (row["id"],))
                    report = next(_readable(name, older), None)
                if report is not None:
                    found[name] = report
        return found

    def history(self, name: str, limit: int = 100) -> list[CheckReport]:
        """The reports of an account, newest first, at most `limit`; one that cannot be read counts as not there.

        Raises UsageError if there is no such account.
        """
        with self._reading() as connection:
            account = self._require(connection, name)["id"]
            rows = connection.execute(_HISTORY.format(transcripts="transcripts"), (account,))
            return list(islice(_readable(name, rows), max(limit, 0)))

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._lock, told(self.path):
            yield self._connection

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, begun with the write lock: what is read in it stays true until it ends."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _rows(self, query: str) -> list[Any]:
        with self._reading() as connection:
            return connection.execute(query).fetchall()

    def _require(self, connection: sqlite3.Connection, name: str) -> Any:
        row = connection.execute(f"{_ACCOUNT} WHERE name = ?", (_searchable(name),)).fetchone()
        if row is not None:
            return row
        names = [other for (other,) in connection.execute("SELECT name FROM account")]
        otherwise = "mailtui account list shows the names" if names else "there are no accounts yet"
        raise UsageError(no_such_account(name, names, otherwise=otherwise))

    def _insert(self, connection: sqlite3.Connection, account: Account) -> Account:
        _refuse_taken(connection, account.name)
        now = to_stored_time(utc_now())
        connection.execute(
            "INSERT INTO account (name, active, created, updated, document) VALUES (?, ?, ?, ?, ?)",
            (account.name, account.active, now, now, _document(account)),
        )
        return self._account(self._require(connection, account.name))

    def _replace(
        self, connection: sqlite3.Connection, old_name: str, account: Account, expected_updated: datetime | None
    ) -> Account:
        row = self._require(connection, old_name)
        stored = self._account(row)
        if expected_updated is not None and stored.updated != expected_updated:
            raise UsageError(
                f"account {clean(old_name)!r} was changed meanwhile by someone else; look at it again, then repeat"
            )
        account = replace(account, created=stored.created, updated=stored.updated, last_verified=stored.last_verified)
        if account == stored:
            return stored
        if account.name != old_name:
            _refuse_taken(connection, account.name)
        connection.execute(
            "UPDATE account SET name = ?, active = ?, updated = ?, document = ? WHERE id = ?",
            (account.name, account.active, _after(row["updated"]), _document(account), row["id"]),
        )
        return self._account(self._require(connection, account.name))

    def _account(self, row: Any) -> Account:
        try:
            document = json.loads(row["document"])
            account = from_document(Account, document | {"name": row["name"], "active": bool(row["active"])})
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged(f"account {clean(str(row['name']))!r}", error) from error
        verified = row["last_verified"]
        return replace(
            account,
            created=from_stored_time(row["created"]),
            updated=from_stored_time(row["updated"]),
            last_verified=None if verified is None else from_stored_time(verified),
        )

    def _note_verified(self, connection: sqlite3.Connection, account: int, report: CheckReport) -> None:
        row = connection.execute(f"{_ACCOUNT} WHERE id = ?", (account,)).fetchone()
        if history.verifies(report, receives=self._account(row).retrieval is not None):
            connection.execute(
                "UPDATE account SET last_verified = max(ifnull(last_verified, :started), :started) WHERE id = :id",
                {"started": to_stored_time(report.started), "id": account},
            )

    def _damaged(self, what: str, error: Exception) -> StorageError:
        return StorageError(
            f"the database {clean(str(self.path))} is damaged: {what} cannot be read ({clean(str(error), 200)}); "
            "put a backup in its place"
        )


def _readable(account: str, rows: Iterable[Any]) -> Iterator[CheckReport]:
    for row in rows:
        if (report := _read_report(account, row)) is not None:
            yield report


def _read_report(account: str, row: Any) -> CheckReport | None:
    """The report of a row; None if it cannot be read: one of them must not cost the others, nor the accounts."""
    try:
        return history.unpack(account, row["report"], row["transcripts"])
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error):
        return None


def _id(connection: sqlite3.Connection, name: str) -> int | None:
    row = connection.execute("SELECT id FROM account WHERE name = ?", (_searchable(name),)).fetchone()
    return None if row is None else int(row[0])


def _searchable(name: str) -> str:
    """`name` as SQLite can take it: an argument of the command line may hold bytes that are not text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _refuse_taken(connection: sqlite3.Connection, name: str) -> None:
    if _id(connection, name) is not None:
        raise UsageError(f"there is an account named {clean(name)!r} already; choose another name, or edit that one")


def _document(account: Account) -> str:
    document = to_document(account)
    return json.dumps({name: document[name] for name in document if name not in COLUMNS}, separators=(",", ":"))


def _after(updated: int) -> int:
    """Now, but always later than `updated`: two changes must never bear the same time."""
    return max(to_stored_time(utc_now()), updated + 1)
