"""What a terminal shows: enough of one to read the screens of a full-screen program off its output."""

import re
from codecs import getincrementaldecoder
from collections import Counter
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\x1b\[(?P<mark>[?<=>]?)(?P<numbers>[0-9;:]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
    r"|\x1bP[^\x1b]*\x1b\\"
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b[0-OQ-Z\\^-~]"
    r"|(?P<control>[\r\n])"
    r"|(?P<text>[^\x1b\r\n]+)"
)
_ROW = re.compile(r"(?<!\S)(\d{4}) ([a-z]+)(?!\S)")


@dataclass(frozen=True, slots=True)
class Row:
    """One account in a list: its number, its word, and the background it is drawn on."""

    number: int
    word: str
    background: str


class Screen:
    """Cells of text, each with its background. Every character counts as one column: what is tested here is ASCII."""

    def __init__(self, columns: int, lines: int) -> None:
        self._columns = columns
        self._text = [[" "] * columns for _ in range(lines)]
        self._backgrounds = [[""] * columns for _ in range(lines)]
        self._x = self._y = 0
        self._background = self._cursor_background = ""
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.is_drawing = False
        """Within a synchronised update (DEC mode 2026): what is shown now is not a whole frame."""
        self.asked_for_synchronised = False

    def feed(self, data: bytes) -> None:
        """Take output of the program; what is cut in the middle waits for the rest."""
        output = self._rest + self._decoder.decode(data)
        position = 0
        while position < len(output) and (token := _TOKEN.match(output, position)):
            position = token.end()
            if text := token["text"]:
                self._write(text)
            elif control := token["control"]:
                self._x, self._y = (0, self._y) if control == "\r" else (self._x, self._y + 1)
            elif token["final"]:
                self._control(token["mark"], token["numbers"], token["between"] + token["final"])
        self._rest = output[position:]

    def _write(self, text: str) -> None:
        if self._y < len(self._text):
            end = min(self._x + len(text), self._columns)
            self._text[self._y][self._x : end] = text[: end - self._x]
            self._backgrounds[self._y][self._x : end] = [self._background] * (end - self._x)
        self._x += len(text)

    def _control(self, mark: str, numbers: str, final: str) -> None:
        if final == "m" and not mark:
            self._background = _background(numbers.split(";"), self._background)
        elif final in ("H", "f"):
            line, _, column = numbers.partition(";")
            self._y, self._x = int(line or 1) - 1, int(column or 1) - 1
        elif mark == "?" and numbers == "2026":
            self.is_drawing = final == "h" or (self.is_drawing and final != "l")
            self.asked_for_synchronised |= final == "$p"

    @property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return ["".join(line) for line in self._text]

    def holds(self, *texts: str) -> bool:
        """Whether each of `texts` stands on one line or another."""
        lines = self.lines
        return all(any(text in line for line in lines) for text in texts)

    def rows(self) -> list[Row]:
        """The accounts of the list, from top to bottom: names in the column where most of them begin."""
        found = [(match, y) for y, line in enumerate(self.lines) for match in _ROW.finditer(line)]
        if not found:
            return []
        ((column, _),) = Counter(match.start() for match, _ in found).most_common(1)
        return [
            Row(int(match[1]), match[2], self._backgrounds[y][column]) for match, y in found if match.start() == column
        ]

    def cursor(self) -> int | None:
        """The number of the account that alone is drawn on a background of its own, as the cursor is."""
        rows = self.rows()
        times = Counter(row.background for row in rows)
        alone = [row for row in rows if times[row.background] == 1]
        if len(alone) == 1:
            self._cursor_background = alone[0].background
            return alone[0].number
        # A single account that is selected has a background of its own, too.
        return next((row.number for row in alone if row.background == self._cursor_background), None)


def _background(numbers: list[str], background: str) -> str:
    """The background after a change of rendition (ECMA-48 SGR, with the colours of ISO 8613-6)."""
    index = 0
    while index < len(numbers):
        number = numbers[index]
        length = 1
        if number in ("38", "48"):
            length = 3 if numbers[index + 1 : index + 2] == ["5"] else 5
        if number in ("", "0", "49", "27"):
            background = ""
        elif number in ("7", "48") or (number.isdigit() and int(number) in (*range(40, 48), *range(100, 108))):
            background = ";".join(numbers[index : index + length])
        index += length
    return background
