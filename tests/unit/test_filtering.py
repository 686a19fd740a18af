"""The language of filters: which accounts a line of words means."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.actions.filtering import Card, Filter, matcher, matches
from mailtui.actions.standing import Standing, standing_of
from mailtui.model.account import RetrievalMode
from mailtui.tui.board import Board
from mailtui.tui.filtering import AccountFilter
from tests.tui.people import (
    ADA,
    AKIRA,
    ALAN,
    CHARLES,
    CLOSED,
    EMMY,
    GRACE,
    NEW,
    OFF,
    PEOPLE,
    QUIET,
    REPORTS,
    ROBOT,
    SSHD,
    WRONG_PASSWORD,
    account,
    report,
)

EVERYONE = {person.name for person in PEOPLE}
FAILING = {ALAN.name, CLOSED.name, GRACE.name, QUIET.name, SSHD.name}


def found(wanted: str) -> set[str]:
    return {person.name for person in PEOPLE if matches(person, REPORTS.get(person.name), wanted)}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", EVERYONE),
        ("   ", EVERYONE),
        ("ADA", {ADA.name}),
        ("campaign winter", {OFF.name}),
        ("newsletter winter", set()),
        ("smtp.closed.example:465", {CLOSED.name}),
        ("pop3", {CHARLES.name}),
        ('"Ada Lovelace"', {ADA.name}),
        ('"Lovelace Ada"', set()),
        ("渡辺", {AKIRA.name}),
        ("failing", FAILING),
        ("unchecked", {NEW.name}),
        ("off", {OFF.name}),
        ("status:failing", FAILING),
        ("status:f", FAILING),
        ("STATUS:Failing", FAILING),
        ("status:good", {ADA.name, CHARLES.name, ROBOT.name, EMMY.name}),
        ("status:warning", {AKIRA.name}),
        ("status:unchecked", {NEW.name}),
        ("status:off", {OFF.name}),
        ("active:no", {OFF.name}),
        ("active:yes", EVERYONE - {OFF.name}),
        ("type:camp", {ADA.name, OFF.name}),
        ("type:campaigns active:yes", {ADA.name}),
        ('type:"campaigns"', {ADA.name, OFF.name}),
        ('type:"campaign"', set()),
        ('type:""', EVERYONE - {ADA.name, OFF.name, ROBOT.name}),
        ("protocol:pop3", {CHARLES.name}),
        ("protocol:smtp", EVERYONE),
        ("security:starttls", {ALAN.name, AKIRA.name}),
        ("is:send-only", {ROBOT.name}),
        ("is:paired", EVERYONE - {ROBOT.name}),
        ("is:manual", EVERYONE - {ROBOT.name}),
        ("is:automatic", set()),
        ("is:unsafe", {EMMY.name}),
        ("server:expired", {GRACE.name}),
        ("server:pop.example.org:995", {CHARLES.name}),
        ("email:orders", {CHARLES.name}),
        ("name:orders", {CHARLES.name}),
        ("name:orders@", set()),
        ("-status:failing -active:no", EVERYONE - FAILING - {OFF.name}),
        ("-ada", EVERYONE - {ADA.name}),
        ('-"Ada Lovelace" campaigns', {OFF.name}),
        # A name without its value is being typed still; a wrong value finds nothing.
        ("status:", EVERYONE),
        ("type: ada", {ADA.name}),
        ("status:bad", set()),
        ("-", {person.name for person in PEOPLE if "-" in person.name + person.email}),
        ('"', EVERYONE),
    ],
)
def test_words_mean_accounts(wanted: str, names: set[str]) -> None:
    assert found(wanted) == names


def test_automatic_retrieval_is_found() -> None:
    assert ADA.retrieval is not None
    automatic = replace(ADA, retrieval=replace(ADA.retrieval, mode=RetrievalMode.AUTOMATIC))
    assert matches(automatic, None, "is:automatic")
    assert not matches(automatic, None, "is:manual")


def test_what_is_typed_as_it_is_shown_finds_it() -> None:
    hostile = replace(ADA, name="red \x1b[31m", notes="first line\nsecond\u200b line", type="b\u202ec")
    assert matches(hostile, None, r"\x1b[31m")
    assert matches(hostile, None, r"second\u200b")
    assert matches(hostile, None, r'"first line"')
    assert matches(hostile, None, r"type:\u202ec")


def test_forms_of_a_character_are_one() -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    assert matches(replace(ADA, name=composed), None, apart)
    assert matches(replace(ADA, name=apart), None, f"name:{composed}")
    assert matches(replace(ADA, name="STRASSE"), None, "stra\u00dfe")


def test_text_does_not_reach_over_two_fields() -> None:
    person = account("alpha", "beta@example.org")
    assert matches(person, None, "alpha beta@")
    assert not matches(person, None, '"alpha beta@"')


def test_a_report_of_other_servers_says_nothing() -> None:
    moved = replace(ALAN, submission=ADA.submission, retrieval=CHARLES.retrieval)
    assert matches(ALAN, REPORTS[ALAN.name], "status:failing")
    assert matches(moved, REPORTS[ALAN.name], "status:unchecked")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("status:bad", "status: is one of good, warning, failing, unchecked, off."),
        ("ada active:x", "active: is one of yes, no."),
        ("status:f ada 10:20", ""),
        ("type:nobody", ""),
    ],
)
def test_impossible_values_are_told(wanted: str, words: str) -> None:
    assert Filter.parse(wanted).problem == words


@pytest.mark.parametrize("kind", ["customer service", 'the "best"', "", "a:b", "-x", "\x1b[31m", "[/]"])
def test_asking_for_a_type_finds_exactly_that(kind: str) -> None:
    wanted = str(Filter.parse('ada "x y').asking(type=kind, status="good"))
    again = Filter.parse(wanted)
    assert str(again) == wanted
    assert [term.value for term in again.terms[:2]] == ["ada", "x y"]
    assert again.value("status") == "good"
    only = str(Filter().asking(type=kind))
    assert matches(replace(ADA, type=kind), None, only)
    assert not matches(replace(ADA, type=f"{kind}s"), None, only)
    assert str(again.asking(type=None, status=None)) == 'ada "x y"'


@given(st.text(max_size=60))
def test_any_line_can_be_read_and_reads_the_same_again(wanted: str) -> None:
    parsed = Filter.parse(wanted)
    assert Filter.parse(str(parsed)) == parsed
    parsed.matches(Card.of(ADA), "good")


def test_the_standing_is_the_worst_of_the_legs() -> None:
    assert standing_of(ADA, None) is Standing.UNCHECKED
    assert standing_of(ADA, report(ADA)) is Standing.GOOD
    assert standing_of(replace(ADA, active=False), report(ADA)) is Standing.OFF
    only_out = replace(report(ADA), inbound=None)
    assert standing_of(ADA, only_out) is Standing.UNCHECKED
    assert standing_of(ROBOT, report(ROBOT)) is Standing.GOOD
    failing = report(ALAN, WRONG_PASSWORD)
    assert standing_of(ALAN, failing) is Standing.FAILING
    assert standing_of(ALAN, replace(failing, inbound=None)) is Standing.FAILING, "one failure is enough"
    assert standing_of(AKIRA, REPORTS[AKIRA.name]) is Standing.WARNING


def test_one_reading_serves_many_accounts() -> None:
    meant = matcher("status:failing imap")
    assert {person.name for person in PEOPLE if meant(person, REPORTS.get(person.name))} == FAILING


def test_the_screens_find_the_same_and_learn_of_changes() -> None:
    board = Board()
    board.load(PEOPLE, REPORTS)
    fast = AccountFilter(board)
    assert fast.prepare(5)
    assert not fast.prepare(100)
    for wanted in ("", "failing", "type:camp", "-ada imap", "is:unsafe", "status:unchecked"):
        assert set(fast.matches(wanted)) == found(wanted)
    assert fast.matches("", [ADA.name]) == [ADA.name]
    board.put(replace(ADA, type="other"))
    assert fast.matches("type:camp") == [OFF.name]
    board.take_report(board.begin([NEW]), report(NEW, ago=timedelta()))
    assert fast.matches("status:unchecked") == []
