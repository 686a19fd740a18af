"""The only writer of standard output and standard error: clean text, colour where it is wanted, a closed pipe noticed.

Imports little: every command pays for it.
"""

import contextlib
import os
import sys
from _thread import allocate_lock
from collections.abc import Callable, Iterable, Sequence
from io import TextIOWrapper

from mailtui.model.text import clean, pad

TYPE_CHECKING = False  # typing's own constant costs the import of typing
if TYPE_CHECKING:
    from typing import TextIO

GOOD, BAD, WARN, DIM, BOLD, DANGER = "32", "31", "33", "2", "1", "1;31"
"""Styles: parameters of the Select Graphic Rendition sequence (ECMA-48, section 8.3.117)."""

WARNED_EXIT = 1
"""Done, but standard error has something to tell."""

CLOSED_PIPE_EXIT = 141
"""What a shell reports of a program that a closed pipe ended: 128 + SIGPIPE."""

HELD_LIMIT = 1 << 20
"""Characters that are kept back while a question waits; beyond them lines come out beside it rather than be lost."""

_LINE_LIMIT = 8_000


class Styled:
    """Text with a style, which a terminal shows and anything else never sees."""

    __slots__ = ("style", "text")

    def __init__(self, text: str, style: str) -> None:
        self.text = text
        self.style = style


Part = str | Styled


def fit(text: str, columns: int) -> str:
    """`text` cleaned, then cut or padded to exactly `columns` terminal columns; a cut one ends in an ellipsis."""
    return pad(clean(text), columns)


