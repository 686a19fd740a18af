"""What the screens know of retrievals, without a screen."""

from dataclasses import replace
from datetime import timedelta

import pytest

from mailtui.model.account import RetrievalMode
from mailtui.model.check import Cause, Failure, Leg, Stage
from mailtui.model.events import LegFinished, StageStarted
from mailtui.model.retrieval import MailboxResult, RetrievalProgress, RetrievalStarted
from mailtui.tui.board import Board
from mailtui.tui.receiving import troubles
from mailtui.tui.retrieval_columns import RETRIEVAL_COLUMNS, RetrievalRow
from mailtui.tui.retrieval_words import bar, outcome, progress_words, short_progress
from mailtui.tui.retrievals import Retrieving, ended_at
from mailtui.tui.words import Mark
from tests.tui.people import ADA, ALAN, NOW, REPORTS
from tests.tui.retrieved import retrieval_report

COLUMNS = {column.id: column for column in RETRIEVAL_COLUMNS}
REFUSED = Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "refused", "NO [AUTHENTICATIONFAILED] no")


def board() -> Board:
    found = Board()
    found.load([ADA, ALAN], REPORTS)
    return found


def test_the_newer_of_check_and_retrieval_counts() -> None:
    found = board()
    checked = REPORTS[ADA.name].started
    before = retrieval_report(ADA, failure=REFUSED, ago=NOW - checked + timedelta(minutes=1))
    found.retrievals.load({ADA.name: before}, found.names)
    assert found.newest_retrieval(ADA.name) is None
    assert found.receiving_mark(ADA.name) is Mark.OK
    assert found.last_legs(ADA.name) == REPORTS[ADA.name].legs
    after = retrieval_report(ADA, failure=REFUSED, ago=timedelta(0))
    found.retrievals.load({ADA.name: after}, found.names)
    assert found.newest_retrieval(ADA.name) == after
    assert found.receiving_mark(ADA.name) is Mark.FAILED
    assert found.receiving_view(ADA.name).failure == REFUSED
    outbound = REPORTS[ADA.name].outbound
    assert found.last_legs(ADA.name) == (outbound, after.leg)
    run = found.begin([ADA])
    assert found.newest_retrieval(ADA.name) is None, "what is checked now will be newer"
    found.abandon(run)
    assert found.newest_retrieval(ADA.name) == after


def test_of_two_reports_the_newer_stays_whatever_is_loaded() -> None:
    found = board()
    old, new = retrieval_report(ADA), retrieval_report(ADA, ago=timedelta(0))
    found.retrievals.load({ADA.name: new}, found.names)
    found.retrievals.load({ADA.name: old}, found.names)
    assert found.retrievals.last(ADA.name) == new
    found.retrievals.load({}, [ALAN.name])
    assert found.retrievals.last(ADA.name) is None, "the account is gone"


def test_what_a_run_that_is_over_says_is_not_heard() -> None:
    found = board()
    first = found.retrievals.begin([ADA], by_hand=True)
    assert found.retrievals.end(first[ADA.name])
    assert not found.retrievals.end(first[ADA.name])
    second = found.retrievals.begin([ADA], by_hand=True)
    found.retrievals.take(first, RetrievalProgress(ADA.name, "INBOX", 5, 9, 0, 0), NOW)
    assert second[ADA.name].progress is None
    assert not found.retrievals.end(first[ADA.name], retrieval_report(ADA))
    assert found.retrievals.last(ADA.name) is None
    assert found.retrievals.running == 1


def test_a_change_is_noted_once_for_each_account() -> None:
    found = board()
    serial = found.serial
    batch = found.retrievals.begin([ADA], by_hand=True)
    for number in range(50):
        found.retrievals.take(batch, RetrievalProgress(ADA.name, "INBOX", number, 50, 0, 0), NOW)
    assert list(found.changed_since(serial)) == [ADA.name]


def test_a_run_tells_its_stages_its_pace_and_its_end() -> None:
    running = Retrieving.of(ADA, by_hand=True)
    assert short_progress(running) == "waiting its turn"
    assert running.mark.glyph == Mark.QUEUED.glyph
    running.take(RetrievalStarted(ADA.name), NOW)
    running.take(StageStarted(ADA.name, Leg.INBOUND, 1, Stage.CONNECT, 0.0), NOW)
    assert short_progress(running) == "Connect …"
    transfer = running.leg.planned.index(Stage.TRANSFER)
    running.take(StageStarted(ADA.name, Leg.INBOUND, transfer, Stage.TRANSFER, 0.0), NOW)
    assert short_progress(running) == progress_words(running) == "looking for new mail"
    # What was there before the first word says nothing of how fast it comes.
    running.take(RetrievalProgress(ADA.name, "INBOX", 100, 300, 100_000, 300_000), NOW)
    running.take(RetrievalProgress(ADA.name, "INBOX", 200, 300, 200_000, 300_000), NOW + timedelta(seconds=10))
    assert short_progress(running) == "50%, 100 of 200, 10 KB/s, 10 s left"
    assert progress_words(running) == f"{bar(0.5)} 50%, 100 of 200, 10 KB/s, 10 s left"
    assert running.mark.glyph == Mark.HALFWAY.glyph
    running.is_ending = True
    assert short_progress(running) == "stopping …"
    running.is_ending = False
    running.take(LegFinished(ADA.name, retrieval_report(ADA).leg), NOW)
    assert short_progress(running) == "ending …"
    assert running.mark.glyph == Mark.OK.glyph


