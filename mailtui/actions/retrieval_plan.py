"""What to do with a mailbox, decided from what the server lists and what the ledger holds; pure, no I/O."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from mailtui.model.account import Retrieval
from mailtui.protocols.source import Listed, MailboxState
from mailtui.storage.ledger import Kept, MailboxRow

HEADER_LIMIT = 256 * 1024
"""Octets of a header that can be compared; a message with a longer one is not deleted in a later session."""

_MIB = 1 << 20


def new_digest() -> Any:
    """What a message, or its header, is known by: BLAKE2b of 16 octets."""
    return hashlib.blake2b(digest_size=16)


def header_digest(start: bytes) -> bytes:
    """The digest of the header that `start` begins with; empty where it does not end within HEADER_LIMIT octets.

    `start` is a whole message, or more than HEADER_LIMIT octets of one. A message without an empty line is all header.
    """
    end = header_end(start)
    if end > HEADER_LIMIT:
        return b""
    # How a header without a body ends is told differently by one command and another of the same server.
    digest = new_digest()
    digest.update(start[:end].rstrip(b"\r\n"))
    return bytes(digest.digest())


def header_end(start: bytes) -> int:
    """How long the header is that `start` begins with, its empty line included; all of it where there is none."""
    if start.startswith((b"\r\n", b"\n")):
        return start.index(b"\n") + 1
    end = start.find(b"\n\r\n") + 3
    # Only before that: a body is long.
    bare = start.find(b"\n\n", 0, end if end >= 3 else len(start)) + 2
    return bare if bare >= 2 else end if end >= 3 else len(start)


class Strangers:
    """Stored messages that the server no longer lists by a name that we trust: known by their octets alone."""

    def __init__(self, rows: Iterable[Kept]) -> None:
        self.moved = 0
        """How many were taken that the account had from another server."""
        self._rows: defaultdict[bytes, list[Kept]] = defaultdict(list)
        self.add(rows)

    def add(self, rows: Iterable[Kept]) -> None:
        """These too, after those that are there already."""
        for row in rows:
            self._rows[row.entry.digest].append(row)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())

    def __bool__(self) -> bool:
        return any(self._rows.values())

    def take(self, digest: bytes, uid: str) -> Kept | None:
        """The stored message of these octets, once for each time that it is stored; rather one of the same name."""
        rows = self._rows.get(digest)
        if not rows:
            return None
        index = next((index for index, row in enumerate(rows) if row.entry.uid == uid and not row.is_gone), 0)
        row = rows.pop(index)
        self.moved += row.is_elsewhere
        return row

    def rest(self) -> list[Kept]:
        """Those of this server that were not taken."""
        return [row for rows in self._rows.values() for row in rows if not row.is_elsewhere]


@dataclass(slots=True)
class Plan:
    """What to do with the messages of a mailbox. `known` are stored already, each with its row."""

    fetch: list[Listed] = field(default_factory=list)
    known: list[tuple[Listed, Kept]] = field(default_factory=list)
    too_large: list[Listed] = field(default_factory=list)
    strangers: Strangers = field(default_factory=lambda: Strangers(()))
    duplicates: int = 0
    """Messages that share their name with another, and have to be fetched to be known."""
    below: int = 0
    """Stored messages that stand on the server below what was listed."""


def is_renamed(row: MailboxRow, state: MailboxState, rows: Sequence[Kept]) -> bool:
    """Whether the UIDs of the stored messages mean nothing any more (RFC 3501 section 2.3.1.1).

    A UIDNEXT that went back is that of a mailbox put back from a backup: it gives the same UIDs once more.
    """
    if not rows:
        return False
    if row.uidvalidity != state.uidvalidity:
        return True
    known = max((uid_number(kept.entry.uid) for kept in rows if not kept.is_gone), default=0)
    return state.uidnext is not None and state.uidnext < max(row.uidnext or 0, known + 1)


def has_other_sizes(listing: Iterable[Listed], rows: Iterable[Kept]) -> bool:
    """Whether the server gives a name that we know to a message of another size."""
    sizes: defaultdict[str, set[int | None]] = defaultdict(set)
    for row in rows:
        if not row.is_gone and row.entry.uid:
            sizes[row.entry.uid].add(row.entry.octets)
    for listed in listing:
        known = sizes.get(listed.uid)
        if known and listed.octets is not None and None not in known and listed.octets not in known:
            return True
    return False


def plan_mailbox(
    listing: Sequence[Listed], rows: Sequence[Kept], *, since: int, trusts_names: bool, size_limit: int | None
) -> Plan:
    """What to do with `listing`: all messages of the mailbox, or those with a UID of at least `since`.

    Without `trusts_names` all is fetched, to be known by its octets. `size_limit` is in MiB.
    """
    times = Counter(listed.uid for listed in listing)
    by_uid: defaultdict[str, list[Kept]] = defaultdict(list)
    for row in rows:
        if not row.is_gone:
            by_uid[row.entry.uid].append(row)
    plan, known = Plan(), set()
    for listed in listing:
        stored = _row_of(listed, by_uid, times) if trusts_names else None
        if stored is not None:
            plan.known.append((listed, stored))
            known.add(stored.id)
        elif listed.octets is not None and listed.octets > octets_of(size_limit):
            plan.too_large.append(listed)
        else:
            plan.fetch.append(listed)
            plan.duplicates += bool(listed.uid) and times[listed.uid] > 1
    plan.below = standing(rows, since)
    plan.strangers = Strangers(
        row for row in rows if row.id not in known and (row.is_gone or not _is_below(row.entry.uid, since))
    )
    return plan


def octets_of(size_limit: int | None) -> float:
    """A limit in MiB as octets; without one, more than any message has."""
    return math.inf if size_limit is None else size_limit * _MIB


def _row_of(listed: Listed, by_uid: dict[str, list[Kept]], times: Counter[str]) -> Kept | None:
    rows = by_uid.get(listed.uid, ())
    if not listed.uid or len(rows) != 1 or times[listed.uid] != 1:
        return None
    octets = rows[0].entry.octets
    return rows[0] if octets is None or listed.octets is None or octets == listed.octets else None


def _is_below(uid: str, since: int) -> bool:
    return uid_number(uid) < since if since else False


def uid_number(uid: str) -> int:
    """An IMAP UID as a number; 0 for what is none."""
    return int(uid) if uid.isascii() and uid.isdigit() and len(uid) <= 10 else 0


def is_due(retrieval: Retrieval, stored: datetime, now: datetime) -> bool:
    """Whether a message that was stored at `stored` is to be deleted on the server."""
    if not retrieval.leave_on_server:
        return True
    return retrieval.delete_after is not None and now - stored >= timedelta(days=retrieval.delete_after)


def went_back(row: MailboxRow, state: MailboxState) -> bool:
    """Whether HIGHESTMODSEQ (RFC 7162 section 3.1.2.1), which only grows, is less than it was.

    The mailbox was put back from a backup, which UIDVALIDITY and UIDNEXT need not tell once new mail has come; or the
    server has lost its count, and all is as it was.
    """
    return row.modseq is not None and state.modseq is not None and state.modseq < row.modseq


def listing_start(row: MailboxRow, state: MailboxState, rows: Sequence[Kept]) -> int:
    """The UID from which on the listing is enough, where UIDs mean what they did; 0 where all of it is needed."""
    if row.unstable or row.uidnext is None or state.uidvalidity is None or row.uidvalidity is None:
        return 0
    if went_back(row, state):
        return 0
    return row.uidnext if state.messages >= standing(rows, row.uidnext) else 0


def is_consistent(state: MailboxState, rows: Sequence[Kept], listing: Sequence[Listed], since: int) -> bool:
    """Whether a listing from `since` on accounts, with what is known below, for as many messages as there are."""
    return state.messages == standing(rows, since) + len(listing)


def is_unchanged(row: MailboxRow, state: MailboxState, rows: Sequence[Kept]) -> bool:
    """Whether nothing has come and nothing has gone since the last time, by STATUS alone."""
    if row.unstable or row.uidvalidity is None or row.uidnext is None or went_back(row, state):
        return False
    return (row.uidvalidity, row.uidnext, sum(not kept.is_gone for kept in rows)) == (
        state.uidvalidity,
        state.uidnext,
        state.messages,
    )


def standing(rows: Sequence[Kept], since: int) -> int:
    """How many stored messages with a UID below `since` are on the server, as far as is known."""
    return sum(not row.is_gone and uid_number(row.entry.uid) < since for row in rows)


def next_uid(state: MailboxState, left: Iterable[Listed]) -> int | None:
    """The UIDNEXT to note: the smallest UID that is to be looked at again, else the server's."""
    if state.uidnext is None:
        return None
    return min([state.uidnext, *(number for listed in left if (number := uid_number(listed.uid)))])
