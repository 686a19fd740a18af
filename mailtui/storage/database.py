"""The accounts and their check history, in one SQLite file that several processes may use at once."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, utc_now
from mailtui.model.validation import require_valid
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.storage import history, learnt_rows
from mailtui.storage.account_rows import ACCOUNT, AccountRows, id_of
from mailtui.storage.connection import open_connection, told
from mailtui.storage.history import to_stored_time
from mailtui.storage.removed import Removed, put_back, take_out


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
        self._accounts = AccountRows(path)
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
        return [self._accounts.read(row) for row in self._rows(f"{ACCOUNT} ORDER BY name COLLATE NOCASE, name")]

    def account(self, name: str) -> Account:
        """The account of that name. Raises UsageError, which names similar ones, if there is none."""
        with self.reading() as connection:
            row = self._accounts.require(connection, name)
        return self._accounts.read(row)

    def add(self, account: Account) -> Account:
        """Store a new account and return it. Raises InvalidAccount, and UsageError if its name is taken."""
        require_valid(account)
        with self.writing() as connection:
            return self._accounts.insert(connection, account)

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        """Put `account` in the place of the one named `old_name` and return it; its times are kept here.

        A new name takes the history along. Nothing is written if nothing differs. Raises InvalidAccount, and
        UsageError if there is no such account, the new name is taken, or `expected_updated` is given and the account
        has changed since.
        """
        require_valid(account)
        with self.writing() as connection:
            return self._accounts.replace(connection, old_name, account, expected_updated)

    def apply(self, changes: Iterable[Change]) -> list[Account]:
        """Make all of `changes`, in their order and in one transaction, or none; returns the accounts as stored.

        Raises what `add` and `update` raise; also UsageError if a `before` was changed or removed meanwhile.
        """
        changes = tuple(changes)
        for change in changes:
            require_valid(change.account)
        with self.writing() as connection:
            return [
                self._accounts.insert(connection, change.account)
                if change.before is None
                else self._accounts.replace(connection, change.before.name, change.account, change.before.updated)
                for change in changes
            ]

    def remove(self, *names: str, expected: Mapping[str, datetime | None] | None = None) -> Removed:
        """Forget accounts and their history: all of them, or none and UsageError.

        Raises UsageError if one does not exist, or was changed since the time `updated` that `expected` gives for its
        name. Returns them for `restore`. Their secrets stay where they are.
        """
        with self.writing() as connection:
            return take_out(connection, self._accounts, names, expected or {})

    def restore(self, removed: Removed) -> list[Account]:
        """Put back what `remove` returned, times and history as they were, and return the accounts.

        All or none: raises UsageError if one of the names was given to another account meanwhile.
        """
        with self.writing() as connection:
            return put_back(connection, self._accounts, removed)

    def set_active(self, names: Iterable[str], active: bool) -> None:
        """Switch accounts on or off: all of them, or none and UsageError if one does not exist."""
        with self.writing() as connection:
            for name in names:
                self._accounts.set_active(connection, name, active)

    def record(self, report: CheckReport) -> None:
        """Add a report to the history of its account; see `record_many`."""
        self.record_many((report,))

    def record_many(self, reports: Iterable[CheckReport], learnt: Iterable[Learnt] = ()) -> None:
        """Add reports to the history, with what they taught, in one transaction; prune it (limits are in `history`).

        A report whose account is gone is dropped, as is what was learnt of it: it was removed while the check ran.
        """
        packed = [(report, history.pack(report)) for report in reports]
        now = utc_now()
        with self.writing() as connection:
            ids: dict[str, int | None] = {}
            for report, columns in packed:
                if report.account not in ids:
                    ids[report.account] = id_of(connection, report.account)
                account = ids[report.account]
                if account is not None:
                    history.insert(connection, account, columns)
                    self._note_verified(connection, account, report)
            for one in learnt:
                account = id_of(connection, one.account)
                if account is not None:
                    learnt_rows.keep(connection, account, one)
            for account in ids.values():
                if account is not None:
                    history.prune(connection, account, now)

    def baselines(self) -> Mapping[tuple[str, Leg], Baseline]:
        """What each server was like when a check last went well, by account and leg.

        Each is read from its document when it is asked for; one that cannot be read, since a newer program wrote it
        perhaps, counts as not there.
        """
        with self.reading() as connection:
            return learnt_rows.baselines(connection)

    def refused_logins(self) -> Mapping[tuple[str, Leg], RefusedLogin]:
        """The logins that were refused, by account and leg; one that cannot be read counts as not there."""
        with self.reading() as connection:
            return learnt_rows.refused_logins(connection)

    def latest(self, *, transcripts: bool = True) -> dict[str, CheckReport]:
        """The newest report of every account that has one, by the account's name.

        Without `transcripts` it is several times faster, for a list of thousands. A report that cannot be read, since
        a newer program wrote it perhaps, counts as not there.
        """
        with self.reading() as connection:
            return history.latest(connection, transcripts=transcripts)

    def history(self, name: str, limit: int = 100, *, transcripts: bool = True) -> list[CheckReport]:
        """The reports of an account, newest first, at most `limit`; one that cannot be read counts as not there.

        Without `transcripts` it is several times faster. Raises UsageError if there is no such account.
        """
        with self.reading() as connection:
            account = self._accounts.require(connection, name)["id"]
            return history.newest(connection, account, name, limit, transcripts=transcripts)

    def count_reports(self, names: Iterable[str]) -> int:
        """How many reports the history holds of these accounts; none of those that do not exist."""
        with self.reading() as connection:
            ids = (id_of(connection, name) for name in dict.fromkeys(names))
            return sum(history.count(connection, account) for account in ids if account is not None)

    def data_version(self) -> int:
        """A number that differs from the one before if another connection has written in between."""
        with self.reading() as connection:
            return int(connection.execute("PRAGMA data_version").fetchone()[0])

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone, to read from. For the modules of this room."""
        with self._lock, told(self.path):
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, begun with the write lock: what is read in it stays true until it ends. For this room."""
        with self.reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _rows(self, query: str) -> list[Any]:
        with self.reading() as connection:
            return connection.execute(query).fetchall()

    def _note_verified(self, connection: sqlite3.Connection, account: int, report: CheckReport) -> None:
        if history.verifies(report, receives=self._accounts.with_id(connection, account).retrieval is not None):
            connection.execute(
                "UPDATE account SET last_verified = max(ifnull(last_verified, :started), :started) WHERE id = :id",
                {"started": to_stored_time(report.started), "id": account},
            )
