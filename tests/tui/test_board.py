"""What the screens know: changes, counts, and the last words of checks that were given up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailtui.actions.standing import Standing
from mailtui.model.account import Protocol
from mailtui.model.check import CheckReport, Leg, StageResult, Status, plan
from mailtui.model.events import LegFinished, StageFinished, StageStarted
from mailtui.tui.board import Board
from mailtui.tui.words import Mark, age, days_left, duration
from tests.tui.people import ADA, ALAN, NEW, NOW, PEOPLE, REPORTS, ROBOT, SILENT, report


def loaded() -> Board:
    board = Board()
    board.load(PEOPLE, REPORTS)
    return board


def test_accounts_are_counted_by_the_worst_of_their_legs() -> None:
    board = loaded()
    counted = {standing: board.count(standing) for standing in Standing}
    assert counted == {
        Standing.GOOD: 4,
        Standing.WARNING: 1,
        Standing.FAILING: 5,
        Standing.UNCHECKED: 1,
        Standing.OFF: 1,
    }
    board.put(replace(ALAN, active=False))
    assert board.count(Standing.FAILING) == 4
    assert board.count(Standing.OFF) == 2
    assert sum(board.count(standing) for standing in Standing) == len(PEOPLE)


def test_a_leg_fills_its_circle_as_its_stages_end() -> None:
    board = loaded()
    run = board.begin([ADA])
    stages = plan(Protocol.SMTP, ADA.submission.endpoint.security, authentication=True)
    seen = [board.mark(ADA.name, Leg.OUTBOUND)]
    for step, stage in enumerate(stages):
        board.take_event(run, StageStarted(ADA.name, Leg.OUTBOUND, step, stage, 0.0))
        seen.append(board.mark(ADA.name, Leg.OUTBOUND))
        board.take_event(run, StageFinished(ADA.name, Leg.OUTBOUND, step, StageResult(stage, Status.OK), None, 0.0))
    leg = REPORTS[ADA.name].outbound
    assert leg is not None
    board.take_event(run, LegFinished(ADA.name, leg))
    seen.append(board.mark(ADA.name, Leg.OUTBOUND))
    assert list(dict.fromkeys(seen)) == [Mark.QUEUED, Mark.BEGUN, Mark.HALFWAY, Mark.NEARLY, Mark.OK]
    assert board.mark(ADA.name, Leg.INBOUND) is Mark.QUEUED, "the other leg waits"


def test_only_what_changed_is_told_newest_first() -> None:
    board = loaded()
    before = board.serial
    board.put(ADA)
    board.put(ALAN)
    board.put(ADA)
    assert list(board.changed_since(before)) == [ADA.name, ALAN.name]
    assert list(board.changed_since(board.serial)) == []


def test_a_check_that_was_given_up_changes_nothing_any_more() -> None:
    board = loaded()
    first = board.begin([NEW])
    assert board.abandon(first) == 1
    second = board.begin([NEW])
    stage = plan(Protocol.SMTP, NEW.submission.endpoint.security, authentication=True)[0]
    board.take_event(first, StageStarted(NEW.name, Leg.OUTBOUND, 0, stage, 0.0))
    assert board.mark(NEW.name, Leg.OUTBOUND) is Mark.QUEUED
    assert board.take_report(first, report(NEW)) is False
    assert board.abandon(first) == 0
    assert board.running == 1
    assert board.take_report(second, report(NEW)) is True
    assert board.mark(NEW.name, Leg.OUTBOUND) is Mark.OK


def test_a_reload_keeps_reports_that_are_not_stored_yet() -> None:
    board = loaded()
    fresh = report(NEW, SILENT, ago=timedelta())
    assert board.take_report(board.begin([NEW]), fresh)
    board.load(PEOPLE, REPORTS)
    assert board.report(NEW.name) is fresh
    assert not board.lacks_transcripts(NEW.name)
    assert board.lacks_transcripts(ADA.name)


def test_a_reload_forgets_the_report_of_an_account_that_was_made_again() -> None:
    board = loaded()
    again = replace(ALAN, created=NOW + timedelta(minutes=1))
    board.load([again], {})
    assert board.report(ALAN.name) is None
    assert board.names == [ALAN.name]


def test_a_renamed_account_keeps_its_report() -> None:
    board = loaded()
    board.put(replace(ALAN, name="Zed"), instead_of=ALAN.name)
    assert ALAN.name not in board
    assert board.mark("Zed", Leg.OUTBOUND) is Mark.FAILED
    assert board.count(Standing.FAILING) == 5
    assert board.names[-1] != ALAN.name


def test_a_report_of_other_settings_is_marked_as_outdated() -> None:
    board = loaded()
    assert not board.view(ADA.name, Leg.OUTBOUND).outdated
    submission = replace(ADA.submission, endpoint=replace(ADA.submission.endpoint, port=587))
    board.put(replace(ADA, submission=submission))
    assert board.view(ADA.name, Leg.OUTBOUND).outdated
    assert not board.view(ADA.name, Leg.INBOUND).outdated


def test_the_report_of_a_leg_that_is_gone_is_not_shown() -> None:
    board = loaded()
    board.put(replace(ALAN, retrieval=None))
    assert board.mark(ALAN.name, Leg.INBOUND) is Mark.ABSENT
    board.put(replace(ROBOT, retrieval=ADA.retrieval))
    assert board.mark(ROBOT.name, Leg.INBOUND) is Mark.UNCHECKED


def test_a_whole_report_completes_a_bare_one_but_never_a_newer() -> None:
    board = loaded()
    board.complete(REPORTS[ADA.name])
    assert not board.lacks_transcripts(ADA.name)
    newer: CheckReport = report(ADA, ago=timedelta())
    board.take_report(board.begin([ADA]), newer)
    board.complete(REPORTS[ADA.name])
    assert board.report(ADA.name) is newer


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=1), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=23), "23 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13), "13 days ago"),
        (timedelta(days=14), "2025-05-18"),
    ],
)
def test_ages(ago: timedelta, words: str) -> None:
    assert age(NOW - ago, NOW) == words
    assert len(words) <= 11


@pytest.mark.parametrize(("ms", "words"), [(0.04, "0.0 ms"), (9.96, "10.0 ms"), (999.4, "999 ms"), (12_340, "12.3 s")])
def test_durations(ms: float, words: str) -> None:
    assert duration(ms) == words
    assert len(words) <= 7


@pytest.mark.parametrize(
    ("days", "words"), [(-2, "ended 2 days ago"), (-1, "ended 1 day ago"), (0, "ends today"), (1, "1 day left")]
)
def test_days_left(days: int, words: str) -> None:
    assert days_left(days) == words
