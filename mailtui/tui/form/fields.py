"""The fields of the account form: their labels, their help and when each is shown. Data, no behaviour."""

from collections.abc import Callable

from mailtui.model.account import ACCOUNT_TYPES, Protocol, RetrievalMode, Security
from mailtui.model.destination import DestinationKind
from mailtui.tui.form.field import Field, Kind, Option, Section, Values
from mailtui.tui.form.login_fields import YES_NO, logs_in, password_fields, receives, safety_fields

_ENCRYPTION: tuple[Option, ...] = tuple((security.value, security.label) for security in Security)
_PROTOCOLS: tuple[Option, ...] = tuple((p.value, p.label) for p in (Protocol.IMAP, Protocol.POP3))
_MODES: tuple[Option, ...] = tuple((mode.value, mode.value) for mode in RetrievalMode)
_DESTINATIONS: tuple[Option, ...] = (
    (DestinationKind.MAILDIR.value, "Maildir"),
    (DestinationKind.LMTP.value, "LMTP"),
    (DestinationKind.COMMAND.value, "command"),
)


def _delivers_to(kind: DestinationKind) -> Callable[[Values], bool]:
    return lambda values: receives(values) and values["retrieval.destination"] == kind.value


_IDENTITY = (
    Field(
        "email",
        Section.IDENTITY,
        "Email address",
        "The address that mail is sent from, for example ada@example.org. On most servers it is the username too.",
    ),
    Field(
        "name",
        Section.IDENTITY,
        "Account name",
        "What you call the account in lists and commands. No two accounts can have the same name.",
    ),
    Field(
        "display_name",
        Section.IDENTITY,
        "Display name",
        "The name that recipients see beside the address: yours, or that of your company or shop.",
    ),
    Field(
        "type",
        Section.IDENTITY,
        "Type",
        "A label to group and filter by: campaigns, customer service, system, or a word of your own.",
        suggestions=ACCOUNT_TYPES,
    ),
    Field(
        "active",
        Section.IDENTITY,
        "Active",
        "No keeps the account, but leaves it out when all accounts are tested.",
        Kind.CHOICE,
        YES_NO,
    ),
    Field(
        "notes",
        Section.IDENTITY,
        "Notes",
        "One line for yourself: what the account is for, whom to call. Write no passwords here.",
    ),
)

_OUTGOING = (
    Field(
        "submission.host",
        Section.OUTGOING,
        "Server address",
        "The server that takes your mail. Providers call it outgoing or SMTP server; "
        "its name often begins with smtp. or mail.",
    ),
    Field(
        "submission.security",
        Section.OUTGOING,
        "Encryption",
        "SSL/TLS protects everything from the first byte: take it where it is offered. "
        "STARTTLS begins in clear. None protects nothing.",
        Kind.CHOICE,
        _ENCRYPTION,
    ),
    Field(
        "submission.port",
        Section.OUTGOING,
        "Port",
        "465 for SSL/TLS, 587 for STARTTLS. It follows the encryption until you type another; "
        "empty it, and it follows again.",
        Kind.NUMBER,
    ),
    Field(
        "submission.authentication",
        Section.OUTGOING,
        "Authentication",
        "Yes if the server wants a username and password, as nearly all do. "
        "No only for one that trusts this machine as it is.",
        Kind.CHOICE,
        YES_NO,
    ),
    Field(
        "submission.username",
        Section.OUTGOING,
        "Username",
        "Left empty it is the email address, as most providers want it. Some want only the part before the @.",
        shown=logs_in("submission"),
    ),
    *password_fields(
        "submission",
        Section.OUTGOING,
        "Password",
        "The mailbox's password, or the app password that your provider made for you. "
        "It is stored apart from the account, never in it.",
    ),
)

