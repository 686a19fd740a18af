"""The rules: read strictly, all reached, for every cause, in words that are fit to be shown."""

import pytest

from mailtui.diagnosis import diagnose
from mailtui.diagnosis.conditions import CONDITIONS
from mailtui.diagnosis.rules import PROVIDER_PAGE, RemediesError, parse_remedies, remedies
from mailtui.model.account import Protocol
from mailtui.model.check import Cause, Stage
from mailtui.model.diagnosis import UNKNOWN
from mailtui.model.text import has_hostile
from tests.diagnosis.cases import CASES
from tests.diagnosis.corpus import corpus
from tests.diagnosis.legs import failed_leg

RULE = """
[[rule]]
id = "{id}"
cause = "It is so."
explanation = "For a reason."
fix = "Do something."
{more}
[[rule.when]]
{when}
"""


def rule(when: str = 'causes = ["silent"]', more: str = "", name: str = "some-rule") -> str:
    return RULE.format(id=name, more=more, when=when)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_is_known_even_where_nobody_said_a_word(cause: Cause) -> None:
    for stage in Stage:
        diagnosis = diagnose(failed_leg(cause, stage=stage))
        assert diagnosis is not None
        assert diagnosis.rule != UNKNOWN
        assert diagnosis.cause


IMAP_CODES = (
    "UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE"
    " EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT"
)
"""RFC 5530 section 3."""

POP3_CODES = "SYS/TEMP SYS/PERM AUTH IN-USE LOGIN-DELAY"
"""RFC 3206 section 4, RFC 2449 section 8."""


@pytest.mark.parametrize(
    ("protocol", "reply"),
    [
        *((Protocol.IMAP, f"NO [{code}] Hm") for code in IMAP_CODES.split()),
        *((Protocol.POP3, f"-ERR [{code}] Hm") for code in POP3_CODES.split()),
    ],
)
def test_every_response_code_of_the_standards_is_known(protocol: Protocol, reply: str) -> None:
    """As a refusal of the login or of the mailbox, by the code alone."""
    login = failed_leg(Cause.BAD_CREDENTIALS, reply, protocol=protocol)
    mailbox = failed_leg(Cause.NO_INBOX, reply, protocol=protocol, stage=Stage.MAILBOX)
    waiting = failed_leg(Cause.NOT_AVAILABLE, reply, protocol=protocol)
    rules = {found.rule for leg in (login, mailbox, waiting) if (found := diagnose(leg)) is not None}
    assert rules - {UNKNOWN}


def test_every_rule_is_reached_by_what_a_server_said_or_by_a_case() -> None:
    reached = {said.rule for said in corpus()} | {name for name, _ in CASES}
    assert {rule.id for rule in remedies().rules} - reached == set()


def test_every_kind_of_condition_is_used() -> None:
    used = {key for rule in remedies().rules for entry in rule.entries for key in entry.conditions}
    assert set(CONDITIONS) - used == set()


def test_texts_are_short_sentences_that_a_terminal_can_show() -> None:
    for rule in remedies().rules:
        for text in (rule.cause, rule.explanation, rule.fix):
            assert not has_hostile(text), rule.id
            assert "!" not in text, rule.id
        assert len(rule.cause) <= 120, rule.id
        assert len(rule.explanation) <= 240, rule.id
        assert len(rule.fix) <= 240, rule.id


def test_pages_are_secure_ones() -> None:
    for rule in remedies().rules:
        assert rule.url in ("", PROVIDER_PAGE) or rule.url.startswith("https://"), rule.id


def test_texts_to_search_for_are_plain_and_long_enough_not_to_fit_by_chance() -> None:
    for rule in remedies().rules:
        for entry in rule.entries:
            for text in (*entry.conditions.get("any", ()), *entry.conditions.get("hints", ())):
                is_short = len(text) < 4 and text.isascii() and text.isalnum()
                assert not is_short, (rule.id, text)


def test_the_first_rule_that_holds_wins() -> None:
    read = parse_remedies(
        rule('causes = ["silent"]\nstages = ["tls"]', name="special") + rule('kinds = ["timeout"]', name="general")
    )
    assert [found.id for _, found in read.by_cause[Cause.SILENT]] == ["special", "general"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "nothing else"),
        ("rule = 3", "nothing else"),
        ("rule = [3]", "a table"),
        ("[[rule", "not TOML"),
        (rule() + "[more]\na = 1", "nothing else"),
        (rule(name="Some Rule"), "no id"),
        (rule(name="unknown"), "no id"),
        (rule() + rule(), "stands twice"),
        (rule(more='colour = "red"'), "unknown key 'colour'"),
        (rule(more='url = "http://example.org/"'), "no https page"),
        (rule(more='url = "https://"'), "no https page"),
        (rule(more="url = 3"), "no https page"),
        (rule(more='change = "no"'), "true or false"),
        (rule().replace("It is so.", ""), "cause: a text"),
        (rule().replace("It is so.", "It is so"), "full stop"),
        (rule().replace("It is so.", "It  is so."), "one line"),
        (rule().replace("It is so.", "It is {reply}."), "placeholder"),
        (rule().replace("It is so.", "x" * 500 + "."), "longer"),
        (rule().replace('fix = "Do something."', ""), "fix: a text"),
        (rule().replace("[[rule.when]]", "[rule.when]"), "a list of conditions"),
        (rule(""), "either causes and kinds"),
        (rule('stages = ["tls"]'), "either causes and kinds"),
        (rule('causes = ["silent"]\nwarnings = ["ipv6-dead"]'), "either causes and kinds"),
        (rule('causes = ["bored"]'), "'bored'"),
        (rule('kinds = ["bored"]'), "'bored'"),
        (rule('causes = "silent"'), "a list"),
        (rule("causes = []"), "a list"),
        (rule('causes = ["silent"]\nports = [true]'), "a list"),
        (rule('causes = ["silent"]\nmood = ["bad"]'), "unknown condition 'mood'"),
        (rule('causes = ["silent"]\nstages = ["bed"]'), "'bed'"),
        (rule('causes = ["silent"]\nany = ["Upper"]'), "not lower-case"),
        (rule('causes = ["silent"]\nany = [" "]'), "not lower-case"),
        (rule('causes = ["silent"]\nreplies = ["5xx"]'), "no number"),
        (rule('causes = ["silent"]\nenhanced = ["5.7"]'), "no enhanced code"),
        (rule('causes = ["silent"]\nproviders = ["Nobody"]'), "no provider"),
        (rule('causes = ["silent"]\nsays = ["much"]'), "none of"),
        (rule(name="first") + rule(name="second"), "second: when: never reached"),
        (rule(name="first") + rule('kinds = ["timeout"]\nports = [25]', name="second"), "second: when: never reached"),
    ],
)
def test_a_mistake_in_the_rules_is_an_error_that_names_it(text: str, fault: str) -> None:
    with pytest.raises(RemediesError) as caught:
        parse_remedies(text)
    assert fault in str(caught.value)
    assert "\n" not in str(caught.value).partition("not TOML")[0]


def test_no_text_is_searched_for_that_a_shorter_one_beside_it_finds() -> None:
    for rule in remedies().rules:
        for entry in rule.entries:
            for key in ("any", "none", "hints", "issuers"):
                texts = entry.conditions.get(key, ())
                covered = [text for text in texts if any(other != text and other in text for other in texts)]
                assert (covered, len(texts)) == ([], len(set(texts))), rule.id
