"""The way through an account's mailboxes that a retrieval and its dry run share."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from mailtui.actions.finishing import to_the_end
from mailtui.actions.tally import MailboxTally, Tally
from mailtui.model.account import Account, Retrieval
from mailtui.model.check import Cause, Stage
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.protocols import source_of
from mailtui.protocols.faults import WireError, translate
from mailtui.protocols.imap_names import WILDCARDS, matcher
from mailtui.protocols.session import Session
from mailtui.protocols.source import MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace

T = TypeVar("T")


class Walk(ABC):
    """One session's work: the mailboxes found, each dealt with, the session ended."""

    def __init__(self, account: Account, tally: Tally) -> None:
        assert account.retrieval is not None
        self.account = account
        self.retrieval: Retrieval = account.retrieval
        self.tally = tally
        login = account.retrieval_login
        name = quote(login.username if login is not None else "", safe="")
        self.server = f"{self.retrieval.protocol.value}://{name}@{self.retrieval.endpoint.host.lower()}"
        """What the ledger knows this login's mailboxes by."""

    async def work(self, session: Session, trace: Trace) -> None:
        """Walk from CAPABILITIES to QUIT. Raises StageFailed, and nothing else but cancellation."""
        await self.walk(source_of(session, trace), trace)

    async def walk(self, source: Source, trace: Trace) -> None:
        """`work` with the mail behind the session."""
        await source.prepare(trace)
        async with trace.stage(Stage.MAILBOX) as block:
            found = await source.mailboxes(self.retrieval.mailboxes)
            if not found:
                wanted = clean(", ".join(self.retrieval.mailboxes), 200)
                raise WireError(Cause.NO_INBOX, f"the server has no mailbox that matches {wanted}")
            await self._note_unmatched(trace, found)
            states = [(mailbox, await source.status(mailbox)) for mailbox in found]
            known = [state.messages for _, state in states if state is not None]
            if known:
                trace.messages = sum(known)
            where = trace.shown(found[0].name) if len(found) == 1 else f"{len(found)} mailboxes"
            block.detail = f"{where}, {trace.messages} messages" if known else where
        async with trace.stage(Stage.TRANSFER) as block:
            for mailbox, state in states:
                await self._visit(source, trace, mailbox, state, is_only=len(found) == 1)
            block.detail = self._told()
        await source.finish(trace)

    async def _note_unmatched(self, trace: Trace, found: Sequence[RemoteMailbox]) -> None:
        """Tell of each pattern that no mailbox matches: most often it is a slip."""
        patterns = [name for name in self.retrieval.mailboxes if not WILDCARDS.isdisjoint(name)]
        unmatched = await in_own_time(
            trace, lambda: [pattern for pattern in patterns if not any(map(matcher([pattern]), found))]
        )
        for pattern in unmatched:
            note = "the server has no mailbox that matches this; correct the account's mailboxes if it should"
            self.tally.begin(clean(pattern), "").notes.append(note)

    async def _visit(
        self, source: Source, trace: Trace, mailbox: RemoteMailbox, state: MailboxState | None, *, is_only: bool
    ) -> None:
        tally = self.tally.begin(trace.shown(mailbox.name), "")
        # What ends it otherwise, a deadline or a person, has told nothing yet.
        tally.problem = "it was interrupted"
        try:
            await self._mailbox(source, trace, mailbox, state, tally)
        except asyncio.CancelledError:
            if trace.watch.verdict is not None:
                tally.problem = trace.shown(trace.watch.verdict.hint)
            raise
        except WireError as error:
            tally.problem = trace.shown(error.hint)
            if is_only or error.cause is not Cause.NO_INBOX:
                raise
        except OSError as error:
            tally.problem = trace.shown(translate(error, Stage.TRANSFER, trace.endpoint.label)[1])
            raise
        else:
            tally.problem = ""

    @abstractmethod
    async def _mailbox(
        self, source: Source, trace: Trace, mailbox: RemoteMailbox, state: MailboxState | None, tally: MailboxTally
    ) -> None:
        """Deal with one mailbox. Raises WireError and OSError."""

    @abstractmethod
    def _told(self) -> str:
        """What was done in all, in a few words."""


async def in_own_time(trace: Trace, call: Callable[[], T]) -> T:
    """Return what `call` does in a thread, within a stage; its time is not the server's.

    A cancellation waits for it: the account's lock must not end while a thread is at its ledger or its mail.
    """
    trace.watch.hold()
    try:
        return await to_the_end(off_loop(call))
    finally:
        trace.watch.progress()
