"""Names of mailboxes on an IMAP server: as it writes them, and as people do."""

import re
from collections.abc import Callable, Sequence

from mailtui.model import utf7
from mailtui.protocols.source import RemoteMailbox

INBOX = "INBOX"
WILDCARDS = frozenset("*%")
NAME_LIMIT = 1_000
"""Octets of a name: what is longer fits on no command line that servers are sure to take (RFC 2683 section 3.2.1.5)."""

# A name is an atom, a quoted string or a literal (RFC 3501 section 9, mailbox-list); flags hold no parentheses.
_LISTED = re.compile(
    rb'\* LIST \((?P<flags>[^()]*)\) (?:"(?P<delimiter>\\?.)"|NIL) '
    rb'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<literal>~?\{[0-9]+\+?\}$)|(?P<atom>[^"{ ]+))',
    re.IGNORECASE,
)
_PARTS = re.compile(r"[*%]|[^*%]+")
_ESCAPED = re.compile(rb"\\(.)")
_NEVER_OPENED = frozenset({rb"\NOSELECT", rb"\NONEXISTENT"})
_BREAKS_LINES = re.compile("[\0\r\n]")


def listed_mailbox(parts: list[bytes]) -> tuple[RemoteMailbox, bool] | None:
    """The mailbox of a LIST response, and whether it can be opened; None for what is no LIST response.

    One whose name cannot be said on a line, or takes more than NAME_LIMIT, is not there.
    """
    found = _LISTED.match(parts[0])
    if found is None:
        return None
    octets = found["atom"]
    if found["literal"] is not None:
        octets = parts[1] if len(parts) > 1 else b""
    elif found["quoted"] is not None:
        octets = _ESCAPED.sub(rb"\1", found["quoted"])
    wire = octets[: NAME_LIMIT + 1].decode("utf-8", "surrogateescape")
    if not wire or len(octets) > NAME_LIMIT or _BREAKS_LINES.search(wire):
        return None
    delimiter = (found["delimiter"] or b"")[-1:].decode("latin-1")
    is_open = _NEVER_OPENED.isdisjoint(found["flags"].upper().split())
    return RemoteMailbox(to_name(wire), wire, delimiter), is_open


def to_name(wire: str) -> str:
    """A name as people write it. One that is not what the standard asks for stays as it is, made fit to be stored."""
    if wire.upper() == INBOX:
        return INBOX
    if not wire.isascii():
        # Servers exist that send their names in UTF-8, or in whatever they were given.
        return wire.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    try:
        name = utf7.decode(wire)
        name.encode()
    except ValueError:
        return wire
    return name


def matcher(patterns: Sequence[str]) -> Callable[[RemoteMailbox], bool]:
    """Whether a mailbox is one of those that were asked for (RFC 3501 section 6.3.8), whatever a server lists.

    A name without wildcards is one mailbox; in patterns case counts for nothing, as it does on some servers.
    """
    plain = {to_name(to_wire(name)) for name in patterns if WILDCARDS.isdisjoint(name)}
    wild = [_PARTS.findall(pattern.casefold()) for pattern in patterns if not WILDCARDS.isdisjoint(pattern)]
    return lambda mailbox: mailbox.name in plain or any(_fits(parts, mailbox) for parts in wild)


def _fits(parts: list[str], mailbox: RemoteMailbox) -> bool:
    name = mailbox.name.casefold()
    places = {0}
    for part in parts:
        if part == "*":
            places = set(range(min(places), len(name) + 1))
        elif part == "%":
            places = _within_level(places, name, mailbox.delimiter.casefold())
        else:
            places = {place + len(part) for place in places if name.startswith(part, place)}
        if not places:
            return False
    return len(name) in places


def _within_level(places: set[int], name: str, delimiter: str) -> set[int]:
    reached: set[int] = set()
    for place in sorted(places):
        if place not in reached:
            end = name.find(delimiter, place) if delimiter else -1
            reached.update(range(place, (len(name) if end < 0 else end) + 1))
    return reached


def to_wire(name: str) -> str:
    """A name or a pattern as servers want it (RFC 3501 section 5.1.3)."""
    return INBOX if name.upper() == INBOX else utf7.encode(name)


def quoted(text: str) -> str:
    """A quoted string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
