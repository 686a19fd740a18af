"""Where retrieved mail goes: a Maildir tree, a local server by LMTP, or a command."""

from dataclasses import dataclass
from enum import StrEnum


class DestinationKind(StrEnum):
    """How a message is handed over."""

    MAILDIR = "maildir"
    LMTP = "lmtp"
    COMMAND = "command"


_EXAMPLES = {
    DestinationKind.MAILDIR: "maildir:~/Mail",
    DestinationKind.LMTP: "lmtp:localhost:24 or lmtp:/run/dovecot/lmtp",
    DestinationKind.COMMAND: "command:/usr/bin/procmail -d ada",
}


@dataclass(frozen=True, slots=True)
class Destination:
    """`maildir` (a tree of its own under the data folder), `maildir:PATH`, `lmtp:HOST:PORT`, `lmtp:/SOCKET` or
    `command:COMMAND`.

    `value` is the part after the first colon. Maildir as in Dovecot and Maildir++: INBOX is the root, other folders are
    `.Name` in it. LMTP is RFC 2033. A command gets the message on standard input, and has taken it when it exits
    with 0.
    """

    kind: DestinationKind = DestinationKind.MAILDIR
    value: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.value}" if self.value else self.kind.value

    @classmethod
    def parse(cls, text: str) -> "Destination":
        """Read the written form. Raises ValueError, which says what is missing."""
        name, _, value = text.strip().partition(":")
        try:
            kind = DestinationKind(name.strip().lower())
        except ValueError:
            raise ValueError(f"give {', '.join(_EXAMPLES.values())}, or maildir alone") from None
        value = value.strip()
        if any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise ValueError("holds a control character")
        if not value and kind is not DestinationKind.MAILDIR:
            raise ValueError(f"{kind.value} needs a value, for example {_EXAMPLES[kind]}")
        if kind is DestinationKind.MAILDIR and value and not value.startswith(("/", "~/")):
            raise ValueError("give a whole path, from / or ~/ on")
        if kind is DestinationKind.LMTP and not value.startswith("/"):
            host, _, port = value.rpartition(":")
            if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65_535):
                raise ValueError(f"give a host and a port, or the path of a socket: {_EXAMPLES[kind]}")
        return cls(kind, value)
