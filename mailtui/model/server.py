"""What a check learns of a server beside whether it works: its offers, its address families, what it really speaks."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_address

from mailtui.model.account import Security


def is_loopback(*addresses: str) -> bool:
    """Whether all of `addresses`, of which there must be one, are this machine itself. Raises ValueError."""
    found = [ip_address(address) for address in addresses]
    return bool(found) and all((getattr(each, "ipv4_mapped", None) or each).is_loopback for each in found)


@dataclass(frozen=True, slots=True)
class Offered:
    """What a server offered before the login, after TLS where there was any: what a later check compares.

    `starttls` is whether it offered STARTTLS while the connection was still in clear; None where it never was.
    `mechanisms` are upper-case SASL names and, of POP3, USER and APOP.
    """

    starttls: bool | None
    mechanisms: tuple[str, ...]
    capabilities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamilyFacts:
    """How one address family of a host answered: `ms` to its connection, or None and the system's words."""

    family: str
    """IPv4 or IPv6."""
    address: str
    ms: float | None
    error: str = ""
    is_silent: bool = False
    """It neither answered nor refused: every program that tries it first waits for its own deadline."""


def families_warning(families: tuple[FamilyFacts, ...]) -> str:
    """One line about an address family that is silent while another answers; else empty."""
    answering = [facts for facts in families if facts.ms is not None]
    silent = [facts for facts in families if facts.is_silent]
    if not answering or not silent:
        return ""
    dead, living = silent[0], answering[0]
    return (
        f"{dead.family} is dead: {dead.address} does not answer, {living.family} does;"
        f" every program that tries {dead.family} first waits for it"
    )


class Service(StrEnum):
    """What is spoken at a port."""

    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"
    HTTP = "http"
    SSH = "ssh"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Found:
    """What answers at a port of the account's host, learnt without a credential.

    `security` is how it is reached: IMPLICIT_TLS, STARTTLS (in clear, and offers it) or NONE. `words` are its greeting.
    """

    port: int
    service: Service
    security: Security
    words: str = ""


class ChangeKind(StrEnum):
    """What of a server can differ from one check to the next. The values are stable: scripts read them."""

    STARTTLS_LOST = "starttls-lost"
    MECHANISM_LOST = "mechanism-lost"
    MECHANISM_NEW = "mechanism-new"
    KEY = "key"
    ISSUER = "issuer"
    RENEWED = "renewed"
    TLS_VERSION = "tls-version"
    CAPABILITIES = "capabilities"
    ADDRESSES = "addresses"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between a server now and when a check last went well, in a few words.

    An alarming one may be an attack: no credential is sent until a person accepts it.
    """

    kind: ChangeKind
    words: str
    is_alarming: bool = False
