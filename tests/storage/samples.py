"""Accounts and reports for the tests of storage."""

from datetime import UTC, datetime, timedelta

from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from mailtui.model.check import (
    Cause,
    CertificateFacts,
    CheckReport,
    Failure,
    Leg,
    LegReport,
    Severity,
    Stage,
    StageResult,
    Status,
    TlsFacts,
    TranscriptLine,
    plan,
    utc_now,
)


def account(name: str = "ada", **changes: object) -> Account:
    """A whole account; `changes` replace its fields."""
    fields: dict[str, object] = {
        "email": f"{name}@example.org",
        "submission": Submission(Endpoint("smtp.example.org", 465), secret=SecretRef(SecretScheme.VAULT)),
        "retrieval": Retrieval(
            Protocol.IMAP,
            Endpoint("imap.example.org", 143, Security.STARTTLS, CertificatePolicy(Trust.PIN, pin="ab" * 32), True),
            interval=5,
            delete_after=30,
        ),
        "type": "campaigns",
        "display_name": "Ada ✓",
        "notes": "told in a note",
    }
    return Account(name, **(fields | changes))  # type: ignore[arg-type]  # the tests name fields of Account


def leg(which: Leg, severity: Severity = Severity.OK) -> LegReport:
    """A leg as a check would report it."""
    protocol = Protocol.SMTP if which is Leg.OUTBOUND else Protocol.IMAP
    failed = severity is Severity.FAILED
    now = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    facts = CertificateFacts(
        "CN=mail", ("mail.example.org", "*.example.org"), "CN=CA", now, now + timedelta(days=90), "aa" * 32, "bb" * 32
    )
    return LegReport(
        which,
        protocol,
        Endpoint("mail.example.org", 465),
        tuple(
            StageResult(
                stage,
                Status.FAILED if failed and stage is Stage.AUTH else Status.OK,
                1.25,
                "a detail",
                "250 OK",
            )
            for stage in plan(protocol, Security.IMPLICIT_TLS, True)
        ),
        12.5,
        failure=Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "wrong password", "535 no") if failed else None,
        tls=TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", facts, True),
        address="192.0.2.1",
        mechanism="PLAIN",
        capabilities=("SIZE", "AUTH PLAIN"),
        messages=None if which is Leg.OUTBOUND else 7,
        octets=None,
        round_trips=6,
        transcript=(TranscriptLine("S", "220 hello", 0.5), TranscriptLine("C", "EHLO me", 0.75)),
        warning="the certificate ends in 9 days" if severity is Severity.WARNING else "",
    )


def report(
    name: str = "ada",
    severity: Severity = Severity.OK,
    age: timedelta = timedelta(0),
    *,
    started: datetime | None = None,
    inbound: bool = True,
) -> CheckReport:
    """A report of a check that began `age` ago, or at `started`."""
    return CheckReport(
        name,
        started or utc_now() - age,
        25.5,
        leg(Leg.OUTBOUND, severity),
        leg(Leg.INBOUND) if inbound else None,
    )
