"""The person's own settings: a small TOML file (docs/config.md) that mailtui reads, and in which it keeps the theme."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mailtui.model.check import CERTIFICATE_WARNING
from mailtui.model.errors import MailtuiError
from mailtui.model.text import clean
from mailtui.storage.files import NotAFile, TooLong, read_file, replace_file

LIMIT = 64 << 10
"""Bytes of a settings file."""

CERTIFICATE_DAYS = CERTIFICATE_WARNING.days
"""Days before its end that a certificate is warned of, where nothing else is set."""

MOST_CERTIFICATE_DAYS = 3_650
"""Days before its end that a certificate may be warned of, at most: longer than any is valid."""

CHECK_MINUTES = 60
"""Minutes between two checks of an account by the agent, where nothing else is set."""

RETRIEVALS_AT_ONCE = 10
"""Retrievals that run at once, where nothing else is set: as many as webmail's own server runs."""

_SYNTAX_PLACE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)$")
_PART = r"""(?:"[^"\\]*"|'[^']*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"^[ \t]*\[[ \t]*({_DOTTED})[ \t]*\]")
_ASSIGNED = re.compile(rf"^[ \t]*({_DOTTED})[ \t]*=")


class SettingsError(MailtuiError):
    """The settings file cannot be read or written; names the file, the line and what to do."""


@dataclass(frozen=True, slots=True)
class _Number:
    """A setting that is a whole number, and what it may be."""

    what: str
    usual: int
    least: int
    most: int


_NUMBERS = {
    "check": {"certificate_days": _Number("days", CERTIFICATE_DAYS, 0, MOST_CERTIFICATE_DAYS)},
    "agent": {"check_minutes": _Number("minutes", CHECK_MINUTES, 0, 43_200)},
    "retrieval": {"at_once": _Number("retrievals", RETRIEVALS_AT_ONCE, 1, 100)},
}
"""The tables of numbers: table, name, number."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person chose: a theme by its name (empty: ours), and keys by the id of what they do.

    A certificate that ends within `certificate_days` is warned of. The agent checks accounts every `check_minutes`, 0
    for never; `retrievals_at_once` run side by side. Whatever in the file cannot be used is left out and told in
    `problems`, one clean line each: a slip in it must not keep anybody out. `places` says where a setting stands, as
    `file:line`.
    """

    theme: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    certificate_days: int = CERTIFICATE_DAYS
    check_minutes: int = CHECK_MINUTES
    retrievals_at_once: int = RETRIEVALS_AT_ONCE

    def place(self, setting: str) -> str:
        """Where `setting` (`theme`, `keys.ID` or `TABLE.NAME`) stands, to begin a message with."""
        return self.places.get(setting, "the settings")


def load_settings(path: Path) -> Settings:
    """The settings in the file at `path`; the defaults where there is none. Blocks."""
    try:
        text = _read(path)
        if text is None:
            return Settings()
        data = _parsed(text, _shown(path))
    except SettingsError as error:
        return Settings(problems=(f"{error} Until then mailtui goes on without it.",))
    return _Reading(text, _shown(path)).settings(data)


def save_theme(path: Path, theme: str) -> None:
    """Keep `theme` in the file at `path`, whose other lines stay as they are. Blocks. Raises SettingsError.

    A file that is missing is made, with its folder; one that cannot be read is left alone.
    """
    import tomlkit

    try:
        text = _read(path)
        _parsed(text or "", _shown(path))
        document = tomlkit.parse(text or "")
        if document.get("theme") == theme:
            return
        document["theme"] = theme
        _write(path, tomlkit.dumps(document))
    except SettingsError as error:
        raise SettingsError(f"The theme is not remembered: {error}") from None
    except OSError as error:
        raise SettingsError(
            f"The theme is not remembered: {_shown(path)} cannot be written: {error.strerror}; correct its permissions"
        ) from None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mode = 0o600
    replace_file(path, text.encode())
    os.chmod(path, mode)


def _read(path: Path) -> str | None:
    shown = _shown(path)
    try:
        return read_file(path, LIMIT, private=False).decode().removeprefix("\ufeff")
    except FileNotFoundError:
        return None
    except (NotAFile, IsADirectoryError):
        raise SettingsError(f"{shown} is not a file; remove it.") from None
    except TooLong:
        raise SettingsError(f"{shown} is longer than {LIMIT >> 10} KiB, which no settings are; correct it.") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{shown}:{line}: is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise SettingsError(f"{shown} cannot be read: {error.strerror}; correct its permissions.") from None


def _parsed(text: str, shown: str) -> dict[str, object]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _SYNTAX_PLACE.search(message)
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        reason = message[: place.start()].rstrip() if place else message
        raise SettingsError(f"{shown}:{line}: not TOML: {clean(reason, 200)}; correct that line.") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"{shown}: not TOML that could be settings; correct it.") from None


class _Reading:
    """One file: what is good in it, and what is not."""

    def __init__(self, text: str, shown: str) -> None:
        self._shown = shown
        self._lines = dict(_assignments(text))
        self._problems: list[str] = []

    def settings(self, data: dict[str, object]) -> Settings:
        tables = ["keys", *_NUMBERS]
        for name in data.keys() - {"theme", *tables}:
            known = ", ".join(f"[{table}]" for table in tables)
            self._problem((name,), f"there is no such setting; mailtui knows theme, {known}")
        theme = data.get("theme", "")
        if not isinstance(theme, str):
            self._problem(("theme",), 'write the name of a theme in quotes, such as "mailtui-dark"')
            theme = ""
        table = data.get("keys", {})
        if not isinstance(table, dict):
            self._problem(("keys",), 'write a table: a line [keys], and below it lines such as "app.help" = "f1"')
            table = {}
        keys: dict[str, str] = {}
        places = {"theme": self._place(("theme",))}
        for path, value in _leaves(table, ()):
            identity = ".".join(path)
            places[f"keys.{identity}"] = self._place(("keys", *path))
            if isinstance(value, str) and value.strip():
                keys[identity] = value
            else:
                self._problem(("keys", *path), 'write a key in quotes, such as "f2", or several as "f2,ctrl+t"')
        numbers = {table: self._numbers(table, data.get(table, {})) for table in _NUMBERS}
        places |= {f"{table}.{name}": self._place((table, name)) for table, known in _NUMBERS.items() for name in known}
        return Settings(
            theme,
            keys,
            tuple(self._problems),
            places,
            certificate_days=numbers["check"]["certificate_days"],
            check_minutes=numbers["agent"]["check_minutes"],
            retrievals_at_once=numbers["retrieval"]["at_once"],
        )

    def _numbers(self, table: str, given: object) -> dict[str, int]:
        """The numbers of one table, the usual ones for those that are missing or no good."""
        known = _NUMBERS[table]
        usual = {name: number.usual for name, number in known.items()}
        if not isinstance(given, dict):
            example = " and ".join(f"{name} = {value}" for name, value in usual.items())
            self._problem((table,), f"write a table: a line [{table}], and below it {example}")
            return usual
        for name in given.keys() - known.keys():
            self._problem((table, name), f"there is no such setting; [{table}] knows {', '.join(known)}")
        for name in given.keys() & known.keys():
            number, value = known[name], given[name]
            if type(value) is int and number.least <= value <= number.most:
                usual[name] = value
            else:
                self._problem((table, name), f"write a number of {number.what} from {number.least} to {number.most}")
        return usual

    def _place(self, path: tuple[str, ...]) -> str:
        line = self._lines.get(path)
        return self._shown if line is None else f"{self._shown}:{line}"

    def _problem(self, path: tuple[str, ...], message: str) -> None:
        name = clean(".".join(path[1:] if path[0] == "keys" and len(path) > 1 else path), 60)
        self._problems.append(f"{self._place(path)}: {name}: {message}.")


def _leaves(table: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], object]]:
    """The values of a table; `a.b = 1` is a table in a table for TOML, and one id for us."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _assignments(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """The keys and tables of a TOML text as its lines name them, with the number of the line."""
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        if (header := _HEADER.match(line)) is not None:
            table = _path(header[1])
            yield table, number
        elif (assigned := _ASSIGNED.match(line)) is not None:
            yield (*table, *_path(assigned[1])), number


def _path(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))


def _shown(path: Path) -> str:
    text = str(path)
    home = os.path.expanduser("~")
    return clean(f"~{text[len(home) :]}" if text.startswith(home + os.sep) else text)
