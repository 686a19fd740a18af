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
    # 3: what was retrieved. The state of a removed account stays for a while, without its account, to be put back.
    # `server` is protocol, login and host: an account may be moved to another one. `file` says where a message is being
    # put (see `ledger`), as the file system spells it; of one that is stored it is NULL.
    (
        """
        CREATE TABLE retrieval (
            id INTEGER PRIMARY KEY,
            account INTEGER UNIQUE REFERENCES account (id) ON DELETE SET NULL,
            removed INTEGER,
            token TEXT NOT NULL UNIQUE,
            folder TEXT COLLATE NOCASE UNIQUE,
            report BLOB,
            transcript BLOB
        )
        """,
        """
        CREATE TABLE mailbox (
            id INTEGER PRIMARY KEY,
            retrieval INTEGER NOT NULL REFERENCES retrieval (id) ON DELETE CASCADE,
            server TEXT NOT NULL,
            name TEXT NOT NULL,
            uidvalidity INTEGER,
            uidnext INTEGER,
            modseq INTEGER,
            unstable INTEGER NOT NULL DEFAULT 0,
            UNIQUE (retrieval, server, name)
        )
        """,
        """
        CREATE TABLE message (
            id INTEGER PRIMARY KEY,
            mailbox INTEGER NOT NULL REFERENCES mailbox (id) ON DELETE CASCADE,
            uid TEXT NOT NULL,
            octets INTEGER,
            digest BLOB NOT NULL,
            header BLOB NOT NULL,
            stored INTEGER NOT NULL,
            gone INTEGER,
            file BLOB
        )
        """,
        "CREATE INDEX message_by_mailbox ON message (mailbox)",
        "CREATE INDEX message_unfinished ON message (mailbox) WHERE file IS NOT NULL",
        "CREATE INDEX message_gone ON message (gone) WHERE gone IS NOT NULL",
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
