"""Messages that are listed but not fetched, described by their headers."""

from collections.abc import Callable, Iterable, Mapping
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header

from mailtui.model.retrieval import Candidate, Verdict
from mailtui.protocols.source import Listed

_TEXT_LIMIT = 200
_HEADER_READ = 32 * 1024
"""Octets of a header that are looked at."""


def listed_as(
    verdict: Verdict,
    mailbox: str,
    messages: Iterable[Listed],
    headers: Mapping[int, bytes],
    shown: Callable[[str], str],
) -> list[Candidate]:
    """A line for each of `messages`, with what its header says where it is among `headers`. Slow for thousands.

    `shown` makes text from outside fit to show.
    """
    return [_candidate(verdict, mailbox, message, headers.get(message.handle, b""), shown) for message in messages]


def _candidate(
    verdict: Verdict, mailbox: str, message: Listed, header: bytes, shown: Callable[[str], str]
) -> Candidate:
    parsed = message_from_bytes(header[:_HEADER_READ])
    sender, subject, date = (shown(_text(parsed.get(name))) for name in ("From", "Subject", "Date"))
    return Candidate(mailbox, shown(message.uid), verdict, message.octets, sender, subject, date)


def _text(value: object) -> str:
    """A header's value in Unicode (RFC 2047), on one line; as it is where it cannot be decoded."""
    if value is None:
        return ""
    # Octets beyond ASCII come as surrogates: they are UTF-8, or else shown as what they are.
    raw = str(value).encode("ascii", "surrogateescape").decode("utf-8", "replace") if _is_raw(value) else str(value)
    line = " ".join(raw.split())[: 4 * _TEXT_LIMIT]
    try:
        parts = [
            part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part
            for part, charset in decode_header(line)
        ]
    except (HeaderParseError, LookupError, ValueError):
        return line[:_TEXT_LIMIT]
    return " ".join("".join(parts).split())[:_TEXT_LIMIT]


def _is_raw(value: object) -> bool:
    return isinstance(value, str) and any("\udc80" <= sign <= "\udcff" for sign in value)
