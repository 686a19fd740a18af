"""The receiving leg in Message Retrieval: what runs now, else the newer of the last check and retrieval. Pure."""

from dataclasses import replace

from mailtui.model.account import Account
from mailtui.model.check import Leg, Severity
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import clean
from mailtui.tui.board import Board
from mailtui.tui.legs import LegView, live_view, report_view, setup_of, severity_mark
from mailtui.tui.retrieval_words import progress_words
from mailtui.tui.retrievals import Retrieving, ended_at
from mailtui.tui.words import Mark


def receiving_mark(board: Board, name: str) -> Mark:
    """The mark of an account's entry."""
    if (running := board.retrievals.of(name)) is not None:
        return running.mark
    newest = board.newest_retrieval(name)
    return board.mark(name, Leg.INBOUND) if newest is None else severity_mark(newest.severity)


def receiving_view(board: Board, name: str) -> LegView:
    """The receiving leg of an account, with the mail that came over it."""
    account = board.account(name)
    setup = setup_of(account, Leg.INBOUND)
    running, newest = board.retrievals.of(name), board.newest_retrieval(name)
    if setup is None or (running is None and newest is None):
        return board.view(name, Leg.INBOUND)
    if running is not None:
        return _with_progress(live_view(setup, running.mark, running.leg), running)
    assert newest is not None
    return retrieved_view(account, newest)


def retrieved_view(account: Account, report: RetrievalReport) -> LegView:
    """The receiving leg of `account` as a retrieval found it."""
    setup = setup_of(account, Leg.INBOUND)
    if setup is None:
        return LegView(Leg.INBOUND, Mark.ABSENT)
    view = report_view(account, setup, severity_mark(report.severity), report.leg, ended_at(report))
    return view if view.failure is not None else replace(view, warning=view.warning or troubles(report))


def _with_progress(view: LegView, running: Retrieving) -> LegView:
    """The stage that is walked tells how far the mail is."""
    words = progress_words(running)
    stages = tuple(
        replace(stage, detail=words) if stage.mark is Mark.HALFWAY and stage.stage is running.stage else stage
        for stage in view.stages
    )
    return replace(view, stages=stages)


def troubles(report: RetrievalReport) -> str:
    """What kept mailboxes from being finished, else what a person should know; one line, cleaned, or empty."""
    several = len(report.mailboxes) > 1
    found = [
        (mailbox, words)
        for mailbox in report.mailboxes
        for words in ((mailbox.problem,) if report.severity is Severity.FAILED else mailbox.notes)
        if words
    ]
    lines = [f"{mailbox.name}: {words}" if several else words for mailbox, words in found]
    if not lines and report.is_stable is False:
        lines = ["the server names its messages differently at every login"]
    return clean("; ".join(dict.fromkeys(lines)))
