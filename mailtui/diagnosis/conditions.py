"""The conditions that a rule can name. Each is a list; one of it must hold, and all conditions of an entry must."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mailtui.diagnosis.facts import Facts, is_below
from mailtui.diagnosis.providers import PROVIDER_NOTES
from mailtui.model.account import Protocol, Security, Trust
from mailtui.model.check import Stage
from mailtui.model.server import Service

Values = tuple[str, ...]
Test = Callable[[Facts], bool]
T = TypeVar("T")

WARNINGS = ("ipv4-dead", "ipv6-dead", "certificate-ends", "server-changed")
"""What a leg that works can warn of; see `Facts.warnings`."""

_PROVIDERS = frozenset(note.provider for note in PROVIDER_NOTES)
_ANY_PROVIDER = "any"


@dataclass(frozen=True, slots=True)
class Condition:
    """One kind of condition: what it means, which values it takes (`check` raises ValueError), and how it is tested."""

    meaning: str
    check: Callable[[str], object]
    test: Callable[[Values], Test]


def _text(value: str) -> None:
    if not value.strip() or value != value.lower() or "  " in value:
        raise ValueError(f"{value!r} is not lower-case text with single spaces")


def _number(value: str) -> None:
    if not value.isascii() or not value.isdigit():
        raise ValueError(f"{value!r} is no number")


def _enhanced(value: str) -> None:
    head, *details = value.split(".")
    if head not in ("x", "4", "5") or len(details) != 2 or not all(part.isdigit() for part in details):
        raise ValueError(f"{value!r} is no enhanced code, such as 5.7.8 or x.7.8")


def _provider(value: str) -> None:
    if value not in _PROVIDERS and value != _ANY_PROVIDER:
        raise ValueError(f"{value!r} is no provider of providers.py, nor {_ANY_PROVIDER!r}")


def _one_of(*known: str) -> Callable[[str], None]:
    def check(value: str) -> None:
        if value not in known:
            raise ValueError(f"{value!r} is none of {', '.join(known)}")

    return check


def _is_in(read: Callable[[Facts], object]) -> Callable[[Values], Test]:
    """One of the values is what `read` gives. Enums are strings, so they compare as they are written."""

    def make(values: Values) -> Test:
        known = frozenset(values)
        return lambda facts: read(facts) in known

    return make


def _has_any(read: Callable[[Facts], str]) -> Callable[[Values], Test]:
    def make(values: Values) -> Test:
        def test(facts: Facts) -> bool:
            text = read(facts)
            return any(value in text for value in values)

        return test

    return make


def _has_none(read: Callable[[Facts], str]) -> Callable[[Values], Test]:
    def make(values: Values) -> Test:
        has_any = _has_any(read)(values)
        return lambda facts: not has_any(facts)

    return make


def _has_all(read: Callable[[Facts], str]) -> Callable[[Values], Test]:
    def make(values: Values) -> Test:
        def test(facts: Facts) -> bool:
            text = read(facts)
            return all(value in text for value in values)

        return test

    return make


def _meets(read: Callable[[Facts], frozenset[str]]) -> Callable[[Values], Test]:
    def make(values: Values) -> Test:
        known = frozenset(values)
        return lambda facts: not known.isdisjoint(read(facts))

    return make


def _below(*reads: Callable[[Facts], str]) -> Callable[[Values], Test]:
    def make(values: Values) -> Test:
        return lambda facts: any(is_below(read(facts), value) for read in reads for value in values)

    return make


def _of_provider(read: Callable[[Facts], str]) -> Callable[[Values], Test]:
    def make(values: Values) -> Test:
        if _ANY_PROVIDER in values:
            return lambda facts: bool(read(facts))
        return _is_in(read)(values)

    return make


def _said(values: Values) -> Test:
    wanted = frozenset(values)
    return lambda facts: ("something" if facts.reply else "nothing") in wanted


CONDITIONS: Mapping[str, Condition] = {
    "protocols": Condition("protocol of the leg", Protocol, _is_in(lambda facts: facts.protocol)),
    "stages": Condition("stage that failed", Stage, _is_in(lambda facts: facts.stage)),
    "replies": Condition("SMTP reply code", _number, _is_in(lambda facts: str(facts.reply_code))),
    "enhanced": Condition(
        "enhanced status code; x.7.8 is any class", _enhanced, _meets(lambda facts: facts.enhanced_codes)
    ),
    "codes": Condition("IMAP or POP3 response code", _text, _is_in(lambda facts: facts.response_code)),
    "any": Condition("one of these in the server's words", _text, _has_any(lambda facts: facts.reply)),
    "all": Condition("all of these in the server's words", _text, _has_all(lambda facts: facts.reply)),
    "none": Condition("none of these in the server's words", _text, _has_none(lambda facts: facts.reply)),
    "says": Condition("whether the server said a word", _one_of("something", "nothing"), _said),
    "hints": Condition(
        "one of these in our own line, which has the system's and OpenSSL's words",
        _text,
        _has_any(lambda facts: facts.hint),
    ),
    "hosts": Condition("the server's name, or one above it", _text, _below(lambda facts: facts.host)),
    "providers": Condition("whose server it is", _provider, _of_provider(lambda facts: facts.provider)),
    "mailbox_providers": Condition(
        "whose address it is", _provider, _of_provider(lambda facts: facts.mailbox_provider)
    ),
    "ports": Condition("port of the account", _number, _is_in(lambda facts: str(facts.endpoint.port))),
    "security": Condition("security of the account", Security, _is_in(lambda facts: facts.endpoint.security)),
    "trust": Condition("whose word the account trusts", Trust, _is_in(lambda facts: facts.endpoint.certificate.trust)),
    "mechanisms": Condition("mechanism of the login", _text, _is_in(lambda facts: facts.leg.mechanism.lower())),
    "issuers": Condition("one of these in the issuers of the certificate", _text, _has_any(lambda facts: facts.issuer)),
    "families": Condition(
        "the only family of the server's addresses", _one_of("ipv4", "ipv6"), _is_in(lambda facts: facts.family)
    ),
    "found": Condition("what answers at the account's own port", Service, _is_in(lambda facts: facts.found[0])),
    "found_security": Condition("how that is protected", Security, _is_in(lambda facts: facts.found[1])),
    "warnings": Condition("what a leg that works warns of", _one_of(*WARNINGS), _meets(lambda facts: facts.warnings)),
}
"""By the name that the rules use."""