def test_a_failure_is_told_before_the_report_is_there() -> None:
    running = Retrieving.of(ADA, by_hand=True)
    running.leg.failure = replace(REFUSED, hint="refused\x1b[2J")
    assert short_progress(running) == "refused\\x1b[2J"


@pytest.mark.parametrize(("share", "drawn"), [(0.0, "╌" * 10), (0.55, "━" * 5 + "╌" * 5), (1.0, "━" * 10)])
def test_the_bar_fills(share: float, drawn: str) -> None:
    assert bar(share) == drawn


def test_the_outcome_tells_mail_first_then_what_went_wrong() -> None:
    inbox = MailboxResult("INBOX", stored=12, octets=3_400, deleted=2)
    assert outcome(retrieval_report(ADA, inbox), ADA.email) == "12 new, 3.4 KB; 2 deleted there"
    cut = Failure(Cause.CLOSED, Stage.TRANSFER, "the server hung up")
    told = outcome(retrieval_report(ADA, inbox, failure=cut), ADA.email)
    assert told.startswith("12 new, 3.4 KB; 2 deleted there; ")
    assert outcome(retrieval_report(ADA), ADA.email) == "nothing new"


def test_troubles_name_their_mailbox_where_there_are_several() -> None:
    note = "left\x07 alone"
    one = retrieval_report(ADA, MailboxResult("INBOX", notes=(note,)))
    assert troubles(one) == "left\\x07 alone"
    two = retrieval_report(ADA, MailboxResult("INBOX", notes=(note,)), MailboxResult("Lists", notes=(note,)))
    assert troubles(two) == "INBOX: left\\x07 alone; Lists: left\\x07 alone"
    assert "differently" in troubles(retrieval_report(ADA, is_stable=False))
    assert troubles(retrieval_report(ADA)) == ""


def row(**more: object) -> RetrievalRow:
    assert ADA.retrieval is not None
    retrieval = replace(ADA.retrieval, mode=RetrievalMode.AUTOMATIC, interval=15)
    return replace(RetrievalRow(ADA, retrieval, Mark.UNCHECKED, None, None), **more)  # type: ignore[arg-type]  # the fields of a row


@pytest.mark.parametrize(
    ("shown", "wide", "narrow"),
    [
        (row(), "every 15 min", "15 min"),
        (row(due=NOW + timedelta(minutes=14)), "every 15 min, in 14 min", "in 14m"),
        (row(due=NOW + timedelta(seconds=40)), "every 15 min, in 40 s", "in 40 s"),
        (row(due=NOW), "every 15 min, now", "now"),
        (row(due=NOW + timedelta(minutes=14), is_told=True), "at once, or in 14 min", "at once"),
        (row(retrieval=ADA.retrieval), "manual", "manual"),
    ],
)
def test_the_method_tells_when_the_next_begins(shown: RetrievalRow, wide: str, narrow: str) -> None:
    column = COLUMNS["method"]
    assert column.cell(shown, NOW, 24).rstrip() == wide
    assert column.cell(shown, NOW, column.least).rstrip() == narrow


def test_new_mail_is_counted_while_it_comes_and_not_where_nothing_is_known() -> None:
    column = COLUMNS["new"]
    assert column.cell(row(), NOW, 3) == "–  "
    failed = retrieval_report(ADA, failure=REFUSED)
    assert column.cell(row(retrieved=failed), NOW, 3) == "–  "
    many = retrieval_report(ADA, MailboxResult("INBOX", stored=12_345))
    assert column.cell(row(retrieved=many), NOW, 3) == "12k"
    assert column.cell(row(retrieved=many), NOW, 5) == "12345"
    running = Retrieving.of(ADA, by_hand=True)
    running.progress = RetrievalProgress(ADA.name, "INBOX", 7, 9, 0, 0)
    assert column.cell(row(retrieved=many, running=running), NOW, 5) == "7    "


def test_a_retrieval_ended_when_it_was_over() -> None:
    report = retrieval_report(ADA)
    assert ended_at(report) == report.started + timedelta(milliseconds=report.ms)
