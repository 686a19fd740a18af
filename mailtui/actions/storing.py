"""Put messages where they belong, record them, and only then say so: in batches into a Maildir, else one by one."""

import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from mailtui.actions.delivery import Delivery, Letter, Rejected
from mailtui.actions.intake import Incoming, Spill
from mailtui.actions.retrieval_plan import HEADER_LIMIT, Strangers, header_digest, header_end, new_digest
from mailtui.model.check import Cause, utc_now
from mailtui.model.errors import StorageError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.protocols.faults import WireError, system_words
from mailtui.protocols.source import Listed
from mailtui.storage.ledger import Entry, Kept, Ledger
from mailtui.storage.maildir import Draft, MaildirFolder, require_room

MOST_REJECTED = 5
"""Messages refused or put off in a row, none taken between, after which the destination is not asked any more."""

_RETURN_PATH = re.compile(rb"^Return-Path:[ \t]*<([!-;=?-~]{0,254})>", re.IGNORECASE | re.MULTILINE)
_FLAGS = {"\\draft": "D", "\\flagged": "F", "\\answered": "R", "\\seen": "S", "\\deleted": "T"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A message that is stored and recorded. `is_new`: it was not here before."""

    message: Listed
    id: int
    octets: int
    at: datetime
    is_new: bool


@dataclass(slots=True)
class _Spilled:
    """What has gone to disk of a message that came in parts."""

    place: Any
    start: bytearray = field(default_factory=bytearray)
    digest: Any = field(default_factory=new_digest)


class Shelf(ABC):
    """Where the messages of one mailbox go. One call at a time; all raise WireError (NOT_STORED, NOT_DELIVERED).

    `on_stored` and `on_rejected` (a message, the destination's words) are called on the loop, as it is so far.
    """

    def __init__(self, ledger: Ledger, mailbox: int, strangers: Strangers) -> None:
        self._ledger = ledger
        self._mailbox = mailbox
        self._strangers = strangers
        self.on_stored: Callable[[Stored], None] = lambda stored: None
        self.on_rejected: Callable[[Listed, str], None] = lambda message, reply: None

    async def spill(self, job: Spill) -> None:
        """Put the octets that have come of a long message on disk."""
        await _stored_by(lambda: self._spill(job))

    @abstractmethod
    async def store(self, batch: Sequence[Incoming]) -> None:
        """Store whole messages for good, in their order; those that are stored already are recognised."""

    @abstractmethod
    async def discard(self, dropped: Sequence[Incoming]) -> None:
        """Remove what is on disk of messages that will not become whole."""

    @abstractmethod
    def hurry(self) -> None:
        """Stop at the next place where nothing is half done: somebody waits for the end."""

    @abstractmethod
    def _new_place(self) -> Any:
        """Where a long message goes until it is whole."""

    @abstractmethod
    def _append(self, place: Any, chunks: list[bytes]) -> None:
        """Append to it."""

    def _spill(self, job: Spill) -> None:
        spilled = job.incoming.kept
        if spilled is None:
            spilled = job.incoming.kept = _Spilled(self._new_place())
        for chunk in job.chunks:
            spilled.digest.update(chunk)
            if len(spilled.start) <= HEADER_LIMIT:
                spilled.start += chunk[: HEADER_LIMIT + 1 - len(spilled.start)]
        self._append(spilled.place, job.chunks)

    def _digest(self, incoming: Incoming) -> bytes:
        digest = new_digest() if incoming.kept is None else incoming.kept.digest
        for chunk in incoming.chunks:
            digest.update(chunk)
        return bytes(digest.digest())

    def _entry(self, incoming: Incoming, digest: bytes, file: str = "") -> Entry:
        message = incoming.message
        return Entry(message.uid, message.octets, digest, header_digest(_start(incoming)), file)

    def _note_names(self, found: Sequence[tuple[Incoming, Kept]]) -> None:
        renamed = [
            (kept.id, incoming.message.uid, incoming.message.octets)
            for incoming, kept in found
            if kept.is_gone or kept.is_elsewhere or kept.entry.uid != incoming.message.uid
        ]
        if renamed:
            self._ledger.rename(self._mailbox, renamed)

    def _tell_recognised(self, incoming: Incoming, kept: Kept) -> None:
        self.on_stored(Stored(incoming.message, kept.id, incoming.octets, kept.at, is_new=False))


class MaildirShelf(Shelf):
    """A Maildir folder: a whole batch in one thread, with one flush of the folder and two of the ledger for all."""

    def __init__(self, ledger: Ledger, mailbox: int, strangers: Strangers, folder: MaildirFolder) -> None:
        super().__init__(ledger, mailbox, strangers)
        self._folder = folder

    async def store(self, batch: Sequence[Incoming]) -> None:
        for stored in await _stored_by(lambda: self._store(batch)):
            self.on_stored(stored)

    def hurry(self) -> None:
        # A batch takes no longer than its flushes.
        pass

    async def discard(self, dropped: Sequence[Incoming]) -> None:
        drafts = [incoming.kept.place for incoming in dropped if incoming.kept is not None]
        if drafts:
            await _stored_by(lambda: self._folder.discard(drafts))

    def _new_place(self) -> Draft:
        return Draft(self._folder.new_name())

    def _append(self, place: Draft, chunks: list[bytes]) -> None:
        place.chunks.extend(chunks)
        self._folder.spill(place)

    def _store(self, batch: Sequence[Incoming]) -> list[Stored]:
        found: list[tuple[Incoming, Kept]] = []
        new: list[tuple[Incoming, bytes | None]] = [(incoming, None) for incoming in batch]
        if self._strangers:
            new = []
            for incoming in batch:
                digest = self._digest(incoming)
                kept = self._strangers.take(digest, incoming.message.uid)
                if kept is None:
                    new.append((incoming, digest))
                else:
                    found.append((incoming, kept))
        self._note_names(found)
        self._folder.discard([incoming.kept.place for incoming, _ in found if incoming.kept is not None])
        ids: list[int] = []
        drafts = [self._draft(incoming) for incoming, _ in new]
        if drafts:
            # Where nothing can be recognised, digests are made while the disk is at work.
            with ThreadPoolExecutor(max_workers=1) as beside:
                entries = beside.submit(self._entries, new, drafts)
                self._folder.write(drafts)
            ids = self._intend(entries.result(), drafts)
            self._folder.publish(drafts)
            self._ledger.confirm(ids)
        now = utc_now()
        return [
            *(Stored(incoming.message, kept.id, incoming.octets, kept.at, is_new=False) for incoming, kept in found),
            *(
                Stored(incoming.message, id_, incoming.octets, now, is_new=True)
                for (incoming, _), id_ in zip(new, ids, strict=True)
            ),
        ]

    def _draft(self, incoming: Incoming) -> Draft:
        draft: Draft = incoming.kept.place if incoming.kept is not None else self._new_place()
        draft.info = info_of(incoming.flags)
        draft.chunks.extend(incoming.chunks)
        return draft

    def _entries(self, new: Sequence[tuple[Incoming, bytes | None]], drafts: Sequence[Draft]) -> list[Entry]:
        path = str(self._folder.path)
        return [
            self._entry(incoming, digest or self._digest(incoming), f"{path}/{draft.place}")
            for (incoming, digest), draft in zip(new, drafts, strict=True)
        ]

    def _intend(self, entries: Sequence[Entry], drafts: Sequence[Draft]) -> list[int]:
        try:
            return self._ledger.intend(self._mailbox, entries)
        except StorageError:
            self._folder.discard(drafts)
            raise


class HandOver(Shelf):
    """A destination that takes one message after another. What is interrupted is delivered again, never lost."""

    def __init__(self, ledger: Ledger, mailbox: int, strangers: Strangers, delivery: Delivery, folder: Path) -> None:
        """`folder` is where a long message waits until it is whole; nothing of it is ever seen there."""
        super().__init__(ledger, mailbox, strangers)
        self._delivery = delivery
        self._folder = folder
        self._rejected = 0
        self._is_ending = False

    def hurry(self) -> None:
        self._is_ending = True

    async def store(self, batch: Sequence[Incoming]) -> None:
        for incoming in batch:
            if self._is_ending:
                return
            await self._hand_over(incoming)
        await self.discard(batch)

    async def discard(self, dropped: Sequence[Incoming]) -> None:
        for incoming in dropped:
            if incoming.kept is not None:
                incoming.kept.place.close()

    def _new_place(self) -> BinaryIO:
        # It has no name, so that nothing of it can be left behind.
        return tempfile.TemporaryFile(dir=self._folder)

    def _append(self, place: BinaryIO, chunks: list[bytes]) -> None:
        require_room(self._folder)
        place.writelines(chunks)
        place.flush()

    async def _hand_over(self, incoming: Incoming) -> None:
        digest = await off_loop(lambda: self._digest(incoming))
        kept = self._strangers.take(digest, incoming.message.uid)
        if kept is not None:
            await _stored_by(lambda: self._note_names([(incoming, kept)]))
            self._tell_recognised(incoming, kept)
            return
        (id_,) = await _stored_by(lambda: self._ledger.intend(self._mailbox, [self._entry(incoming, digest)]))
        file = incoming.kept.place if incoming.kept is not None else None
        letter = Letter(incoming.octets, reverse_path(_start(incoming)), incoming.chunks, file)
        try:
            await self._delivery.deliver(letter)
        except Rejected as rejection:
            await _stored_by(lambda: self._ledger.forget([id_]))
            self._rejected += 1
            if self._rejected >= MOST_REJECTED:
                raise WireError(
                    Cause.NOT_DELIVERED, f"{MOST_REJECTED} messages in a row: {rejection.hint}", rejection.reply
                ) from rejection
            self.on_rejected(incoming.message, rejection.reply or rejection.hint)
            return
        except WireError:
            # Whoever said no may have it all the same: it is delivered again, for once too often is better than never.
            await _stored_by(lambda: self._ledger.forget([id_]))
            raise
        await _stored_by(lambda: self._ledger.confirm([id_]))
        self._rejected = 0
        self.on_stored(Stored(incoming.message, id_, incoming.octets, utc_now(), is_new=True))


def info_of(flags: Sequence[str]) -> str:
    """The flags of IMAP as a Maildir file name ends with them; nothing for a message that nobody has touched."""
    letters = sorted({letter for flag in flags if (letter := _FLAGS.get(flag.lower()))})
    return f":2,{''.join(letters)}" if letters else ""


def reverse_path(start: bytes) -> str:
    """The address in the Return-Path that a message begins with (RFC 5321 section 4.4); empty where there is none."""
    found = _RETURN_PATH.search(start[: header_end(start)])
    return found[1].decode("ascii") if found is not None else ""


def _start(incoming: Incoming) -> bytes:
    """The octets that a message begins with: more than a header may have, or all."""
    start = bytes(incoming.kept.start) if incoming.kept is not None else b""
    for chunk in incoming.chunks:
        if len(start) > HEADER_LIMIT:
            break
        start += chunk[: HEADER_LIMIT + 1 - len(start)]
    return start


def not_stored(error: OSError | StorageError) -> WireError:
    """The failure of a disk or of the database, in words."""
    if isinstance(error, StorageError):
        return WireError(Cause.NOT_STORED, clean(str(error)))
    where = clean(str(error.filename)) if error.filename else "the destination"
    return WireError(Cause.NOT_STORED, f"mail cannot be stored in {where}: {system_words(error)}")


async def _stored_by(call: Callable[[], Any]) -> Any:
    try:
        return await off_loop(call)
    except (OSError, StorageError) as error:
        raise not_stored(error) from error
