"""What a retrieval has done so far: counted, told as it goes, and reported whenever it ends."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalEvent, RetrievalProgress
from mailtui.protocols.source import Listed

MOST_CANDIDATES = 1_000
"""Messages that are listed one by one; of more, only the numbers are told."""

PROGRESS_SECONDS = 0.1


@dataclass(slots=True)
class MailboxTally:
    """One mailbox, as far as it is; the fields are those of MailboxResult."""

    name: str
    folder: str = ""
    stored: int = 0
    octets: int = 0
    recognised: int = 0
    kept: int = 0
    deleted: int = 0
    on_server: int = 0
    problem: str = ""
    notes: list[str] = field(default_factory=list)

    def result(self) -> MailboxResult:
        """What can be told now."""
        return MailboxResult(
            self.name,
            self.folder,
            self.stored,
            self.octets,
            self.recognised,
            self.kept,
            self.deleted,
            self.on_server,
            self.problem,
            tuple(self.notes),
        )


class Tally:
    """One account. Progress is told at most ten times a second; what is told last is the report."""

    def __init__(self, account: str, on_event: Callable[[RetrievalEvent], None] | None) -> None:
        self.mailboxes: list[MailboxTally] = []
        self.candidates: list[Candidate] = []
        self._account = account
        self._on_event = on_event
        self._said_at = float("-inf")
        self._mailbox = ""
        self._messages = self._messages_in_all = 0
        self._octets = self._octets_in_all = 0

    def begin(self, name: str, folder: str) -> MailboxTally:
        """A mailbox begins."""
        mailbox = MailboxTally(name, folder)
        self.mailboxes.append(mailbox)
        return mailbox

    def expect(self, mailbox: MailboxTally, wanted: Sequence[Listed]) -> None:
        """So much is to be fetched from a mailbox."""
        self._mailbox = mailbox.name
        self._messages_in_all += len(wanted)
        self._octets_in_all += sum(listed.octets or 0 for listed in wanted)
        self._tell()

    def came(self, messages: int, octets: int) -> None:
        """So much of it is done with."""
        self._messages += messages
        self._octets += octets
        self._tell()

    def list(self, candidate: Candidate) -> None:
        """A message is worth a line."""
        if len(self.candidates) < MOST_CANDIDATES:
            self.candidates.append(candidate)

    def _tell(self) -> None:
        if self._on_event is None:
            return
        now = asyncio.get_running_loop().time()
        if now - self._said_at >= PROGRESS_SECONDS:
            self._said_at = now
            self._on_event(
                RetrievalProgress(
                    self._account,
                    self._mailbox,
                    self._messages,
                    self._messages_in_all,
                    self._octets,
                    self._octets_in_all,
                )
            )
