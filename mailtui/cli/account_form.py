"""The account that the options of `mailtui account add` describe."""

import os
from argparse import Namespace

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
from mailtui.model.destination import Destination
from mailtui.model.errors import UsageError
from mailtui.model.pins import pins_as_typed
from mailtui.model.text import clean

_INCOMING = frozenset(
    {"mode", "interval", "mailbox", "destination", "folder", "delete_from_server", "delete_after", "size_limit"}
)
"""The options of the retrieval that do not say so in their names."""


def account_from(args: Namespace) -> Account:
    """The account that the options of `account add` describe. Raises UsageError."""
    host, protocol = (args.pop3_host, Protocol.POP3) if args.pop3_host else (args.imap_host, Protocol.IMAP)
    secret = _secret("--secret", args.secret)
    if secret is None and not (args.smtp_no_login and (host is None or args.retrieval_secret)):
        secret = SecretRef(SecretScheme.KEYRING)
    return Account(
        name=args.name,
        email=args.email,
        submission=Submission(
            endpoint=_endpoint(args, "smtp", args.smtp_host, Protocol.SMTP),
            authentication=not args.smtp_no_login,
            method=AuthMethod(args.smtp_method or "automatic"),
            username=args.username,
            secret=secret,
        ),
        retrieval=_retrieval(args, host, protocol),
        type=args.type,
        display_name=args.display_name,
        active=not args.inactive,
        notes=args.notes,
    )


def _retrieval(args: Namespace, host: str | None, protocol: Protocol) -> Retrieval | None:
    if host is None:
        given = [
            name for name, value in vars(args).items() if value and (name.startswith("retrieval_") or name in _INCOMING)
        ]
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise UsageError(f"{option} is about retrieving mail: name the server with --imap-host or --pop3-host")
        return None
    return Retrieval(
        protocol=protocol,
        endpoint=_endpoint(args, "retrieval", host, protocol),
        method=AuthMethod(args.retrieval_method or "automatic"),
        username=args.retrieval_username or "",
        secret=_secret("--retrieval-secret", args.retrieval_secret),
        mode=RetrievalMode(args.mode or "manual"),
        interval=15 if args.interval is None else args.interval,
        folder=args.folder or "INBOX",
        leave_on_server=not args.delete_from_server,
        delete_after=args.delete_after,
        mailboxes=tuple(args.mailbox or ("INBOX",)),
        destination=_destination(args.destination),
        size_limit=args.size_limit,
    )


def _endpoint(args: Namespace, prefix: str, host: str, protocol: Protocol) -> Endpoint:
    def option(name: str) -> str:
        return getattr(args, f"{prefix}_{name}") or ""

    _require_bare(f"--{protocol.value if prefix == 'retrieval' else prefix}-host", host, f"--{prefix}-port")
    security = Security(option("security") or "tls")
    port: int | None = getattr(args, f"{prefix}_port")
    ca_file = os.path.abspath(os.path.expanduser(option("ca_file"))) if option("ca_file") else ""
    pin = pins_as_typed(option("pin"))
    chosen = option("certificate")
    if not chosen and ca_file and pin:
        raise UsageError(f"--{prefix}-ca-file and --{prefix}-pin: choose one of them with --{prefix}-certificate")
    trust = Trust(chosen) if chosen else Trust.CA_FILE if ca_file else Trust.PIN if pin else Trust.SYSTEM
    return Endpoint(
        host=host,
        port=DEFAULT_PORTS[protocol, security] if port is None else port,
        security=security,
        certificate=CertificatePolicy(trust, ca_file, pin),
        allow_cleartext=getattr(args, f"{prefix}_allow_cleartext"),
    )


def _require_bare(option: str, host: str, port_option: str) -> None:
    """Refuse an address with more than the host in it. Raises UsageError, which says what to write instead."""
    _, found, rest = host.strip().rpartition("://")
    bare, _, port = rest.partition("/")[0].rpartition("@")[2].rpartition(":")
    with_port = port.isdecimal() and bool(bare) and (":" not in bare or bare.endswith("]"))
    if not found and not with_port:
        return
    what = "is a URL" if found else "holds a port"
    meant = bare if with_port else rest.partition("/")[0].rpartition("@")[2]
    port_hint = f" {port_option} {port}" if with_port else ""
    where = f"; the port goes into {port_option}" if with_port else ""
    raise UsageError(f"{option}: {what}; give the server's name alone{where}: {option} {clean(meant)}{port_hint}")


def _destination(text: str | None) -> Destination:
    try:
        return Destination() if text is None else Destination.parse(text)
    except ValueError as error:
        raise UsageError(f"--destination: {error}") from None


def _secret(option: str, text: str | None) -> SecretRef | None:
    if text is None:
        return None
    try:
        return SecretRef.parse(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
