"""Everything about one leg's last check, as lines for a column of any width."""

from collections.abc import Iterator
from datetime import datetime

from mailtui.model.check import CertificateFacts, LegReport, TlsFacts, TranscriptLine
from mailtui.model.text import clean
from mailtui.tui.ladder_lines import Line
from mailtui.tui.legs import LegView
from mailtui.tui.words import STAGE_COLUMNS, STAGE_NAMES, Mark, Role, age, days_left, duration, wrap

_LABEL_COLUMNS = 13


def detail_lines(view: LegView, now: datetime, columns: int) -> list[Line]:
    """The sections of a leg: server, stages, failure, protection, certificate, capabilities, transcript."""
    return list(_sections(view, now, max(columns, 24)))


def _sections(view: LegView, now: datetime, columns: int) -> Iterator[Line]:
    if view.endpoint is None:
        yield (("This account only sends mail.", Role.DIM),)
        return
    endpoint = view.endpoint
    yield from _fact("Server", f"{endpoint.label} {endpoint.security.label}", columns)
    role = Role.FAILED if view.accepts_anything else Role.PLAIN
    yield from _fact("Certificates", endpoint.certificate.trust.label, columns, role)
    yield from _fact("Checked", _checked(view, now), columns)
    if view.outdated:
        yield from _fact("Note", "the settings were changed since this check; test again", columns, Role.WARNING)
    yield from _verdict(view, columns)
    yield from _heading("Stages")
    for stage in view.stages:
        yield from _stage(stage.mark, STAGE_NAMES[stage.stage], stage.ms, stage.detail, columns)
    report = view.report
    if report is None:
        return
    yield from _session(report, columns)
    if report.tls is not None:
        yield from _protection(report.tls, now, columns)
    if report.capabilities:
        yield from _heading("Capabilities")
        yield from _text(", ".join(report.capabilities), columns)
    yield from _heading("Transcript")
    if not report.transcript:
        yield (("(not kept)", Role.DIM),)
    for line in report.transcript:
        yield from _dialogue(line, columns)


def _heading(title: str) -> Iterator[Line]:
    yield ()
    yield ((title, Role.STRONG),)


def _checked(view: LegView, now: datetime) -> str:
    if view.report is None:
        return "not yet; press t to test" if view.mark is Mark.UNCHECKED else view.mark.meaning
    spent = duration(view.report.ms)
    return f"in {spent}" if view.checked is None else f"{age(view.checked, now)}, in {spent}"


def _verdict(view: LegView, columns: int) -> Iterator[Line]:
    if (failure := view.failure) is not None:
        yield ()
        yield ((f"{Mark.FAILED.glyph} {STAGE_NAMES[failure.stage]} failed", Role.FAILED),)
        yield from _text(failure.hint, columns, Role.FAILED)
        if failure.reply:
            yield from _text(f"server said: {failure.reply}", columns)
        yield from _text(f"({failure.cause.value})", columns, Role.DIM)
    elif view.warning:
        yield ()
        yield from _text(f"{Mark.WARNING.glyph} {view.warning}", columns, Role.WARNING)


def _stage(mark: Mark, name: str, ms: float | None, detail: str, columns: int) -> Iterator[Line]:
    spent = "" if ms is None else duration(ms)
    left = (
        (f"{mark.glyph} ", mark.role),
        (name.ljust(STAGE_COLUMNS), Role.FAILED if mark is Mark.FAILED else Role.PLAIN if ms is not None else Role.DIM),
        (f" {spent.rjust(7)}  ", Role.DIM),
    )
    indent = STAGE_COLUMNS + 12
    words = clean(detail or ("skipped" if mark is Mark.SKIPPED else ""))
    if columns < indent + 10:
        yield left
        yield from _text(words, columns, Role.DIM)
        return
    first, *others = wrap(words, columns - indent) or [""]
    yield (*left, (first, Role.DIM))
    for line in others:
        yield ((" " * indent + line, Role.DIM),)


def _session(report: LegReport, columns: int) -> Iterator[Line]:
    facts = [
        ("Address", report.address),
        ("Mechanism", report.mechanism),
        ("Messages", "" if report.messages is None else str(report.messages)),
        ("Size", "" if report.octets is None else f"{report.octets:,} octets"),
        ("Round trips", str(report.round_trips) if report.round_trips else ""),
    ]
    if any(value for _, value in facts):
        yield from _heading("Session")
        for label, value in facts:
            if value:
                yield from _fact(label, value, columns)


def _protection(tls: TlsFacts, now: datetime, columns: int) -> Iterator[Line]:
    yield from _heading("TLS")
    if tls.version:
        yield from _fact("Version", tls.version, columns)
        yield from _fact("Cipher", tls.cipher, columns)
    if tls.verified:
        yield from _fact("Identity", "proven by the certificate", columns, Role.OK)
    else:
        yield from _fact("Identity", "NOT PROVEN: anyone could answer in this server's name", columns, Role.FAILED)
    if tls.certificate is not None:
        yield from _certificate(tls.certificate, now, columns)


def _certificate(facts: CertificateFacts, now: datetime, columns: int) -> Iterator[Line]:
    yield from _heading("Certificate")
    yield from _fact("Subject", facts.subject or "(none)", columns)
    yield from _fact("Names", ", ".join(facts.names) or "(none)", columns)
    yield from _fact("Issuer", facts.issuer or "(none)", columns)
    yield from _fact("Valid", f"{facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}", columns)
    days = facts.days_left(now)
    role = Role.FAILED if days < 0 else Role.WARNING if days < 14 else Role.OK
    yield from _fact("Ends", days_left(days), columns, role)
    yield from _fact("SHA-256", _in_halves(facts.fingerprint, columns), columns)
    yield from _fact("Key pin", _in_halves(facts.pin, columns), columns)


def _in_halves(digits: str, columns: int) -> str:
    """Where the digits need two lines, make these alike."""
    half = len(digits) // 2
    fits = len(digits) <= columns - _LABEL_COLUMNS or half > columns - _LABEL_COLUMNS
    return digits if fits else f"{digits[:half]} {digits[half:]}"


def _fact(label: str, value: str, columns: int, role: Role = Role.PLAIN) -> Iterator[Line]:
    first, *others = wrap(clean(value), columns - _LABEL_COLUMNS) or [""]
    yield ((label.ljust(_LABEL_COLUMNS), Role.DIM), (first, role))
    for line in others:
        yield ((" " * _LABEL_COLUMNS, Role.DIM), (line, role))


def _text(words: str, columns: int, role: Role = Role.PLAIN) -> Iterator[Line]:
    for line in wrap(clean(words), columns - 2):
        yield ((f"  {line}", role),)


def _dialogue(line: TranscriptLine, columns: int) -> Iterator[Line]:
    role = {"C": Role.PLAIN, "S": Role.PLAIN}.get(line.sender, Role.DIM)
    first, *others = wrap(clean(line.text), columns - 10) or [""]
    yield (
        (f"{line.at_ms:6.0f} ", Role.DIM),
        (f"{clean(line.sender, 1)}  ", Role.BUSY if line.sender == "C" else Role.DIM),
        (first, role),
    )
    for more in others:
        yield ((" " * 10, Role.DIM), (more, role))
