"""An account as the values of the form, and back: what is not touched comes back as it was."""

import csv
from collections.abc import Iterable
from dataclasses import replace

from mailtui.model.account import (
    DEFAULT_PORTS,
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    RetrievalMode,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.destination import Destination, DestinationKind
from mailtui.model.pins import pins_as_typed
from mailtui.tui.form.field import WRITABLE, Value, Values

SMALLEST_PORT = 0
"""Stands for a port that is no number: one that the model refuses."""

_SOURCE_KEYS = {SecretScheme.COMMAND: "command", SecretScheme.ENV: "env", SecretScheme.FILE: "file"}
_DESTINATION_KEYS = {
    DestinationKind.MAILDIR: "retrieval.maildir",
    DestinationKind.LMTP: "retrieval.lmtp",
    DestinationKind.COMMAND: "retrieval.mda",
}


def values_of(account: Account, default: SecretScheme) -> dict[str, Value]:
    """The values for `account`; `default` is where a password goes that is kept nowhere yet."""
    submission, retrieval = account.submission, account.retrieval
    incoming = retrieval or Retrieval(Protocol.IMAP, Endpoint("", 993))
    return {
        "email": account.email,
        "name": account.name,
        "display_name": account.display_name,
        "type": account.type,
        "active": account.active,
        "notes": account.notes,
        **_endpoint_values("submission", submission.endpoint),
        "submission.authentication": submission.authentication,
        "submission.method": submission.method.value,
        "submission.username": submission.username,
        **_secret_values("submission", submission.secret, default),
        "receive": retrieval is not None,
        "retrieval.protocol": incoming.protocol.value,
        **_endpoint_values("retrieval", incoming.endpoint),
        "retrieval.method": incoming.method.value,
        "retrieval.username": incoming.username,
        "retrieval.own_password": incoming.secret is not None,
        **_secret_values("retrieval", incoming.secret, default),
        "retrieval.mode": incoming.mode.value,
        "retrieval.interval": str(incoming.interval),
        "retrieval.mailboxes": mailboxes_text(incoming.mailboxes),
        **_destination_values(incoming.destination),
        "retrieval.folder": incoming.folder,
        "retrieval.leave_on_server": incoming.leave_on_server,
        "retrieval.delete_after": "" if incoming.delete_after is None else str(incoming.delete_after),
        "retrieval.size_limit": "" if incoming.size_limit is None else str(incoming.size_limit),
    }


def _endpoint_values(leg: str, endpoint: Endpoint) -> dict[str, Value]:
    policy = endpoint.certificate
    return {
        f"{leg}.host": endpoint.host,
        f"{leg}.security": endpoint.security.value,
        f"{leg}.port": str(endpoint.port),
        f"{leg}.certificate": policy.trust.value,
        f"{leg}.ca_file": policy.ca_file,
        f"{leg}.pin": policy.pin,
        f"{leg}.allow_cleartext": endpoint.allow_cleartext,
    }


def _secret_values(leg: str, ref: SecretRef | None, default: SecretScheme) -> dict[str, Value]:
    ref = ref or SecretRef(default)
    values: dict[str, Value] = {f"{leg}.{key}": "" for key in ("entry", *_SOURCE_KEYS.values())}
    values[f"{leg}.secret"] = ref.scheme.value
    if ref.scheme is not SecretScheme.ASK:
        values[f"{leg}.{_SOURCE_KEYS.get(ref.scheme, 'entry')}"] = ref.value
    return values


def _destination_values(destination: Destination) -> dict[str, Value]:
    values: dict[str, Value] = dict.fromkeys(_DESTINATION_KEYS.values(), "")
    values["retrieval.destination"] = destination.kind.value
    values[_DESTINATION_KEYS[destination.kind]] = destination.value
    return values


def destination_key(values: Values) -> str:
    """The field that says where mail goes, beside the choice itself."""
    return _DESTINATION_KEYS[DestinationKind(str(values["retrieval.destination"]))]


def mailboxes_text(names: Iterable[str]) -> str:
    """Names of mailboxes with commas between them; one that holds a comma or a quote is quoted."""
    return ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' if set(name) & set(',"') else name for name in names)


def mailboxes_of(text: str) -> tuple[str, ...]:
    """The names in such a text; INBOX alone where there is none."""
    try:
        row = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:
        # Longer than any list of names.
        row = [text]
    return tuple(name.strip() for name in row if name.strip()) or ("INBOX",)


def source_key(values: Values, leg: str) -> str:
    """The field that says where the leg's password is, beside the choice itself; for `ask` the choice."""
    scheme = values[f"{leg}.secret"]
    if scheme in WRITABLE:
        return f"{leg}.entry"
    return f"{leg}.secret" if scheme == SecretScheme.ASK.value else f"{leg}.{scheme}"


def usual_port(values: Values, leg: str) -> int:
    """The registered port for the leg's protocol and encryption."""
    protocol = Protocol.SMTP if leg == "submission" else Protocol(str(values["retrieval.protocol"]))
    return DEFAULT_PORTS[protocol, Security(str(values[f"{leg}.security"]))]


def number(value: Value) -> int | None:
    """A whole number as typed; None for anything else, and for one too long to mean anything."""
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


def account_of(values: Values, before: Values, base: Account | None, *, keep_secret: bool) -> Account:
    """The account that `values` describe, with the times of `base`.

    Numbers that are none become values that the model refuses, or the usual ones where the field is not shown.
    Text is taken without spaces around it, unless it is as it was `before`. `keep_secret` says whether an outgoing
    server without a login keeps the reference to its password.
    """
    reading = _Reading(values, before)
    authentication = values["submission.authentication"] is True
    secret = reading.secret("submission") if authentication or keep_secret else None
    submission = Submission(
        endpoint=reading.endpoint("submission"),
        authentication=authentication,
        method=AuthMethod(str(values["submission.method"])),
        username=reading.text("submission.username"),
        secret=secret,
    )
    account = Account(
        name=reading.text("name"),
        email=reading.text("email"),
        submission=submission,
        retrieval=reading.retrieval() if values["receive"] is True else None,
        type=reading.text("type"),
        display_name=reading.text("display_name"),
        active=values["active"] is True,
        notes=reading.text("notes"),
    )
    if base is None:
        return account
    return replace(account, created=base.created, updated=base.updated, last_verified=base.last_verified)


class _Reading:
    def __init__(self, values: Values, before: Values) -> None:
        self._values = values
        self._before = before

    def text(self, key: str) -> str:
        value = str(self._values[key])
        return value if value == self._before.get(key) else value.strip()

    def secret(self, leg: str) -> SecretRef:
        scheme = SecretScheme(str(self._values[f"{leg}.secret"]))
        if scheme is SecretScheme.ASK:
            return SecretRef(scheme)
        return SecretRef(scheme, self.text(source_key(self._values, leg)))

    def endpoint(self, leg: str) -> Endpoint:
        values = self._values
        trust = Trust(str(values[f"{leg}.certificate"]))
        return Endpoint(
            host=self.text(f"{leg}.host"),
            port=self._port(leg),
            security=Security(str(values[f"{leg}.security"])),
            certificate=CertificatePolicy(trust, self.text(f"{leg}.ca_file"), pins_as_typed(self.text(f"{leg}.pin"))),
            allow_cleartext=values[f"{leg}.allow_cleartext"] is True,
        )

    def _port(self, leg: str) -> int:
        text = str(self._values[f"{leg}.port"]).strip()
        if not text:
            return usual_port(self._values, leg)
        found = number(text)
        return SMALLEST_PORT if found is None else found

    def retrieval(self) -> Retrieval:
        values = self._values
        mode = RetrievalMode(str(values["retrieval.mode"]))
        interval = number(values["retrieval.interval"])
        if interval is None:
            interval = 0 if mode is RetrievalMode.AUTOMATIC else 15
        leave = values["retrieval.leave_on_server"] is True
        protocol = Protocol(str(values["retrieval.protocol"]))
        destination = self._destination()
        return Retrieval(
            protocol=protocol,
            endpoint=self.endpoint("retrieval"),
            method=AuthMethod(str(values["retrieval.method"])),
            username=self.text("retrieval.username"),
            secret=self.secret("retrieval") if values["retrieval.own_password"] is True else None,
            mode=mode,
            interval=interval,
            # One that is not asked for must not hinder.
            folder=self.text("retrieval.folder") if destination.kind is DestinationKind.MAILDIR else "INBOX",
            leave_on_server=leave,
            delete_after=self._limit("retrieval.delete_after") if leave else None,
            mailboxes=("INBOX",) if protocol is Protocol.POP3 else mailboxes_of(self.text("retrieval.mailboxes")),
            destination=destination,
            size_limit=self._limit("retrieval.size_limit"),
        )

    def _destination(self) -> Destination:
        kind = DestinationKind(str(self._values["retrieval.destination"]))
        return Destination(kind, self.text(destination_key(self._values)))

    def _limit(self, key: str) -> int | None:
        text = str(self._values[key]).strip()
        return number(text) or 0 if text else None
