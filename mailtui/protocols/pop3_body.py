"""Where a multi-line reply of POP3 ends, and its dot-stuffing undone (RFC 1939 section 3), in pieces of any size."""

_DOT, _CR = ord("."), ord("\r")


class BodyReader:
    """Reads one multi-line reply. What is between its dots is never looked at line by line.

    Where it `is_strict`, only CRLF ends a line, and only CRLF "." CRLF ends the reply: what mail holds after a bare LF
    is mail, for that is how a server reads it that adds no dot there. Otherwise LF ends a line as well.
    """

    def __init__(self, is_strict: bool) -> None:
        self._is_strict = is_strict
        self._is_fresh = True
        self.is_whole = False
        """Whether the end has come."""
        self.is_dubious = False
        """Whether a dot stood alone between line ends of which one is a bare LF: other servers would mean the end."""

    def read(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Read `data` from `at`; the octets of the reply, and from where on `data` has to be given again, with more."""
        parts: list[bytes] = []
        is_first = self._is_fresh and at < len(data) and data[at] == _DOT
        dot = at if is_first else data.find(b"\n.", at) + 1
        while is_first or dot:
            ending = _ending(data, dot + 1)
            if ending is None:
                break
            is_line = is_first or not self._is_strict or (dot >= 2 and data[dot - 2] == _CR)
            if ending and is_line and not (self._is_strict and ending == b"\n"):
                parts.append(data[at:dot])
                self.is_whole = True
                return b"".join(parts), dot + 1 + len(ending)
            self.is_dubious = self.is_dubious or bool(ending)
            if is_line:
                parts.append(data[at:dot])
                at = dot + 1
                self._is_fresh = False
            is_first = False
            dot = data.find(b"\n.", dot + 1) + 1
        # What decides about a dot that is still to come stays: the line end before it.
        keep = max(at, (dot if is_first or dot else len(data)) - 2)
        parts.append(data[at:keep])
        self._is_fresh = self._is_fresh and keep == at
        return b"".join(parts), keep


def _ending(data: bytes, at: int) -> bytes | None:
    """The line end at `at`, empty if there is none; None when more has to come before that is known."""
    two = data[at : at + 2]
    if two[:1] == b"\n":
        return b"\n"
    if two in (b"", b"\r"):
        return None
    return two if two == b"\r\n" else b""
