"""Whatever a server says, a diagnosis is ours: it never fails, never repeats the server, and never takes long."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailtui.diagnosis import diagnose
from mailtui.diagnosis.facts import Facts
from mailtui.diagnosis.rules import remedies
from mailtui.model.account import Endpoint, Protocol, Security
from mailtui.model.check import Cause, LegReport, Stage
from mailtui.model.diagnosis import UNKNOWN
from mailtui.model.server import FamilyFacts, Found, Service
from mailtui.model.text import has_hostile
from tests.diagnosis.legs import failed_leg, warning_leg

MARK = "Xq7Zt"
"""Stands in what the server says, and in no text of ours."""

ANY_TEXT = st.text(max_size=300) | st.text("[]+-*/5.7,8 ({\\\x1b\x9b\u202e\n\r", max_size=300)
KNOWN = st.sampled_from(
    [text for rule in remedies().rules for entry in rule.entries for text in entry.conditions.get("any", ())]
)
REPLIES = ANY_TEXT | st.builds(lambda *parts: " ".join(parts), ANY_TEXT, KNOWN, ANY_TEXT)
FOUND = st.builds(
    Found, st.sampled_from((25, 465, 993, 995)), st.sampled_from(Service), st.sampled_from(Security), ANY_TEXT
)
HOSTS = (
    st.sampled_from(("mail.example.org", "smtp.gmail.com", "127.0.0.1", "::1", "[::1]", "", "..", "ß", "a b"))
    | ANY_TEXT
)


@st.composite
def legs(draw: st.DrawFn) -> LegReport:
    """Any failed leg, every text of it hostile."""
    leg = failed_leg(
        draw(st.sampled_from(Cause)),
        f"{draw(REPLIES)}{MARK}",
        protocol=draw(st.sampled_from(Protocol)),
        stage=draw(st.sampled_from(Stage)),
        hint=f"{draw(REPLIES)}{MARK}",
        host=draw(HOSTS),
        port=draw(st.sampled_from((0, 25, 1_025, 65_535))),
        security=draw(st.sampled_from(Security)),
        mechanism=draw(st.sampled_from(("", "PLAIN", "XOAUTH2"))),
        issuer=draw(st.just("") | ANY_TEXT),
        found=tuple(draw(st.lists(FOUND, max_size=3))),
    )
    return replace(leg, addresses=tuple(draw(st.lists(st.ip_addresses().map(str), max_size=3))))


@given(legs(), ANY_TEXT)
@example(failed_leg(Cause.BAD_CREDENTIALS, "535", host="x" * 300), "@")
def test_no_report_is_too_odd_and_no_word_of_a_server_comes_back(leg: LegReport, email: str) -> None:
    diagnosis = diagnose(leg, email)
    assert diagnosis is not None
    texts = (diagnosis.rule, diagnosis.cause, diagnosis.explanation, diagnosis.fix, diagnosis.url)
    for text in texts:
        assert MARK not in text
        assert not has_hostile(text)
    assert diagnosis.rule == UNKNOWN or all(texts[:4])
    assert diagnosis == diagnose(leg, email), "the same report has the same diagnosis"


@given(ANY_TEXT, st.lists(st.builds(FamilyFacts, ANY_TEXT, ANY_TEXT, st.none() | st.floats(), ANY_TEXT), max_size=3))
def test_no_warning_is_too_odd(warning: str, families: list[FamilyFacts]) -> None:
    diagnosis = diagnose(warning_leg(warning, families=tuple(families)), "ada@example.org")
    assert diagnosis is None or diagnosis.cause


@pytest.mark.parametrize("protocol", Protocol)
def test_only_so_much_of_a_reply_is_searched(protocol: Protocol) -> None:
    """Reports are cut when they are made; one from elsewhere may not be."""
    leg = failed_leg(Cause.BAD_CREDENTIALS, "NO " + "[" * 10_000_000, protocol=protocol)
    facts = Facts(leg, "")
    assert len(facts.reply) <= 4_000
    assert diagnose(leg) is not None


@pytest.mark.parametrize(
    ("reply", "code", "enhanced"),
    [
        ("535 5.7.8 no", 535, {"5.7.8", "x.7.8"}),
        ("535-5.7.8 no", 535, {"5.7.8", "x.7.8"}),
        ("535", 535, set()),
        ("5.7.57 SMTP; no", 0, {"5.7.57", "x.7.57"}),
        ("550 #5.1.0 no", 550, {"5.1.0", "x.1.0"}),
        ("550 from 192.0.2.5.7.8 no", 550, set()),
        ("550 see 10.5.7", 550, set()),
        ("550 5.7.8888 no", 550, set()),
        ("5350 no", 0, set()),
        ("٥٣٥ no", 0, set()),
        ("", 0, set()),
    ],
)
def test_codes_of_smtp_are_read_where_they_stand(reply: str, code: int, enhanced: set[str]) -> None:
    facts = Facts(failed_leg(Cause.BAD_CREDENTIALS, reply), "")
    assert (facts.reply_code, set(facts.enhanced_codes)) == (code, enhanced)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("NO [AUTHENTICATIONFAILED] no", "authenticationfailed"),
        ("NO [WEBALERT https://example.org/] no", "webalert"),
        ("-ERR [SYS/TEMP] no", "sys/temp"),
        ("[EXPIRED] no", "expired"),
        ("* BYE [UNAVAILABLE] no", "unavailable"),
        ("NO it is said that [EXPIRED]", ""),
        ("NO [", ""),
        ("", ""),
    ],
)
def test_response_codes_are_read_right_behind_the_status(reply: str, code: str) -> None:
    assert Facts(failed_leg(Cause.BAD_CREDENTIALS, reply, protocol=Protocol.IMAP), "").response_code == code
    assert Facts(failed_leg(Cause.BAD_CREDENTIALS, reply), "").response_code == ""


def test_a_server_without_a_name_has_no_provider() -> None:
    leg = failed_leg(Cause.BAD_CREDENTIALS, "535 no")
    facts = Facts(replace(leg, endpoint=Endpoint("not a name", 465)), "")
    assert (facts.host, facts.provider, facts.provider_url) == ("", "", "")
