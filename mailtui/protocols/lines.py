"""Lines out of bytes, however they arrive; no line is ever longer than its limit."""

from collections.abc import Iterator

from mailtui.model.check import Cause
from mailtui.model.server import Service
from mailtui.protocols.faults import WireError


class LineBuffer:
    """Splits what is fed into lines without their CRLF. A bare LF ends a line as well: servers exist that send it.

    Each byte is looked at once: feeding one byte at a time costs no more than feeding all.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the lines that `data` completes. Raises WireError for one longer than the limit, in octets.

        The lines before it come out first, so that it makes no difference in what pieces the data came.
        """
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = bytes(self._rest) + lines[0]
            self._rest.clear()
        self._rest += rest
        for line in lines:
            self._require_short(line)
            yield line.removesuffix(b"\r")
        self._require_short(self._rest)

    def _require_short(self, line: bytes | bytearray) -> None:
        if len(line) > self._limit:
            raise WireError(Cause.TOO_LARGE, f"the server sent a line of more than {self._limit} octets")

    def __len__(self) -> int:
        """Octets of a line that has not ended."""
        return len(self._rest)


_FIRST_WORDS = (
    (b"SSH-", Service.SSH),
    (b"HTTP/", Service.HTTP),
    (b"<!DOCTYP", Service.HTTP),
    (b"<HTML", Service.HTTP),
    (b"* OK", Service.IMAP),
    (b"* PREAUT", Service.IMAP),
    (b"* BYE", Service.IMAP),
    (b"+OK", Service.POP3),
    (b"-ERR", Service.POP3),
    # The codes that a greeting may have (RFC 5321 sections 3.1 and 4.2.3).
    (b"220 ", Service.SMTP),
    (b"220-", Service.SMTP),
    (b"554 ", Service.SMTP),
    (b"554-", Service.SMTP),
    (b"421 ", Service.SMTP),
    (b"421-", Service.SMTP),
)
_NAMES = {
    Service.SMTP: "an SMTP server",
    Service.IMAP: "an IMAP server",
    Service.POP3: "a POP3 server",
    Service.HTTP: "a web server",
    Service.SSH: "an SSH server",
    Service.OTHER: "an FTP server",
}


def service_of(line: bytes) -> Service | None:
    """Which service says `line` first; None when it is none that is known."""
    start = line[:8].upper()
    service = next((service for prefix, service in _FIRST_WORDS if start.startswith(prefix)), None)
    if service is Service.SMTP and b"FTP" in line.upper():
        # RFC 959 greets with the same codes.
        return Service.OTHER
    return service


def is_tls(octets: bytes) -> bool:
    """Whether `octets` begin with a TLS record: an alert or a handshake (RFC 8446 section 5.1)."""
    return octets[:2] in (b"\x15\x03", b"\x16\x03")


def foreign_protocol(line: bytes) -> str:
    """Which other service says `line` first, in words; empty when it is none that is known."""
    if is_tls(line):
        return "this server wants TLS at once"
    service = service_of(line)
    return "" if service is None else f"this is {_NAMES[service]}"


def foreign_banner(expected: str, line: bytes) -> WireError:
    """The error for a first line that no server of the protocol `expected` would send."""
    words = foreign_protocol(line) or "the first line is not one of its"
    heard = line[:1_000]
    return WireError(
        Cause.FOREIGN_BANNER,
        f"this is no {expected} server: {words}",
        heard.decode("utf-8", "backslashreplace"),
        heard,
    )
