"""Messages from a server into a shelf: they stream in while those before them are stored."""

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from mailtui.actions.finishing import to_the_end
from mailtui.actions.intake import BatchIntake, Spill
from mailtui.actions.storing import Shelf, Stored
from mailtui.actions.tally import MailboxTally, Tally
from mailtui.model.check import Stage
from mailtui.model.retrieval import Candidate, Verdict
from mailtui.protocols.faults import WireError, translate
from mailtui.protocols.source import Listed, Source
from mailtui.protocols.trace import Trace


class Transfer:
    """The messages of one mailbox on their way. What came of them is here and in the tallies, however it ends."""

    def __init__(
        self, source: Source, trace: Trace, shelf: Shelf, mailbox: MailboxTally, tally: Tally, limit: float = math.inf
    ) -> None:
        """`limit` is in octets: what proves to be longer than it was listed is left where it is."""
        self.stored: dict[int, Stored] = {}
        """What came, by its handle."""
        self.refused = self.rejected = 0
        self._source = source
        self._trace = trace
        self._shelf = shelf
        self._mailbox = mailbox
        self._tally = tally
        self._limit = limit
        self._told = 0
        """Octets of messages that are not whole which were told as come."""
        shelf.on_stored = self._note_stored
        shelf.on_rejected = self._note_rejected

    async def run(self, wanted: Sequence[Listed]) -> None:
        """Fetch and store. What is whole is stored, whatever else happens. Raises WireError and OSError.

        A cancellation waits until nothing is half done.
        """
        self._tally.expect(self._mailbox, wanted)
        intake = BatchIntake(self._trace.watch, self._note_refused, self._note_too_large, self._limit)
        storing = asyncio.create_task(self._store_all(intake))
        storing.add_done_callback(self._stop_if_failed)
        try:
            await self._source.fetch(wanted, intake)
        except asyncio.CancelledError:
            self._shelf.hurry()
            raise
        finally:
            intake.end()
            # Where it failed it has ended the stage by its own error.
            await to_the_end(_ended(storing), self._shelf.hurry)
            self._trace.watch.progress()

    async def _store_all(self, intake: BatchIntake) -> None:
        while (job := await intake.job()) is not None:
            if isinstance(job, Spill):
                await self._shelf.spill(job)
                self._told += job.octets
                self._tally.came(0, job.octets)
            else:
                await self._shelf.store(job)
            intake.done(job)
            await self._shelf.discard(intake.take_dropped())
        await self._shelf.discard(intake.take_dropped())

    def _stop_if_failed(self, storing: "asyncio.Task[None]") -> None:
        error = None if storing.cancelled() else storing.exception()
        if error is None:
            return
        if not isinstance(error, WireError):
            error = WireError(*translate(error, Stage.TRANSFER, self._trace.endpoint.label))
        self._trace.watch.end_early(error)

    def _note_stored(self, stored: Stored) -> None:
        self.stored[stored.message.handle] = stored
        if stored.is_new:
            self._mailbox.stored += 1
            self._mailbox.octets += stored.octets
        else:
            self._mailbox.recognised += 1
        told = min(self._told, stored.octets)
        self._told -= told
        self._tally.came(1, stored.octets - told)

    def _note_refused(self, message: Listed, reply: str) -> None:
        self.refused += 1
        self._leave(message, reply)

    def _note_rejected(self, message: Listed, reply: str) -> None:
        self.rejected += 1
        self._leave(message, reply)

    def _note_too_large(self, message: Listed, octets: int) -> None:
        self._tally.list(Candidate(self._mailbox.name, self._trace.shown(message.uid), Verdict.TOO_LARGE, octets))
        self._tally.came(1, message.octets or 0)

    def _leave(self, message: Listed, reply: str) -> None:
        uid, words = self._trace.shown(message.uid), self._trace.shown(reply)
        self._tally.list(Candidate(self._mailbox.name, uid, Verdict.REFUSED, message.octets, reply=words))
        self._tally.came(1, message.octets or 0)


async def _ended(task: "asyncio.Task[Any]") -> None:
    await asyncio.wait({task})
