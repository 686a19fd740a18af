"""What stateful servers of the tests' own keep between sessions: mailboxes, and what goes wrong in the next session."""

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Mail:
    """One message on the server. `uid` is IMAP's, `uidl` POP3's; `size` is what listings say of it where they lie."""

    content: bytes
    uid: int
    uidl: str
    flags: set[str] = field(default_factory=set)
    size: int | None = None

    @property
    def listed(self) -> int:
        return len(self.content) if self.size is None else self.size


class Mailbox:
    """A mailbox and the names that it gives. `removed` holds what clients deleted, `seen` all that it ever held."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.uidvalidity = 1_000
        self.uidnext = 1
        self.modseq = 1
        self.removed: list[bytes] = []
        self.seen: Counter[bytes] = Counter()
        self._named = 0

    def add(self, content: bytes, *flags: str) -> Mail:
        self._named += 1
        mail = Mail(content, self.uidnext, f"u{self._named:06d}", set(flags))
        self.uidnext += 1
        self.modseq += 1
        self.mails.append(mail)
        self.seen[content] += 1
        return mail

    def remove(self, mails: Iterable[Mail]) -> None:
        """A client deletes these."""
        gone = {id(mail) for mail in mails}
        self.removed += [mail.content for mail in self.mails if id(mail) in gone]
        self.mails = [mail for mail in self.mails if id(mail) not in gone]
        self.modseq += 1

    def vanish(self, mail: Mail) -> None:
        """Somebody else deletes it."""
        self.mails = [other for other in self.mails if other is not mail]
        self.modseq += 1

    def renumber(self) -> None:
        """Other names for the same messages: a new UIDVALIDITY, and UIDLs that were never given."""
        self.uidvalidity += 1
        for uid, mail in enumerate(self.mails, 1):
            self._named += 1
            mail.uid, mail.uidl = uid, f"u{self._named:06d}"
        self.uidnext = len(self.mails) + 1
        self.modseq += 1

    def rewind(self, count: int) -> None:
        """A backup is put back: the last `count` messages are gone, and their UIDs will be given again."""
        self.mails = self.mails[:-count]
        self.uidnext -= count
        self.modseq += 1


@dataclass
class Manners:
    """What a server offers."""

    pipelining: bool = True
    uidl: bool = True
    uidl_is_number: bool = False
    top: bool = True
    capa: bool = True
    uidplus: bool = True
    condstore: bool = True
    idle: bool = True


@dataclass
class Faults:
    """What goes wrong in the sessions to come; `Faults()` is nothing.

    `cut` ends a connection after so many octets from the server on, with a reset where `reset`. `pieces` divides what
    is sent into pieces of at most so many octets. `refuse` are contents that are not given.
    The counts are added to what STAT, or EXISTS and MESSAGES, say; `skip` listed messages are left out of LIST.
    """

    cut: int | None = None
    reset: bool = False
    mute: bool = False
    """Instead of ending the connection, say no more."""
    pieces: int = 0
    refuse: set[bytes] = field(default_factory=set)
    stat: int = 0
    list_skips: set[int] = field(default_factory=set)
    uidl_skips: set[int] = field(default_factory=set)
    uidl_twins: bool = False
    quit: str = ""
    """At the end: "drop-before" or "drop-after" it was obeyed, or "refuse"."""
    thief: bool = False
    """Somebody else deletes messages (IMAP) while they are fetched."""
    chatter: bool = False
    """Responses that nobody asked for, and data items in any order."""


class Office:
    """The state of one server."""

    def __init__(self, *, manners: Manners | None = None, seed: int = 0) -> None:
        self.manners = manners or Manners()
        self.faults = Faults()
        self.random = random.Random(seed)
        self.boxes: dict[str, Mailbox] = {"INBOX": Mailbox()}
        self.commands: list[str] = []
        self.logins = 0

    @property
    def inbox(self) -> Mailbox:
        return self.boxes["INBOX"]

    def box(self, name: str) -> Mailbox:
        return self.boxes.setdefault(name, Mailbox())
