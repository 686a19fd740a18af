"""Mail on a server, whatever it speaks: mailboxes, what is in them, and messages as they stream in."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.trace import Trace

# Servers err in the size of a message, and some tell none; none sends without end.
_MISTAKE = 64 << 20
_MOST_UNTOLD = 4 << 30


@dataclass(frozen=True, slots=True)
class RemoteMailbox:
    """A mailbox on the server: its name in Unicode, its name on the wire, and what divides its levels ("" nothing)."""

    name: str
    wire: str = ""
    delimiter: str = ""


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What the server says of a mailbox: how many messages; in IMAP UIDVALIDITY, UIDNEXT, HIGHESTMODSEQ (RFC 7162).

    HIGHESTMODSEQ never goes back in a mailbox that was not put back from a backup.
    """

    messages: int
    uidvalidity: int | None = None
    uidnext: int | None = None
    modseq: int | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One message of the open mailbox.

    `handle` is what this session calls it (POP3: its number; IMAP: its UID), `uid` what all sessions should call it
    (UIDL, UID), empty where the server gives it no name. `octets` is the size as the server tells it.
    """

    handle: int
    uid: str
    octets: int | None = None

    def require_end(self, came: int) -> None:
        """Raise WireError TOO_LARGE where more octets have come than any mistake about the size explains."""
        most = _MOST_UNTOLD if not self.octets else 8 * self.octets + _MISTAKE
        if came > most:
            raise WireError(
                Cause.TOO_LARGE,
                f"the server sends a message without end: more than {most} octets, and told {self.octets}",
            )


class Intake(Interface):
    """Takes messages as they come, one after another, on the event loop. Nothing here blocks or raises."""

    on_room: Callable[[], None] | None
    """Set by the source: called when there is room again after `is_full`."""

    @property
    def is_full(self) -> bool:
        """Whether the source should stop reading until `on_room` is called."""
        ...

    def begin(self, message: Listed) -> None:
        """A message begins. One that was begun and not completed is dropped."""
        ...

    def feed(self, data: bytes) -> None:
        """Octets of the message, in their order, exactly as the server has them: CRLF, dot-stuffing undone."""
        ...

    def complete(self, flags: tuple[str, ...] = ()) -> None:
        """The message is whole; its IMAP flags, such as `\\Seen`."""
        ...

    def refused(self, message: Listed, reply: str) -> None:
        """The server will not give this message; its words, not yet cleaned. The others go on."""
        ...


class Source(ABC):
    """The mail behind a session that is open. One mailbox at a time.

    Methods without a Trace run within a stage of the caller's, raise WireError and OSError, and call
    `trace.watch.progress()` as data comes, so that only silence ends them. `prepare` and `finish` are stages of their
    own, and raise StageFailed.
    """

    has_uids: bool = True
    """Whether the server names its messages beyond a session; known after `prepare`, surely after `listing`."""
    can_idle: bool = False
    """Whether the server tells of new mail by itself (RFC 2177); known after `prepare`."""

    @abstractmethod
    async def prepare(self, trace: Trace) -> None:
        """CAPABILITIES after the login."""

    @abstractmethod
    async def mailboxes(self, patterns: Sequence[str]) -> list[RemoteMailbox]:
        """The mailboxes that can be opened and match.

        A name without wildcards is among them even if the server does not list it. POP3 has one, INBOX, whatever
        is asked for.
        """

    @abstractmethod
    async def status(self, mailbox: RemoteMailbox) -> MailboxState | None:
        """What can be said without opening it; None where that is not possible."""

    @abstractmethod
    async def select(self, mailbox: RemoteMailbox, *, writable: bool) -> MailboxState:
        """Open a mailbox; without `writable` nothing can change by it. Raises WireError NO_INBOX where it cannot be."""

    @abstractmethod
    async def listing(self, since: int = 0) -> list[Listed]:
        """The messages of the open mailbox, oldest first; in IMAP only those with a UID of at least `since`."""

    @abstractmethod
    async def fetch(self, wanted: Sequence[Listed], intake: Intake) -> None:
        """Stream messages, pipelined, unread ones staying unread; each is completed or refused, in any order.

        Stops reading while the intake is full. What is not there any more is refused.
        """

    @abstractmethod
    async def headers(self, wanted: Sequence[Listed]) -> dict[int, bytes]:
        """The header of each message by its handle, up to and with the empty line, exactly as `fetch` would begin.

        Left out where the server does not give it, or it is longer than 256 KiB.
        """

    @abstractmethod
    async def delete(self, messages: Sequence[Listed]) -> str:
        """Delete exactly these. Returns a note for people where they stay (no UIDPLUS, ...); empty when all is well.

        POP3 deletes at `finish`.
        """

    @abstractmethod
    async def finish(self, trace: Trace) -> None:
        """QUIT. A deletion that is not confirmed here is a failure."""