_INCOMING = (
    Field(
        "receive",
        Section.INCOMING,
        "Receive mail",
        "Yes if mail is to be fetched for this address. No makes an account that only sends.",
        Kind.CHOICE,
        YES_NO,
    ),
    Field(
        "retrieval.protocol",
        Section.INCOMING,
        "Protocol",
        "IMAP works on the mailbox where it is, with its folders; take it where it is offered. "
        "POP3 only fetches what is in the inbox.",
        Kind.CHOICE,
        _PROTOCOLS,
        shown=receives,
    ),
    Field(
        "retrieval.host",
        Section.INCOMING,
        "Server address",
        "The server that holds your mail. Providers call it incoming, IMAP or POP server; "
        "its name often begins with imap. or pop.",
        shown=receives,
    ),
    Field(
        "retrieval.security",
        Section.INCOMING,
        "Encryption",
        "SSL/TLS protects everything from the first byte: take it where it is offered. "
        "STARTTLS begins in clear. None protects nothing.",
        Kind.CHOICE,
        _ENCRYPTION,
        shown=receives,
    ),
    Field(
        "retrieval.port",
        Section.INCOMING,
        "Port",
        "IMAP: 993 for SSL/TLS, else 143. POP3: 995 for SSL/TLS, else 110. It follows the encryption "
        "until you type another.",
        Kind.NUMBER,
        shown=receives,
    ),
    Field(
        "retrieval.username",
        Section.INCOMING,
        "Username",
        "Left empty it is the outgoing username, or else the email address. Fill it in only if the two differ.",
        shown=receives,
    ),
    Field(
        "retrieval.own_password",
        Section.INCOMING,
        "Login with",
        "Most providers use one password for both directions. Choose its own if yours gave you two.",
        Kind.CHOICE,
        ((False, "outgoing password"), (True, "its own")),
        shown=receives,
    ),
    *password_fields(
        "retrieval",
        Section.INCOMING,
        "Password",
        "The password of the incoming server, where it is another than that of the outgoing one.",
    ),
    Field(
        "retrieval.mode",
        Section.INCOMING,
        "Retrieval method",
        "Automatic fetches new mail again and again; manual only when you say so.",
        Kind.CHOICE,
        _MODES,
        shown=receives,
    ),
    Field(
        "retrieval.interval",
        Section.INCOMING,
        "Retrieve every",
        "Minutes between two automatic retrievals, from 1 to 10080 (a week). Providers dislike less than 5.",
        Kind.NUMBER,
        unit="minutes",
        shown=lambda values: receives(values) and values["retrieval.mode"] == RetrievalMode.AUTOMATIC.value,
    ),
    Field(
        "retrieval.mailboxes",
        Section.INCOMING,
        "Mailboxes",
        "Which mailboxes to fetch, with commas between them. * stands for any text: Lists* means Lists and "
        "all below. Empty: INBOX.",
        shown=lambda values: receives(values) and values["retrieval.protocol"] == Protocol.IMAP.value,
    ),
    Field(
        "retrieval.destination",
        Section.INCOMING,
        "Deliver to",
        "Maildir: files, as mutt, notmuch and Dovecot read them. LMTP: your own mail server sorts it. "
        "command: a program gets each message.",
        Kind.CHOICE,
        _DESTINATIONS,
        shown=receives,
    ),
    Field(
        "retrieval.maildir",
        Section.INCOMING,
        "Maildir",
        "The path of a Maildir, for example ~/Mail; it is made if there is none. Empty: one for this account "
        "in mailtui's own folder.",
        shown=_delivers_to(DestinationKind.MAILDIR),
    ),
    Field(
        "retrieval.folder",
        Section.INCOMING,
        "Destination folder",
        "The folder of the Maildir that the mail of INBOX is put into. INBOX is the usual one: its root.",
        shown=_delivers_to(DestinationKind.MAILDIR),
    ),
    Field(
        "retrieval.lmtp",
        Section.INCOMING,
        "LMTP server",
        "Its host and port, for example localhost:24, or the path of its socket. It is told the email address "
        "as the recipient.",
        shown=_delivers_to(DestinationKind.LMTP),
    ),
    Field(
        "retrieval.mda",
        Section.INCOMING,
        "Delivery command",
        "A shell command that reads one message from its input, for example procmail -d ada. "
        "The message is taken when it ends with exit code 0.",
        shown=_delivers_to(DestinationKind.COMMAND),
    ),
    Field(
        "retrieval.leave_on_server",
        Section.INCOMING,
        "Leave messages on server",
        "Yes keeps messages on the server, where other programs and webmail still find them. "
        "No deletes each one when it is safely here.",
        Kind.CHOICE,
        YES_NO,
        shown=receives,
    ),
    Field(
        "retrieval.delete_after",
        Section.INCOMING,
        "Delete from server after",
        "Days that fetched messages stay on the server, so that it does not fill up. Empty keeps them for ever.",
        Kind.NUMBER,
        unit="days",
        shown=lambda values: receives(values) and values["retrieval.leave_on_server"] is True,
    ),
    Field(
        "retrieval.size_limit",
        Section.INCOMING,
        "Leave larger than",
        "Megabytes. A larger message stays on the server, and each retrieval lists it. Empty fetches all.",
        Kind.NUMBER,
        unit="MB",
        shown=receives,
    ),
)

_ADVANCED = (
    *safety_fields("submission", "Outgoing", lambda values: True),
    *safety_fields("retrieval", "Incoming", receives),
)

FIELDS = {field.key: field for field in (*_IDENTITY, *_OUTGOING, *_INCOMING, *_ADVANCED)}
"""Every field by its key, in the order of the form."""
