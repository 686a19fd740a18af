"""A retrieval in full, as paragraphs: what came of each mailbox, which messages were left, and why."""

from collections.abc import Iterator
from datetime import datetime

from mailtui.model.amounts import counted, octets_words
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport, Verdict
from mailtui.model.text import clean
from mailtui.tui.detail_lines import stage_paragraph
from mailtui.tui.diagnosing import short_cause
from mailtui.tui.flow import Paragraph
from mailtui.tui.legs import LegView
from mailtui.tui.retrieval_words import fetched, progress_words
from mailtui.tui.retrievals import Retrieving, ended_at
from mailtui.tui.setting_lines import fact, heading
from mailtui.tui.verdict_lines import verdict
from mailtui.tui.words import Mark, Role, age, duration

_VERDICTS = {
    Verdict.FETCH: ("fetch", Role.OK),
    Verdict.DELETE: ("delete", Role.WARNING),
    Verdict.TOO_LARGE: ("too large", Role.WARNING),
    Verdict.REFUSED: ("refused", Role.FAILED),
    Verdict.KEPT: ("kept", Role.DIM),
}
_VERDICT_COLUMNS = 18
"""The verdict, the size and the gaps."""


def retrieval_section(
    running: Retrieving | None, report: RetrievalReport | None, due: datetime | None, now: datetime, email: str
) -> Iterator[Paragraph]:
    """The last retrieval of the account with that address, how far one is that runs, and when the next begins."""
    if running is None and report is None and due is None:
        return
    yield from heading("Last retrieval")
    if running is not None:
        yield fact("Now", progress_words(running) or running.mark.meaning, Role.BUSY)
    elif due is not None:
        yield fact("Next", "by itself, any moment" if due <= now else f"by itself at {due.astimezone():%H:%M}")
    if report is not None:
        yield from _summary(report, now)
        if report.leg.failure is not None:
            yield fact("Failed", short_cause(report.leg, email), Role.FAILED)
        yield from _mailboxes(report)
        yield from _candidates(report)


def _summary(report: RetrievalReport, now: datetime) -> Iterator[Paragraph]:
    ended = ended_at(report)
    yield fact("Retrieved", f"{age(ended, now)}, in {duration(report.ms)}")
    role = Role.STRONG if report.stored else Role.PLAIN
    yield fact("Brought", fetched(report), role)
    if report.deleted:
        yield fact("Deleted", f"{counted(report.deleted, 'message')} on the server")


def _mailboxes(report: RetrievalReport) -> Iterator[Paragraph]:
    for mailbox in report.mailboxes:
        yield fact(mailbox.name, _mailbox_words(mailbox, report.is_dry_run))
        if mailbox.problem:
            yield Paragraph(((f"  {Mark.FAILED.glyph}", Role.FAILED),), clean(mailbox.problem), Role.FAILED, 4)
        for note in mailbox.notes:
            yield Paragraph(((f"  {Mark.WARNING.glyph}", Role.WARNING),), clean(note), Role.WARNING, 4)


def _mailbox_words(mailbox: MailboxResult, is_dry_run: bool) -> str:
    brought = "to fetch" if is_dry_run else "new"
    words = [f"{mailbox.stored} {brought}, {octets_words(mailbox.octets)}" if mailbox.stored else f"nothing {brought}"]
    if mailbox.recognised:
        words.append(f"{mailbox.recognised} recognised")
    if mailbox.kept:
        words.append(f"{mailbox.kept} here before")
    if mailbox.deleted:
        words.append(f"{mailbox.deleted} {'to delete' if is_dry_run else 'deleted'} there")
    words.append(f"{mailbox.on_server} on the server")
    told = ", ".join(words)
    return f"{told}; in {mailbox.folder}" if mailbox.folder else told


def _candidates(report: RetrievalReport) -> Iterator[Paragraph]:
    if not report.candidates:
        return
    yield from heading("Messages" if report.is_dry_run else "Messages that were left on the server")
    several = len({candidate.mailbox for candidate in report.candidates}) > 1
    for candidate in report.candidates:
        yield _candidate(candidate, several)


def _candidate(candidate: Candidate, several: bool) -> Paragraph:
    word, role = _VERDICTS[candidate.verdict]
    size = "" if candidate.octets is None else octets_words(candidate.octets)
    parts = [candidate.sender, candidate.subject or "(no subject)", candidate.date]
    if several:
        parts.insert(0, candidate.mailbox)
    if candidate.reply:
        parts.append(f"server said: {candidate.reply}")
    lead = ((word.ljust(9), role), (size.rjust(7), Role.DIM))
    return Paragraph(lead, clean(" · ".join(part for part in parts if part)), Role.PLAIN, _VERDICT_COLUMNS)


def dry_run_paragraphs(
    view: LegView, running: Retrieving | None, report: RetrievalReport | None, error: str
) -> Iterator[Paragraph]:
    """A dry run: how far it is, then what it would fetch and delete, or why it failed."""
    if report is None and running is not None:
        told = progress_words(running) or "looking what there is"
        yield Paragraph(((Mark.HALFWAY.glyph, Role.BUSY),), told, Role.BUSY, 2)
        yield Paragraph((), "Nothing is fetched or deleted, and nothing is written here.", Role.DIM, 2)
        yield from heading("Stages")
        yield from map(stage_paragraph, view.stages)
        return
    if report is None:
        words = error or "The dry run ended without a result."
        yield Paragraph(((Mark.FAILED.glyph, Role.FAILED),), clean(words), Role.FAILED, 2)
        return
    failed = report.leg.failure is not None
    mark = Mark.FAILED if failed else Mark.WARNING if report.severity else Mark.OK
    yield Paragraph(((mark.glyph, mark.role),), _would(report), Role.FAILED if failed else Role.STRONG, 2)
    if report.is_stable is not None:
        yield _stability(report.is_stable)
    if failed or view.warning:
        yield from verdict(view)
    if report.mailboxes:
        yield from heading("Mailboxes")
        yield from _mailboxes(report)
    yield from _candidates(report)


def _would(report: RetrievalReport) -> str:
    if report.leg.failure is not None:
        return "This cannot be told: the retrieval would fail."
    fetch = f"fetch {counted(report.stored, 'message')}, {octets_words(report.octets)}" if report.stored else ""
    delete = f"delete {counted(report.deleted, 'message')} on the server" if report.deleted else ""
    told = ", and ".join(filter(None, (fetch, delete)))
    return f"A retrieval now would {told}." if told else "A retrieval now would fetch nothing and delete nothing."


def _stability(is_stable: bool) -> Paragraph:
    if is_stable:
        words = "The server named its messages alike in two logins: what is here already is known by these names."
        return Paragraph(((Mark.OK.glyph, Role.OK),), words, Role.PLAIN, 2)
    words = (
        "The server named its messages differently in two logins: they are fetched again each time, "
        "and known by their contents, so that none comes twice."
    )
    return Paragraph(((Mark.WARNING.glyph, Role.WARNING),), words, Role.WARNING, 2)
