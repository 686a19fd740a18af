"""What an account may hold: every problem found at once, each naming its field and what to do."""

from collections.abc import Iterator

from mailtui.model.account import (
    METHODS,
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    Trust,
    ascii_host,
)
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.errors import FieldError, InvalidAccount
from mailtui.model.pins import canonical_pins
from mailtui.model.text import has_hostile

_TEXT_LIMIT = 1_000
# It stands in every line that speaks of the account.
_NAME_LIMIT = 100
# RFC 5321 section 4.5.3.1: 64 octets of local part, 255 of domain.
_LOCAL_PART_LIMIT = 64
_INTERVAL_LIMIT = 7 * 24 * 60
_MAILBOXES_LIMIT = 100


def problems(account: Account) -> tuple[FieldError, ...]:
    """Every problem of `account`, in the order of its fields; empty when it is sound."""
    return tuple(_problems(account))


def require_valid(account: Account) -> Account:
    """Return `account`; raises InvalidAccount with every problem it has."""
    if errors := problems(account):
        raise InvalidAccount(account.name, errors)
    return account


def _problems(account: Account) -> Iterator[FieldError]:
    yield from _text("name", account.name, required=True, limit=_NAME_LIMIT)
    if account.name != account.name.strip():
        yield FieldError("name", "starts or ends with a space; remove it")
    if account.name.startswith("-"):
        yield FieldError("name", "starts with a hyphen, as options of commands do; begin with another character")
    yield from _text("type", account.type)
    yield from _text("display_name", account.display_name)
    yield from _text("notes", account.notes, limit=10 * _TEXT_LIMIT)
    yield from _email(account.email)
    submission, retrieval = account.submission, account.retrieval
    yield from _endpoint("submission", submission.endpoint)
    yield from _method("submission", submission.method, Protocol.SMTP)
    yield from _text("submission.username", submission.username)
    yield from _secret("submission.secret", submission.secret)
    if submission.authentication and submission.secret is None:
        yield FieldError(
            "submission.secret",
            'is missing: say where the password is kept, for example "keyring", or turn authentication off',
        )
    if retrieval is None:
        return
    yield from _endpoint("retrieval", retrieval.endpoint)
    if retrieval.protocol is Protocol.SMTP:
        yield FieldError("retrieval.protocol", "SMTP does not retrieve mail; choose imap or pop3")
    else:
        yield from _method("retrieval", retrieval.method, retrieval.protocol)
    yield from _text("retrieval.username", retrieval.username)
    yield from _secret("retrieval.secret", retrieval.secret)
    if retrieval.secret is None and submission.secret is None:
        yield FieldError(
            "retrieval.secret", "is missing, and the submission has none to share: say where the password is kept"
        )
    yield from _mailboxes(retrieval)
    yield from _destination(retrieval.destination)
    yield from _folder(retrieval)
    yield from _number("retrieval.interval", retrieval.interval, 1, _INTERVAL_LIMIT, "minutes")
    if retrieval.delete_after is not None:
        yield from _number("retrieval.delete_after", retrieval.delete_after, 1, 36_500, "days")
        if not retrieval.leave_on_server:
            yield FieldError(
                "retrieval.delete_after",
                "needs messages left on the server; remove it, or leave them there",
            )
    if retrieval.size_limit is not None:
        yield from _number("retrieval.size_limit", retrieval.size_limit, 1, 1_000_000, "MB")


def _mailboxes(retrieval: Retrieval) -> Iterator[FieldError]:
    name, mailboxes = "retrieval.mailboxes", retrieval.mailboxes
    if not mailboxes:
        yield FieldError(name, "names none; give at least one, for example INBOX")
    if len(mailboxes) > _MAILBOXES_LIMIT:
        yield FieldError(name, f"names {len(mailboxes)}; give at most {_MAILBOXES_LIMIT}, * and % stand for many")
    if len(set(mailboxes)) < len(mailboxes):
        yield FieldError(name, "names one twice; remove it")
    if retrieval.protocol is Protocol.POP3 and any(mailbox.upper() != "INBOX" for mailbox in mailboxes):
        yield FieldError(name, "names others than INBOX, and POP3 has no other; remove them, or choose imap")
    for mailbox in mailboxes:
        yield from _text(name, mailbox, required=True)
        if mailbox != mailbox.strip():
            yield FieldError(name, "holds a name that starts or ends with a space; remove it")


