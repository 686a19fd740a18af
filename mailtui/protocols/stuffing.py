"""A message on its way through DATA, of LMTP or SMTP."""

import re

_LINE_ENDS = re.compile(rb"\r\n|\n|\r")


class Stuffing:
    """A message as DATA carries it (RFC 5321 sections 2.3.8 and 4.5.2), in pieces of any size.

    Every line ends with CRLF: a server could take a bare LF or CR for the end of a line, and so a dot of the message
    for its end.
    """

    def __init__(self) -> None:
        self._is_line_start = True
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What goes over the wire for `piece`."""
        piece = self._held + piece
        self._held = b""
        if piece.endswith(b"\r"):
            # Its LF may come with the next piece.
            self._held, piece = b"\r", piece[:-1]
        if not piece:
            return b""
        ends = piece.count(b"\r\n")
        if piece.count(b"\n") != ends or piece.count(b"\r") != ends:
            piece = _LINE_ENDS.sub(b"\r\n", piece)
        stuffed = piece.replace(b"\r\n.", b"\r\n..")
        if self._is_line_start and piece.startswith(b"."):
            stuffed = b"." + stuffed
        self._is_line_start = piece.endswith(b"\r\n")
        return stuffed

    def end(self) -> bytes:
        """What ends the message."""
        is_whole = self._is_line_start and not self._held
        return b".\r\n" if is_whole else b"\r\n.\r\n"
