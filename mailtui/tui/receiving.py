"""The receiving leg as a retrieval that runs, or has ended, shows it. Pure."""

from dataclasses import replace

from mailtui.model.account import Account
from mailtui.model.check import Leg, Severity
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import clean
from mailtui.tui.legs import LegView, live_view, report_view, setup_of, severity_mark
from mailtui.tui.retrieval_words import progress_words
from mailtui.tui.retrievals import Retrieving, ended_at
from mailtui.tui.words import Mark


def retrieving_view(account: Account, running: Retrieving) -> LegView:
    """The receiving leg of `account` while its mail is retrieved; the stage that is walked tells how far that is."""
    setup = setup_of(account, Leg.INBOUND)
    if setup is None:
        return LegView(Leg.INBOUND, Mark.ABSENT)
    view = live_view(setup, running.mark, running.leg)
    words = progress_words(running)
    stages = tuple(
        replace(stage, detail=words) if stage.mark is Mark.HALFWAY and stage.stage is running.stage else stage
        for stage in view.stages
    )
    return replace(view, stages=stages)


def retrieved_view(account: Account, report: RetrievalReport) -> LegView:
    """The receiving leg of `account` as a retrieval found it."""
    setup = setup_of(account, Leg.INBOUND)
    if setup is None:
        return LegView(Leg.INBOUND, Mark.ABSENT)
    view = report_view(account, setup, severity_mark(report.severity), report.leg, ended_at(report))
    return view if view.failure is not None else replace(view, warning=view.warning or troubles(report))


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
