"""The language of filters: which accounts a line of words means.

    ada imap                   every word, anywhere in what is known of an account
    "customer service"         the words together
    status:failing             good, warning, failing, unchecked or off; a beginning is enough
    type:sales                 the type holds the text; type:"sales" is exactly that type, type:"" has none
    active:no                  yes or no
    protocol:pop3              smtp, imap or pop3
    security:starttls          tls, starttls or none
    is:automatic               automatic or manual retrieval, paired, send-only, unsafe (accepts any certificate)
    name: email: server:       the text in that place only
    -type:sales                a minus before any of them: all but those

A word with an unknown name before its colon is text: `smtp.example.org:465` finds that server.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from mailtui.actions.standing import Standing, standing_of
from mailtui.model.account import Account, Protocol, RetrievalMode, Security, Trust
from mailtui.model.check import CheckReport
from mailtui.model.text import clean

_TERM = re.compile(
    r"(?P<minus>-(?=\S))?(?:(?P<key>[a-z]+):)?"
    r'(?:"(?P<quoted>(?:[^"]|"")*)(?P<closed>"?)|(?P<word>\S*))',
    re.IGNORECASE,
)
_CHOICES = {
    "status": tuple(standing.value for standing in Standing),
    "active": ("yes", "no"),
    "protocol": tuple(protocol.value for protocol in Protocol),
    "security": tuple(security.value for security in Security),
    "is": ("automatic", "manual", "paired", "send-only", "unsafe"),
}
_FREE = ("type", "name", "email", "server")

EXAMPLES = "status:failing type:sales protocol:pop3 active:no is:automatic"
"""Words that show what a filter can ask for."""


_LONGEST = 100_000
"""Characters of an account that are searched: notes can be long, but an account is no book."""


def _fold(text: str) -> str:
    """`text` as it is compared: as shown, without case, and in one form of each character."""
    folded = clean(text, _LONGEST).casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFKC", folded)


@dataclass(frozen=True, slots=True)
class Card:
    """What a filter looks at in an account's settings, made once for many filters."""

    account: Account
    text: str

    @classmethod
    def of(cls, account: Account) -> "Card":
        """The card of `account`."""
        parts = [account.name, account.email, account.display_name, account.type, account.submission.username]
        submission, retrieval = account.submission, account.retrieval
        parts += [Protocol.SMTP.label, submission.endpoint.label, submission.endpoint.security.label]
        if retrieval is not None:
            endpoint = retrieval.endpoint
            parts += [retrieval.username, retrieval.protocol.label, endpoint.label, endpoint.security.label]
        if account.notes:
            parts += account.notes.splitlines()
        # Quotes find what stands together; two blanks keep apart what does not.
        return cls(account, _fold("  ".join(parts)))

    def values(self, key: str) -> tuple[str, ...]:
        """What the account has under a name of the language."""
        account, retrieval = self.account, self.account.retrieval
        if key == "type":
            return (_fold(account.type),)
        if key == "name":
            return (_fold(account.name),)
        if key == "email":
            return (_fold(account.email),)
        if key == "active":
            return ("yes" if account.active else "no",)
        if key == "is":
            return self._kinds()
        endpoints = (
            (account.submission.endpoint,) if retrieval is None else (account.submission.endpoint, retrieval.endpoint)
        )
        if key == "server":
            return tuple(_fold(endpoint.label) for endpoint in endpoints)
        if key == "security":
            return tuple(endpoint.security.value for endpoint in endpoints)
        return ("smtp",) if retrieval is None else ("smtp", retrieval.protocol.value)

    def _kinds(self) -> tuple[str, ...]:
        retrieval = self.account.retrieval
        trusts = {self.account.submission.endpoint.certificate.trust}
        if retrieval is not None:
            trusts.add(retrieval.endpoint.certificate.trust)
        unsafe = ("unsafe",) if Trust.ANYTHING in trusts else ()
        if retrieval is None:
            return ("send-only", *unsafe)
        return ("paired", "automatic" if retrieval.mode is RetrievalMode.AUTOMATIC else "manual", *unsafe)


_STATE_WORDS = {
    Standing.GOOD.value: "good",
    Standing.WARNING.value: "warning",
    Standing.FAILING.value: "failing failed",
    Standing.UNCHECKED.value: "unchecked not checked",
    Standing.OFF.value: "off",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a filter. An empty `key` means text anywhere; `exact` comes from quotes; `source` reads the same."""

    source: str
    key: str
    value: str
    exact: bool = False
    negative: bool = False

    def matches(self, card: Card, status: str) -> bool:
        """Whether an account with this card and this standing is meant."""
        return self._holds(card, status) is not self.negative

    def _holds(self, card: Card, status: str) -> bool:
        value = self.value
        if not self.key:
            return value in card.text or value in _STATE_WORDS[status]
        values = (status,) if self.key == "status" else card.values(self.key)
        if self.exact:
            return value in values
        if self.key in _CHOICES:
            return any(found.startswith(value) for found in values)
        return any(value in found for found in values)


@dataclass(frozen=True, slots=True)
class Filter:
    """A line of words, read once. Its text form reads the same again."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, wanted: str) -> "Filter":
        """Read `wanted`; every text means something, so nothing is refused (see `problem`)."""
        terms = []
        for found in _TERM.finditer(wanted):
            key, quoted = (found["key"] or "").casefold(), found["quoted"]
            exact = quoted is not None
            value = quoted.replace('""', '"') if quoted is not None else found["word"] or ""
            if key and key not in _CHOICES and key not in _FREE:
                key, value = "", f"{found['key']}:{value}"
            # A name without its value is being typed still.
            if value or (exact and key):
                source = found[0] + ('"' if found["closed"] == "" else "")
                terms.append(Term(source, key, _fold(value), exact, found["minus"] is not None))
        return cls(tuple(terms))

    def matches(self, card: Card, status: str) -> bool:
        """Whether an account with this card and this standing is meant."""
        return all(term.matches(card, status) for term in self.terms)

    @property
    def problem(self) -> str:
        """One line about a word that no account can have, empty if there is none."""
        for term in self.terms:
            choices = _CHOICES.get(term.key)
            if choices is not None and not any(choice.startswith(term.value) for choice in choices):
                return f"{term.key}: is one of {', '.join(choices)}."
        return ""

    def value(self, key: str) -> str | None:
        """The value that `key` is asked for, None if it is not."""
        return next((term.value for term in self.terms if term.key == key and not term.negative), None)

    def asking(self, **wanted: str | None) -> "Filter":
        """The same with exactly these values for these keys; None asks no more."""
        kept = tuple(term for term in self.terms if term.key not in wanted)
        words = [_word(key, value) for key, value in wanted.items() if value is not None]
        return Filter(kept + Filter.parse(" ".join(words)).terms)

    def __str__(self) -> str:
        return " ".join(term.source for term in self.terms)


def _word(key: str, value: str) -> str:
    if key in _CHOICES:
        return f"{key}:{value}"
    quoted = clean(value).replace('"', '""')
    return f'{key}:"{quoted}"'


def matches(account: Account, report: CheckReport | None, wanted: str) -> bool:
    """Whether the filter `wanted` means `account`, whose last report is `report`."""
    return Filter.parse(wanted).matches(Card.of(account), standing_of(account, report).value)


def matcher(wanted: str) -> Callable[[Account, CheckReport | None], bool]:
    """`matches` for many accounts: the filter is read once."""
    parsed = Filter.parse(wanted)
    return lambda account, report: parsed.matches(Card.of(account), standing_of(account, report).value)
