"""What an IMAP server says beside the verdicts on commands: taken as it comes, and never piled up."""

import re
from collections.abc import Callable

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import Sink
from mailtui.protocols.imap_fetch import Fetched, FetchReader, Sizes, discard
from mailtui.protocols.imap_names import listed_mailbox
from mailtui.protocols.source import RemoteMailbox

# Mailboxes that a server may list, and octets of their names.
_MOST_MAILBOXES = 100_000
_MOST_NAME_OCTETS = 8 << 20

_NUMBERED = re.compile(rb"\* ([0-9]{1,10}) (EXISTS|EXPUNGE|RECENT)\b", re.IGNORECASE)
_NEVER_READ = re.compile(rb"\* (?:FLAGS|VANISHED) ", re.IGNORECASE)


class Untagged:
    """An `imap.Reader`: hands FETCH responses on, collects mailboxes, and counts the messages of the open one."""

    def __init__(self) -> None:
        self.fetching: FetchReader | None = None
        """Who reads FETCH responses; without one they are dropped."""
        self.mailboxes: dict[str, tuple[RemoteMailbox, bool]] | None = None
        """Where mailboxes that are listed go by their names, each with whether it can be opened; see `list_into`."""
        self.exists: int | None = None
        """How many messages the open mailbox has; None before the server has said so."""
        self.has_news = False
        """Whether more messages have come to the open mailbox; set back by whoever has seen it."""
        self.heard = 0
        """How many responses have come in all."""
        self._begun: Fetched | None = None
        self._is_wanted: Callable[[RemoteMailbox], bool] = lambda mailbox: True
        self._name_octets = 0

    def list_into(
        self, mailboxes: dict[str, tuple[RemoteMailbox, bool]], is_wanted: Callable[[RemoteMailbox], bool]
    ) -> None:
        """Collect the mailboxes that are listed from now on and that `is_wanted` takes."""
        self.mailboxes, self._is_wanted, self._name_octets = mailboxes, is_wanted, 0

    def opening(self) -> None:
        """Another mailbox is about to be opened: what is known of the last one is over."""
        self.exists = None
        self.has_news = False

    def literal(self, parts: list[bytes], octets: int) -> Sink | None:
        """See `imap.Reader`."""
        if len(parts) == 1:
            start = Fetched.begun(parts[0])
            if start is None:
                return None
            self._begun, is_body = start
        elif self._begun is not None:
            is_body = self._begun.read(parts[-1])
        else:
            return None
        return self.fetching.body(self._begun) if is_body and self.fetching is not None else discard

    def take(self, parts: list[bytes]) -> bool:
        """See `imap.Reader`."""
        self.heard += 1
        fetched, self._begun = self._begun, None
        if fetched is not None:
            fetched.read(parts[-1])
        elif start := Fetched.begun(parts[0]):
            fetched = start[0]
        if fetched is not None:
            if self.fetching is not None:
                self.fetching.end(fetched)
            return True
        return self._take_number(parts[0]) or self._take_mailbox(parts)

    def _take_number(self, line: bytes) -> bool:
        found = _NUMBERED.match(line)
        if found is None:
            return _NEVER_READ.match(line) is not None
        number, word = int(found[1]), found[2].upper()
        if word == b"EXISTS":
            self.has_news = self.has_news or (self.exists is not None and number > self.exists)
            self.exists = number
        elif word == b"EXPUNGE":
            self.exists = max(0, (self.exists or 0) - 1)
            if isinstance(self.fetching, Sizes):
                self.fetching.are_numbers_moving = True
        return True

    def _take_mailbox(self, parts: list[bytes]) -> bool:
        if self.mailboxes is None or (listed := listed_mailbox(parts)) is None:
            return False
        mailbox, can_open = listed
        if not self._is_wanted(mailbox):
            # Whatever a server lists, nobody asked for that one.
            return True
        self._name_octets += len(mailbox.wire)
        if len(self.mailboxes) >= _MOST_MAILBOXES or self._name_octets > _MOST_NAME_OCTETS:
            raise WireError(
                Cause.TOO_LARGE, f"the server lists more than {_MOST_MAILBOXES} mailboxes, or names without end"
            )
        known, _ = self.mailboxes.setdefault(mailbox.name, listed)
        if known.wire != mailbox.wire:
            # Two that would be written alike: one keeps the name that the server has for it.
            name = mailbox.wire.encode("utf-8", "backslashreplace").decode()
            again = RemoteMailbox(name, mailbox.wire, mailbox.delimiter)
            self.mailboxes.setdefault(again.name, (again, can_open))
        return True
