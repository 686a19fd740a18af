"""Accounts whose trouble has a remedy, with what a check of each found."""

from dataclasses import replace
from datetime import timedelta

from mailtui.model.account import Security
from mailtui.model.check import Cause, CertificateFacts, CheckReport, Failure, LegReport, Stage
from mailtui.model.server import Change, ChangeKind, FamilyFacts, Found, Service
from tests.tui.people import NOW, account, report

PIN = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FINGERPRINT = "3b5d5c3712955042212316173ccf37be80f5f7a5c5e4a2e5d2c9f2f0c8a1b6e4"


def _with_inbound(whole: CheckReport, **changes: object) -> CheckReport:
    assert whole.inbound is not None
    return replace(whole, inbound=replace(whole.inbound, **changes))  # type: ignore[arg-type]  # as replace takes them


def _certificate(host: str, issuer: str) -> CertificateFacts:
    began = NOW - timedelta(days=30)
    return CertificateFacts(f"CN={host}", (host,), issuer, began, began + timedelta(days=3_650), FINGERPRINT, PIN)


def _leg_with(leg: LegReport, issuer: str, **changes: object) -> LegReport:
    assert leg.tls is not None
    tls = replace(leg.tls, verified=False, certificate=_certificate(leg.endpoint.host, issuer))
    return replace(leg, tls=tls, **changes)  # type: ignore[arg-type]  # as replace takes them


# Its outgoing mail works; incoming mail is asked for in clear where the server has TLS from the first byte.
MIXED_UP = account("Hedy Lamarr – wrong port", "hedy@spread.example", inbound="imap.spread.example")
assert MIXED_UP.retrieval is not None
MIXED_UP = replace(
    MIXED_UP,
    retrieval=replace(
        MIXED_UP.retrieval, endpoint=replace(MIXED_UP.retrieval.endpoint, port=110, security=Security.STARTTLS)
    ),
)
POP3_ANSWERS = Failure(
    Cause.FOREIGN_BANNER, Stage.GREETING, "this is no IMAP server: this is a POP3 server", "+OK POP3 ready"
)
MIXED_UP_REPORT = _with_inbound(
    report(MIXED_UP, None, POP3_ANSWERS),
    found=(
        Found(110, Service.POP3, Security.STARTTLS, "+OK POP3 ready"),
        Found(993, Service.IMAP, Security.IMPLICIT_TLS, "* OK ready"),
    ),
)
assert MIXED_UP.retrieval is not None
MENDED = replace(MIXED_UP.retrieval.endpoint, port=993, security=Security.IMPLICIT_TLS)

HOME_MADE = account("Katherine Johnson – own key", "katherine@orbit.example", inbound="imap.orbit.example")
SELF_SIGNED = Failure(
    Cause.CERTIFICATE_SELF_SIGNED, Stage.TLS, "the certificate of imap.orbit.example:993 is self-signed"
)
HOME_MADE_REPORT = report(HOME_MADE, None, SELF_SIGNED)
assert HOME_MADE_REPORT.inbound is not None
HOME_MADE_REPORT = replace(HOME_MADE_REPORT, inbound=_leg_with(HOME_MADE_REPORT.inbound, "CN=imap.orbit.example"))

CHANGED = account("Rosalind Franklin – new key", "rosalind@helix.example", inbound="imap.helix.example")
KEY_CHANGED = Failure(
    Cause.KEY_CHANGED, Stage.AUTH, "the key of imap.helix.example:993 is another one; no password was sent"
)
CHANGES = (
    Change(ChangeKind.KEY, "another key: 9f86d081884c7d65 instead of 77af77af77af77af", True),
    Change(ChangeKind.ISSUER, "issuer CN=Unknown instead of CN=R11"),
)
CHANGED_REPORT = report(CHANGED, None, KEY_CHANGED)
assert CHANGED_REPORT.inbound is not None
CHANGED_REPORT = replace(
    CHANGED_REPORT,
    inbound=_leg_with(
        CHANGED_REPORT.inbound,
        "CN=Unknown",
        changes=CHANGES,
        changed_since=NOW - timedelta(days=2),
        families=(
            FamilyFacts("IPv6", "2001:db8::25", None, "", is_silent=True),
            FamilyFacts("IPv4", "192.0.2.25", 18.4),
        ),
    ),
)

HELD = account("Lise Meitner – held back", "lise@fission.example")
HELD_BACK = Failure(
    Cause.LOGIN_HELD,
    Stage.AUTH,
    "this login was refused on 2025-06-01, and nothing was changed since",
    "535 5.7.8 Authentication credentials invalid",
)
HELD_REPORT = report(HELD, HELD_BACK, HELD_BACK)

TROUBLED = (MIXED_UP, HOME_MADE, CHANGED, HELD)
TROUBLED_REPORTS = {found.account: found for found in (MIXED_UP_REPORT, HOME_MADE_REPORT, CHANGED_REPORT, HELD_REPORT)}
