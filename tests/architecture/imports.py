"""Read every import of a package and name those that break the rule of docs/architecture.md."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "mailtui"

LEAF = frozenset({"model", "offloop"})
"""Standard library only; everyone may import them. `offloop` is alone even there."""

MIDDLE = frozenset({"protocols", "signin", "storage", "discovery", "diagnosis", "interop"})
FRONT = frozenset({"cli", "tui", "demo"})

MAY_IMPORT: dict[str, frozenset[str]] = {
    "model": frozenset(),
    "offloop": frozenset(),
    **dict.fromkeys(MIDDLE, LEAF),
    "actions": LEAF | MIDDLE,
    **{room: LEAF | MIDDLE | {"actions"} for room in FRONT},
    # The composition root chooses a front end.
    "__main__": LEAF | MIDDLE | FRONT | {"actions"},
    "__init__": frozenset(),
}
"""The rooms that each room may import besides itself."""

_MODULE_NAME = re.compile(rf"{PACKAGE}(\.\w+)+(:\w+)?")

NO_IO = frozenset({"asyncio", "subprocess", "threading", "multiprocessing", "urllib", "http", "smtplib", "imaplib"})
"""What `model` may not import although it is of the standard library."""

HOMES: dict[str, frozenset[str]] = {
    "aioimaplib": frozenset({"protocols", "demo"}),
    "aiosmtpd": frozenset({"demo"}),
    "aiosmtplib": frozenset({"protocols", "demo"}),
    "cryptography": frozenset({"protocols", "storage", "demo"}),
    "keyring": frozenset({"storage"}),
    "platformdirs": frozenset({"storage"}),
    "proxyprotocol": frozenset({"demo"}),
    "pymap": frozenset({"demo"}),
    "pysasl": frozenset({"demo"}),
    "rich": frozenset({"tui"}),
    "secretstorage": frozenset({"storage"}),
    "shtab": frozenset({"cli"}),
    "socket": frozenset({"protocols", "demo"}),
    "sqlite3": frozenset({"storage"}),
    "ssl": frozenset({"protocols", "demo"}),
    "textual": frozenset({"tui"}),
    "tomlkit": frozenset({"interop", "storage"}),
}
"""The rooms of each third-party package, and of the few modules of the standard library that are kept apart."""


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """One import that the rule forbids."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def breaches(root: Path) -> list[Breach]:
    """Every breach in the package below `root`, wherever the import stands: in a function, for a type checker."""
    return sorted(breach for path in sorted((root / PACKAGE).rglob("*.py")) for breach in _of_file(root, path))


def _of_file(root: Path, path: Path) -> Iterator[Breach]:
    inner = path.relative_to(root / PACKAGE)
    room = inner.parts[0] if len(inner.parts) > 1 else inner.stem
    shown = path.relative_to(root).as_posix()
    if room not in MAY_IMPORT:
        yield Breach(shown, 1, f"{room} is no room of the house: give it a place in MAY_IMPORT")
        return
    module = (PACKAGE, *inner.with_suffix("").parts)
    for line, name in _imports(ast.parse(path.read_text(), str(path)), module):
        if complaint := _complaint(room, name):
            yield Breach(shown, line, complaint)


def _imports(tree: ast.Module, module: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    here = module[:-1]
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                for alias in names:
                    yield node.lineno, alias.name
            case ast.ImportFrom(module=source, names=names, level=level):
                base = ".".join((*here[: len(here) - level + 1], *([source] if source else []))) if level else source
                for alias in names:
                    # `from mailtui import tui` names the room only in what it takes.
                    yield node.lineno, f"{base}.{alias.name}"
            case ast.Call(func=ast.Attribute(attr="import_module") | ast.Name(id="import_module" | "__import__")):
                if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                    yield node.lineno, node.args[0].value
            # A table of modules to load late names them in words.
            case ast.Constant(value=str(text)) if _MODULE_NAME.fullmatch(text):
                yield node.lineno, text


def _complaint(room: str, name: str) -> str:
    top, _, rest = name.partition(".")
    if top == PACKAGE:
        other = rest.partition(".")[0]
        if other in MAY_IMPORT and other != room and other not in MAY_IMPORT[room]:
            return f"{room} imports {name}; it may import {_listed(MAY_IMPORT[room])}"
        return ""
    standard = top in sys.stdlib_module_names
    if room in LEAF and (not standard or (room == "model" and top in NO_IO)):
        return f"{room} imports {name}; it may import only the standard library, without input or output"
    if top in HOMES and room not in HOMES[top]:
        return f"{room} imports {name}; only {_listed(HOMES[top])} may"
    if not standard and top not in HOMES:
        return f"{room} imports {name}; no room may: give {top} a home in HOMES"
    return ""


def _listed(rooms: frozenset[str]) -> str:
    return ", ".join(sorted(rooms)) or "no other room"
