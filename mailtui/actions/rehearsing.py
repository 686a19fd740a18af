"""A retrieval that changes nothing: what would be fetched and deleted, and whether the server names its mail alike."""

from collections.abc import Sequence
from functools import partial

from mailtui.actions.looking import listed_as
from mailtui.actions.places import Destinations
from mailtui.actions.retrieval_plan import (
    has_other_sizes,
    header_digest,
    is_due,
    is_renamed,
    plan_mailbox,
)
from mailtui.actions.storing import not_stored
from mailtui.actions.tally import MOST_CANDIDATES, MailboxTally, Tally
from mailtui.actions.walking import Walk, in_own_time
from mailtui.model.account import Account
from mailtui.model.check import utc_now
from mailtui.model.errors import StorageError
from mailtui.model.retrieval import Verdict
from mailtui.protocols.source import Listed, MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace
from mailtui.storage.ledger import Kept, Ledger, MailboxRow

_HEADERS_AT_ONCE = 100

Names = dict[str, tuple[int | None, list[Listed]]]
"""Of each mailbox: its UIDVALIDITY, and what is in it."""


class Listing(Walk):
    """Lists every mailbox, and no more."""

    def __init__(self, account: Account, tally: Tally) -> None:
        super().__init__(account, tally)
        self.names: Names = {}
        self.has_uids = True

    async def _mailbox(
        self, source: Source, trace: Trace, mailbox: RemoteMailbox, state: MailboxState | None, tally: MailboxTally
    ) -> None:
        await self._look(source, mailbox)

    async def _look(self, source: Source, mailbox: RemoteMailbox) -> tuple[MailboxState, list[Listed]]:
        state = await source.select(mailbox, writable=False)
        listing = await source.listing()
        self.names[mailbox.name] = (state.uidvalidity, listing)
        self.has_uids = self.has_uids and source.has_uids
        return state, listing

    def _told(self) -> str:
        return f"{sum(len(listing) for _, listing in self.names.values())} messages listed, none fetched"


class Rehearsal(Listing):
    """A dry run of one account. `tally` holds what a retrieval would do."""

    def __init__(self, account: Account, tally: Tally, ledger: Ledger, destinations: Destinations) -> None:
        super().__init__(account, tally)
        self._ledger = ledger
        self._destinations = destinations
        self._room = MOST_CANDIDATES

    async def _mailbox(
        self, source: Source, trace: Trace, mailbox: RemoteMailbox, state: MailboxState | None, tally: MailboxTally
    ) -> None:
        tally.folder = self._destinations.shown(mailbox)
        state, listing = await self._look(source, mailbox)
        try:
            row, rows = await in_own_time(trace, lambda: self._known(mailbox))
        except StorageError as error:
            raise not_stored(error) from error
        # In threads: with a hundred thousand rows each of these takes long.
        is_named_anew = await in_own_time(trace, lambda: is_renamed(row, state, rows))
        trusts_names = source.has_uids and not row.unstable and not is_named_anew
        if trusts_names and await in_own_time(trace, lambda: has_other_sizes(listing, rows)):
            trusts_names = False
            tally.notes.append("the server gave a name (UID) to another message: all would be fetched to be known")
        plan = await in_own_time(
            trace,
            lambda: plan_mailbox(
                listing, rows, since=0, trusts_names=trusts_names, size_limit=self.retrieval.size_limit
            ),
        )
        now = utc_now()
        tally.stored, tally.octets = len(plan.fetch), sum(listed.octets or 0 for listed in plan.fetch)
        tally.kept = len(plan.known)
        due = [(listed, kept) for listed, kept in plan.known if is_due(self.retrieval, kept.at, now)]
        await self._describe(source, trace, tally, Verdict.FETCH, plan.fetch)
        await self._describe(source, trace, tally, Verdict.TOO_LARGE, plan.too_large)
        proven = await self._describe(source, trace, tally, Verdict.DELETE, [listed for listed, _ in due], due)
        tally.deleted = proven + (len(plan.fetch) if is_due(self.retrieval, now, now) else 0)
        tally.on_server = max(state.messages, len(listing)) - tally.deleted
        if plan.fetch:
            name = mailbox.name
            plan.strangers.add(await in_own_time(trace, lambda: self._ledger.kept_elsewhere(self.server, name)))
        if plan.strangers and plan.fetch:
            tally.notes.append(
                f"{len(plan.strangers)} stored messages are known by their octets alone:"
                " what is fetched and proves to be one of them is not stored again"
            )

    def _known(self, mailbox: RemoteMailbox) -> tuple[MailboxRow, list[Kept]]:
        row = self._ledger.known_mailbox(self.server, mailbox.name)
        return (MailboxRow(0), []) if row is None else (row, self._ledger.kept(row.id))

    async def _describe(
        self,
        source: Source,
        trace: Trace,
        tally: MailboxTally,
        verdict: Verdict,
        messages: Sequence[Listed],
        stored: Sequence[tuple[Listed, Kept]] = (),
    ) -> int:
        """List messages with their headers, as long as there is room; how many of `stored` would be deleted."""
        expected = {listed.handle: kept.entry.header for listed, kept in stored}
        proven = 0
        for first in range(0, len(messages), _HEADERS_AT_ONCE):
            some = messages[first : first + _HEADERS_AT_ONCE]
            described = some[: self._room]
            self._room -= len(described)
            # Headers are fetched for people alone: what there is no room for counts as what it seems.
            headers = await source.headers(described) if described else {}
            some = [
                listed
                for listed in some
                if not stored
                or listed.handle not in headers
                or header_digest(headers[listed.handle]) == expected[listed.handle]
            ]
            proven += len(some)
            lines = [listed for listed in some if listed in described]
            for candidate in await in_own_time(
                trace,
                partial(listed_as, verdict, tally.name, lines, headers, trace.shown),
            ):
                self.tally.list(candidate)
        return proven


def names_agree(first: Names, second: Names) -> bool | None:
    """Whether two logins were given the same names for the same mail; None where there is no mail to tell it by.

    What came or went between them, but for a message or two, does not count against the server.
    """
    if not any(listing for _, listing in first.values()):
        return None
    for mailbox, (uidvalidity, listing) in first.items():
        if mailbox not in second:
            continue
        other_validity, others = second[mailbox]
        before = {listed.uid: listed.octets for listed in listing}
        after = {listed.uid: listed.octets for listed in others}
        is_same_size = all(
            octets is None or after[uid] is None or octets == after[uid]
            for uid, octets in before.items()
            if uid in after
        )
        is_missing_more = len(before.keys() - after.keys()) > max(0, len(listing) - len(others))
        has_doubles = len(before) < len(listing)
        if uidvalidity != other_validity or not is_same_size or is_missing_more or has_doubles:
            return False
    return True