class Output:
    """Standard output and standard error of one run.

    `closed` turns True once nobody reads standard output any more; what is written then is dropped.
    """

    def __init__(self) -> None:
        # Started with a stream closed, Python has None in its place.
        self._out = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  # open as long as the program runs
        self._err = sys.stderr or open(os.devnull, "w")  # noqa: SIM115  # open as long as the program runs
        self.closed = False
        for stream in (self._out, self._err):
            if isinstance(stream, TextIOWrapper):
                # Text from outside may hold what the terminal's encoding lacks: show it as an escape.
                stream.reconfigure(errors="backslashreplace")
        terminal = os.environ.get("TERM", "")
        self.live = self._out.isatty() and terminal not in ("", "dumb")
        """Whether lines can be drawn over."""
        self._colours = self.live and not os.environ.get("NO_COLOR")
        self._drawn = 0
        self._drawing = ""
        self._held = False
        self._kept: list[tuple[TextIO, str]] = []
        self._kept_size = 0
        # Questions are asked in threads. Of `_thread`, since loading `threading` costs every command.
        self._turn = allocate_lock()

    @property
    def columns(self) -> int:
        """The width to fit tables into: the terminal's, or no limit worth the name."""
        return self._size()[0] if self.live else 10_000

    @property
    def rows(self) -> int:
        """The height of the terminal, 24 where it does not say."""
        return self._size()[1]

    @property
    def plain_marks(self) -> bool:
        """Whether marks must be ASCII, for an encoding without better ones."""
        try:
            "✓✗▸·…│".encode(self._out.encoding or "ascii")
        except (UnicodeEncodeError, LookupError):
            return True
        return False

    def line(self, *parts: Part) -> None:
        """One line on standard output; the parts are cleaned, then joined."""
        self._end_drawing()
        self._write(self._joined(parts) + "\n")

    def lines(self, text: str) -> None:
        """Several lines on standard output, each cleaned and never cut."""
        self._end_drawing()
        self._write("".join(clean(line, 12 * len(line) + 1) + "\n" for line in text.splitlines()))

    def own(self, text: str) -> None:
        """Text that this program made from nothing of outside, as it is."""
        self._end_drawing()
        self._write(text if text.endswith("\n") else f"{text}\n")

    def json(self, document: object, indent: int | None = 2) -> None:
        """One JSON document, in ASCII: no control or bidi character can be in it unescaped."""
        import json

        self.json_text(json.dumps(document, indent=indent))

    def json_text(self, text: str) -> None:
        """A piece of JSON that `json.dumps` made with its own escapes; ends the line."""
        self._write(text.replace("\x7f", "\\u007f") + "\n")

    def error(self, message: object) -> None:
        """One `mailtui: ...` line on standard error for each line of `message`."""
        self._end_drawing()
        self.flush()
        ours = _styled("mailtui:", BAD) if self._colours and self._err.isatty() else "mailtui:"
        for line in str(message).splitlines() or [""]:
            self._complain(f"{ours} {clean(line, 4_000)}\n")

    def question(self, text: str) -> None:
        """A question on standard error, the cursor left behind it."""
        self._end_drawing()
        self.flush()
        self._complain(clean(text) + " ")

    def redraw(self, lines: Sequence[Sequence[Part]]) -> None:
        """Draw `lines` over those drawn last (terminals only); each must fit the width. Skipped while held."""
        if self._held:
            return
        drawing = "".join(self._joined(parts) + "\x1b[K\n" for parts in lines)
        if self._drawn and drawing == self._drawing:
            return
        over = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        # J: a shorter drawing leaves nothing of the longer one below it.
        self._write(f"{over}{drawing}\x1b[J")
        self._drawn, self._drawing = len(lines), drawing
        self.flush()

    def erase(self) -> None:
        """Remove what was drawn last."""
        if self._drawn and not self._held:
            self._write(f"\x1b[{self._drawn}A\r\x1b[J")
            self._drawn = 0

    def hold(self, held: bool) -> None:
        """Keep back all that is for the terminal while a question waits there for its answer; then print it below."""
        with self._turn:
            self._held = held
            self._drawn = 0
            if not held:
                self._release()

    def flush(self) -> None:
        """Hand everything written to the reader of standard output."""
        self._guarded(self._out.flush)

    def _end_drawing(self) -> None:
        self._drawn = 0

    def _joined(self, parts: Iterable[Part]) -> str:
        if not self._colours:
            return clean("".join(part if isinstance(part, str) else part.text for part in parts), _LINE_LIMIT)
        return "".join(self._rendered(part) for part in parts)

    def _rendered(self, part: Part) -> str:
        if isinstance(part, str):
            return clean(part)
        shown = clean(part.text)
        return _styled(shown, part.style) if self._colours and part.style and shown else shown

    def _write(self, text: str) -> None:
        self._put(self._out, text)

    def _complain(self, text: str) -> None:
        self._put(self._err, text)

    def _put(self, stream: "TextIO", text: str) -> None:
        with self._turn:
            if self._held and stream.isatty():
                self._kept.append((stream, text))
                self._kept_size += len(text)
                if self._kept_size > HELD_LIMIT:
                    self._release()
            else:
                self._send(stream, text)

    def _release(self) -> None:
        for stream, text in self._kept:
            self._send(stream, text)
        self._kept.clear()
        self._kept_size = 0

    def _send(self, stream: "TextIO", text: str) -> None:
        if stream is self._out:
            if not self.closed:
                self._guarded(lambda: stream.write(text))
            return
        try:
            stream.write(text)
            stream.flush()
        except BrokenPipeError:
            _discard(stream)

    def _guarded(self, action: Callable[[], object]) -> None:
        try:
            action()
        except BrokenPipeError:
            self.closed = True
            # Or the interpreter complains when it flushes at its end.
            _discard(self._out)

    def _size(self) -> tuple[int, int]:
        try:
            size = os.get_terminal_size(self._out.fileno())
        except OSError:
            return 80, 24
        return size.columns or 80, size.lines or 24


def _styled(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m"


def _discard(stream: "TextIO") -> None:
    with contextlib.suppress(OSError, ValueError):
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, stream.fileno())
        os.close(sink)
