"""mailtui doctor: what is missing on this machine, and what to do about it."""

import asyncio
import locale
import os
import sys
from argparse import Namespace
from platform import python_version

from mailtui import __version__
from mailtui.actions.doctor import examine
from mailtui.cli.output import BAD, DIM, GOOD, WARN, Output, Styled
from mailtui.cli.places import data_paths, secret_store
from mailtui.cli.terminal import why_no_screen
from mailtui.model.check import Severity
from mailtui.model.finding import Finding, State, worst
from mailtui.model.report_json import severity_name
from mailtui.storage.paths import settings_path

JSON_VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields may come without."""

COLUMNS, ROWS = 80, 24
"""The smallest terminal that the screens are drawn for."""

_STYLES = {State.OK: GOOD, State.NOTE: DIM, State.WARNING: WARN, State.FAILED: BAD}
_AREA_COLUMNS = 16


def doctor(args: Namespace, output: Output) -> int:
    """Examine and tell; returns the severity of the worst finding, 0 to 2."""
    findings = [
        Finding("program", State.OK, f"mailtui {__version__}, Python {python_version()}"),
        *terminal_findings(output),
        *locale_findings(output),
        *asyncio.run(examine(data_paths(args), settings_path(), secret_store(args, output).where)),
    ]
    severity = worst(findings)
    if args.format == "json":
        output.json(
            {
                "version": JSON_VERSION,
                "severity": severity_name(severity),
                "findings": [
                    {"area": one.area, "state": one.state.value, "words": one.words, "remedy": one.remedy}
                    for one in findings
                ],
            }
        )
        return int(severity)
    for finding in findings:
        _tell(finding, output)
    output.line(_sum(findings, severity))
    return int(severity)


def _tell(finding: Finding, output: Output) -> None:
    state = Styled(f"{finding.state.value:<7}", _STYLES[finding.state])
    output.line(f"{finding.area:<{_AREA_COLUMNS}}  ", state, f"  {finding.words}")
    if finding.remedy:
        output.line(f"{'':{_AREA_COLUMNS}}  {'':7}  -> {finding.remedy}")


def _sum(findings: list[Finding], severity: Severity) -> str:
    if severity is Severity.OK:
        return "Nothing is wrong."
    count = {state: sum(finding.state is state for finding in findings) for state in (State.FAILED, State.WARNING)}
    return f"{count[State.FAILED]} failed, {count[State.WARNING]} with a warning; what to do stands behind each ->"


def terminal_findings(output: Output) -> list[Finding]:
    """Whether the screens can be drawn here, how large and how colourful."""
    if reason := why_no_screen():
        # The shell's commands do without; a terminal that cannot place text is worth a warning.
        is_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()
        remedy = "set TERM to what the terminal is, for example: export TERM=xterm-256color"
        if is_terminal:
            return [Finding("terminal", State.WARNING, f"the screens cannot be drawn: {reason}", remedy)]
        words = f"no screen here: {reason}; the commands work without one"
        named = os.environ.get("TERM", "")
        return [Finding("terminal", State.NOTE, words, remedy if named == "dumb" else "")]
    columns, rows = output.columns, output.rows
    colours = "no colours (NO_COLOR)" if os.environ.get("NO_COLOR") else f"TERM={os.environ.get('TERM', '')}"
    if columns < COLUMNS or rows < ROWS:
        words = f"{columns}x{rows}, {colours}: smaller than the {COLUMNS}x{ROWS} that the screens are drawn for"
        return [Finding("terminal", State.WARNING, words, "make the window larger; lines are cut until then")]
    return [Finding("terminal", State.OK, f"{columns}x{rows}, {colours}")]


def locale_findings(output: Output) -> list[Finding]:
    """Whether the terminal's encoding can show names and marks, and whether the locale that is named exists."""
    named = next((f"{name}={os.environ[name]}" for name in ("LC_ALL", "LC_CTYPE", "LANG") if os.environ.get(name)), "")
    remedy = "set one that `locale -a` lists, for example: export LANG=C.UTF-8"
    try:
        locale.setlocale(locale.LC_CTYPE, "")
    except locale.Error:
        return [Finding("locale", State.WARNING, f"{named} is not installed on this machine", remedy)]
    encoding = (sys.stdout.encoding if sys.stdout is not None else "") or "unknown"
    if output.plain_marks:
        words = f"the encoding is {encoding}: names in other scripts are shown as escapes"
        return [Finding("locale", State.WARNING, words, remedy)]
    return [Finding("locale", State.OK, f"{named or 'none is named'}, {encoding}")]
