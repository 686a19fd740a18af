"""Everything about one leg's last check, as paragraphs for a column of any width."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from mailtui.model.account import Account, Trust
from mailtui.model.check import CERTIFICATE_WARNING, CertificateFacts, LegReport, Stage, TlsFacts, TranscriptLine
from mailtui.model.text import clean
from mailtui.model.trends import CapabilityChange
from mailtui.tui.flow import Flow, Paragraph
from mailtui.tui.ladder_lines import Line
from mailtui.tui.legs import LegView, StageView
from mailtui.tui.setting_lines import fact, heading, leg_settings
from mailtui.tui.verdict_lines import families, verdict
from mailtui.tui.words import STAGE_COLUMNS, STAGE_NAMES, Mark, Role, age, days_left, duration

_BLANK = Paragraph()


def detail_lines(view: LegView, now: datetime, columns: int, warned_days: int = CERTIFICATE_WARNING.days) -> list[Line]:
    """The sections of a leg as lines of at most `columns`, or 24 where there are fewer."""
    return Flow(list(detail(view, now, warned_days=warned_days)), max(columns, 24)).lines


def detail(
    view: LegView,
    now: datetime,
    account: Account | None = None,
    change: CapabilityChange | None = None,
    *,
    warned_days: int = CERTIFICATE_WARNING.days,
    retrieval: Iterable[Paragraph] = (),
) -> Iterator[Paragraph]:
    """Server, verdict, last retrieval, stages, protection, certificates, capabilities, transcript, settings of a leg.

    `account` adds what else it says of this leg, `change` what the server offered at the check before. Certificates
    that end within `warned_days` stand out. `retrieval` is the section about the last retrieval.
    """
    if view.endpoint is None:
        yield Paragraph((("This account only sends mail.", Role.DIM),))
        return
    yield from _check(view, now)
    yield from verdict(view)
    yield from retrieval
    yield from heading("Stages")
    for stage, words in zip(view.stages, _stage_words(view, now), strict=True):
        yield stage_paragraph(stage, words)
    report = view.report
    if report is not None:
        yield from families(report.families)
        if report.tls is not None:
            yield from _protection(report, report.tls, now, warned_days)
        yield from _capabilities(report, now, change)
        yield from _transcript(report)
    # Last: the end key is the shortest way, and what is wrong stands above.
    if account is not None:
        yield from leg_settings(account, view.leg, now)


def _check(view: LegView, now: datetime) -> Iterator[Paragraph]:
    assert view.endpoint is not None
    endpoint = view.endpoint
    yield fact("Server", f"{endpoint.label} {endpoint.security.label}")
    yield fact("Certificates", endpoint.certificate.trust.label, Role.FAILED if view.accepts_anything else Role.PLAIN)
    yield fact("Checked", _checked(view, now))
    if view.outdated:
        yield fact("Note", "the settings were changed since this check; test again", Role.WARNING)


def _checked(view: LegView, now: datetime) -> str:
    if view.report is None:
        return "not yet; press t to test" if view.mark is Mark.UNCHECKED else view.mark.meaning
    words = f"in {duration(view.report.ms)}"
    if view.checked is not None:
        words = f"{age(view.checked, now)}, {words}"
    turns = view.report.round_trips
    return f"{words}, {turns} round trip{'s' * (turns != 1)}" if turns else words


def _stage_words(view: LegView, now: datetime) -> Iterator[str]:
    """What each stage says beside its time: what other sections say in full is not said twice."""
    report = view.report
    told = [at for at, stage in enumerate(view.stages) if stage.stage is Stage.CAPABILITIES and stage.mark is Mark.OK]
    for at, stage in enumerate(view.stages):
        if stage.mark is Mark.SKIPPED:
            yield "skipped"
        elif report is None or stage.mark is not Mark.OK:
            yield stage.detail
        elif stage.stage is Stage.TLS and report.tls is not None:
            yield _tls_words(report.tls, now)
        elif stage.stage is Stage.CAPABILITIES and report.capabilities:
            yield f"{len(report.capabilities)} offered" if at == told[-1] else ""
        else:
            yield stage.detail


def _tls_words(tls: TlsFacts, now: datetime) -> str:
    words = [tls.version] if tls.version else []
    if tls.certificate is not None:
        words.append(days_left(tls.certificate.days_left(now)))
    if not tls.verified:
        words.append("NOT PROVEN")
    return ", ".join(words)


def stage_paragraph(stage: StageView, words: str | None = None) -> Paragraph:
    """One stage: mark, name, time, and `words` in place of its own detail."""
    spent = "" if stage.ms is None else duration(stage.ms)
    name = Role.FAILED if stage.mark is Mark.FAILED else Role.PLAIN if stage.ms is not None else Role.DIM
    lead = (
        (f"{stage.mark.glyph} ", stage.mark.role),
        (STAGE_NAMES[stage.stage].ljust(STAGE_COLUMNS), name),
        (f" {spent.rjust(7)}", Role.DIM),
    )
    return Paragraph(lead, clean(stage.detail if words is None else words), Role.DIM, STAGE_COLUMNS + 12)


def _protection(report: LegReport, tls: TlsFacts, now: datetime, warned_days: int) -> Iterator[Paragraph]:
    yield from heading("TLS")
    if tls.version:
        yield fact("Protected by", f"{tls.version} {tls.cipher}")
    if tls.verified:
        yield fact("Identity", "proven by the certificate", Role.OK)
    else:
        yield fact("Identity", "NOT PROVEN: anyone could answer in this server's name", Role.FAILED)
    if tls.certificate is None:
        return
    yield from heading("Certificate")
    yield from _certificate(tls.certificate, now, warned_days)
    if not tls.chain:
        yield fact("Issuer", tls.certificate.issuer or "(none)")
        return
    proven = tls.verified and report.endpoint.certificate.trust in (Trust.SYSTEM, Trust.CA_FILE)
    yield from heading("Issued by" if proven else "Issued by, as the server says (proves nothing)")
    for issuer in tls.chain:
        yield _issuer(issuer, now, warned_days)


def _certificate(facts: CertificateFacts, now: datetime, warned_days: int) -> Iterator[Paragraph]:
    yield fact("Ends", _ends(facts, now), _life(facts, now, warned_days))
    yield fact("Begins", f"{facts.not_before:%Y-%m-%d}")
    yield fact("Subject", facts.subject or "(none)")
    yield fact("Names", ", ".join(facts.names) or "(none)")
    yield fact("SHA-256", _in_halves(facts.fingerprint))
    yield fact("Key pin", _in_halves(facts.pin))


def _issuer(facts: CertificateFacts, now: datetime, warned_days: int) -> Paragraph:
    """One line where there is room: how long it lasts, whose it is, and when it ends."""
    lead = ((f"  {days_left(facts.days_left(now))}", _life(facts, now, warned_days)),)
    words = f"{facts.subject or '(no name)'}, until {facts.not_after:%Y-%m-%d}"
    return Paragraph(lead, clean(words), Role.PLAIN, 20)


def _ends(facts: CertificateFacts, now: datetime) -> str:
    return f"{facts.not_after:%Y-%m-%d}, {days_left(facts.days_left(now))}"


def _life(facts: CertificateFacts, now: datetime, warned_days: int) -> Role:
    days = facts.days_left(now)
    return Role.FAILED if days < 0 else Role.WARNING if days < warned_days else Role.OK


def _in_halves(digits: str) -> str:
    """Where the digits need two lines, these are alike."""
    half = len(digits) // 2
    return f"{digits[:half]} {digits[half:]}" if half else digits


def _capabilities(report: LegReport, now: datetime, change: CapabilityChange | None) -> Iterator[Paragraph]:
    if not report.capabilities:
        return
    yield from heading("Capabilities")
    if change is not None:
        since = age(change.since, now)
        signs = [f"+ {offer}" for offer in change.added] + [f"− {offer}" for offer in change.removed]
        if signs:
            role = Role.WARNING if change.removed else Role.OK
            yield Paragraph((), clean(f"since {since}: {', '.join(signs)}"), role, 2)
        else:
            yield Paragraph((), f"the same as {since}", Role.DIM, 2)
    yield Paragraph((), clean(", ".join(report.capabilities), 20_000), Role.PLAIN, 2)


def _transcript(report: LegReport) -> Iterator[Paragraph]:
    yield from heading("Transcript")
    if not report.transcript:
        yield Paragraph((("(not kept)", Role.DIM),))
    for line in report.transcript:
        yield _dialogue(line)


def _dialogue(line: TranscriptLine) -> Paragraph:
    role = Role.DIM if line.sender == "*" else Role.PLAIN
    lead = (
        (f"{line.at_ms:6.0f} ", Role.DIM),
        (clean(line.sender, 1), Role.BUSY if line.sender == "C" else Role.DIM),
    )
    return Paragraph(lead, clean(line.text), role, 10)
