"""Lines out of bytes, however they arrive; no line is ever longer than its limit."""

from collections.abc import Iterator

from mailtui.model.check import Cause
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


def foreign_protocol(line: bytes) -> str:
    """Which other service says `line` first, in words; empty when it is none that is known."""
    start = line[:8].upper()
    for prefix, words in (
        (b"SSH-", "this is an SSH server"),
        (b"HTTP/", "this is a web server"),
        (b"<!DOCTYP", "this is a web server"),
        (b"<HTML", "this is a web server"),
        (b"* OK", "this is an IMAP server"),
        (b"* PREAUT", "this is an IMAP server"),
        (b"* BYE", "this is an IMAP server"),
        (b"+OK", "this is a POP3 server"),
        (b"220 ", "this is an SMTP or FTP server"),
        (b"220-", "this is an SMTP or FTP server"),
        (b"\x15\x03", "this server wants TLS at once"),
    ):
        if start.startswith(prefix):
            return words
    return ""


def foreign_banner(expected: str, line: bytes) -> WireError:
    """The error for a first line that no server of the protocol `expected` would send."""
    words = foreign_protocol(line) or "the first line is not one of its"
    return WireError(
        Cause.FOREIGN_BANNER, f"this is no {expected} server: {words}", line[:1_000].decode("utf-8", "backslashreplace")
    )