def _destination(destination: Destination) -> Iterator[FieldError]:
    name, text = "retrieval.destination", str(destination)
    yield from _text(name, text)
    if has_hostile(text):
        return
    try:
        if Destination.parse(text) != destination:
            yield FieldError(name, "starts or ends with a space; remove it")
    except ValueError as error:
        yield FieldError(name, f"cannot be used: {error}")


def _folder(retrieval: Retrieval) -> Iterator[FieldError]:
    name, kind = "retrieval.folder", retrieval.destination.kind
    yield from _text(name, retrieval.folder, required=True)
    if kind is not DestinationKind.MAILDIR and retrieval.folder.strip().upper() not in ("", "INBOX"):
        yield FieldError(
            name, f"is of a Maildir, and the destination is {kind.value}, which has none; remove it, or choose maildir"
        )


def _text(name: str, value: str, *, required: bool = False, limit: int = _TEXT_LIMIT) -> Iterator[FieldError]:
    if required and not value.strip():
        yield FieldError(name, "is empty; it needs a value")
    if has_hostile(value):
        yield FieldError(name, "holds a line break, control, invisible or text-direction character; remove it")
    if len(value) > limit:
        yield FieldError(name, f"is {len(value)} characters long; the limit is {limit}")


def _number(name: str, value: int, low: int, high: int, unit: str) -> Iterator[FieldError]:
    if not low <= value <= high:
        yield FieldError(name, f"is {value}; give a whole number of {unit} from {low} to {high}")


def _email(email: str) -> Iterator[FieldError]:
    if not email.strip():
        yield FieldError("email", "is empty; give the address, for example ada@example.org")
        return
    yield from _text("email", email)
    local_part, at, domain = email.rpartition("@")
    if not at or not local_part or not domain or any(character in email for character in " <>,;"):
        yield FieldError("email", "is not an address; write it as name@domain, without spaces or brackets")
        return
    if len(local_part.encode("utf-8", "replace")) > _LOCAL_PART_LIMIT:
        yield FieldError("email", f"has more than {_LOCAL_PART_LIMIT} octets before the @; check it")
    try:
        ascii_host(domain.removeprefix("[").removesuffix("]").removeprefix("IPv6:"))
    except (ValueError, UnicodeError) as error:
        yield FieldError("email", f"has a domain that cannot be used: {error}")


def _endpoint(prefix: str, endpoint: Endpoint) -> Iterator[FieldError]:
    name = f"{prefix}.host"
    if not endpoint.host.strip():
        yield FieldError(name, "is empty; give the server's name, for example mail.example.org")
    elif has_hostile(endpoint.host):
        yield from _text(name, endpoint.host)
    else:
        try:
            ascii_host(endpoint.host)
        except (ValueError, UnicodeError) as error:
            yield FieldError(name, f"cannot be used: {error}")
    if not 1 <= endpoint.port <= 65_535:
        yield FieldError(f"{prefix}.port", f"is {endpoint.port}; a port is a whole number from 1 to 65535")
    policy = endpoint.certificate
    yield from _text(f"{prefix}.ca_file", policy.ca_file)
    if policy.trust is Trust.CA_FILE and not policy.ca_file:
        yield FieldError(f"{prefix}.ca_file", "is missing; give a PEM file, or choose another certificate policy")
    yield from _pin(f"{prefix}.pin", policy)


def _pin(name: str, policy: CertificatePolicy) -> Iterator[FieldError]:
    if policy.trust is not Trust.PIN:
        # It is only kept, for the day it is chosen.
        yield from _text(name, policy.pin)
        return
    try:
        pins = canonical_pins(policy.pin)
    except ValueError as error:
        yield FieldError(name, str(error))
        return
    if not pins:
        yield FieldError(name, "is missing; give the SHA-256 of the server's public key, 64 hex digits")
    elif pins != policy.pin:
        yield FieldError(name, "is not as pins are stored: 64 lower-case hex digits each, with one space between them")


def _method(prefix: str, method: AuthMethod, protocol: Protocol) -> Iterator[FieldError]:
    if method not in METHODS[protocol]:
        choices = ", ".join(choice.value for choice in METHODS[protocol])
        yield FieldError(f"{prefix}.method", f"{method.value} is not of {protocol.label}; choose one of {choices}")


def _secret(name: str, secret: SecretRef | None) -> Iterator[FieldError]:
    if secret is not None:
        yield from _text(name, str(secret))
