"""From a report to words: what holds, what is filled in, what is offered, and what is left alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailtui.diagnosis import diagnose
from mailtui.diagnosis.facts import Facts
from mailtui.model.account import Protocol, Security, Trust
from mailtui.model.check import Cause, LegReport, Stage, TlsFacts, certificate_warning
from mailtui.model.diagnosis import UNKNOWN
from mailtui.model.server import Found, Service
from tests.diagnosis.cases import CASES, FALSE
from tests.diagnosis.legs import certificate, failed_leg, warning_leg


@pytest.mark.parametrize(("rule", "leg"), CASES, ids=[f"{index}-{rule}" for index, (rule, _) in enumerate(CASES)])
def test_a_failure_leads_to_its_rule(rule: str, leg: LegReport) -> None:
    diagnosis = diagnose(leg)
    assert diagnosis is not None
    assert diagnosis.rule == rule


@pytest.mark.parametrize(("rule", "leg"), FALSE, ids=[f"{index}-{rule}" for index, (rule, _) in enumerate(FALSE)])
def test_what_would_be_false_is_not_said(rule: str, leg: LegReport) -> None:
    diagnosis = diagnose(leg)
    assert diagnosis is not None
    assert diagnosis.rule != rule


@pytest.mark.parametrize("days", [3, -3], ids=["ends", "ended"])
@pytest.mark.parametrize("whose", ["server", "issuer"])
def test_a_certificate_that_ends_is_known_by_the_words_that_checks_use(whose: str, days: int) -> None:
    server = certificate()
    issuer = replace(server, not_after=server.not_after + timedelta(days=-1 if whose == "issuer" else 1))
    first = min(server, issuer, key=lambda facts: facts.not_after)
    tls = TlsFacts("TLSv1.3", "", server, verified=True, chain=(issuer,))
    warning = certificate_warning(tls, Trust.SYSTEM, first.not_after - timedelta(days=days))
    assert ("issuer" in warning) == (whose == "issuer")
    for words in (warning, f"IPv6 is dead; {warning}"):
        diagnosis = diagnose(warning_leg(words))
        assert diagnosis is not None
        assert diagnosis.rule == "certificate-ends"


@pytest.mark.parametrize("cause", [Cause.CERTIFICATE_UNKNOWN_ISSUER, Cause.CERTIFICATE_NOT_PINNED])
@pytest.mark.parametrize("issuer", ["Avast Web/Mail Shield Root", "FortiGate CA", "Zscaler Root CA"])
def test_the_key_of_a_known_interceptor_is_never_offered_to_be_trusted(cause: Cause, issuer: str) -> None:
    diagnosis = diagnose(failed_leg(cause, stage=Stage.TLS, issuer=issuer))
    assert diagnosis is not None
    assert (diagnosis.rule, diagnosis.change) == ("tls-intercepted", None)


def test_a_name_is_taken_out_and_the_codes_beside_it_stay() -> None:
    said = "550-proxy.example.org 5.7.25 mail.example.org refuses"
    facts = Facts(failed_leg(Cause.SENDER_REFUSED, said, stage=Stage.ENVELOPE), "")
    assert facts.reply == "550-@ 5.7.25 refuses"
    assert (facts.reply_code, facts.enhanced_codes) == (550, frozenset({"5.7.25", "x.7.25"}))


def test_a_leg_that_works_has_nothing_wrong() -> None:
    assert diagnose(warning_leg("")) is None
    assert diagnose(warning_leg("something that no rule is about")) is None


@pytest.mark.parametrize(
    ("reply", "protocol"),
    [
        ("NO Frobnication 17", Protocol.IMAP),
        ("-ERR 0x8004", Protocol.POP3),
        ("599 5.9.9 Fnord", Protocol.SMTP),
        ("BYE", Protocol.IMAP),
    ],
)
def test_what_no_rule_knows_is_unknown_and_has_no_cause(reply: str, protocol: Protocol) -> None:
    diagnosis = diagnose(failed_leg(Cause.BAD_CREDENTIALS, reply, protocol=protocol))
    assert diagnosis is not None
    assert (diagnosis.rule, diagnosis.cause, diagnosis.url) == (UNKNOWN, "", "")
    assert diagnosis.fix


def test_a_bare_refusal_of_an_unknown_server_says_only_that() -> None:
    diagnosis = diagnose(failed_leg(Cause.BAD_CREDENTIALS, "535 Authentication failed"), "ada@gmail.com")
    assert diagnosis is not None
    assert diagnosis.rule == "wrong-password"
    assert "does not say which" in diagnosis.cause


def test_the_server_decides_whose_habits_count_not_the_address() -> None:
    refused = failed_leg(Cause.BAD_CREDENTIALS, "535 no", host="smtp.gmail.com")
    assert [each.rule for each in (diagnose(refused, "ada@example.org"),) if each] == ["app-password-likely"]
    bridge = failed_leg(Cause.BAD_CREDENTIALS, "535 no", host="127.0.0.1", port=2025)
    assert [each.rule for each in (diagnose(bridge, "ada@proton.me"),) if each] == ["proton-bridge-password"]
    assert [each.rule for each in (diagnose(bridge, "ada@example.org"),) if each] == ["wrong-password"]


def test_the_provider_s_own_page_is_given() -> None:
    diagnosis = diagnose(failed_leg(Cause.BAD_CREDENTIALS, "535 no", host="smtp.mail.yahoo.com"))
    assert diagnosis is not None
    assert diagnosis.url == "https://help.yahoo.com/kb/SLN15241.html"


def test_a_rule_about_providers_has_no_page_where_the_provider_is_not_known() -> None:
    diagnosis = diagnose(failed_leg(Cause.BAD_CREDENTIALS, "535 Application-specific password required"))
    assert diagnosis is not None
    assert (diagnosis.rule, diagnosis.url) == ("app-password-required", "")


def test_the_fix_is_concrete() -> None:
    leg = failed_leg(Cause.STARTTLS_NOT_OFFERED, protocol=Protocol.IMAP, security=Security.STARTTLS)
    diagnosis = diagnose(leg)
    assert diagnosis is not None
    assert diagnosis.fix == 'Set port = 993 and security = "tls".'


def test_a_host_is_shown_clean_and_what_it_holds_is_not_filled_in_again() -> None:
    diagnosis = diagnose(failed_leg(Cause.NAME_NOT_FOUND, stage=Stage.RESOLVE, host="a\x1b[2J{port}b"))
    assert diagnosis is not None
    assert diagnosis.cause == "There is no server with the name a\\x1b[2J{port}b."


def test_a_login_that_is_held_back_still_says_what_was_wrong_with_it() -> None:
    leg = failed_leg(Cause.LOGIN_HELD, "534 5.7.9 Application-specific password required", host="smtp.gmail.com")
    diagnosis = diagnose(leg)
    assert diagnosis is not None
    assert diagnosis.rule == "login-held"
    assert "app password" in diagnosis.explanation
    assert diagnosis.fix.startswith("Make an app password")
    assert "insist" in diagnosis.fix
    assert diagnosis.url


def test_a_held_login_whose_refusal_nobody_knows_is_held_all_the_same() -> None:
    unknown, bare = (diagnose(failed_leg(Cause.LOGIN_HELD, reply)) for reply in ("599 Fnord", ""))
    assert unknown == bare
    assert bare is not None
    assert bare.rule == "login-held"


def test_the_change_that_mailtui_can_make_is_offered() -> None:
    found = (Found(993, Service.IMAP, Security.IMPLICIT_TLS),)
    leg = failed_leg(Cause.STARTTLS_NOT_OFFERED, protocol=Protocol.IMAP, security=Security.STARTTLS, found=found)
    diagnosis = diagnose(leg)
    assert diagnosis is not None
    assert diagnosis.change is not None
    assert (diagnosis.change.endpoint.port, diagnosis.change.endpoint.security) == (993, Security.IMPLICIT_TLS)


def test_the_key_of_someone_who_reads_along_is_not_offered_to_be_trusted() -> None:
    """It is for a server of one's own, whose certificate nobody else vouches for."""
    own = failed_leg(Cause.CERTIFICATE_UNKNOWN_ISSUER, stage=Stage.TLS, issuer="Our Own CA")
    intercepted = replace(own, endpoint=replace(own.endpoint, host="imap.gmail.com"))
    offered, withheld = diagnose(own), diagnose(intercepted)
    assert offered is not None
    assert offered.change is not None
    assert withheld is not None
    assert withheld.rule == "tls-intercepted"
    assert withheld.change is None
