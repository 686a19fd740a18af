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
    octets_of,
    plan_mailbox,
    went_back,
)
from mailtui.actions.storing import Stored, not_stored
from mailtui.actions.tally import MailboxTally, Tally
from mailtui.actions.transferring import Transfer
from mailtui.actions.walking import in_own_time
from mailtui.model.account import Retrieval
from mailtui.model.amounts import counted
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
    """What the visits of one retrieval share.

    `deleted` are, for each mailbox, the ids of what was deleted there; `transfers` tell what was stored.
    """

    retrieval: Retrieval
    server: str
    ledger: Ledger
    destinations: Destinations
    tally: Tally
    deleted: list[tuple[MailboxTally, list[int]]] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)


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
        self._noted = (row.uidvalidity, row.uidnext, row.modseq)
        self._transfer: Transfer | None = None
        self._counted = 0
        """Messages in the mailbox by the server's own count."""

    async def retrieve(self, state: MailboxState | None) -> None:
        """Fetch, store, delete, note. Raises WireError, OSError and StorageError."""
        row, rows = self._row, self._rows
        has_due = await self._in_own_time(self._has_due)
        if state is not None and not has_due and is_unchanged(row, state, rows):
            self._tally.kept = self._tally.on_server = state.messages
            return
        deletes = not self._retrieval.leave_on_server or self._retrieval.delete_after is not None
        state = await self._source.select(self._mailbox, writable=deletes)
        self._counted = state.messages
        renamed = await self._is_renamed(state)
        await self._note_begin(state, renamed)
        since, listing = await self._list(state, renamed, has_due)
        trusts_names = self._source.has_uids and not self._is_unstable and not renamed
        size_limit = self._retrieval.size_limit
        plan = await self._in_own_time(
            lambda: plan_mailbox(listing, rows, since=since, trusts_names=trusts_names, size_limit=size_limit)
        )
        self._tally.kept = plan.below + len(plan.known)
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

    def _has_due(self) -> bool:
        now = utc_now()
        return any(not kept.is_gone and is_due(self._retrieval, kept.at, now) for kept in self._rows)

    async def _is_renamed(self, state: MailboxState) -> bool:
        """Whether the UIDs of before mean nothing any more, by what the server says of them, or by what it lists."""
        row, rows = self._row, self._rows
        if await self._in_own_time(lambda: is_renamed(row, state, rows)):
            return True
        return not row.unstable and went_back(row, state) and await self._has_other_sizes(await self._source.listing())

    async def _has_other_sizes(self, listing: Sequence[Listed]) -> bool:
        return await self._in_own_time(lambda: has_other_sizes(listing, self._rows))

    async def _note_begin(self, state: MailboxState, renamed: bool) -> None:
        """What the UIDs of all that is stored from now on belong to, should it be interrupted."""
        if renamed:
            # Those of before and those of now will stand side by side: none is trusted until all was seen.
            await self._note(None, None)
        elif not self._rows and self._row.uidvalidity != state.uidvalidity:
            await self._note(state.uidvalidity, None)

    async def _list(self, state: MailboxState, renamed: bool, has_due: bool) -> tuple[int, list[Listed]]:
        """The listing, from which UID on; all of it where a part would not tell enough."""
        row, rows, since = self._row, self._rows, 0
        if self._source.has_uids and not renamed and not has_due:
            since = await self._in_own_time(lambda: listing_start(row, state, rows))
        listing = await self._source.listing(since)
        if since and not await self._in_own_time(lambda: is_consistent(state, rows, listing, since)):
            since, listing = 0, await self._source.listing()
        if not self._is_unstable and not renamed and await self._has_other_sizes(listing):
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
        server, name = self._errand.server, self._mailbox.name
        plan.strangers.add(await self._in_own_time(lambda: self._ledger.kept_elsewhere(server, name)))
        destinations = self._errand.destinations
        try:
            shelf = await self._in_own_time(lambda: destinations.shelf(self._mailbox, self._row.id, plan.strangers))
        except OSError as error:
            raise not_stored(error) from error
        limit = octets_of(self._retrieval.size_limit)
        self._transfer = Transfer(self._source, self._trace, shelf, self._tally, self._errand.tally, limit)
        self._errand.transfers.append(self._transfer)
        await self._transfer.run(plan.fetch)

    def _note_names(self, plan: Plan, listed: int | None, *, renamed: bool) -> None:
        """What a person should know of how this server names its mail, and of what was left."""
        note = self._tally.notes.append
        if listed is not None and listed < self._counted:
            note(
                f"the server counts {counted(self._counted, 'message')} and lists {listed}: the others were left alone"
            )
        recognised = f"{self._tally.recognised} of them were here already"
        if self._is_unstable:
            note(f"the server gave a name (UID) to another message: all are fetched every time, {recognised}")
        elif not self._source.has_uids and self._tally.on_server:
            note(f"the server gives its messages no lasting names (UIDs): all are fetched every time, {recognised}")
        elif renamed:
            note(f"the server has renumbered its messages (UIDVALIDITY): all were fetched again, {recognised}")
        elif plan.duplicates:
            note(f"{plan.duplicates} messages share their names (UIDs) with others, and are fetched every time")
        if plan.strangers.moved:
            note(
                f"{counted(plan.strangers.moved, 'message')} came from the account's server or login of before,"
                " and were not stored again"
            )
        refused, rejected = (self._transfer.refused, self._transfer.rejected) if self._transfer is not None else (0, 0)
        if refused:
            note(f"the server did not give {counted(refused, 'message')}: tried again next time")
        if rejected:
            note(
                f"the destination did not take {counted(rejected, 'message')}:"
                " left on the server, tried again next time"
            )

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
            left = len(due) - len(proven)
            self._tally.notes.append(
                f"{counted(left, 'message')} {'were' if left > 1 else 'was'} not deleted:"
                " the header is not that of what was stored here, or cannot be compared"
            )
        return proven

    async def _note_missing(self, plan: Plan, listing: Iterable[Listed], trusts_names: bool, *, is_sure: bool) -> None:
        names = {listed.uid for listed in listing} if trusts_names else set()
        missing = [row.id for row in plan.strangers.rest() if not row.is_gone and row.entry.uid not in names]
        if missing and (trusts_names or is_sure):
            await self._in_own_time(lambda: self._ledger.gone(missing))

    async def _note_end(self, state: MailboxState, uidnext: int | None) -> None:
        if self._noted != (state.uidvalidity, uidnext, state.modseq):
            await self._note(state.uidvalidity, uidnext, state.modseq)

    async def _note(self, uidvalidity: int | None, uidnext: int | None, modseq: int | None = None) -> None:
        self._noted = (uidvalidity, uidnext, modseq)
        await self._in_own_time(
            lambda: self._ledger.note(
                self._row.id, uidvalidity=uidvalidity, uidnext=uidnext, modseq=modseq, unstable=self._is_unstable
            )
        )

    async def _in_own_time(self, call: Callable[[], T]) -> T:
        return await in_own_time(self._trace, call)
