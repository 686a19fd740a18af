"""What LIST and UIDL say (RFC 1939 sections 5 and 7), brought together by the messages' numbers alone."""

from collections.abc import Iterable, Sequence

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.source import Listed

# RFC 1939 allows 70 octets; what is much longer names nothing.
_NAME_LIMIT = 1_000
_DIGITS = 10


def bring_together(names: Iterable[bytes], sizes: Iterable[bytes]) -> list[Listed]:
    """The messages that the lines of UIDL and of LIST tell of, by number.

    One that only one of them tells of is among them, without a name or without a size. Raises WireError for a line that
    is about no message, and for a message that is told of twice.
    """
    named, sized = _by_number(names, "UIDL"), _by_number(sizes, "LIST")
    return [
        Listed(number, _name(named.get(number, b"")), _size(sized.get(number, b"")))
        for number in sorted(named.keys() | sized.keys())
    ]


def are_numbers(messages: Sequence[Listed]) -> bool:
    """Whether each name is only the message's number in this session, which is another message's in the next one."""
    return bool(messages) and all(message.uid.lstrip("0") == str(message.handle) for message in messages)


def _by_number(lines: Iterable[bytes], command: str) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for line in lines:
        digits, _, rest = line.strip().partition(b" ")
        number = int(digits) if digits.isdigit() and len(digits) <= _DIGITS else 0
        if not number:
            words = line[:_NAME_LIMIT].decode("utf-8", "backslashreplace")
            raise WireError(Cause.BAD_REPLY, f"the server's {command} has a line that is about no message", words)
        if number in found:
            raise WireError(Cause.BAD_REPLY, f"the server's {command} tells of message {number} twice")
        found[number] = rest.strip()
    return found


def _name(rest: bytes) -> str:
    return rest.decode("ascii", "backslashreplace") if len(rest) <= _NAME_LIMIT else ""


def _size(rest: bytes) -> int | None:
    digits = rest.partition(b" ")[0]
    return int(digits) if digits.isdigit() and len(digits) <= 2 * _DIGITS - 1 else None
