"""What is wrong with a filled-in form, and what is only unwise."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePath

from mailtui.model.account import Account, SecretScheme, Security, Trust
from mailtui.model.server import is_loopback
from mailtui.model.validation import problems
from mailtui.tui.form.field import Kind, Value, Values
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.form.values import destination_key, number, source_key

Finding = tuple[str, str]
"""The key of a field, and what to say of it."""

_HARMLESS_IN_A_TEST = frozenset(
    {
        "name",
        "display_name",
        "type",
        "notes",
        "retrieval.interval",
        "retrieval.mailboxes",
        "retrieval.maildir",
        "retrieval.folder",
        "retrieval.lmtp",
        "retrieval.mda",
        "retrieval.delete_after",
        "retrieval.size_limit",
    }
)
_NAMED_SOURCES = {
    SecretScheme.COMMAND.value: "is empty; give the command that prints the password",
    SecretScheme.ENV.value: "is empty; give the name of the variable that holds the password",
    SecretScheme.FILE.value: "is empty; give the path of the file that holds the password",
}
_NAMED_DESTINATIONS = {
    "retrieval.lmtp": "is empty; give the server's host and port, for example localhost:24, or its socket's path",
    "retrieval.mda": "is empty; give the command that takes a message, for example procmail -d ada",
}
_TLS_PORTS = ("465", "993", "995")
_STARTTLS_PORTS = ("587", "143", "110")
_LEGS = ("submission", "retrieval")


def problems_of(values: Values, before: Values, account: Account, taken: Collection[str]) -> list[Finding]:
    """Every problem, in the order of the form; `account` is the one that `values` make."""
    found: dict[str, str] = {}
    for key, message in _own_problems(values, before, taken):
        found.setdefault(key, message)
    for error in problems(account):
        found.setdefault(_key_of(error.field, values), error.message)
    return [(key, found[key]) for key in FIELDS if key in found]


def hinders_test(key: str) -> bool:
    """Whether a test makes no sense while this field has a problem."""
    return key not in _HARMLESS_IN_A_TEST


def _own_problems(values: Values, before: Values, taken: Collection[str]) -> Iterator[Finding]:
    """What the model cannot see: how things were typed, and what is around them."""
    if str(values["name"]).strip() in taken:
        yield "name", "is the name of another account; choose a different one"
    for key, field in FIELDS.items():
        if not field.shown(values):
            continue
        if field.kind is Kind.NUMBER and (text := str(values[key]).strip()) and number(text) is None:
            yield key, "is not a whole number; write it in digits only"
    if FIELDS["retrieval.interval"].shown(values) and not str(values["retrieval.interval"]).strip():
        yield "retrieval.interval", "is empty; give a whole number of minutes, for example 15"
    for key, needed in _NAMED_DESTINATIONS.items():
        if FIELDS[key].shown(values) and not str(values[key]).strip():
            yield key, needed
    for leg in _LEGS:
        key = source_key(values, leg)
        empty = not str(values[key]).strip()
        if FIELDS[key].shown(values) and empty and (message := _NAMED_SOURCES.get(str(values[f"{leg}.secret"]))):
            yield key, message
        ca_file = str(values[f"{leg}.ca_file"]).strip()
        if (
            FIELDS[f"{leg}.ca_file"].shown(values)
            and ca_file
            and not PurePath(ca_file).is_absolute()
            and ca_file != before[f"{leg}.ca_file"]
        ):
            yield f"{leg}.ca_file", "is a relative path, and a check may run from anywhere; give the full path"


def _key_of(name: str, values: Values) -> str:
    """The field of the form for a dotted name of the model."""
    leg, _, part = name.partition(".")
    if part == "secret":
        if leg == "retrieval" and values["retrieval.own_password"] is False:
            return "retrieval.own_password"
        return source_key(values, leg)
    return destination_key(values) if name == "retrieval.destination" else name


def warnings_of(values: Values, absent_passwords: Iterable[str]) -> list[Finding]:
    """What is seldom meant; `absent_passwords` are the fields whose password is neither typed nor stored."""
    found = {
        key: f"none typed yet: the {values[key.replace('password', 'secret')]} will have none for this account"
        for key in absent_passwords
    }
    for leg in _LEGS:
        found.update(_leg_warnings(values, leg))
    return [(key, found[key]) for key in FIELDS if key in found and FIELDS[key].shown(values)]


def _leg_warnings(values: Values, leg: str) -> Iterator[Finding]:
    security, port = values[f"{leg}.security"], str(values[f"{leg}.port"]).strip()
    if leg == "submission" and port == "25":
        yield "submission.port", "25 is for servers among themselves and often blocked; use 465 or 587"
    elif security == Security.IMPLICIT_TLS.value and port in _STARTTLS_PORTS:
        yield f"{leg}.port", f"{port} is usually a port for STARTTLS, not for SSL/TLS"
    elif security != Security.IMPLICIT_TLS.value and port in _TLS_PORTS:
        yield f"{leg}.port", f"{port} is usually a port for SSL/TLS"
    if security == Security.NONE.value and not _is_this_machine(values[f"{leg}.host"]):
        if values[f"{leg}.allow_cleartext"] is True:
            yield f"{leg}.security", "nothing is encrypted, neither the password nor the mail"
        else:
            yield f"{leg}.security", "nothing is encrypted; the password is not sent unless Advanced allows it"
    if values[f"{leg}.certificate"] == Trust.ANYTHING.value:
        yield f"{leg}.certificate", "whoever answers in the server's name is believed, and gets the password"
    if values[f"{leg}.allow_cleartext"] is True:
        yield f"{leg}.allow_cleartext", "without encryption everyone on the way can read the password"


def _is_this_machine(host: Value) -> bool:
    name = str(host).strip().lower().removeprefix("[").removesuffix("]")
    if name == "localhost":
        return True
    try:
        return is_loopback(name)
    except ValueError:
        return False
