"""The rules of remedies.toml, read strictly: a mistake in the file is an error, never a rule that is left out."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

from mailtui.diagnosis.conditions import CONDITIONS, Test
from mailtui.diagnosis.facts import Facts
from mailtui.model.check import Cause, FailureKind
from mailtui.model.diagnosis import UNKNOWN

PROVIDER_PAGE = "provider"
"""In the place of a URL: the page of the provider whose server it is."""

PLACEHOLDERS = ("{host}", "{port}", "{protocol}", "{tls_port}", "{starttls_port}")
"""What a text may hold: of the account, never of the server."""

_TEXTS = ("cause", "explanation", "fix")
_TEXT_LIMIT = 400


class RemediesError(ValueError):
    """The rules are not as they must be; the message names the rule and the key."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One diagnosis in words; see `model.diagnosis.Diagnosis`. `url` may be PROVIDER_PAGE."""

    id: str
    cause: str
    explanation: str
    fix: str
    url: str
    offers_change: bool
    """Whether the change that fits the report may be offered. It may not where trusting a key is what an attacker
    wants."""
    entries: "tuple[Entry, ...]"


@dataclass(frozen=True, slots=True)
class Entry:
    """One set of conditions under which a rule holds. Without causes it is about a leg that works, but warns."""

    causes: tuple[Cause, ...]
    conditions: Mapping[str, tuple[str, ...]]
    tests: tuple[Test, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether all conditions are met; the cause is not asked for again."""
        return all(test(facts) for test in self.tests)


@dataclass(frozen=True, slots=True)
class Remedies:
    """All rules, and those that can hold for each cause, in the order of the file; for None those of warnings."""

    rules: tuple[Rule, ...]
    by_cause: Mapping[Cause | None, tuple[tuple[Entry, Rule], ...]]

    def match(self, cause: Cause | None, facts: Facts) -> Rule | None:
        """The first rule that holds."""
        for entry, rule in self.by_cause[cause]:
            if entry.holds(facts):
                return rule
        return None


# Two legs may fail in two threads at once: one of them reads.
_reading = Lock()


def remedies() -> Remedies:
    """The rules that are packaged beside this module, read when first asked for."""
    with _reading:
        return _packaged()


@cache
def _packaged() -> Remedies:
    # Not by importlib.resources, which takes as long to load as the rules to read.
    return parse_remedies(Path(__file__).with_name("remedies.toml").read_text("utf-8"))


def parse_remedies(text: str) -> Remedies:
    """The rules that `text` states. Raises RemediesError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RemediesError(f"not TOML: {error}") from error
    tables = data.pop("rule", None)
    if data or not isinstance(tables, list) or not tables:
        raise RemediesError("the file holds [[rule]] tables and nothing else")
    rules: dict[str, Rule] = {}
    by_cause: dict[Cause | None, list[tuple[Entry, Rule]]] = {cause: [] for cause in (None, *Cause)}
    # Those for which some rule always holds.
    closed: set[Cause | None] = set()
    for table in tables:
        rule = _rule(table)
        if rule.id in rules:
            raise RemediesError(f"{rule.id}: stands twice")
        rules[rule.id] = rule
        for entry in rule.entries:
            open_causes = [cause for cause in entry.causes or (None,) if cause not in closed]
            unreached = [name for name in entry.conditions.get("causes", ()) if Cause(name) in closed]
            if unreached or not open_causes:
                which = f" for {unreached[0]}" if unreached else ""
                raise RemediesError(f"{rule.id}: when: never reached{which}, a rule before it holds for all of it")
            for cause in open_causes:
                by_cause[cause].append((entry, rule))
            if not entry.tests:
                closed.update(open_causes)
    return Remedies(tuple(rules.values()), {cause: tuple(entries) for cause, entries in by_cause.items()})


def _rule(table: object) -> Rule:
    if not isinstance(table, dict):
        raise RemediesError("a rule is a table")
    name = table.get("id")
    if not isinstance(name, str) or not _is_name(name) or name == UNKNOWN:
        raise RemediesError(f"{name!r} is no id: lower-case words with hyphens between them, and not {UNKNOWN!r}")
    if unknown := table.keys() - {"id", "when", "url", "change", *_TEXTS}:
        raise RemediesError(f"{name}: unknown key {sorted(unknown)[0]!r}")
    for key in _TEXTS:
        if fault := _text_fault(table.get(key)):
            raise RemediesError(f"{name}: {key}: {fault}")
    when = table.get("when")
    if not isinstance(when, list) or not when:
        raise RemediesError(f"{name}: when: a list of conditions is needed")
    url = table.get("url", "")
    if url not in ("", PROVIDER_PAGE) and (not isinstance(url, str) or not _is_page(url)):
        raise RemediesError(f"{name}: url: {url!r} is no https page, nor {PROVIDER_PAGE!r}")
    change = table.get("change", True)
    if not isinstance(change, bool):
        raise RemediesError(f"{name}: change: true or false is needed")
    entries = tuple(_entry(name, entry) for entry in when)
    return Rule(name, table["cause"], table["explanation"], table["fix"], url, change, entries)


def _entry(name: str, table: object) -> Entry:
    if not isinstance(table, dict):
        raise RemediesError(f"{name}: when: a table of conditions is needed")
    conditions: dict[str, tuple[str, ...]] = {}
    for key, value in table.items():
        if key not in ("causes", "kinds", *CONDITIONS):
            raise RemediesError(f"{name}: when: unknown condition {key!r}")
        if not isinstance(value, list) or not value or not all(type(item) in (str, int) for item in value):
            raise RemediesError(f"{name}: {key}: a list of texts or numbers is needed")
        conditions[key] = tuple(str(item) for item in value)
    causes = tuple(_causes(name, conditions))
    if bool(causes) == ("warnings" in conditions):
        raise RemediesError(f"{name}: when: either causes and kinds are needed, or warnings, and not both")
    asked = {key: values for key, values in conditions.items() if key in CONDITIONS}
    for key, values in asked.items():
        for item in values:
            try:
                CONDITIONS[key].check(item)
            except ValueError as error:
                raise RemediesError(f"{name}: {key}: {error}") from error
    return Entry(causes, conditions, tuple(CONDITIONS[key].test(values) for key, values in asked.items()))


def _causes(name: str, conditions: Mapping[str, tuple[str, ...]]) -> Iterator[Cause]:
    try:
        kinds = [FailureKind(value) for value in conditions.get("kinds", ())]
        named = [Cause(value) for value in conditions.get("causes", ())]
    except ValueError as error:
        raise RemediesError(f"{name}: when: {error}") from error
    for cause in Cause:
        if cause in named or cause.kind in kinds:
            yield cause


def _is_name(text: str) -> bool:
    return text.isascii() and text == text.lower() and all(word.isalnum() for word in text.split("-"))


def _is_page(url: str) -> bool:
    host = url.removeprefix("https://").partition("/")[0]
    return url.startswith("https://") and "." in host and url.isascii() and url.isprintable() and " " not in url


def _text_fault(text: object) -> str:
    if not isinstance(text, str) or not text:
        return "a text is needed"
    if not text.isprintable() or text != " ".join(text.split()):
        return "one line without double spaces is needed"
    if len(text) > _TEXT_LIMIT:
        return f"longer than {_TEXT_LIMIT} characters"
    if text[-1] not in ".?":
        return "a sentence ends with a full stop"
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "")
    return "a placeholder that nobody fills" if "{" in text or "}" in text else ""
