"""The keys of the TOML form of an account, in the order in which they are written, each with its explanation."""

from dataclasses import dataclass

from mailtui.model.account import ACCOUNT_TYPES, AuthMethod, Protocol, RetrievalMode, Security, Trust
from mailtui.model.destination import Destination


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its type, its default, and what a person editing it wants to know.

    `default` of None means that the key is left out when it has no value; `example` then shows what one looks like.
    `essential` keys are always written.
    """

    name: str
    type: type
    default: str | int | bool | list[str] | None
    comment: str
    essential: bool = False
    example: str | int = ""


def _choices(values: type[Security] | type[Trust] | type[RetrievalMode]) -> str:
    return ", ".join(value.value for value in values)


_METHODS = ", ".join(method.value for method in AuthMethod if method is not AuthMethod.APOP)
_SOURCES = "keyring, vault, command:..., env:NAME, file:PATH or ask; never the secret itself"

ACCOUNT_KEYS = (
    Key("name", str, None, "unique among your accounts", essential=True),
    Key("type", str, "", f"any label, for example {', '.join(ACCOUNT_TYPES)}"),
    Key("email", str, None, "the address that mail is sent from", essential=True),
    Key("display_name", str, "", "the name shown beside the address"),
    Key("active", bool, True, "false leaves it out of check --all"),
    Key("notes", str, "", "one line of your own"),
)

_HOST = Key("host", str, None, "server name or address", essential=True, example="mail.example.org")
_PORT = Key("port", int, None, "left out: the usual one of the protocol and security", essential=True, example=993)
_SECURITY = Key("security", str, Security.IMPLICIT_TLS.value, _choices(Security), essential=True)
_CERTIFICATE_KEYS = (
    Key("certificate", str, Trust.SYSTEM.value, _choices(Trust)),
    Key("ca_file", str, "", "absolute path of a PEM file, for certificate = ca-file"),
    Key("pin", str, "", "SHA-256 of the server's public key, hex or sha256//BASE64; several with spaces"),
    Key("allow_cleartext", bool, False, "true lets the password cross an unprotected connection"),
)

SUBMISSION_KEYS = (
    _HOST,
    _PORT,
    _SECURITY,
    Key("authentication", bool, True, "false when the server wants no login"),
    Key("method", str, AuthMethod.AUTOMATIC.value, _METHODS),
    Key("username", str, "", "empty: the email address"),
    Key("secret", str, None, _SOURCES, example="keyring"),
    *_CERTIFICATE_KEYS,
)

RETRIEVAL_KEYS = (
    Key("protocol", str, Protocol.IMAP.value, "imap or pop3", essential=True),
    _HOST,
    _PORT,
    _SECURITY,
    Key("method", str, AuthMethod.AUTOMATIC.value, f"{_METHODS}; pop3 also {AuthMethod.APOP.value}"),
    Key("username", str, "", "empty: that of the submission"),
    Key("secret", str, None, f"left out: that of the submission; {_SOURCES}", example="keyring"),
    Key("mode", str, RetrievalMode.MANUAL.value, _choices(RetrievalMode)),
    Key("interval", int, 15, "minutes between automatic retrievals"),
    Key("mailboxes", list, ["INBOX"], "mailboxes on an IMAP server; * and % stand for others"),
    Key("destination", str, str(Destination()), "maildir, maildir:PATH, lmtp:HOST:PORT, lmtp:/SOCKET or command:..."),
    Key("folder", str, "INBOX", "folder of the Maildir that INBOX goes to; INBOX is its root"),
    Key("leave_on_server", bool, True, "false deletes messages from the server once they are kept"),
    Key("delete_after", int, None, "days after which messages left on the server are deleted", example=30),
    Key("size_limit", int, None, "MB; a larger message stays on the server and is listed", example=50),
    *_CERTIFICATE_KEYS,
)

TABLES = {"account": ACCOUNT_KEYS, "submission": SUBMISSION_KEYS, "retrieval": RETRIEVAL_KEYS}
"""The keys of `[[account]]`, `[account.submission]` and `[account.retrieval]`."""
