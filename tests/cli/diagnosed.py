"""Failed checks of an account, and what a diagnosis makes of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailtui.model.account import CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, CheckReport, Leg, Stage, TlsFacts
from mailtui.model.diagnosis import Diagnosis, Fix
from tests.cli.conftest import Diagnoses, FakeChecks, Shell
from tests.cli.reports import failed, good_report

KEY, FINGERPRINT = "ab" * 32, "cd" * 32


PAGE = "https://help.example.org/app"


APP_PASSWORD = Diagnosis(
    "app-password", "The provider wants an app password", "It takes no other.", "Make one and set it.", PAGE
)


FILE = """\
[[account]]
name = "ada"
email = "ada@example.org"
[account.submission]
host = "mail.example.org"
secret = "env:X"
[account.retrieval]
host = "mail.example.org"
"""


def wrong_mode(shell: Shell, name: str = "ada") -> tuple[CheckReport, Fix]:
    """The inbound leg meets a server that speaks in clear and offers STARTTLS, and what would mend that."""
    with shell.database() as database:
        report = good_report(database.account(name))
    assert report.inbound is not None
    inbound = failed(report.inbound, Stage.TLS, Cause.NOT_TLS, "the server speaks no TLS here", "* OK ready")
    fix = Fix(
        Leg.INBOUND,
        Protocol.IMAP,
        replace(inbound.endpoint, port=143, security=Security.STARTTLS),
        "use STARTTLS at 143",
    )
    return replace(report, inbound=inbound), fix


def self_signed(shell: Shell, name: str = "ada") -> tuple[CheckReport, Fix]:
    """The outbound server vouches for itself, and what would trust it."""
    with shell.database() as database:
        report = good_report(database.account(name))
    assert report.outbound is not None
    outbound = failed(report.outbound, Stage.TLS, Cause.CERTIFICATE_SELF_SIGNED, "it vouches for itself")
    now = datetime.now(UTC)
    facts = CertificateFacts("CN=x", ("x",), "CN=x", now, now + timedelta(days=90), FINGERPRINT, KEY)
    outbound = replace(outbound, tls=TlsFacts("TLSv1.3", "AES", facts, verified=False))
    endpoint = replace(outbound.endpoint, certificate=CertificatePolicy(Trust.PIN, pin=KEY))
    fix = Fix(Leg.OUTBOUND, Protocol.SMTP, endpoint, f"trust the key {KEY}", needs_consent=True)
    return replace(report, outbound=outbound), fix


def both_wrong(shell: Shell, checks: FakeChecks, diagnoses: Diagnoses, name: str = "ada") -> None:
    """Both at once: one fix that needs no consent, one that does."""
    shell.add(name)
    clear, use = wrong_mode(shell, name)
    signed, trust = self_signed(shell, name)
    checks.reports[name] = replace(clear, outbound=signed.outbound)
    diagnoses[Cause.NOT_TLS] = Diagnosis("not-tls", "The port is in clear", "", "Use STARTTLS.", change=use)
    diagnoses[Cause.CERTIFICATE_SELF_SIGNED] = Diagnosis(
        "self-signed", "Nobody vouches", "", "Compare it.", change=trust
    )


def endpoints(shell: Shell, name: str = "ada") -> tuple[Endpoint, Endpoint]:
    with shell.database() as database:
        account = database.account(name)
    assert account.retrieval is not None
    return account.submission.endpoint, account.retrieval.endpoint


def about(lines: list[str], leg: str) -> list[str]:
    """What is said of a leg, its stages left out."""
    head = f"ada  {leg:<8}  "
    said = [line.removeprefix(head) for line in lines if line.startswith(head)]
    start = next((at for at, line in enumerate(said) if line.startswith(("FAILED", "good", "WARNING"))), len(said))
    return said[start:]
