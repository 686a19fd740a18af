"""What was retrieved of accounts that are removed: set aside, put back, and one day forgotten."""

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from mailtui.storage.history import to_stored_time

KEEP_GONE_FOR = timedelta(days=90)
"""How long a message is known that is missing on the server."""
KEEP_REMOVED_FOR = timedelta(days=30)
"""How long it is known what was stored of an account that was removed."""

Row = tuple[Any, ...]
"""Name of the account, token, and the last report with its transcript, as columns."""

_TAKE_OUT = "SELECT token, report, transcript FROM retrieval WHERE account = ?"
_SET_ASIDE = "UPDATE retrieval SET account = NULL, removed = ?, report = NULL, transcript = NULL WHERE account = ?"
_PUT_BACK = """
    UPDATE retrieval SET account = ?, removed = NULL, report = ?, transcript = ? WHERE token = ? AND account IS NULL
"""


def take_out(connection: sqlite3.Connection, names: Mapping[int, str], now: datetime) -> tuple[Row, ...]:
    """Part the state of the accounts whose ids have these `names` from them, for `put_back`. Raises sqlite3.Error.

    There may be a million messages: their rows stay where they are, and only the reports are handed out.
    """
    taken = tuple((name, *row) for number, name in names.items() for row in connection.execute(_TAKE_OUT, (number,)))
    connection.executemany(_SET_ASIDE, [(to_stored_time(now), number) for number in names])
    return taken


def put_back(connection: sqlite3.Connection, taken: Iterable[Row], ids: Mapping[str, int | None]) -> None:
    """Give the accounts, under the ids that they have now, their state again. Raises sqlite3.Error."""
    connection.executemany(
        _PUT_BACK, [(ids[name], report, transcript, token) for name, token, report, transcript in taken]
    )


def prune(connection: sqlite3.Connection, now: datetime) -> None:
    """Forget messages that are missing on their servers, and removed accounts, for too long. Raises sqlite3.Error."""
    connection.execute("DELETE FROM message WHERE gone < ?", (to_stored_time(now - KEEP_GONE_FOR),))
    connection.execute(
        "DELETE FROM retrieval WHERE account IS NULL AND removed < ?", (to_stored_time(now - KEEP_REMOVED_FOR),)
    )
