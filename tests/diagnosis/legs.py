"""Failed legs as a check reports them, for the diagnosis to look at."""

from datetime import UTC, datetime

from mailtui.model.account import DEFAULT_PORTS, CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, Failure, Leg, LegReport, Stage, TlsFacts
from mailtui.model.server import Change, FamilyFacts, Found


def certificate(issuer: str = "Some CA") -> CertificateFacts:
    """A certificate of which only the issuer counts."""
    begin, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    return CertificateFacts("mail.example.org", ("mail.example.org",), issuer, begin, end, "ab" * 32, "cd" * 32)


def failed_leg(
    cause: Cause,
    reply: str = "",
    *,
    protocol: Protocol = Protocol.SMTP,
    stage: Stage = Stage.AUTH,
    hint: str = "",
    host: str = "mail.example.org",
    port: int = 0,
    security: Security = Security.IMPLICIT_TLS,
    trust: Trust = Trust.SYSTEM,
    mechanism: str = "",
    issuer: str = "",
    found: tuple[Found, ...] = (),
) -> LegReport:
    """A leg that failed at `stage`; a port of 0 is the usual one."""
    endpoint = Endpoint(host, port or DEFAULT_PORTS[protocol, security], security, CertificatePolicy(trust))
    return LegReport(
        Leg.OUTBOUND if protocol is Protocol.SMTP else Leg.INBOUND,
        protocol,
        endpoint,
        (),
        1.0,
        failure=Failure(cause, stage, hint, reply),
        tls=TlsFacts("TLSv1.3", "", certificate(issuer), verified=False) if issuer else None,
        mechanism=mechanism,
        found=found,
    )


def warning_leg(warning: str, *, families: tuple[FamilyFacts, ...] = (), changes: tuple[Change, ...] = ()) -> LegReport:
    """A leg that works, and warns."""
    return LegReport(
        Leg.INBOUND,
        Protocol.IMAP,
        Endpoint("mail.example.org", 993),
        (),
        1.0,
        warning=warning,
        families=families,
        changes=changes,
    )
