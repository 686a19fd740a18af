"""An account: how mail leaves (Submission) and how it arrives (Retrieval). Never a secret, only where it is kept."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address

from mailtui.model.destination import Destination

ACCOUNT_TYPES = ("campaigns", "customer service", "system")
"""Account types offered to people; any other label is as good."""


class Security(StrEnum):
    """How a connection is protected (RFC 8314)."""

    IMPLICIT_TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"

    @property
    def label(self) -> str:
        """The name that settings pages use."""
        return {"tls": "SSL/TLS", "starttls": "STARTTLS", "none": "None"}[self.value]


class Protocol(StrEnum):
    """What is spoken to a server."""

    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"

    @property
    def label(self) -> str:
        return self.value.upper()


class AuthMethod(StrEnum):
    """How to log in; AUTOMATIC picks one mechanism from what the server offers."""

    AUTOMATIC = "automatic"
    PLAIN = "plain"
    LOGIN = "login"
    CRAM_MD5 = "cram-md5"
    SCRAM_SHA_256 = "scram-sha-256"
    XOAUTH2 = "xoauth2"
    APOP = "apop"

    @property
    def label(self) -> str:
        return "automatic" if self is AuthMethod.AUTOMATIC else self.value.upper()


DEFAULT_PORTS = {
    (Protocol.SMTP, Security.IMPLICIT_TLS): 465,
    (Protocol.SMTP, Security.STARTTLS): 587,
    (Protocol.SMTP, Security.NONE): 587,
    (Protocol.IMAP, Security.IMPLICIT_TLS): 993,
    (Protocol.IMAP, Security.STARTTLS): 143,
    (Protocol.IMAP, Security.NONE): 143,
    (Protocol.POP3, Security.IMPLICIT_TLS): 995,
    (Protocol.POP3, Security.STARTTLS): 110,
    (Protocol.POP3, Security.NONE): 110,
}
"""The registered ports (RFC 8314, RFC 6409, RFC 3501, RFC 1939)."""

METHODS = {
    Protocol.SMTP: tuple(method for method in AuthMethod if method is not AuthMethod.APOP),
    Protocol.IMAP: tuple(method for method in AuthMethod if method is not AuthMethod.APOP),
    Protocol.POP3: tuple(AuthMethod),
}
"""The methods that each protocol knows."""


class Trust(StrEnum):
    """Whose word proves that the server is the server."""

    SYSTEM = "system"
    CA_FILE = "ca-file"
    PIN = "pin"
    ANYTHING = "accept-anything"

    @property
    def label(self) -> str:
        return {
            "system": "verify against the system store",
            "ca-file": "verify against an extra CA file",
            "pin": "pinned public key",
            "accept-anything": "ACCEPT ANYTHING (unsafe)",
        }[self.value]


@dataclass(frozen=True, slots=True)
class CertificatePolicy:
    """Which certificates an endpoint accepts.

    `ca_file` (PEM path, with CA_FILE) is trusted beside the system store; `pin` (with PIN) holds the lower-case hex
    SHA-256 of each acceptable certificate's SubjectPublicKeyInfo (as in RFC 7469), divided by single spaces: a renewal
    with the same key passes, and so does the move to a successor's key that is there already.
    """

    trust: Trust = Trust.SYSTEM
    ca_file: str = ""
    pin: str = ""

    @property
    def pins(self) -> tuple[str, ...]:
        """Each of the pins."""
        return tuple(self.pin.split())


@lru_cache(maxsize=1_024)
def ascii_host(host: str) -> str:
    """The ASCII form of a host name or address: lower case, xn-- labels for other scripts, no brackets.

    Raises ValueError for a name that has none. Characters whose IDNA 2003 and 2008 forms differ (ß, ς, joiners)
    are refused: guessing could send credentials to another domain (Unicode TR 46, section 4).
    """
    bare = host.strip().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(bare))
    except ValueError:
        pass
    if deviant := set(bare) & set("ßẞς\u200c\u200d"):
        raise ValueError(f"{sorted(deviant)[0]!r} has two ASCII forms; write the name in its xn-- form")
    name = bare.rstrip(".").lower()
    encoded = name if name.isascii() else name.encode("idna").decode("ascii")
    labels = encoded.split(".")
    if not encoded or len(encoded) > 253 or any(not 0 < len(label) <= 63 for label in labels):
        raise ValueError("not a host name: a label is empty or longer than 63 characters, or the name longer than 253")
    for label in labels:
        if label[0] == "-" or label[-1] == "-" or not all(c.isalnum() or c in "-_" for c in label):
            raise ValueError("not a host name: only letters, digits and inner hyphens, in parts divided by dots")
    return encoded


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server as an account names it.

    `allow_cleartext` lets credentials cross an unprotected connection to a host that is not this machine.
    """

    host: str
    port: int
    security: Security = Security.IMPLICIT_TLS
    certificate: CertificatePolicy = field(default_factory=CertificatePolicy)
    allow_cleartext: bool = False

    @property
    def ascii_host(self) -> str:
        """See `ascii_host`; raises ValueError."""
        return ascii_host(self.host)

    @property
    def label(self) -> str:
        """`host:port`, with the ASCII form beside an internationalised name."""
        host = f"[{self.host}]" if ":" in self.host and not self.host.startswith("[") else self.host
        if not self.host.isascii():
            try:
                return f"{host}:{self.port} ({self.ascii_host})"
            except ValueError:
                pass
        return f"{host}:{self.port}"


