"""A retrieval report as JSON data and back, without loss. The names are stable and documented in docs/json.md."""

from mailtui.model.report_json import VERSION, Json, Reader, leg_to_json, read_leg, severity_name, time_text
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport, Verdict


def retrieval_to_json(report: RetrievalReport, *, transcript: bool = True) -> Json:
    """`report` as plain data for json.dumps; without its `transcript` field if that is not wanted."""
    return {
        "version": VERSION,
        "account": report.account,
        "started": time_text(report.started),
        "ms": report.ms,
        "severity": severity_name(report.severity),
        "dry_run": report.is_dry_run,
        "stable": report.is_stable,
        "stored": report.stored,
        "octets": report.octets,
        "deleted": report.deleted,
        "leg": leg_to_json(report.leg, report.started, transcript),
        "mailboxes": [_mailbox(mailbox) for mailbox in report.mailboxes],
        "candidates": [_candidate(candidate) for candidate in report.candidates],
    }


def _mailbox(mailbox: MailboxResult) -> Json:
    return {
        "name": mailbox.name,
        "folder": mailbox.folder,
        "stored": mailbox.stored,
        "octets": mailbox.octets,
        "recognised": mailbox.recognised,
        "kept": mailbox.kept,
        "deleted": mailbox.deleted,
        "on_server": mailbox.on_server,
        "problem": mailbox.problem,
        "notes": list(mailbox.notes),
    }


def _candidate(candidate: Candidate) -> Json:
    return {
        "mailbox": candidate.mailbox,
        "uid": candidate.uid,
        "verdict": candidate.verdict.value,
        "octets": candidate.octets,
        "sender": candidate.sender,
        "subject": candidate.subject,
        "date": candidate.date,
        "reply": candidate.reply,
    }


def retrieval_from_json(data: object) -> RetrievalReport:
    """The report that `retrieval_to_json` wrote; derived fields are not read, unknown ones are ignored.

    Raises ValueError, which names the field that is missing or wrong.
    """
    report = Reader(data, "retrieval")
    if (version := report.number("version")) != VERSION:
        raise ValueError(f"retrieval.version is {version}; this program reads version {VERSION}")
    return RetrievalReport(
        account=report.text("account"),
        started=report.time("started"),
        ms=report.real("ms"),
        leg=report.one("leg", read_leg),
        mailboxes=report.many("mailboxes", _read_mailbox),
        candidates=report.many("candidates", _read_candidate),
        is_dry_run=report.flag("dry_run"),
        is_stable=None if report.data.get("stable", False) is None else report.flag("stable"),
    )


def _read_mailbox(mailbox: Reader) -> MailboxResult:
    return MailboxResult(
        name=mailbox.text("name"),
        folder=mailbox.text("folder"),
        stored=mailbox.number("stored"),
        octets=mailbox.number("octets"),
        recognised=mailbox.number("recognised"),
        kept=mailbox.number("kept"),
        deleted=mailbox.number("deleted"),
        on_server=mailbox.number("on_server"),
        problem=mailbox.text("problem"),
        notes=mailbox.texts("notes"),
    )


def _read_candidate(candidate: Reader) -> Candidate:
    return Candidate(
        mailbox=candidate.text("mailbox"),
        uid=candidate.text("uid"),
        verdict=candidate.member("verdict", Verdict),
        octets=candidate.count("octets"),
        sender=candidate.text("sender"),
        subject=candidate.text("subject"),
        date=candidate.text("date"),
        reply=candidate.text("reply"),
    )
