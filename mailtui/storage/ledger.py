"""What was retrieved of an account: which message of which mailbox is stored, and which was just being stored."""

import json
import os
import re
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from mailtui.model.check import utc_now
from mailtui.model.errors import StorageError
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.retrieval_json import retrieval_from_json, retrieval_to_json
from mailtui.model.text import clean
from mailtui.storage import retrieval_rows
from mailtui.storage.account_rows import id_of
from mailtui.storage.database import Database
from mailtui.storage.history import from_stored_time, squeeze, to_stored_time
from mailtui.storage.paths import DataPaths

_LARGEST = 2**63 - 1  # that SQLite stores
_FOLDER_LIMIT = 40  # characters; the name of a folder takes 255 octets at most, and a character up to four of them
_UNSAFE = re.compile(r"[^\w@+.-]")
_REPORTS = """
    SELECT name, report, {transcript} AS transcript FROM retrieval JOIN account ON account.id = retrieval.account
    WHERE report IS NOT NULL
"""
_UNFINISHED = """
    SELECT message.id, mailbox.name, file FROM mailbox JOIN message ON message.mailbox = mailbox.id
    WHERE retrieval = ? AND file IS NOT NULL ORDER BY message.id
"""


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """One mailbox on one server, as the last retrieval left it; None where nothing is known."""

    id: int
    uidvalidity: int | None = None
    uidnext: int | None = None
    modseq: int | None = None
    unstable: bool = False
    """Whether the server was seen to give its names to other messages."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that is to be stored, or is. Digests are BLAKE2b of 16 octets: of all its octets, of its header.

    `octets` is the size as the server lists it. `file` is the whole path of its place in a Maildir while it is
    unfinished, "" where it goes elsewhere.
    """

    uid: str
    octets: int | None
    digest: bytes
    header: bytes
    file: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that is stored; `at` is when. `is_gone`: it was missing on the server since.

    `is_elsewhere`: it was retrieved when the account had another server, protocol or login.
    """

    id: int
    entry: Entry
    at: datetime
    is_gone: bool = False
    is_elsewhere: bool = False


class Ledger:
    """The ledger of one account. Every method blocks, is one transaction, and raises StorageError.

    Order makes it safe: `intend` before a message appears at its destination, `confirm` after it is there for good.
    What lies between was interrupted, and `unfinished` tells it.

    The account may be renamed meanwhile, and removed: what is done then counts if it is put back.
    """

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account
        self._known: _State | None = None

    @property
    def token(self) -> str:
        """Marks this account's files in any Maildir; made once, differs between databases."""
        return self._state.token

    def folder(self, wish: str) -> str:
        """The name of this account's own tree under the mail root: chosen once, whatever the account is called later.

        It is `wish` made harmless, and unlike those of other accounts and what is there already.
        """
        state = self._state
        mail = DataPaths(self._database.path.parent).mail
        name = _UNSAFE.sub("_", wish).lstrip(".-")[:_FOLDER_LIMIT] or "account"
        with self._database.writing() as connection:
            (chosen,) = connection.execute("SELECT folder FROM retrieval WHERE id = ?", (state.id,)).fetchone()
            count = 1
            while chosen is None:
                candidate = name if count == 1 else f"{name}-{count}"
                taken = connection.execute("SELECT 1 FROM retrieval WHERE folder = ?", (candidate,)).fetchone()
                if taken is None and not os.path.lexists(mail / candidate):
                    connection.execute("UPDATE retrieval SET folder = ? WHERE id = ?", (candidate, state.id))
                    chosen = candidate
                count += 1
        return str(chosen)

    def mailbox(self, server: str, name: str) -> MailboxRow:
        """The row of a mailbox, made if there is none."""
        if (row := self.known_mailbox(server, name)) is not None:
            return row
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO mailbox (retrieval, server, name) VALUES (?, ?, ?)",
                (self._state.id, _text(server), _text(name)),
            )
        made = self.known_mailbox(server, name)
        assert made is not None
        return made

    def known_mailbox(self, server: str, name: str) -> MailboxRow | None:
        """The row of a mailbox if there is one. Changes nothing."""
        state = self._state
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT id, uidvalidity, uidnext, modseq, unstable FROM mailbox"
                " WHERE retrieval = ? AND server = ? AND name = ?",
                (state.id, _text(server), _text(name)),
            ).fetchone()
        if row is None:
            return None
        return MailboxRow(row["id"], row["uidvalidity"], row["uidnext"], row["modseq"], bool(row["unstable"]))

    def note(
        self,
        mailbox: int,
        *,
        uidvalidity: int | None,
        uidnext: int | None,
        modseq: int | None,
        unstable: bool = False,
    ) -> None:
        """What the server said of a mailbox, once all of it was dealt with. `unstable` is for ever."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE mailbox SET uidvalidity = ?, uidnext = ?, modseq = ?, unstable = max(unstable, ?) WHERE id = ?",
                (_storable(uidvalidity), _storable(uidnext), _storable(modseq), unstable, mailbox),
            )

    def kept(self, mailbox: int) -> list[Kept]:
        """The stored messages of a mailbox, oldest first."""
        return self._kept("= ?", (mailbox,))

    def kept_elsewhere(self, server: str, name: str) -> list[Kept]:
        """The stored messages of mailboxes of this name on the account's other servers, oldest first."""
        others = "IN (SELECT id FROM mailbox WHERE retrieval = ? AND server <> ? AND name = ?)"
        rows = self._kept(others, (self._state.id, _text(server), _text(name)))
        return [replace(row, is_elsewhere=True) for row in rows]

    def _kept(self, mailboxes: str, values: tuple[object, ...]) -> list[Kept]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT id, uid, octets, digest, header, stored, gone IS NOT NULL FROM message"
                f" WHERE mailbox {mailboxes} AND file IS NULL ORDER BY id",
                values,
            ).fetchall()
        # Those of a batch were stored at one time.
        times = {at: from_stored_time(at) for at in {row[5] for row in rows}}
        return [
            Kept(number, Entry(uid, octets, digest, header), times[at], bool(gone))
            for number, uid, octets, digest, header, at, gone in rows
        ]

    def intend(self, mailbox: int, entries: Sequence[Entry]) -> list[int]:
        """Note that these are about to be stored; returns their ids."""
        now = to_stored_time(utc_now())
        with self._database.writing() as connection:
            (last,) = connection.execute("SELECT ifnull(max(id), 0) FROM message").fetchone()
            ids = list(range(last + 1, last + 1 + len(entries)))
            connection.executemany(
                "INSERT INTO message (id, mailbox, uid, octets, digest, header, stored, file)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        number,
                        mailbox,
                        _text(entry.uid),
                        _storable(entry.octets),
                        entry.digest,
                        entry.header,
                        now,
                        os.fsencode(entry.file),
                    )
                    for number, entry in zip(ids, entries, strict=True)
                ],
            )
        return ids

    def confirm(self, ids: Iterable[int]) -> None:
        """These are stored, durably."""
        now = to_stored_time(utc_now())
        self._each("UPDATE message SET file = NULL, stored = ? WHERE id = ?", [(now, number) for number in ids])

    def unfinished(self) -> list[tuple[int, str, str]]:
        """Id, mailbox and file ("" outside of a Maildir) of each message that was intended and not confirmed."""
        state = self._state
        with self._database.reading() as connection:
            rows = connection.execute(_UNFINISHED, (state.id,)).fetchall()
        return [(message, name, os.fsdecode(file)) for message, name, file in rows]

    def forget(self, ids: Iterable[int]) -> None:
        """These were never stored."""
        self._each("DELETE FROM message WHERE id = ?", [(number,) for number in ids])

    def rename(self, mailbox: int, found: Iterable[tuple[int, str, int | None]]) -> None:
        """The messages with these ids are in this mailbox, under these names (UIDs) and with these sizes."""
        self._each(
            "UPDATE message SET mailbox = ?, uid = ?, octets = ?, gone = NULL WHERE id = ?",
            [(mailbox, _text(uid), _storable(octets), id_) for id_, uid, octets in found],
        )

    def gone(self, ids: Iterable[int]) -> None:
        """These are missing on the server. Once they are for 90 days they are forgotten.

        Until then they are known by their octets, for a server may list them again, or by another name.
        """
        now = to_stored_time(utc_now())
        self._each("UPDATE message SET gone = ifnull(gone, ?) WHERE id = ?", [(now, number) for number in ids])

    def finish(self, report: RetrievalReport) -> None:
        """Keep the last report, its transcript too; forget what is too old."""
        data: dict[str, Any] = retrieval_to_json(report)
        transcript = squeeze(data["leg"].pop("transcript"))
        state = self._state
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE retrieval SET report = ?, transcript = ? WHERE id = ? AND account IS NOT NULL",
                (squeeze(data), transcript, state.id),
            )
            retrieval_rows.prune(connection, utc_now())

    def _each(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            with self._database.writing() as connection:
                connection.executemany(statement, rows)

    @property
    def _state(self) -> "_State":
        """Where this account's state is; it is made if there is none."""
        if self._known is None:
            self._known = self._look() or self._make()
        return self._known

    def _look(self) -> "_State | None":
        with self._database.reading() as connection:
            row = connection.execute(
                "SELECT id, token FROM retrieval WHERE account = ?", (id_of(connection, self._account),)
            ).fetchone()
        return None if row is None else _State(*row)

    def _make(self) -> "_State":
        with self._database.writing() as connection:
            account = id_of(connection, self._account)
            if account is None:
                raise StorageError(
                    f"account {clean(self._account)!r} is not in the database any more: it was removed or renamed; "
                    "look at the list of accounts, then repeat"
                )
            # Another process may have been faster.
            connection.execute(
                "INSERT OR IGNORE INTO retrieval (account, token) VALUES (?, ?)", (account, secrets.token_hex(6))
            )
        made = self._look()
        assert made is not None
        return made


class _State(NamedTuple):
    id: int
    token: str


def own_folders(database: Database) -> dict[str, str]:
    """What `Ledger.folder` has chosen, for each account that has one. Blocks. Raises StorageError."""
    with database.reading() as connection:
        query = "SELECT name, folder FROM retrieval JOIN account ON account.id = retrieval.account"
        return dict(connection.execute(f"{query} WHERE folder IS NOT NULL"))


def last_retrievals(database: Database) -> dict[str, RetrievalReport]:
    """The last report of each account that has one, without transcripts. Blocks. Raises StorageError."""
    with database.reading() as connection:
        rows = connection.execute(_REPORTS.format(transcript="NULL")).fetchall()
    found = {name: _report(name, report, None) for name, report, _ in rows}
    return {name: report for name, report in found.items() if report is not None}


def last_retrieval(database: Database, account: str) -> RetrievalReport | None:
    """The last report of one account with its transcript, None if there is none. Blocks. Raises StorageError."""
    with database.reading() as connection:
        row = connection.execute(
            f"{_REPORTS.format(transcript='transcript')} AND account.id = ?", (id_of(connection, account),)
        ).fetchone()
    return None if row is None else _report(*row)


def _report(account: str, report: bytes, transcript: bytes | None) -> RetrievalReport | None:
    """A report under the name that its account has now; None where it cannot be read: a newer program wrote it."""
    try:
        data = json.loads(zlib.decompress(report))
        if transcript is not None:
            data["leg"]["transcript"] = json.loads(zlib.decompress(transcript))
        return replace(retrieval_from_json(data), account=account)
    except (ValueError, TypeError, KeyError, zlib.error):
        return None


def _text(text: str) -> str:
    """`text` as SQLite takes it: what came from a server may hold half of a surrogate pair."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _storable(number: int | None) -> int | None:
    """A server's number; None for one that is beyond all sense."""
    return number if number is not None and number <= _LARGEST else None
