"""Every regular expression that sees text from outside takes a time that grows with the text, and no faster.

All patterns of the program are found by reading its source. Each is run, by a matcher that counts steps, over texts
made to hurt it: what leads to each of its repetitions, then any two of the characters that it takes, again and again.
Where twice the text takes much more than twice the steps, a server or a file could hold the program up.
"""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.architecture.steps import Counter, TooMany, openings, telling_characters

ROOT = Path(__file__).resolve().parents[2]
LENGTHS = (50, 100)
TOLERATED = 2.7
"""Twice the text is twice the steps where they grow with the text, four times where they grow with its square."""

_FUNCTIONS = {"compile", "match", "search", "sub", "subn", "fullmatch", "findall", "finditer", "split"}
_AT_THE_START = {"match", "fullmatch"}

MADE_OF = {
    ("mailtui.actions.anonymity", '"|".join(parts) or r"(?!)"'): (
        r"((?<![\w.@-])ada\s+ada(?![\w@-]|\.\w))|(ada\s+lovelace)",
        "escaped words of the account, white space between them, and nothing that repeats beside",
    ),
    ("mailtui.tui.flow", "re.escape(words)"): (r"a\ b", "what was typed, escaped: no repetition at all"),
    ("mailtui.protocols.masking", 'rf"(?<!\\w){re.escape(secret)}(?!\\w)"'): (r"(?<!\w)ab(?!\w)", "an escaped secret"),
    (
        "mailtui.protocols.masking",
        "rf\"(?<![\\w+/]){re.escape(b64encode(raw).decode('ascii'))}(?![\\w+/])\"",
    ): (r"(?<![\w+/])YWI=(?![\w+/])", "an escaped secret"),
}
"""Patterns that are put together when they are needed: one as it may come out, and why all are like it."""


@dataclass(frozen=True)
class Pattern:
    """One pattern of the program; `at_the_start` if it is never searched for."""

    place: str
    pattern: str
    flags: int
    at_the_start: bool


def _uses(tree: ast.Module, name: str) -> set[str]:
    """The methods that are called on a pattern of a module by its name, or on any where it is handed on."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    own = {node.attr for node in attributes if isinstance(node.value, ast.Name) and node.value.id == name}
    # Handed to a function of the module, which does with it what is done with patterns there.
    return own or {node.attr for node in attributes if node.attr in _FUNCTIONS - {"compile", "split"}}


def _patterns() -> Iterator[Pattern]:
    for path in sorted((ROOT / "mailtui").rglob("*.py")):
        source = path.read_text()
        if "re." not in source:
            continue
        tree = ast.parse(source)
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        assigned = {
            id(node.value): node.targets[0].id
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        for node in ast.walk(tree):
            if _is_use_of_re(node):
                yield _pattern(name, tree, node, assigned.get(id(node)), source)


def _is_use_of_re(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in _FUNCTIONS
    )


def _pattern(name: str, tree: ast.Module, call: Any, variable: str | None, source: str) -> Pattern:
    words = ast.get_source_segment(source, call.args[0]) or ""
    place = f"{name}:{call.lineno}: {words}"
    if (name, words) in MADE_OF:
        found: Any = MADE_OF[name, words][0]
    else:
        module: ModuleType = importlib.import_module(name)
        try:
            found = eval(compile(ast.Expression(call.args[0]), place, "eval"), vars(module))
        except NameError:
            pytest.fail(f"{place} is put together when needed: say in MADE_OF what comes out, and why it is linear")
    flags = 0
    for argument in (*call.args[1:], *(keyword.value for keyword in call.keywords)):
        if "re." in (ast.get_source_segment(source, argument) or ""):
            flags |= int(eval(compile(ast.Expression(argument), place, "eval"), {"re": re}))
    if isinstance(found, bytes):
        found, flags = found.decode("iso-8859-1"), flags | re.ASCII
    uses = {call.func.attr} if call.func.attr != "compile" else _uses(tree, variable) if variable else {""}
    return Pattern(place, found, flags, bool(uses) and uses <= _AT_THE_START)


def _steps(pattern: Pattern, text: str) -> int:
    counter = Counter(pattern.pattern, pattern.flags, text)
    return counter.at_the_start() if pattern.at_the_start else counter.everywhere()


def growing(pattern: Pattern) -> str:
    """A start of a text that takes more than its share of steps, repeated; empty where none does."""
    telling = telling_characters(pattern.pattern, pattern.flags)
    pumps = list(dict.fromkeys("".join(dict.fromkeys(pair)) for pair in product(telling, telling)))
    for opening, pump in product(openings(pattern.pattern, pattern.flags), pumps):
        # What hardly anything takes comes last: all that has been taken has to be given back.
        short, long = (opening + (pump * length)[:length] + "\x7f" for length in LENGTHS)
        try:
            less = _steps(pattern, short)
            if less < 5 * len(short):
                continue
            more = _steps(pattern, long)
        except TooMany:
            return opening + pump
        if more > TOLERATED * less:
            return opening + pump
    return ""


FOUND = list(_patterns())


@pytest.fixture(autouse=True)
def _deep() -> Iterator[None]:
    """The matcher calls itself for each character."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(before)


def test_the_patterns_of_the_program_are_found() -> None:
    places = {pattern.place.partition(":")[0] for pattern in FOUND}
    assert {"mailtui.protocols.imap_session", "mailtui.model.text", "mailtui.actions.anonymity"} <= places
    assert len(FOUND) >= 30


@pytest.mark.parametrize("pattern", FOUND, ids=lambda pattern: pattern.place[:60])
def test_steps_grow_with_the_text(pattern: Pattern) -> None:
    assert growing(pattern) == "", pattern.place


@pytest.mark.parametrize(
    ("pattern", "at_the_start"),
    [
        (r"(a+)+$", True),
        (r"(a|a)*b", True),
        (r"a*a*b", True),
        (r"STATUS .*\(.*\bSIZE ([0-9]{1,19})\b", True),
        (r"(?:[^\"]|\"\")*\"\"x", False),
        (r"\s+$", False),
        (r"\s*\(at line \d+\)$", False),
        (r"[0-9][0-9_]{3999,}", False),
        (r"<.*>", False),
    ],
)
def test_what_grows_with_the_square_of_the_text_or_worse_is_caught(pattern: str, at_the_start: bool) -> None:
    assert growing(Pattern("here", pattern, 0, at_the_start)) != ""


@pytest.mark.parametrize(
    "pattern", [r"abc", r"[a-z]+", r"(?<![0-9])[0-9]+x", r"^a*b", r"(?:a|b)*", r'"(?:[^"\\]|\\.)*"', r"(?>a+)+b|c"]
)
def test_what_is_linear_passes(pattern: str) -> None:
    assert growing(Pattern("here", pattern, 0, True)) == ""


@pytest.mark.parametrize(
    ("pattern", "flags"),
    [(pattern.pattern, pattern.flags) for pattern in FOUND],
    ids=[pattern.place[:60] for pattern in FOUND],
)
def test_the_counting_matcher_finds_what_re_finds(pattern: str, flags: int) -> None:
    compiled = re.compile(pattern, flags)
    for opening in openings(pattern, flags):
        for pump in telling_characters(pattern, flags):
            text = opening + pump * 9
            expected = compiled.match(text)
            counter = Counter(pattern, flags, text)
            assert counter._match(list(counter._tree), 0, lambda end: end) == (expected and expected.end())
