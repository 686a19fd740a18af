"""How accounts and reports are put into words: pieces of lines, shared by all commands."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mailtui.cli.output import BAD, BOLD, DANGER, DIM, GOOD, WARN, Part, Styled, fit
from mailtui.model.account import Account, Trust
from mailtui.model.check import CheckReport, Leg, LegReport, Severity, StageResult, Status, legs_of
from mailtui.model.text import clean, width

SEVERITY_WORDS = {Severity.OK: "good", Severity.WARNING: "WARNING", Severity.FAILED: "FAILED"}
SEVERITY_STYLES = {Severity.OK: GOOD, Severity.WARNING: WARN, Severity.FAILED: BAD}

_STATUS_WORDS = {Status.OK: "ok", Status.FAILED: "FAILED", Status.SKIPPED: "skipped"}
_STATUS_STYLES = {Status.OK: GOOD, Status.FAILED: BAD, Status.SKIPPED: DIM}


def stage_line(account: str, leg: Leg, result: StageResult) -> list[Part]:
    """One stage of one leg, on one line that can be searched for."""
    status = Styled(f"{_STATUS_WORDS[result.status]:<7}", _STATUS_STYLES[result.status])
    head = f"{account}  {leg.value:<8}  {result.stage.value:<12}  "
    if result.status is Status.SKIPPED:
        return [head, status]
    return [head, status, f"  {milliseconds(result.ms):>9}", f"  {result.detail}" if result.detail else ""]


def verdict_lines(account: str, report: LegReport) -> Iterator[list[Part]]:
    """How a leg ended: our words, then the server's, then what is unsafe about it."""
    severity = report.severity
    words = Styled(SEVERITY_WORDS[severity], SEVERITY_STYLES[severity])
    place = f"{report.protocol.label} {report.endpoint.label}, {report.endpoint.security.label}"
    head = f"{account}  {report.leg.value:<8}  "
    failure = report.failure
    if failure is not None:
        yield [head, words, f" at {failure.stage.value} ({failure.cause.value}): {failure.hint}  [{place}]"]
        if failure.reply:
            yield [head, f"the server said: {failure.reply}"]
    elif report.warning:
        yield [head, words, f": {report.warning}  [{place}]"]
    else:
        yield [head, words, f" in {milliseconds(report.ms)}  [{place}]"]
    if report.endpoint.certificate.trust is Trust.ANYTHING:
        yield [head, Styled(f"certificates: {Trust.ANYTHING.label}", DANGER)]


def transcript_lines(account: str, report: LegReport) -> Iterator[list[Part]]:
    """The dialogue of a leg: C is mailtui, S the server, * a remark."""
    for line in report.transcript:
        head = f"{account}  {report.leg.value:<8}  {milliseconds(line.at_ms):>9}  "
        yield [head, Styled(line.sender, BOLD), f": {line.text}"]


def account_line(report: CheckReport, name_columns: int = 0) -> list[Part]:
    """A whole report on one line: each leg's word, and why; the name takes `name_columns` at least."""
    parts: list[Part] = [Styled(f"{SEVERITY_WORDS[report.severity]:<7}", SEVERITY_STYLES[report.severity])]
    parts.append(f"  {fit(report.account, max(name_columns, width(clean(report.account))))}")
    for leg in report.legs:
        parts += [f"  {leg.leg.value} ", Styled(SEVERITY_WORDS[leg.severity], SEVERITY_STYLES[leg.severity])]
        if leg.failure is not None:
            parts.append(f" at {leg.failure.stage.value}: {leg.failure.hint}")
        elif leg.warning:
            parts.append(f": {leg.warning}")
        if leg.endpoint.certificate.trust is Trust.ANYTHING:
            parts += [" ", Styled(Trust.ANYTHING.label, DANGER)]
    return parts


def milliseconds(ms: float) -> str:
    """A time as people read it."""
    return f"{ms:.1f} ms" if ms < 1_000 else f"{ms / 1_000:.2f} s"


def local_time(moment: datetime | None) -> str:
    """A time of the machine's own zone, to the minute; `never` for none."""
    return "never" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M")


def utc_text(moment: datetime) -> str:
    """A time as JSON documents have it: ISO 8601, in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def unsafe_lines(account: Account) -> Iterator[list[Part]]:
    """What an account must never be shown without: the legs that accept any certificate."""
    for setup in legs_of(account):
        if setup.endpoint.certificate.trust is Trust.ANYTHING:
            yield [Styled(f"{account.name}: {setup.leg.value} certificates: {Trust.ANYTHING.label}", DANGER)]


def table_lines(headings: list[str], rows: list[list[Styled]], columns: int) -> Iterator[list[Part]]:
    """A table no wider than `columns`: the widest columns give way first."""
    widths = [max(width(clean(cell)) for cell in column) for column in zip(headings, *_texts(rows), strict=True)]
    gaps = 2 * (len(widths) - 1)
    while sum(widths) + gaps > columns and max(widths) > 4:
        widths[widths.index(max(widths))] -= 1
    for row in [[Styled(heading, BOLD) for heading in headings], *rows]:
        line: list[Part] = []
        for cell, cell_width in zip(row, widths, strict=True):
            line += [Styled(fit(cell.text, cell_width), cell.style), "  "]
        # No blanks at the end of a line.
        yield [*line[:-2], Styled(fit(row[-1].text, widths[-1]).rstrip(), row[-1].style)]


def _texts(rows: list[list[Styled]]) -> list[list[str]]:
    return [[cell.text for cell in row] for row in rows]
