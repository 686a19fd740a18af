"""Text that flows into lines of any width, and still knows what was one: a search finds words that were broken."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from mailtui.model.text import cut, width
from mailtui.tui.ladder_lines import Line, Span
from mailtui.tui.words import Role

MOST_HITS = 10_000
"""A search stops here: nobody walks through more."""

_LEAST_ROOM = 10
"""Columns that text needs beside its lead; with fewer it goes below."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`text`, cleaned, after a `lead` that stays together; `indent` is what its later lines keep free."""

    lead: Line = ()
    text: str = ""
    role: Role = Role.PLAIN
    indent: int = 0


Spot = tuple[int, int, int]
"""A part of one line: the line's number, and from which character up to which."""

Hit = tuple[Spot, ...]
"""Where one match stands; several spots where it was broken."""


@dataclass(frozen=True, slots=True)
class _Origin:
    """Where a line comes from: `start` to `end` of its paragraph's words, after `blank` spaces."""

    paragraph: int
    start: int
    end: int
    blank: int = 0


class Flow:
    """Paragraphs laid out in `columns`."""

    def __init__(self, paragraphs: Sequence[Paragraph] = (), columns: int = 80) -> None:
        self.paragraphs = tuple(paragraphs)
        self.columns = max(columns, 4)
        self.lines: list[Line] = []
        self._origins: list[_Origin] = []
        self._words: list[str] = []
        for number, paragraph in enumerate(self.paragraphs):
            self._lay_out(number, paragraph)

    def _lay_out(self, number: int, paragraph: Paragraph) -> None:
        lead = paragraph.lead
        used = sum(width(text) for text, _ in lead)
        indent = paragraph.indent
        words = " ".join(paragraph.text.split())
        if beside := bool(words) and used < indent and self.columns - indent >= _LEAST_ROOM:
            lead = (*lead, (" " * (indent - used), Role.PLAIN))
        else:
            indent = min(2 if lead else indent, self.columns - 2)
            lead = _cut_line(lead, self.columns)
        told = "".join(text for text, _ in lead)
        apart = " " if told and words and not beside else ""
        self._words.append(told + apart + words)
        at = len(told)
        pieces = _broken(words, self.columns - indent)
        if beside:
            first, *pieces = pieces
            at += len(first)
            self._add((*lead, (first, paragraph.role)), _Origin(number, 0, at))
        elif lead or not pieces:
            self._add(lead, _Origin(number, 0, at))
        for piece in pieces:
            # Where a line was broken at a space, neither line has it.
            at += self._words[number].startswith(" ", at) and not piece.startswith(" ")
            self._add(
                ((" " * indent, Role.PLAIN), (piece, paragraph.role)), _Origin(number, at, at + len(piece), indent)
            )
            at += len(piece)

    def _add(self, line: Line, origin: _Origin) -> None:
        self.lines.append(tuple(span for span in line if span[0]))
        self._origins.append(origin)

    def paragraph_at(self, line: int) -> int:
        """Which paragraph `line` belongs to; the last one beyond the end."""
        return self._origins[min(line, len(self._origins) - 1)].paragraph if self._origins else 0

    def line_of(self, paragraph: int) -> int:
        """The first line of a paragraph."""
        return next((line for line, origin in enumerate(self._origins) if origin.paragraph >= paragraph), 0)

    def find(self, wanted: str) -> list[Hit]:
        """Where `wanted` stands, from top to bottom, whatever its case; at most MOST_HITS."""
        words = " ".join(wanted.split())
        if not words:
            return []
        pattern = re.compile(re.escape(words), re.IGNORECASE)
        return list(islice(self._hits(pattern), MOST_HITS))

    def _hits(self, pattern: re.Pattern[str]) -> Iterator[Hit]:
        first = 0
        for number, words in enumerate(self._words):
            after = first
            while after < len(self._origins) and self._origins[after].paragraph == number:
                after += 1
            for match in pattern.finditer(words):
                spots = tuple(self._spots(range(first, after), match.start(), match.end()))
                if spots:
                    yield spots
            first = after

    def _spots(self, lines: range, start: int, end: int) -> Iterator[Spot]:
        for line in lines:
            origin = self._origins[line]
            begin, stop = max(start, origin.start), min(end, origin.end)
            if begin < stop:
                yield line, begin - origin.start + origin.blank, stop - origin.start + origin.blank


def _broken(words: str, columns: int) -> list[str]:
    """`words`, with single spaces between them, in lines of at most `columns`; longer words are cut.

    In time linear to the text, whatever it is made of: a server chooses that.
    """
    columns = max(columns, 2)
    lines: list[str] = []
    line, used = "", 0
    for word in words.split(" ") if words else ():
        if line and used + 1 + (taken := _up_to(word, columns)) <= columns:
            line, used = f"{line} {word}", used + 1 + taken
            continue
        if line:
            lines.append(line)
        while (used := _up_to(word, columns)) > columns:
            head = cut(word[: 2 * columns], columns)
            lines.append(head)
            word = word[len(head) :]
        line = word
    if line:
        lines.append(line)
    return lines


def _up_to(word: str, columns: int) -> int:
    """The width of `word`, where that is no more than `columns`; else something more."""
    return width(word) if len(word) <= 2 * columns else columns + 1


def _cut_line(line: Line, columns: int) -> Line:
    """As much of `line` as `columns` hold."""
    told: list[Span] = []
    for text, role in line:
        if width(text) > columns:
            told.append((cut(text, columns) if columns > 0 else "", role))
            break
        told.append((text, role))
        columns -= width(text)
    return tuple(told)
