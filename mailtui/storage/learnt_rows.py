"""The tables of what checks taught: one document for each leg of an account, within the caller's transaction."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from mailtui.model.check import Leg
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.storage.codec import from_document, to_document

T = TypeVar("T", Baseline, RefusedLogin)

Rows = tuple[str, tuple[tuple[str, str, str], ...]]
"""A table, and its rows as they were: the account's name, the leg, the document."""

_BASELINES = "baseline"
_REFUSED_LOGINS = "refused_login"
_ALL = "SELECT account.name, leg, {table}.document FROM {table} JOIN account ON account.id = {table}.account"
_KEEP = """
    INSERT INTO {table} (account, leg, document) VALUES (?, ?, ?)
    ON CONFLICT (account, leg) DO UPDATE SET document = excluded.document
"""


class Documents(Mapping[tuple[str, Leg], T], Generic[T]):
    """Rows by account and leg, each decoded when it is asked for: thousands are loaded for the few that are used."""

    def __init__(self, kind: type[T], documents: dict[tuple[str, Leg], str]) -> None:
        self._kind: type[T] = kind
        self._documents = documents

    def __getitem__(self, key: tuple[str, Leg]) -> T:
        try:
            return from_document(self._kind, json.loads(self._documents[key]))
        except (ValueError, TypeError) as error:
            raise KeyError(key) from error

    def __iter__(self) -> Iterator[tuple[str, Leg]]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)


def baselines(connection: sqlite3.Connection) -> Documents[Baseline]:
    """All baselines. Raises sqlite3.Error."""
    return Documents(Baseline, _documents(connection, _BASELINES))


def refused_logins(connection: sqlite3.Connection) -> Documents[RefusedLogin]:
    """All refused logins. Raises sqlite3.Error."""
    return Documents(RefusedLogin, _documents(connection, _REFUSED_LOGINS))


def keep(connection: sqlite3.Connection, account: int, learnt: Learnt) -> None:
    """Store what was learnt of a leg of the account with the id `account`. Raises sqlite3.Error."""
    if learnt.is_login_good:
        connection.execute(f"DELETE FROM {_REFUSED_LOGINS} WHERE account = ? AND leg = ?", (account, learnt.leg.value))
    for table, content in ((_BASELINES, learnt.baseline), (_REFUSED_LOGINS, learnt.refused)):
        if content is not None:
            document = json.dumps(to_document(content), separators=(",", ":"))
            connection.execute(_KEEP.format(table=table), (account, learnt.leg.value, document))


def take_out(connection: sqlite3.Connection, names: Mapping[int, str]) -> tuple[Rows, ...]:
    """All rows of the accounts whose ids have these `names`, for `put_back`. Raises sqlite3.Error."""
    return tuple((table, tuple(_of_accounts(connection, table, names))) for table in (_BASELINES, _REFUSED_LOGINS))


def put_back(connection: sqlite3.Connection, taken: tuple[Rows, ...], ids: Mapping[str, int | None]) -> None:
    """Add rows again, under the ids that their accounts have now. Raises sqlite3.Error."""
    for table, rows in taken:
        connection.executemany(_KEEP.format(table=table), [(ids[name], leg, document) for name, leg, document in rows])


def _of_accounts(
    connection: sqlite3.Connection, table: str, names: Mapping[int, str]
) -> Iterator[tuple[str, str, str]]:
    for number, name in names.items():
        for row in connection.execute(f"SELECT leg, document FROM {table} WHERE account = ?", (number,)):
            yield name, row["leg"], row["document"]


def _documents(connection: sqlite3.Connection, table: str) -> dict[tuple[str, Leg], str]:
    legs: dict[Any, Leg] = {leg.value: leg for leg in Leg}
    rows = connection.execute(_ALL.format(table=table)).fetchall()
    return {(name, legs[leg]): document for name, leg, document in rows if leg in legs}
