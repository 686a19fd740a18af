"""On which line each key of a TOML text stands: the standard library's parser keeps no positions."""

import re
import tomllib

Path = tuple[str | int, ...]
"""Keys from the root; an int is the index of an element of an array."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[A-Za-z0-9_-]+')
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_STRING = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'', re.DOTALL)
_BARE_VALUE = re.compile(r"[^,\]}#\n]*")


class Lines:
    """The line, from 1, of every key and table of a text that `tomllib` accepts. Raises ValueError for any other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._found: dict[Path, int] = {}
        self._elements: dict[Path, int] = {}
        self._scan()

    def of(self, path: Path) -> int:
        """The line of `path`, or of the closest table around it that is written down."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)

    def _scan(self) -> None:
        table: Path = ()
        while self._skip_blank():
            line = self._here()
            if self._text.startswith("[[", self._at):
                self._at += 2
                parts = self._dotted_key()
                array = (*self._resolve(parts[:-1]), parts[-1])
                self._elements[array] = self._elements.get(array, -1) + 1
                table = (*array, self._elements[array])
                self._note(table, line)
                self._expect("]]")
            elif self._text.startswith("[", self._at):
                self._at += 1
                table = self._resolve(self._dotted_key())
                self._note(table, line)
                self._expect("]")
            else:
                self._pair(table)

    def _resolve(self, parts: Path) -> Path:
        """The path a header names: inside an array of tables it means the latest element."""
        path: Path = ()
        for part in parts:
            path = (*path, part)
            if path in self._elements:
                path = (*path, self._elements[path])
        return path

    def _pair(self, table: Path) -> None:
        line = self._here()
        path = table
        for part in self._dotted_key():
            path = (*path, part)
            self._note(path, line)
        self._expect("=")
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._text[self._at : self._at + 1]
        if opening in ('"', "'"):
            self._take(_STRING)
        elif opening == "[":
            self._at += 1
            self._members(path, "]")
        elif opening == "{":
            self._at += 1
            self._members(path, "}")
        else:
            self._take(_BARE_VALUE)

    def _members(self, path: Path, closing: str) -> None:
        index = 0
        while self._skip_blank() and not self._text.startswith(closing, self._at):
            if closing == "}":
                self._pair(path)
            else:
                self._note((*path, index), self._here())
                self._value((*path, index))
            index += 1
            self._skip_blank()
            if self._text.startswith(",", self._at):
                self._at += 1
        self._expect(closing)

    def _dotted_key(self) -> Path:
        parts: list[str] = []
        self._skip_blank()
        while True:
            word = self._take(_KEY)
            quoted = word[:1] in ('"', "'")
            parts.append(tomllib.loads(f"key = {word}")["key"] if quoted else word)
            separator = _DOT.match(self._text, self._at)
            if separator is None:
                return tuple(parts)
            self._at = separator.end()

    def _note(self, path: Path, line: int) -> None:
        self._found.setdefault(path, line)

    def _here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _skip_blank(self) -> bool:
        """Go on to the next thing that is no comment; False at the end of the text."""
        match = _BLANK.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at < len(self._text)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"not TOML at offset {self._at}")
        self._at = match.end()
        return match[0]

    def _expect(self, mark: str) -> None:
        self._skip_blank()
        if not self._text.startswith(mark, self._at):
            raise ValueError(f"not TOML at offset {self._at}")
        self._at += len(mark)
