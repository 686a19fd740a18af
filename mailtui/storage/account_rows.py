"""The table of accounts: rows read, found, added and replaced, within the caller's transaction."""

import json
import sqlite3
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from mailtui.model.account import Account
from mailtui.model.check import utc_now
from mailtui.model.errors import StorageError, UsageError
from mailtui.model.text import clean
from mailtui.storage.codec import from_document, to_document
from mailtui.storage.history import from_stored_time, to_stored_time
from mailtui.storage.names import no_such_account

COLUMNS = ("name", "active", "created", "updated", "last_verified")
"""The fields of an account that are columns of their own; the others are in its document."""

ACCOUNT = f"SELECT id, {', '.join(COLUMNS)}, document FROM account"
"""The start of every query whose rows `read` takes."""


class AccountRows:
    """The accounts of the database at `path`, which its errors name. Methods also raise sqlite3.Error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, row: Any) -> Account:
        """The account of a row. Raises StorageError if it is damaged."""
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

    def require(self, connection: sqlite3.Connection, name: str) -> Any:
        """The row of an account. Raises UsageError, which names similar ones, if there is none."""
        row = connection.execute(f"{ACCOUNT} WHERE name = ?", (_searchable(name),)).fetchone()
        if row is not None:
            return row
        names = [other for (other,) in connection.execute("SELECT name FROM account")]
        otherwise = "mailtui account list shows the names" if names else "there are no accounts yet"
        raise UsageError(no_such_account(name, names, otherwise=otherwise))

    def with_id(self, connection: sqlite3.Connection, number: int) -> Account:
        """The account with that id, which exists."""
        return self.read(connection.execute(f"{ACCOUNT} WHERE id = ?", (number,)).fetchone())

    def insert(self, connection: sqlite3.Connection, account: Account) -> Account:
        """Add an account. Raises UsageError if its name is taken."""
        _refuse_taken(connection, account.name)
        now = to_stored_time(utc_now())
        connection.execute(
            "INSERT INTO account (name, active, created, updated, document) VALUES (?, ?, ?, ?, ?)",
            (account.name, account.active, now, now, _document(account)),
        )
        return self.read(self.require(connection, account.name))

    def replace(
        self, connection: sqlite3.Connection, old_name: str, account: Account, expected_updated: datetime | None
    ) -> Account:
        """Put `account` in the place of another; see `Database.update`."""
        row = self.require(connection, old_name)
        stored = self.read(row)
        require_unchanged(stored, expected_updated)
        account = replace(account, created=stored.created, updated=stored.updated, last_verified=stored.last_verified)
        if account == stored:
            return stored
        if account.name != old_name:
            _refuse_taken(connection, account.name)
        connection.execute(
            "UPDATE account SET name = ?, active = ?, updated = ?, document = ? WHERE id = ?",
            (account.name, account.active, _after(row["updated"]), _document(account), row["id"]),
        )
        return self.read(self.require(connection, account.name))

    def set_active(self, connection: sqlite3.Connection, name: str, active: bool) -> None:
        """Switch an account on or off. Raises UsageError if there is none of that name."""
        row = self.require(connection, name)
        if bool(row["active"]) != active:
            connection.execute(
                "UPDATE account SET active = ?, updated = ? WHERE id = ?", (active, _after(row["updated"]), row["id"])
            )

    def _damaged(self, what: str, error: Exception) -> StorageError:
        return StorageError(
            f"the database {clean(str(self._path))} is damaged: {what} cannot be read ({clean(str(error), 200)}); "
            "put a backup in its place"
        )


def require_unchanged(stored: Account, expected_updated: datetime | None) -> None:
    """Raise UsageError if `expected_updated` is given and the account has changed since."""
    if expected_updated is not None and stored.updated != expected_updated:
        raise UsageError(
            f"account {clean(stored.name)!r} was changed meanwhile by someone else; look at it again, then repeat"
        )


def id_of(connection: sqlite3.Connection, name: str) -> int | None:
    """The id of the account of that name, None if there is none."""
    row = connection.execute("SELECT id FROM account WHERE name = ?", (_searchable(name),)).fetchone()
    return None if row is None else int(row[0])


def _searchable(name: str) -> str:
    """`name` as SQLite can take it: an argument of the command line may hold bytes that are not text."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def _refuse_taken(connection: sqlite3.Connection, name: str) -> None:
    if id_of(connection, name) is not None:
        raise UsageError(f"there is an account named {clean(name)!r} already; choose another name, or edit that one")


def _document(account: Account) -> str:
    document = to_document(account)
    return json.dumps({name: document[name] for name in document if name not in COLUMNS}, separators=(",", ":"))


def _after(updated: int) -> int:
    """Now, but always later than `updated`: two changes must never bear the same time."""
    return max(to_stored_time(utc_now()), updated + 1)
