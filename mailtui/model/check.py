"""A check: both legs of an account, walked stage by stage, and what each stage said."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum

from mailtui.model.account import Account, Endpoint, Login, Protocol, Security, Trust
from mailtui.model.server import Change, FamilyFacts, Found, Offered
from mailtui.model.text import clean

CERTIFICATE_WARNING = timedelta(days=14)
"""A certificate that ends sooner than this makes a check a warning."""


class Leg(StrEnum):
    """One direction of an account."""

    OUTBOUND = "outbound"
    INBOUND = "inbound"


class Stage(StrEnum):
    """One step on the way to a working session, in the order they are walked (see `plan`)."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    CAPABILITIES = "capabilities"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAILBOX = "mailbox"
    ENVELOPE = "envelope"
    TRANSFER = "transfer"
    QUIT = "quit"


def plan(protocol: Protocol, security: Security, authentication: bool) -> tuple[Stage, ...]:
    """The stages a check of such an endpoint walks. Capabilities are read again after TLS and after login."""
    stages = [Stage.RESOLVE, Stage.CONNECT]
    if security is Security.IMPLICIT_TLS:
        stages.append(Stage.TLS)
    stages += [Stage.GREETING, Stage.CAPABILITIES]
    if security is Security.STARTTLS:
        stages += [Stage.STARTTLS, Stage.TLS, Stage.CAPABILITIES]
    if authentication:
        stages += [Stage.AUTH, Stage.CAPABILITIES]
    stages += [Stage.ENVELOPE if protocol is Protocol.SMTP else Stage.MAILBOX, Stage.QUIT]
    return tuple(stages)


@dataclass(frozen=True, slots=True)
class LegSetup:
    """One leg as an account has it; `login` is None where it goes without authentication."""

    leg: Leg
    protocol: Protocol
    endpoint: Endpoint
    login: Login | None

    @property
    def plan(self) -> tuple[Stage, ...]:
        """The stages that a check of this leg walks."""
        return plan(self.protocol, self.endpoint.security, self.login is not None)

    @property
    def retrieval_plan(self) -> tuple[Stage, ...]:
        """The stages that a retrieval walks: those of a check, and before the end the mail itself."""
        *opening, quit_ = self.plan
        return (*opening, Stage.TRANSFER, quit_)


def legs_of(account: Account) -> tuple[LegSetup, ...]:
    """The legs that `account` has, outbound first; a send-only account has no other."""
    outbound = LegSetup(Leg.OUTBOUND, Protocol.SMTP, account.submission.endpoint, account.submission_login)
    if account.retrieval is None:
        return (outbound,)
    retrieval = account.retrieval
    return outbound, LegSetup(Leg.INBOUND, retrieval.protocol, retrieval.endpoint, account.retrieval_login)


