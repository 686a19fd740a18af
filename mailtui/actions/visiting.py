"""One mailbox in one retrieval: what is new is stored, what is due is deleted, and what was learnt is noted."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from mailtui.actions.looking import listed_as
from mailtui.actions.places import Destinations
from mailtui.actions.retrieval_plan import (
    Plan,
    has_other_sizes,
    header_digest,
    is_consistent,
    is_due,
    is_renamed,
    is_unchanged,
    listing_start,
    next_uid,
    plan_mailbox,
    standing,
)
from mailtui.actions.storing import Stored, not_stored
from mailtui.actions.tally import MailboxTally, Tally
from mailtui.actions.transferring import Transfer
from mailtui.actions.walking import in_own_time
from mailtui.model.account import Retrieval
from mailtui.model.check import utc_now
from mailtui.model.retrieval import Verdict
from mailtui.protocols.source import Listed, MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace
from mailtui.storage.ledger import Kept, Ledger, MailboxRow

T = TypeVar("T")

_HEADERS_AT_ONCE = 100
_DESCRIBED = 100
"""Messages left on the server for their size whose header is asked for."""


@dataclass(slots=True)
class Errand:
    """What the visits of one retrieval share. `deleted` are, for each mailbox, the ids of what was deleted there."""

    retrieval: Retrieval
    ledger: Ledger
    destinations: Destinations
    tally: Tally
    deleted: list[tuple[MailboxTally, list[int]]] = field(default_factory=list)


class Visit:
    """One mailbox in one retrieval."""

    def __init__(
        self,
        errand: Errand,
        source: Source,
        trace: Trace,
        mailbox: RemoteMailbox,
        tally: MailboxTally,
        row: MailboxRow,
        rows: Sequence[Kept],
    ) -> None:
        self._errand = errand
        self._retrieval = errand.retrieval
        self._ledger = errand.ledger
        self._source = source
        self._trace = trace
        self._mailbox = mailbox
        self._tally = tally
        self._row = row
        self._rows = rows
        self._is_unstable = row.unstable
        self._noted = (row.uidvalidity, row.uidnext)
        self._transfer: Transfer | None = None
        self._counted = 0
        """Messages in the mailbox by the server's own count."""

    async def retrieve(self, state: MailboxState | None) -> None:
        """Fetch, store, delete, note. Raises WireError, OSError and StorageError."""
        row, rows, now = self._row, self._rows, utc_now()
        has_due = any(not kept.is_gone and is_due(self._retrieval, kept.at, now) for kept in rows)
        if state is not None and not has_due and is_unchanged(row, state, rows):
            self._tally.kept = self._tally.on_server = state.messages
            return
        deletes = not self._retrieval.leave_on_server or self._retrieval.delete_after is not None
        state = await self._source.select(self._mailbox, writable=deletes)
        self._counted = state.messages
        renamed = is_renamed(row, state, rows)
        await self._note_begin(state, renamed)
        since, listing = await self._list(state, renamed, has_due)
        trusts_names = self._source.has_uids and not self._is_unstable and not renamed
        plan = await self._in_own_time(
            lambda: plan_mailbox(
                listing, rows, since=since, trusts_names=trusts_names, size_limit=self._retrieval.size_limit
            )
        )
        self._tally.kept = standing(rows, since) + len(plan.known)
        self._tally.on_server = max(state.messages, len(listing))
        await self._list_too_large(plan)
        if plan.fetch:
            await self._fetch(plan)
        self._note_names(plan, None if since else len(listing), renamed=renamed)
        if deletes:
            await self._delete(plan)
        left = [listed for listed in (*plan.too_large, *plan.fetch) if listed.handle not in self._stored]
        if renamed or (since == 0 and len(listing) >= state.messages):
            await self._note_missing(plan, listing, trusts_names, is_sure=renamed or not left)
        # What was counted and not listed may be anywhere: the next retrieval has to list all.
        is_whole = since > 0 or len(listing) == state.messages
        await self._note_end(state, next_uid(state, left) if is_whole else None)

    @property
    def _stored(self) -> dict[int, Stored]:
        """What came in this session, by its handle."""
        return self._transfer.stored if self._transfer is not None else {}

    async def _note_begin(self, state: MailboxState, renamed: bool) -> None:
        """What the UIDs of all that is stored from now on belong to, should it be interrupted."""
        if renamed:
            # Those of before and those of now will stand side by side: none is trusted until all was seen.
            await self._note(None, None)
        elif not self._rows and self._row.uidvalidity != state.uidvalidity:
            await self._note(state.uidvalidity, None)

    async def _list(self, state: MailboxState, renamed: bool, has_due: bool) -> tuple[int, list[Listed]]:
        """The listing, from which UID on; all of it where a part would not tell enough."""
        rows = self._rows
        since = listing_start(self._row, state, rows, has_due=has_due) if self._source.has_uids else 0
        listing = await self._source.listing(since)
        if since and not is_consistent(state, rows, listing, since):
            since, listing = 0, await self._source.listing()
        if not self._is_unstable and not renamed and has_other_sizes(listing, rows):
            self._is_unstable = True
            await self._note(state.uidvalidity, self._row.uidnext)
            if since:
                since, listing = 0, await self._source.listing()
        return since, listing

    async def _list_too_large(self, plan: Plan) -> None:
        if not plan.too_large:
            return
        headers = await self._source.headers(plan.too_large[:_DESCRIBED])
        for candidate in await self._in_own_time(
            lambda: listed_as(Verdict.TOO_LARGE, self._tally.name, plan.too_large, headers, self._trace.shown)
        ):
            self._errand.tally.list(candidate)

    async def _fetch(self, plan: Plan) -> None:
        try:
            shelf = await self._errand.destinations.shelf(self._mailbox, self._row.id, plan.strangers)
        except OSError as error:
            raise not_stored(error) from error
        self._transfer = Transfer(self._source, self._trace, shelf, self._tally, self._errand.tally)
        await self._transfer.run(plan.fetch)

    def _note_names(self, plan: Plan, listed: int | None, *, renamed: bool) -> None:
        """What a person should know of how this server names its mail, and of what was left."""
        note = self._tally.notes.append
        if listed is not None and listed < self._counted:
            note(f"the server counts {self._counted} messages and lists {listed}: the others were left alone")
        recognised = f"{self._tally.recognised} of them were here already"
        if self._is_unstable:
            note(f"the server gave a name (UID) to another message: all are fetched every time, {recognised}")
        elif not self._source.has_uids and self._tally.on_server:
            note(f"the server gives its messages no lasting names (UIDs): all are fetched every time, {recognised}")
        elif renamed:
            note(f"the server has renumbered its messages (UIDVALIDITY): all were fetched again, {recognised}")
        elif plan.duplicates:
            note(f"{plan.duplicates} messages share their name (UID) with others, and are fetched every time")
        refused, rejected = (self._transfer.refused, self._transfer.rejected) if self._transfer is not None else (0, 0)
        if refused:
            note(f"the server did not give {refused} messages: they are tried again next time")
        if rejected:
            note(f"the destination did not take {rejected} messages: they stay, and are tried again next time")

    async def _delete(self, plan: Plan) -> None:
        now = utc_now()
        due = [stored for stored in self._stored.values() if is_due(self._retrieval, stored.at, now)]
        messages = [(stored.message, stored.id) for stored in due]
        messages += await self._proven([pair for pair in plan.known if is_due(self._retrieval, pair[1].at, now)])
        if not messages:
            return
        problem = await self._source.delete([message for message, _ in messages])
        if problem:
            self._tally.notes.append(self._trace.shown(problem))
            return
        self._tally.deleted = len(messages)
        self._tally.on_server -= len(messages)
        self._errand.deleted.append((self._tally, [id_ for _, id_ in messages]))

    async def _proven(self, due: Sequence[tuple[Listed, Kept]]) -> list[tuple[Listed, int]]:
        """Of messages that earlier sessions stored, those that are still what was stored, by their headers."""
        proven: list[tuple[Listed, int]] = []
        for first in range(0, len(due), _HEADERS_AT_ONCE):
            some = due[first : first + _HEADERS_AT_ONCE]
            comparable = [listed for listed, kept in some if kept.entry.header]
            headers = await self._source.headers(comparable) if comparable else {}
            for listed, kept in some:
                header = headers.get(listed.handle)
                if header is not None and kept.entry.header and header_digest(header) == kept.entry.header:
                    proven.append((listed, kept.id))
        if len(proven) < len(due):
            self._tally.notes.append(
                f"{len(due) - len(proven)} messages were not deleted: that they are the ones that were stored here"
                " could not be proven by their headers"
            )
        return proven

    async def _note_missing(self, plan: Plan, listing: Iterable[Listed], trusts_names: bool, *, is_sure: bool) -> None:
        names = {listed.uid for listed in listing} if trusts_names else set()
        missing = [row.id for row in plan.strangers.rest() if not row.is_gone and row.entry.uid not in names]
        if missing and (trusts_names or is_sure):
            await self._in_own_time(lambda: self._ledger.gone(missing))

    async def _note_end(self, state: MailboxState, uidnext: int | None) -> None:
        if self._noted != (state.uidvalidity, uidnext):
            await self._note(state.uidvalidity, uidnext, state.modseq)

    async def _note(self, uidvalidity: int | None, uidnext: int | None, modseq: int | None = None) -> None:
        self._noted = (uidvalidity, uidnext)
        await self._in_own_time(
            lambda: self._ledger.note(
                self._row.id, uidvalidity=uidvalidity, uidnext=uidnext, modseq=modseq, unstable=self._is_unstable
            )
        )

    async def _in_own_time(self, call: Callable[[], T]) -> T:
        return await in_own_time(self._trace, call)
