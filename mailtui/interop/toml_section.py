"""One table of an account's TOML form: values by key, and a report of every value that cannot be used."""

from difflib import get_close_matches
from enum import StrEnum
from pathlib import PurePath
from typing import Protocol as Interface
from typing import TypeVar

from mailtui.interop.toml_keys import TABLES, Key
from mailtui.model.account import (
    DEFAULT_PORTS,
    CertificatePolicy,
    Endpoint,
    Protocol,
    SecretRef,
    SecretScheme,
    Security,
    Trust,
)
from mailtui.model.destination import Destination
from mailtui.model.pins import pins_as_typed
from mailtui.model.text import clean

Choice = TypeVar("Choice", bound=StrEnum)

SHOWN = 80
"""Characters of a name or value that a message repeats."""

NUMBER_LIMIT = 1_000_000_000
"""What no number of an account reaches: one that does is refused before anything tries to print it."""

_SECRET_WORDS = ("passw", "passphrase", "token", "api_key", "apikey", "credential")
_SECRET_KEYS = frozenset({"pass", "pw", "pwd"})
_NOT_HERE = (
    'a password is never kept in this file; remove it, write secret = "keyring" '
    "(or vault, command:..., env:NAME, file:PATH, ask) and run `mailtui secret set`"
)
_TYPE_NAMES = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a point",
    dict: "a table",
    list: "an array",
}


class Problems(Interface):
    """Where problems go: `field` is the dotted name within the account."""

    def report(self, field: str, message: str) -> None:
        """Note a problem of a field."""

    def stands_in(self, field: str) -> None:
        """Count `field` as reported: its trouble has been told under another name."""


class Section:
    """One table of an account and the keys it may hold."""

    def __init__(
        self,
        account: Problems,
        prefix: str,
        table: dict[str, object],
        keys: tuple[Key, ...],
        sub_tables: tuple[str, ...] = (),
    ) -> None:
        self._account = account
        self._prefix = prefix
        self._table = table
        known = [key.name for key in keys] + list(sub_tables)
        for key in table:
            if key in known:
                continue
            if _names_a_secret(key):
                account.report(self._field(key), _NOT_HERE)
                account.stands_in(self._field("secret"))
            else:
                account.report(self._field(key), unknown_key(key, known, f"[account{prefix and '.'}{prefix}]"))
                if (meant := _closest(key, known)) and meant not in table:
                    account.stands_in(self._field(meant))

    def text(self, key: str, default: str = "") -> str:
        """The text of `key`; `default` where there is none, or none that can be used, which is then reported."""
        value = self._table.get(key, default)
        if isinstance(value, str):
            return value
        self._wrong_type(key, value, str)
        return default

    def flag(self, key: str, default: bool) -> bool:
        """Whether `key` says true, with the same rule."""
        value = self._table.get(key, default)
        if isinstance(value, bool):
            return value
        self._wrong_type(key, value, bool)
        return default

    def number(self, key: str, default: int = 1) -> int:
        """The whole number of `key`, with the same rule."""
        value = self._table.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool):
            if abs(value) < NUMBER_LIMIT:
                return value
            self._account.report(self._field(key), "is a number far beyond what it can be; give a smaller one")
            return default
        self._wrong_type(key, value, int)
        return default

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """The texts of the array of `key`, with the same rule."""
        value = self._table.get(key, list(default))
        if not isinstance(value, list):
            self._account.report(self._field(key), f"is {type_name(value)}; give an array of texts: {list(default)}")
            return default
        if odd := [text for text in value if not isinstance(text, str)]:
            self._account.report(self._field(key), f"holds {type_name(odd[0])}; give texts in quotes only")
            return default
        return tuple(value)

    def choice(self, key: str, default: Choice, without: Choice | None = None) -> Choice:
        """The choice that `key` names among those of the default's kind, save `without`; with the same rule."""
        value = self.text(key, default.value)
        choices: list[str] = [choice.value for choice in type(default) if choice is not without]
        if value in choices:
            return type(default)(value)
        meant = _suggestion(value, choices)
        self._account.report(
            self._field(key), f"is {quoted(value)}; choose one of {', '.join(choices)}{meant and f' ({meant})'}"
        )
        return default

    def secret(self) -> SecretRef | None:
        """Where the secret is kept; None where nothing is said. A reference that is no good is reported."""
        if "secret" not in self._table:
            return None
        value = self._table["secret"]
        try:
            if isinstance(value, str):
                return SecretRef.parse(value)
            self._wrong_type("secret", value, str)
        except ValueError as error:
            self._account.report(self._field("secret"), str(error))
        return SecretRef(SecretScheme.ASK)

    def destination(self) -> Destination:
        """Where mail goes, with the same rule."""
        try:
            return Destination.parse(self.text("destination", str(Destination())))
        except ValueError as error:
            self._account.report(self._field("destination"), f"cannot be used: {error}")
        return Destination()

    def endpoint(self, protocol: Protocol) -> Endpoint:
        """The server, its usual port for `protocol` filled in; what cannot be used is reported."""
        security = self.choice("security", Security.IMPLICIT_TLS)
        return Endpoint(
            host=self.text("host"),
            port=self.number("port", DEFAULT_PORTS[protocol, security]),
            security=security,
            certificate=self._certificate(),
            allow_cleartext=self.flag("allow_cleartext", False),
        )

    def _certificate(self) -> CertificatePolicy:
        ca_file = self.text("ca_file")
        if ca_file and not PurePath(ca_file).is_absolute():
            self._account.report(
                self._field("ca_file"), "is a relative path, and a check may run from anywhere; give the absolute path"
            )
        pin = pins_as_typed(self.text("pin"))
        if "certificate" in self._table:
            trust = self.choice("certificate", Trust.SYSTEM)
        elif ca_file and pin:
            self._account.report(
                self._field("certificate"), 'is missing, with both ca_file and pin: write "ca-file" or "pin"'
            )
            trust = Trust.SYSTEM
        else:
            trust = Trust.CA_FILE if ca_file else Trust.PIN if pin else Trust.SYSTEM
        return CertificatePolicy(trust, ca_file, pin)

    def _wrong_type(self, key: str, value: object, wanted: type) -> None:
        self._account.report(self._field(key), f"is {type_name(value)}; give {_TYPE_NAMES[wanted]}")

    def _field(self, key: str) -> str:
        return f"{self._prefix}.{key}" if self._prefix else key


def _names_a_secret(key: str) -> bool:
    lowered = key.lower().replace("-", "_")
    return lowered in _SECRET_KEYS or any(word in lowered for word in _SECRET_WORDS)


def unknown_key(key: str, known: list[str], where: str) -> str:
    """What to say of a key that `where` does not have: the one that was meant, or where it belongs."""
    meant = _suggestion(key, known)
    if not meant and where.startswith("["):
        homes = [table for table, keys in TABLES.items() if key in {known_key.name for known_key in keys}]
        meant = f"it belongs under [account.{homes[0]}]" if homes and homes[0] != "account" else ""
    return f"is not a key of {where}{meant and f'; {meant}'}"


def _suggestion(word: str, known: list[str]) -> str:
    close = _closest(word, known)
    return close and f'did you mean "{close}"?'


def _closest(word: str, known: list[str]) -> str:
    close = get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return close[0] if close else ""


def quoted(value: str) -> str:
    """A value from the file as a message repeats it."""
    return f'"{clean(value, SHOWN)}"'


def type_name(value: object) -> str:
    """What a TOML value is, in words."""
    return _TYPE_NAMES.get(type(value), "a date or time")
