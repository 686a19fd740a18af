"""Write a check to a file that can be shown to others."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App

from mailtui.actions.exporting import write_file
from mailtui.actions.share import share_report
from mailtui.model.account import Account
from mailtui.model.check import CheckReport
from mailtui.model.errors import UsageError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.tui.exporting import write_flow
from mailtui.tui.screens.path import written
from mailtui.tui.services import Services

_QUESTION = (
    "The settings, the stages, the certificates and the dialogue as plain text. The account's address, usernames, "
    "names and notes are left out; host names are in it."
)


def report_file(account: Account) -> Path:
    """A name for the file, in the present folder. It tells the host, which is in the report anyway, and no person."""
    host = re.sub(r"[^a-z0-9.-]+", "-", account.submission.endpoint.host.lower()).strip("-.")[:60]
    return Path(f"mailtui-report-{host or 'account'}.txt")


async def report_flow(app: App[Any], services: Services, account: Account, report: CheckReport) -> str | None:
    """Write `report` to a file that the person names; returns the line to be told, None when they give up.

    Must be called from a worker. Raises MailtuiError.
    """
    text = await off_loop(partial(_compose, services, account, report))

    def write(path: Path, replace: bool) -> None:
        write_file(path, text, replace=replace)

    path = await write_flow(app, "Write a report to show to others", _QUESTION, report_file(account), write)
    return None if path is None else f"Wrote {clean(written(path))}. Read it before you send it."


def _compose(services: Services, account: Account, report: CheckReport) -> str:
    history = services.store.history(account.name, transcripts=False)
    if not any(leg.transcript for leg in report.legs):
        # Perhaps only the list's own, short form is here yet.
        newest = services.store.history(account.name, 1)
        report = next((one for one in newest if one.started >= report.started), report)
    if not report.legs:
        raise UsageError("there is nothing to report yet; press t to test the account")
    return share_report(account, report, [one for one in history if one.started < report.started])