class SecretScheme(StrEnum):
    """Where a secret can be kept."""

    KEYRING = "keyring"
    VAULT = "vault"
    COMMAND = "command"
    ENV = "env"
    FILE = "file"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is kept: `keyring`, `vault:ENTRY`, `command:pass show mail`, `env:NAME`, `file:PATH` or `ask`.

    `value` is the part after the colon. For keyring and vault it names the entry; empty means the account's name.
    """

    scheme: SecretScheme
    value: str = ""

    def __str__(self) -> str:
        return f"{self.scheme.value}:{self.value}" if self.value else self.scheme.value

    @classmethod
    def parse(cls, text: str) -> "SecretRef":
        """Read the written form. Raises ValueError, which never repeats the text: it may be a password."""
        scheme_name, _, value = text.strip().partition(":")
        try:
            scheme = SecretScheme(scheme_name.strip().lower())
        except ValueError:
            raise ValueError(
                "a secret is never written here, only where it is kept: "
                "keyring, vault, command:..., env:NAME, file:PATH or ask"
            ) from None
        value = value.strip()
        if scheme in (SecretScheme.COMMAND, SecretScheme.ENV, SecretScheme.FILE) and not value:
            example = {"command": "pass show mail/ada", "env": "MAIL_PASSWORD", "file": "/run/credentials/mail"}
            raise ValueError(f"{scheme.value} needs a value, for example {scheme.value}:{example[scheme.value]}")
        if scheme is SecretScheme.ASK and value:
            raise ValueError("ask takes no value")
        return cls(scheme, value)


class SubmissionKind(StrEnum):
    """How mail leaves."""

    SMTP = "smtp"


@dataclass(frozen=True, slots=True)
class Submission:
    """How mail leaves (RFC 6409). An empty `username` means the email address."""

    endpoint: Endpoint
    kind: SubmissionKind = SubmissionKind.SMTP
    authentication: bool = True
    method: AuthMethod = AuthMethod.AUTOMATIC
    username: str = ""
    secret: SecretRef | None = None


class RetrievalMode(StrEnum):
    """Who starts a retrieval: a schedule or a person."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How mail arrives. An empty `username` and a `secret` of None mean the submission's own.

    `interval` is in minutes and counts in AUTOMATIC mode; `delete_after` is in days, None keeps mail for ever.
    `mailboxes` are names on an IMAP server, in which `*` and `%` stand for others (RFC 3501 section 6.3.8); POP3 has
    one mailbox. `folder` is where INBOX goes within the destination, INBOX itself being its root. A message of more
    than `size_limit` MiB is left on the server and listed; None takes all.
    """

    protocol: Protocol
    endpoint: Endpoint
    method: AuthMethod = AuthMethod.AUTOMATIC
    username: str = ""
    secret: SecretRef | None = None
    mode: RetrievalMode = RetrievalMode.MANUAL
    interval: int = 15
    folder: str = "INBOX"
    leave_on_server: bool = True
    delete_after: int | None = None
    mailboxes: tuple[str, ...] = ("INBOX",)
    destination: Destination = field(default_factory=Destination)
    size_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Login:
    """What one leg logs in with: the name, where its secret is kept, and how."""

    username: str
    secret: SecretRef | None
    method: AuthMethod


@dataclass(frozen=True, slots=True)
class Account:
    """One mail account. `retrieval` of None is a send-only account. Times are aware, in UTC."""

    name: str
    email: str
    submission: Submission
    retrieval: Retrieval | None = None
    type: str = ""
    display_name: str = ""
    active: bool = True
    notes: str = ""
    created: datetime | None = None
    updated: datetime | None = None
    last_verified: datetime | None = None

    @property
    def submission_login(self) -> Login | None:
        """What the outbound leg logs in with; None when authentication is off."""
        if not self.submission.authentication:
            return None
        return Login(self.submission.username or self.email, self.submission.secret, self.submission.method)

    @property
    def retrieval_login(self) -> Login | None:
        """What the inbound leg logs in with; None for a send-only account."""
        if self.retrieval is None:
            return None
        return Login(
            self.retrieval.username or self.submission.username or self.email,
            self.retrieval.secret or self.submission.secret,
            self.retrieval.method,
        )