class FailureKind(StrEnum):
    """The domain of a failure."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    CERTIFICATE = "certificate"
    PROTOCOL = "protocol"
    UNAVAILABLE = "unavailable"
    AUTH = "auth"
    INSECURE = "insecure"
    MAILBOX = "mailbox"
    DELIVERY = "delivery"
    SECRET = "secret"
    INTERNAL = "internal"


class Cause(StrEnum):
    """What exactly went wrong; each belongs to one kind. The values are stable: scripts read them."""

    NAME_NOT_FOUND = "name-not-found"
    DNS_FAILED = "dns-failed"
    PORT_REFUSED = "port-refused"
    HOST_UNREACHABLE = "host-unreachable"
    SILENT = "silent"
    TLS_FAILED = "tls-failed"
    NOT_TLS = "not-tls"
    NOT_PLAIN = "not-plain"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_NOT_YET_VALID = "certificate-not-yet-valid"
    CERTIFICATE_WRONG_NAME = "certificate-wrong-name"
    CERTIFICATE_SELF_SIGNED = "certificate-self-signed"
    CERTIFICATE_UNKNOWN_ISSUER = "certificate-unknown-issuer"
    CERTIFICATE_NOT_PINNED = "certificate-not-pinned"
    CERTIFICATE_INVALID = "certificate-invalid"
    FOREIGN_BANNER = "foreign-banner"
    BAD_REPLY = "bad-reply"
    TOO_LARGE = "too-large"
    CLOSED = "closed"
    NOT_AVAILABLE = "not-available"
    BAD_CREDENTIALS = "bad-credentials"
    NO_MECHANISM = "no-mechanism"
    LOGIN_HELD = "login-held"
    LOGIN_DISABLED = "login-disabled"
    AUTH_NOT_OFFERED = "auth-not-offered"
    STARTTLS_NOT_OFFERED = "starttls-not-offered"
    STARTTLS_REFUSED = "starttls-refused"
    STARTTLS_INJECTED = "starttls-injected"
    STARTTLS_LOST = "starttls-lost"
    MECHANISM_LOST = "mechanism-lost"
    KEY_CHANGED = "key-changed"
    CLEARTEXT_REFUSED = "cleartext-refused"
    PREAUTH_BEFORE_TLS = "preauth-before-tls"
    NO_INBOX = "no-inbox"
    SENDER_REFUSED = "sender-refused"
    NOT_STORED = "not-stored"
    NOT_DELIVERED = "not-delivered"
    RETRIEVAL_BUSY = "retrieval-busy"
    SECRET_UNAVAILABLE = "secret-unavailable"
    INTERNAL = "internal"

    @property
    def kind(self) -> FailureKind:
        """The domain that this cause belongs to."""
        return _KINDS[self]


_KINDS = {
    Cause.NAME_NOT_FOUND: FailureKind.DNS,
    Cause.DNS_FAILED: FailureKind.DNS,
    Cause.PORT_REFUSED: FailureKind.REFUSED,
    Cause.HOST_UNREACHABLE: FailureKind.UNREACHABLE,
    Cause.SILENT: FailureKind.TIMEOUT,
    Cause.TLS_FAILED: FailureKind.TLS,
    Cause.NOT_TLS: FailureKind.TLS,
    Cause.NOT_PLAIN: FailureKind.TLS,
    Cause.CERTIFICATE_EXPIRED: FailureKind.CERTIFICATE,
    Cause.CERTIFICATE_NOT_YET_VALID: FailureKind.CERTIFICATE,
    Cause.CERTIFICATE_WRONG_NAME: FailureKind.CERTIFICATE,
    Cause.CERTIFICATE_SELF_SIGNED: FailureKind.CERTIFICATE,
    Cause.CERTIFICATE_UNKNOWN_ISSUER: FailureKind.CERTIFICATE,
    Cause.CERTIFICATE_NOT_PINNED: FailureKind.CERTIFICATE,
    Cause.CERTIFICATE_INVALID: FailureKind.CERTIFICATE,
    Cause.FOREIGN_BANNER: FailureKind.PROTOCOL,
    Cause.BAD_REPLY: FailureKind.PROTOCOL,
    Cause.TOO_LARGE: FailureKind.PROTOCOL,
    Cause.CLOSED: FailureKind.UNAVAILABLE,
    Cause.NOT_AVAILABLE: FailureKind.UNAVAILABLE,
    Cause.BAD_CREDENTIALS: FailureKind.AUTH,
    Cause.NO_MECHANISM: FailureKind.AUTH,
    Cause.LOGIN_HELD: FailureKind.AUTH,
    Cause.LOGIN_DISABLED: FailureKind.AUTH,
    Cause.AUTH_NOT_OFFERED: FailureKind.AUTH,
    Cause.STARTTLS_NOT_OFFERED: FailureKind.INSECURE,
    Cause.STARTTLS_REFUSED: FailureKind.INSECURE,
    Cause.STARTTLS_INJECTED: FailureKind.INSECURE,
    Cause.STARTTLS_LOST: FailureKind.INSECURE,
    Cause.MECHANISM_LOST: FailureKind.INSECURE,
    Cause.KEY_CHANGED: FailureKind.INSECURE,
    Cause.CLEARTEXT_REFUSED: FailureKind.INSECURE,
    Cause.PREAUTH_BEFORE_TLS: FailureKind.INSECURE,
    Cause.NO_INBOX: FailureKind.MAILBOX,
    Cause.SENDER_REFUSED: FailureKind.DELIVERY,
    Cause.NOT_STORED: FailureKind.DELIVERY,
    Cause.NOT_DELIVERED: FailureKind.DELIVERY,
    Cause.RETRIEVAL_BUSY: FailureKind.UNAVAILABLE,
    Cause.SECRET_UNAVAILABLE: FailureKind.SECRET,
    Cause.INTERNAL: FailureKind.INTERNAL,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage failed. `hint` is ours, one line; `reply` is the server's words, cleaned and masked, or empty."""

    cause: Cause
    stage: Stage
    hint: str
    reply: str = ""

    @property
    def kind(self) -> FailureKind:
        return self.cause.kind


