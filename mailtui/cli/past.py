"""mailtui account history and report: what the checks of an account said, for its keeper and for others."""

from argparse import Namespace
from shlex import quote

from mailtui.cli.account import JSON_VERSION
from mailtui.cli.output import DIM, Output, Styled
from mailtui.cli.places import open_database
from mailtui.cli.remedies import Remedies, diagnosis_of
from mailtui.cli.words import SEVERITY_STYLES, SEVERITY_WORDS, local_time, milliseconds, table_lines
from mailtui.model.check import CheckReport, LegReport
from mailtui.model.diagnosis import UNKNOWN
from mailtui.model.errors import UsageError
from mailtui.model.text import clean
from mailtui.model.watch import changes_line, untold_changes

_HEADINGS = ["CHECKED", "OUTBOUND", "TIME", "INBOUND", "TIME", "WHY"]


def history(args: Namespace, output: Output) -> int:
    """Print the checks of an account, the newest first."""
    with open_database(args) as database:
        account = database.account(args.name)
        reports = database.history(args.name, args.limit, transcripts=False)
    if args.format == "json":
        remedies = Remedies([account])
        documents = [remedies.report_json(report, transcript=False) for report in reports]
        output.json({"version": JSON_VERSION, "account": args.name, "reports": documents})
        return 0
    if not reports:
        output.line(f"never checked; run `mailtui check {quote(args.name)}`")
        return 0
    for line in table_lines(_HEADINGS, [_row(report, account.email) for report in reports], output.columns):
        output.line(*line)
    return 0


def _row(report: CheckReport, email: str) -> list[Styled]:
    return [
        Styled(local_time(report.started), ""),
        *_leg(report.outbound),
        *_leg(report.inbound),
        Styled("; ".join(why for leg in report.legs if (why := _why(leg, email))), ""),
    ]


def _leg(leg: LegReport | None) -> tuple[Styled, Styled]:
    if leg is None:
        return Styled("-", DIM), Styled("-", DIM)
    return Styled(SEVERITY_WORDS[leg.severity], SEVERITY_STYLES[leg.severity]), Styled(milliseconds(leg.ms), "")


def _why(leg: LegReport, email: str) -> str:
    if leg.failure is None:
        parts = [leg.warning, untold_changes(leg)]
    else:
        diagnosis = diagnosis_of(leg, email)
        known = (
            f" ({diagnosis.cause.rstrip('.')})" if diagnosis and diagnosis.rule != UNKNOWN and diagnosis.cause else ""
        )
        # Our hint, which may say what changed, is not shown here.
        changed = changes_line(leg.changes, leg.changed_since)
        parts = [f"{leg.leg.value} {leg.failure.stage.value}: {leg.failure.cause.value}{known}", changed]
    return ", ".join(part for part in parts if part)


def report(args: Namespace, output: Output) -> int:
    """Print or write the last check of an account as a text that can be shown to others."""
    with open_database(args) as database:
        account = database.account(args.name)
        last = database.history(args.name, 1)
        if not last:
            raise UsageError(
                f"{clean(account.name)} was never checked: there is nothing to report; "
                f"run `mailtui check {quote(account.name)}` first"
            )
        reports = database.history(args.name, transcripts=False)
    from mailtui.actions.share import share_report

    text = share_report(account, last[0], reports)
    if args.output is None:
        output.lines(text)
        return 0
    from mailtui.actions.exporting import Exists, named_file, write_file

    path = named_file(args.output)
    try:
        write_file(path, text, replace=args.force)
    except Exists as error:
        raise UsageError(f"{error}; add --force to replace it, or name another file") from None
    output.line(f"written to {path}; read it before you send it")
    return 0
