"""What a program writes to a terminal, judged octet by octet and drawn on a small screen.

The judge knows only the sequences that Textual needs; whatever else is not plain, visible text is a fault.
It owes nothing to the program's own idea of what is hostile.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len

_SEQUENCE = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|[\]PX^_](?:[^\x07\x1b\x9c]|\x1b(?!\\))*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM and APC with their text
    r"|[ -/]*[0-OQ-WYZ\\`-~]"
    r")"
)
"""Any whole escape sequence (ECMA-48, sections 5.3 to 5.6)."""

_KNOWN = re.compile(
    r"\x1b\]22;[a-z-]*\x07"  # the shape of the mouse pointer
    r"|\x1b\[(?:"
    r"[0-9;]*m"  # colours and weights
    r"|(?P<at>[0-9]+;[0-9]+)H"
    r"|(?P<clear>[02]?J)"
    r"|(?P<frame>\?2026[hl])"  # a frame begins, a frame ends
    r"|\?(?:7|25|1000|1003|1004|1006|1015|1049|2004|2048)[hl]"  # wrapping, cursor, mouse, focus, paste, resizing
    r"|(?P<question>\?(?:2026|2048)\$p)"
    r"|>[0-9]+u|<u"  # the keyboard protocol of kitty, on and off
    r")"
)
"""The sequences that Textual sends."""

_PLAIN = re.compile("[ -~]+")
_EMOJI_STYLE = "\ufe0f"
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0") | {
    chr(code) for code in range(0xE0000, 0xE1000)
}
"""Beside the category Cf: letters and marks that draw nothing. Variation selectors stay, they draw emoji."""


def why_hostile(character: str) -> str:
    """What is wrong with one character outside of an escape sequence; empty for plain text."""
    category = unicodedata.category(character)
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"an octet that is not UTF-8, 0x{code - 0xDC00:02x}"
    names = {
        "Cc": "a C1 control" if 0x80 <= code <= 0x9F else "a control",
        "Cf": "an invisible or text-direction character",
        "Cs": "half a character",
        "Zl": "a line separator",
        "Zp": "a paragraph separator",
    }
    what = names.get(category) or ("an invisible character" if character in _INVISIBLE else "")
    return f"{what}, U+{code:04X}" if what else ""


class Screen:
    """The cells of a terminal that does not wrap lines. `faults` gets what was drawn beyond its edges."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.faults: list[str] = []
        self._x = self._y = self._start = 0
        self._cluster = ""
        self.clear()

    def clear(self) -> None:
        """Blank all."""
        self._cells = [[" "] * self.columns for _ in range(self.rows)]

    def move(self, x: int, y: int) -> None:
        """Put the cursor to a cell, counted from 0."""
        self._x, self._y, self._cluster = x, y, ""

    def carriage_return(self) -> None:
        """To the start of the line."""
        self.move(0, self._y)

    def line_feed(self) -> None:
        """To the next line."""
        self.move(self._x, self._y + 1)

    def draw(self, text: str) -> None:
        """Draw a run of visible ASCII, or one character that may join the one before it."""
        if text.isascii():
            for character in text:
                self._put(character, 1)
        else:
            columns = cell_len(self._cluster + text) - cell_len(self._cluster)
            if columns == 0 or text == _EMOJI_STYLE:
                self._join(text, columns)
            else:
                self._put(text, columns)
        if self._x > self.columns:
            self.faults.append(f"text beyond the right edge of line {self._y + 1}: {self.line(self._y)!r}")

    def _put(self, character: str, columns: int) -> None:
        self._start, self._cluster = self._x, character
        self._set(self._x, character)
        self._advance(columns)

    def _join(self, character: str, columns: int) -> None:
        start = self._start if self._cluster else self._x - 1
        if 0 <= self._y < self.rows and 0 <= start < self.columns:
            self._cells[self._y][start] += character
        self._cluster += character
        self._x += columns
        if columns:
            self._set(self._x - 1, "")

    def _advance(self, columns: int) -> None:
        self._x += columns
        if columns == 2:
            # The second half of a wide character is a cell without text.
            self._set(self._x - 1, "")

    def _set(self, x: int, text: str) -> None:
        if 0 <= self._y < self.rows and 0 <= x < self.columns:
            self._cells[self._y][x] = text

    def line(self, y: int) -> str:
        """The text of a line."""
        return "".join(self._cells[y]).rstrip() if 0 <= y < self.rows else ""

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(self.line(y) for y in range(self.rows))


class Stream:
    """Takes octets as they come. `faults` lists what no terminal should get, `frames` the different screens so far."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = Screen(columns, rows)
        self.frames: list[str] = []
        self._printed: list[str] = []
        self.questions: list[str] = []
        """What the program asked of the terminal since this was last emptied."""
        self.is_whole = True
        """Whether the screen is as the program wants it, not half-way through a frame."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._pending = ""
        self._faults: list[str] = []

    @property
    def faults(self) -> list[str]:
        """Everything wrong so far."""
        return self._faults + self.screen.faults

    @property
    def text(self) -> str:
        """What is on the screen now."""
        return self.screen.text

    @property
    def printed(self) -> str:
        """All text without its sequences, in the order in which it came."""
        return "".join(self._printed)

    def feed(self, octets: bytes) -> None:
        """Take what the program wrote next."""
        self._pending += self._decoder.decode(octets)
        for token in self._tokens():
            if token[0] == "\x1b":
                self._sequence(token)
            elif not token.isascii() or len(token) == 1:
                self._character(token)
            else:
                self._draw(token)
        if self.is_whole and (not self.frames or self.frames[-1] != self.text):
            self.frames.append(self.text)

    def end(self) -> None:
        """No more comes: what has not ended is a fault."""
        rest = self._pending + self._decoder.decode(b"", final=True)
        if rest:
            self._fault("an escape sequence without its end", rest)
        self._pending = ""

    def shown(self, words: str) -> bool:
        """Whether `words` stood on a line of the screen at any time."""
        return any(words in frame for frame in self.frames)

    def _tokens(self) -> Iterator[str]:
        at, text = 0, self._pending
        while at < len(text):
            if (match := _PLAIN.match(text, at)) is not None:
                yield match[0]
                at = match.end()
            elif text[at] != "\x1b":
                yield text[at]
                at += 1
            elif (match := _SEQUENCE.match(text, at)) is not None:
                yield match[0]
                at = match.end()
            elif len(text) - at > 1 and text[at + 1] not in "[]PX^_ !\"#$%&'()*+,-./":
                yield text[at : at + 2]
                at += 2
            else:
                break
        self._pending = text[at:]

    def _character(self, character: str) -> None:
        if character == "\n":
            self.screen.line_feed()
        elif character == "\r":
            self.screen.carriage_return()
        elif why := why_hostile(character):
            self._fault(why, character)
        else:
            self._draw(character)

    def _draw(self, text: str) -> None:
        self._printed.append(text)
        self.screen.draw(text)

    def _sequence(self, sequence: str) -> None:
        match = _KNOWN.fullmatch(sequence)
        if match is None:
            self._fault("an escape sequence that Textual does not send", sequence)
        elif match["at"]:
            row, column = match["at"].split(";")
            self.screen.move(int(column) - 1, int(row) - 1)
        elif match["clear"]:
            self.screen.clear()
        elif match["frame"]:
            self.is_whole = sequence.endswith("l")
        elif match["question"]:
            self.questions.append(sequence)

    def _fault(self, why: str, what: str) -> None:
        before = "".join(self._printed[-20:])
        self._faults.append(f"{why}: {what[:80]!r} after {before[-60:]!r}")