class Status(StrEnum):
    """How a stage ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage as it ended: wall-clock milliseconds, one line of detail, the server's reply (cleaned, masked)."""

    stage: Stage
    status: Status
    ms: float = 0.0
    detail: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """What a server's certificate says, whether or not it was accepted. Times are aware, in UTC."""

    subject: str
    names: tuple[str, ...]
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    """Hex SHA-256 of the certificate."""
    pin: str
    """Hex SHA-256 of its SubjectPublicKeyInfo: what a pin policy compares."""

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; negative once it has."""
        return (self.not_after - now) // timedelta(days=1)


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The protection that was agreed, and the certificate; `verified` is False where the account accepts anything."""

    version: str
    cipher: str
    certificate: CertificateFacts | None
    verified: bool
    chain: tuple[CertificateFacts, ...] = ()
    """The certificates above the server's own, in order towards the root. Where an authority was asked (system, CA
    file) and its answer was yes, the path that was verified, root included; else (pinned, anything accepted, rejected)
    what the server sent, which proves nothing. Empty where ssl does not tell, and in reports that do not have it."""


def certificate_warning(
    tls: TlsFacts | None, trust: Trust, now: datetime, within: timedelta = CERTIFICATE_WARNING
) -> str:
    """One line about the certificate that ends first, if that is `within` so long; else empty.

    An issuer's counts where the path was verified: once it has ended, the server's own is worth nothing either.
    """
    if tls is None or tls.certificate is None:
        return ""
    path = tls.chain if tls.verified and trust in (Trust.SYSTEM, Trust.CA_FILE) else ()
    first = min((tls.certificate, *path), key=lambda certificate: certificate.not_after)
    if first.not_after - now > within:
        return ""
    whose = "the certificate" if first is tls.certificate else f"the issuer's certificate, {clean(first.subject, 80)},"
    days, day = first.days_left(now), f"{first.not_after:%Y-%m-%d}"
    return f"{whose} ends in {days} days, on {day}" if days >= 0 else f"{whose} ended on {day}"


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of the dialogue: `sender` is C (us), S (the server) or * (a remark of ours). Cleaned and masked."""

    sender: str
    text: str
    at_ms: float


class Severity(IntEnum):
    """How bad a report is; the value is the exit code of `mailtui check`."""

    OK = 0
    WARNING = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class LegReport:
    """One leg as it was walked. `stages` follows the plan; those after the failure are SKIPPED."""

    leg: Leg
    protocol: Protocol
    endpoint: Endpoint
    stages: tuple[StageResult, ...]
    ms: float
    failure: Failure | None = None
    tls: TlsFacts | None = None
    address: str = ""
    mechanism: str = ""
    capabilities: tuple[str, ...] = ()
    messages: int | None = None
    octets: int | None = None
    round_trips: int = 0
    transcript: tuple[TranscriptLine, ...] = ()
    warning: str = ""
    offered: Offered | None = None
    """None where the leg did not come as far as a login."""
    addresses: tuple[str, ...] = ()
    """All that the name has, as they were looked up."""
    families: tuple[FamilyFacts, ...] = ()
    """Both address families, each on its own; empty where the host has only one."""
    found: tuple[Found, ...] = ()
    """What really answers, where the leg failed because something else was expected: its own port's comes first."""
    changes: tuple[Change, ...] = ()
    """What differs from the last check that went well."""
    changed_since: datetime | None = None
    """When that check was; None where there is none to compare with."""

    @property
    def severity(self) -> Severity:
        if self.failure is not None:
            return Severity.FAILED
        return Severity.WARNING if self.warning else Severity.OK

    @property
    def has_alarming_change(self) -> bool:
        """Whether the server changed in a way that a person has to accept."""
        return any(change.is_alarming for change in self.changes)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Both legs of one account. A leg is None when it was not asked for or the account has none."""

    account: str
    started: datetime
    ms: float
    outbound: LegReport | None
    inbound: LegReport | None

    @property
    def legs(self) -> tuple[LegReport, ...]:
        return tuple(leg for leg in (self.outbound, self.inbound) if leg is not None)

    @property
    def severity(self) -> Severity:
        """The worst of the legs."""
        return max((leg.severity for leg in self.legs), default=Severity.OK)


def current(report: CheckReport | None, account: Account) -> CheckReport | None:
    """What of `report` still speaks of `account`: legs whose server has changed since are left out."""
    if report is None:
        return None
    setups = {setup.leg: (setup.protocol, setup.endpoint) for setup in legs_of(account)}
    legs = {leg.leg: leg for leg in report.legs if setups.get(leg.leg) == (leg.protocol, leg.endpoint)}
    if not legs:
        return None
    if len(legs) == len(report.legs):
        return report
    return replace(report, outbound=legs.get(Leg.OUTBOUND), inbound=legs.get(Leg.INBOUND))


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)
