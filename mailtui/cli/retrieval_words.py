"""How a retrieval is put into words: pieces of lines, for a terminal, a pipe and the agent's log."""

from collections.abc import Iterator, Mapping

from mailtui.cli.output import BAD, DIM, WARN, Part, Styled, fit
from mailtui.cli.words import SEVERITY_STYLES, SEVERITY_WORDS, milliseconds
from mailtui.model.amounts import counted, octets_words
from mailtui.model.check import Severity
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport, Verdict
from mailtui.model.text import clean, width

_VERDICT_WORDS = {
    Verdict.FETCH: "fetch",
    Verdict.KEPT: "kept",
    Verdict.TOO_LARGE: "too large",
    Verdict.DELETE: "delete",
    Verdict.REFUSED: "refused",
}
_VERDICT_STYLES = {Verdict.TOO_LARGE: WARN, Verdict.DELETE: BAD, Verdict.REFUSED: WARN, Verdict.KEPT: DIM}


def result_line(report: RetrievalReport, name_columns: int = 0) -> list[Part]:
    """A whole retrieval on one line: its word, and what came; the name takes `name_columns` at least."""
    word = Styled(f"{SEVERITY_WORDS[report.severity]:<7}", SEVERITY_STYLES[report.severity])
    name = fit(report.account, max(name_columns, width(clean(report.account))))
    return [word, f"  {name}  {summary(report)}"]


def summary(report: RetrievalReport) -> str:
    """What a retrieval did, or in a dry run would do."""
    boxes = report.mailboxes
    recognised, kept = sum(box.recognised for box in boxes), sum(box.kept for box in boxes)
    parts = []
    if report.stored:
        parts.append(f"{report.stored:,} {'to fetch' if report.is_dry_run else 'new'}, {octets_words(report.octets)}")
    elif boxes:
        parts.append("nothing to fetch" if report.is_dry_run else "nothing new")
    if recognised:
        parts.append(f"{recognised:,} known by another name")
    if kept:
        parts.append(f"{kept:,} here already")
    if report.deleted:
        parts.append(f"{report.deleted:,} {'to delete' if report.is_dry_run else 'deleted'} on the server")
    left_out = sum(candidate.verdict in (Verdict.TOO_LARGE, Verdict.REFUSED) for candidate in report.candidates)
    if left_out:
        parts.append(f"{left_out:,} left out")
    if report.is_stable is not None:
        parts.append(f"UIDs {'alike' if report.is_stable else 'NOT ALIKE'} in two logins")
    if report.leg.failure is not None:
        parts.insert(0, f"at {report.leg.failure.stage.value}")
    return "; ".join([*parts, f"in {milliseconds(report.ms)}"])


def mailbox_lines(report: RetrievalReport) -> Iterator[list[Part]]:
    """What is to be said of single mailboxes: where mail went, what went wrong, and notes."""
    for box in report.mailboxes:
        head = f"{report.account}  {box.name}  "
        if told := _told(box, report.is_dry_run):
            yield [head, told]
        if box.problem and (report.leg.failure is None or box.problem != report.leg.failure.hint):
            yield [head, Styled(box.problem, BAD)]
        for note in box.notes:
            yield [head, Styled(note, WARN)]


def _told(box: MailboxResult, is_dry_run: bool) -> str:
    if not box.stored:
        return ""
    where = f" {'would go' if is_dry_run else 'went'} to {box.folder}" if box.folder else ""
    return f"{counted(box.stored, 'message')}{where}"


def candidate_lines(report: RetrievalReport) -> Iterator[list[Part]]:
    """The messages that are worth a line each."""
    for one in report.candidates:
        verdict = Styled(f"{_VERDICT_WORDS[one.verdict]:<9}", _VERDICT_STYLES.get(one.verdict, ""))
        size = "?" if one.octets is None else octets_words(one.octets)
        yield [f"{report.account}  {one.mailbox}  ", verdict, f"  {size:>6}  {_about(one)}"]


def _about(one: Candidate) -> str:
    told = "  ".join(text for text in (one.date, one.sender, one.subject) if text)
    about = told or (f"the message {one.uid}" if one.uid else "a message without a name")
    return f"{about}: {one.reply}" if one.reply else about


def total_line(accounts: Mapping[Severity, int], stored: int, octets: int, *, is_dry_run: bool) -> str:
    """So many accounts of each severity, and what came of all, in one line."""
    good, warned, failed = (accounts[severity] for severity in Severity)
    if not stored:
        came = "nothing to fetch" if is_dry_run else "nothing new"
    else:
        came = f"{stored:,} {'to fetch' if is_dry_run else 'new'}, {octets_words(octets)}"
    told = f"{good} good, {warned} with a warning, {failed} failed"
    return f"{good + warned + failed} accounts: {told}; {came}"
