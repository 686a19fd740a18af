"""A retrieval: what was fetched from each mailbox, what is left there, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mailtui.model.check import LegReport, Severity
from mailtui.model.events import LegFinished, StageFinished, StageStarted


class Verdict(StrEnum):
    """What a retrieval does with one message on the server."""

    FETCH = "fetch"
    KEPT = "kept"
    TOO_LARGE = "too-large"
    DELETE = "delete"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One message on the server that is worth a line: to be fetched or deleted (a dry run), too large, refused.

    The texts are the server's, cleaned. `octets` is None where the server does not tell.
    """

    mailbox: str
    uid: str
    verdict: Verdict
    octets: int | None = None
    sender: str = ""
    subject: str = ""
    date: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class MailboxResult:
    """One mailbox as it was left. In a dry run, what would have been.

    `stored` messages of `octets` are new here; `recognised` came under another UID and were here already; `kept` were
    here before; `on_server` are there still. `folder` is where the mail went, as it can be shown. `problem` is why this
    mailbox could not be finished, or empty; `notes` are what a person should know, each one line.
    """

    name: str
    folder: str = ""
    stored: int = 0
    octets: int = 0
    recognised: int = 0
    kept: int = 0
    deleted: int = 0
    on_server: int = 0
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RetrievalReport:
    """One retrieval of one account. `leg` tells how the connection went, stage by stage, and why it failed if it did.

    `candidates` are the messages that were too large or refused; in a dry run those to be fetched and deleted too.
    `is_stable`, in a dry run, tells whether the server named its messages alike in two logins; None where not tried.
    """

    account: str
    started: datetime
    ms: float
    leg: LegReport
    mailboxes: tuple[MailboxResult, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    is_dry_run: bool = False
    is_stable: bool | None = None

    @property
    def stored(self) -> int:
        """Messages that are new here."""
        return sum(mailbox.stored for mailbox in self.mailboxes)

    @property
    def octets(self) -> int:
        """Octets of those."""
        return sum(mailbox.octets for mailbox in self.mailboxes)

    @property
    def deleted(self) -> int:
        """Messages that were deleted on the server."""
        return sum(mailbox.deleted for mailbox in self.mailboxes)

    @property
    def severity(self) -> Severity:
        """FAILED where something could not be done; WARNING where a person should look; the exit code."""
        if self.leg.failure is not None or any(mailbox.problem for mailbox in self.mailboxes):
            return Severity.FAILED
        is_worth_a_look = any(mailbox.notes for mailbox in self.mailboxes) or self.is_stable is False
        return max(self.leg.severity, Severity.WARNING) if is_worth_a_look else self.leg.severity


@dataclass(frozen=True, slots=True)
class RetrievalStarted:
    """The retrieval of an account has begun."""

    account: str


@dataclass(frozen=True, slots=True)
class RetrievalProgress:
    """How far it is: messages safely stored in this run and to be fetched in all, and their octets.

    What `octets_in_all` the server does not tell counts as 0. At most ten a second for each account.
    """

    account: str
    mailbox: str
    messages: int
    messages_in_all: int
    octets: int
    octets_in_all: int


@dataclass(frozen=True, slots=True)
class RetrievalFinished:
    """The retrieval has ended; nothing more comes of it."""

    account: str
    report: RetrievalReport


RetrievalEvent = RetrievalStarted | StageStarted | StageFinished | LegFinished | RetrievalProgress | RetrievalFinished
