"""The diagnosis of a leg as text: what it is, why, what to do, the server's words, and what was learnt beside."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailtui.model.account import Account, Protocol, Security
from mailtui.model.check import CheckReport, Leg, LegReport
from mailtui.model.diagnosis import UNKNOWN, Diagnosis, Fix
from mailtui.model.server import ChangeKind, FamilyFacts, Found, Service
from mailtui.model.watch import changes_line
from mailtui.tui import diagnosing
from mailtui.tui.detail_lines import detail_lines
from mailtui.tui.legs import leg_view
from mailtui.tui.words import Role
from tests.tui.people import ADA, ALAN, GRACE, NOW, WRONG_PASSWORD, report
from tests.tui.troubled import (
    CHANGED,
    CHANGED_REPORT,
    CHANGES,
    HELD,
    HELD_REPORT,
    HOME_MADE,
    HOME_MADE_REPORT,
    MENDED,
    MIXED_UP,
    MIXED_UP_REPORT,
)

REFUSED = Diagnosis(
    "password", "The password is wrong.", "The server knows the name.", "Type it anew.", "https://example.org/passwords"
)


def told(person: Account, found: CheckReport, leg: Leg = Leg.INBOUND, columns: int = 200) -> list[str]:
    lines = detail_lines(leg_view(person, leg, {}, found), NOW, columns)
    return ["".join(text for text, _ in line).rstrip() for line in lines]


@pytest.fixture
def diagnosed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Diagnosis | None]:
    """What the rules say, by address; what is not in it is unknown."""
    said: dict[str, Diagnosis | None] = {}

    def diagnose(leg: LegReport, email: str = "") -> Diagnosis | None:
        return said.get(email, Diagnosis(UNKNOWN, "", "", ""))

    monkeypatch.setattr("mailtui.diagnosis.diagnose", diagnose)
    diagnosing._diagnosis.cache_clear()
    return said


def test_a_diagnosis_is_told_in_its_order(diagnosed: dict[str, Diagnosis | None]) -> None:
    diagnosed[ALAN.email] = REFUSED
    lines = told(ALAN, report(ALAN, WRONG_PASSWORD), Leg.OUTBOUND)
    at = lines.index("✗ Login failed")
    assert lines[at + 1 : at + 8] == [
        f"  {WRONG_PASSWORD.hint}",
        "What it is   The password is wrong.",
        "Why          The server knows the name.",
        "What to do   Type it anew.",
        "Help         https://example.org/passwords",
        f"  server said: {WRONG_PASSWORD.reply}",
        "  (bad-credentials)",
    ]


def test_an_unknown_cause_is_called_so_and_nothing_is_invented(diagnosed: dict[str, Diagnosis | None]) -> None:
    lines = told(ALAN, report(ALAN, WRONG_PASSWORD), Leg.OUTBOUND)
    at = lines.index("✗ Login failed")
    assert lines[at + 1 : at + 5] == [
        f"  {WRONG_PASSWORD.hint}",
        "What it is   Cause unknown",
        f"  server said: {WRONG_PASSWORD.reply}",
        "  (bad-credentials)",
    ]


def test_a_change_names_its_key_unless_the_settings_were_changed_since(
    diagnosed: dict[str, Diagnosis | None],
) -> None:
    fix = Fix(Leg.INBOUND, Protocol.IMAP, MENDED, "use port 993 with SSL/TLS")
    diagnosed[MIXED_UP.email] = replace(REFUSED, change=fix)
    line = "Press        F: use port 993 with SSL/TLS, and test again"
    assert line in told(MIXED_UP, MIXED_UP_REPORT)
    assert MIXED_UP.retrieval is not None
    other = replace(MIXED_UP, retrieval=replace(MIXED_UP.retrieval, endpoint=MENDED))
    assert line not in told(other, MIXED_UP_REPORT)


def test_a_key_to_be_trusted_is_not_told_by_its_digits() -> None:
    assert "Press        F: trust this server's key, once you have compared it, and test again" in told(
        HOME_MADE, HOME_MADE_REPORT
    )


def test_what_has_to_be_accepted_or_insisted_on_names_its_key() -> None:
    assert "Press        A: accept what changed, if it is meant, and test again" in told(CHANGED, CHANGED_REPORT)
    assert "Press        I: log in all the same, if the password is right" in told(HELD, HELD_REPORT)


def test_what_changed_is_one_line() -> None:
    expected = changes_line(CHANGES, NOW - timedelta(days=2))
    assert f"✗ {expected}" in told(CHANGED, CHANGED_REPORT, columns=600)


def test_a_harmless_change_is_told_of_a_leg_that_works() -> None:
    good = report(ADA)
    assert good.inbound is not None
    change = replace(CHANGES[1], kind=ChangeKind.RENEWED, words="renewed until 2025-09-01")
    found = replace(good, inbound=replace(good.inbound, changes=(change,), changed_since=NOW - timedelta(days=1)))
    view = leg_view(ADA, Leg.INBOUND, {}, found)
    (line,) = (line for line in detail_lines(view, NOW, 300) if line and "renewed" in line[-1][0])
    assert "renewed until 2025-09-01" in line[-1][0]
    assert line[-1][1] is Role.WARNING


def test_both_families_are_judged_apart() -> None:
    lines = told(CHANGED, CHANGED_REPORT)
    at = lines.index("Addresses")
    assert lines[at + 1 : at + 3] == [
        "IPv6         2001:db8::25 silent: every program that tries it first waits until it gives up",
        "IPv4         192.0.2.25 answered in 18 ms",
    ]
    failed = replace(CHANGED_REPORT.legs[1], families=(FamilyFacts("IPv6", "2001:db8::25", None, "no route to host"),))
    assert "IPv6         2001:db8::25 no route to host" in told(CHANGED, replace(CHANGED_REPORT, inbound=failed))


def test_what_answers_is_told() -> None:
    lines = told(MIXED_UP, MIXED_UP_REPORT)
    assert "What answers port 110: POP3, STARTTLS: +OK POP3 ready" in lines
    assert "             port 993: IMAP, SSL/TLS: * OK ready" in lines
    leg = replace(MIXED_UP_REPORT.legs[1], found=(Found(22, Service.SSH, Security.NONE, "SSH-2.0"),))
    assert "What answers port 22: an SSH server: SSH-2.0" in told(MIXED_UP, replace(MIXED_UP_REPORT, inbound=leg))


def test_certificates_stand_out_within_the_days_that_the_person_set() -> None:
    view = leg_view(GRACE, Leg.OUTBOUND, {}, report(GRACE))

    def role_of_end(days: int) -> Role:
        (line,) = (line for line in detail_lines(view, NOW, 120, days) if line and line[0][0].startswith("Ends"))
        return line[-1][1]

    assert role_of_end(14) is Role.OK
    assert role_of_end(90) is Role.WARNING


def test_a_report_is_diagnosed_once_however_often_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[LegReport] = []

    def diagnose(leg: LegReport, email: str = "") -> Diagnosis | None:
        asked.append(leg)
        return REFUSED

    monkeypatch.setattr("mailtui.diagnosis.diagnose", diagnose)
    diagnosing._diagnosis.cache_clear()
    first, same = report(ALAN, WRONG_PASSWORD), report(ALAN, WRONG_PASSWORD)
    for found in (first, first, same, first):
        view = leg_view(ALAN, Leg.OUTBOUND, {}, found)
        assert view.diagnosis is REFUSED
    assert len(asked) == 2, "equal reports are told apart without comparing them"
    leg_view(ALAN, Leg.OUTBOUND, {}, report(ALAN))
    assert len(asked) == 2, "what works needs no diagnosis"
