"""The schema of the database, version by version.

A stored field is the dataclass and one migration here. A field whose default suits the accounts that exist needs an
empty migration: it raises the version, so that an older program, which would drop the field, refuses the database.
"""

import sqlite3
from collections.abc import Callable

APPLICATION_ID = 0x4D545549
"""Marks our databases among other SQLite files: "MTUI"."""

Step = str | Callable[[sqlite3.Connection], None]

MIGRATIONS: tuple[tuple[Step, ...], ...] = (
    # 1: names are unique and may change, so everything else refers to an account by its id.
    # Times are microseconds since 1970, UTC.
    (
        """
        CREATE TABLE account (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            active INTEGER NOT NULL,
            created INTEGER NOT NULL,
            updated INTEGER NOT NULL,
            last_verified INTEGER,
            document TEXT NOT NULL
        )
        """,
        # The dialogue is most of a report and seldom wanted: lists read `report` alone.
        """
        CREATE TABLE report (
            id INTEGER PRIMARY KEY,
            account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            started INTEGER NOT NULL,
            severity INTEGER NOT NULL,
            report BLOB NOT NULL,
            transcripts BLOB NOT NULL
        )
        """,
        "CREATE INDEX report_by_account ON report (account, started, id)",
    ),
    # 2: what checks taught of each leg, as JSON documents; one of each at most.
    (
        """
        CREATE TABLE baseline (
            account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            leg TEXT NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (account, leg)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE refused_login (
            account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
            leg TEXT NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (account, leg)
        ) WITHOUT ROWID
        """,
    ),
)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date in one transaction. Raises sqlite3.Error, and then nothing has changed.

    The version is read inside the transaction: another process may have been faster.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        for steps in MIGRATIONS[version:]:
            for step in steps:
                if isinstance(step, str):
                    connection.execute(step)
                else:
                    step(connection)
        connection.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
