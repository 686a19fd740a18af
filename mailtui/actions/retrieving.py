"""Retrieve the mail of one account: mailbox by mailbox, stored and recorded before anything is deleted."""

import contextlib

from mailtui.actions.places import Destinations
from mailtui.actions.storing import not_stored
from mailtui.actions.tally import MailboxTally, Tally
from mailtui.actions.visiting import Errand, Visit
from mailtui.actions.walking import Walk, in_own_time
from mailtui.model.account import Account, Protocol
from mailtui.model.amounts import counted, octets_words
from mailtui.model.check import Cause
from mailtui.model.errors import StorageError
from mailtui.offloop import off_loop
from mailtui.protocols.faults import StageFailed
from mailtui.protocols.source import MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace
from mailtui.storage.ledger import Kept, Ledger, MailboxRow


class Retrieving(Walk):
    """One retrieval of one account. `tally` holds what was done, however it ends."""

    def __init__(self, account: Account, tally: Tally, ledger: Ledger, destinations: Destinations) -> None:
        super().__init__(account, tally)
        self._errand = Errand(self.retrieval, self.server, ledger, destinations, tally)

    async def walk(self, source: Source, trace: Trace) -> None:
        try:
            await super().walk(source, trace)
        except BaseException as error:
            if self.retrieval.protocol is Protocol.POP3:
                if isinstance(error, StageFailed) and error.failure.cause is Cause.BAD_REPLY:
                    await self._distrust_names()
                # Whether they are gone is not known: QUIT was not answered.
                for tally, _ in self._errand.deleted:
                    tally.on_server += tally.deleted
                    tally.deleted = 0
            raise
        gone = [id_ for _, ids in self._errand.deleted for id_ in ids]
        if gone:
            # Where this fails, the next retrieval finds that they are missing.
            with contextlib.suppress(StorageError):
                await off_loop(lambda: self._errand.ledger.gone(gone))

    async def _distrust_names(self) -> None:
        """A reply too many shifts all that follow it: what was stored may bear the names of other messages.

        It stays known by its octets.
        """
        stored = [one.id for transfer in self._errand.transfers for one in transfer.stored.values()]
        with contextlib.suppress(StorageError):
            await off_loop(lambda: self._errand.ledger.gone(stored))

    async def _mailbox(
        self, source: Source, trace: Trace, mailbox: RemoteMailbox, state: MailboxState | None, tally: MailboxTally
    ) -> None:
        try:
            tally.folder = self._errand.destinations.shown(mailbox)
            row, rows = await in_own_time(trace, lambda: self._known(mailbox))
            await Visit(self._errand, source, trace, mailbox, tally, row, rows).retrieve(state)
        except StorageError as error:
            raise not_stored(error) from error

    def _known(self, mailbox: RemoteMailbox) -> tuple[MailboxRow, list[Kept]]:
        row = self._errand.ledger.mailbox(self.server, mailbox.name)
        return row, self._errand.ledger.kept(row.id)

    def _told(self) -> str:
        stored = sum(tally.stored for tally in self.tally.mailboxes)
        octets = sum(tally.octets for tally in self.tally.mailboxes)
        return f"{counted(stored, 'new message')}, {octets_words(octets)}"
