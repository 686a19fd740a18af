"""mailtui account add, show, enable and disable."""

import asyncio
from argparse import Namespace
from collections.abc import Iterator
from shlex import quote

from mailtui.cli.account_form import account_from
from mailtui.cli.fetched import fetched
from mailtui.cli.output import BAD, DANGER, DIM, GOOD, WARNED_EXIT, Output, Styled
from mailtui.cli.places import open_database, secret_store
from mailtui.cli.remedies import Remedies, diagnosis_of
from mailtui.cli.terminal import outcome, questions_cleared
from mailtui.cli.words import (
    SEVERITY_STYLES,
    SEVERITY_WORDS,
    local_time,
    milliseconds,
    unsafe_lines,
    utc_text,
)
from mailtui.interop.accounts_toml import account_table
from mailtui.model.account import Account, Endpoint, Login, Protocol, Retrieval, RetrievalMode, Trust
from mailtui.model.amounts import counted
from mailtui.model.check import CheckReport, LegReport, current
from mailtui.model.destination import DestinationKind
from mailtui.model.report_json import severity_name
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.watch import untold_changes

JSON_VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields may come without."""


def add(args: Namespace, output: Output) -> int:
    """Store the account that the options describe."""
    # Imported here: the commands that only show accounts must not pay for it.
    from mailtui.actions.entries import STORED
    from mailtui.actions.saving import Edited, save_account

    with open_database(args) as database, questions_cleared(output):
        store = secret_store(args, output)
        saved, interrupted = asyncio.run(outcome(save_account(database, store, Edited(account_from(args)))))
    account = saved.account
    output.line(f"added {account.name}")
    for line in unsafe_lines(account):
        output.line(*line)
    logins = (account.submission_login, account.retrieval_login)
    if any(login and login.secret and login.secret.scheme in STORED for login in logins):
        output.line(f"next: mailtui secret set {quote(account.name)}")
    else:
        output.line(f"next: mailtui check {quote(account.name)}")
    for problem in saved.problems:
        output.error(problem)
    if interrupted:
        raise KeyboardInterrupt
    return WARNED_EXIT if saved.problems else 0


def show(args: Namespace, output: Output) -> int:
    """Print one account, its last retrieval and its last check."""
    with open_database(args) as database:
        account = database.account(args.name)
        reports = database.history(args.name, limit=1)
        retrieved = fetched(database, account)
    report = current(reports[0] if reports else None, account)
    if args.format == "json":
        last = retrieved and Remedies([account]).retrieval_json(retrieved, transcript=False)
        shown = account_json(account, report, whole=True)
        output.json({"version": JSON_VERSION, **shown, "last_retrieval": last})
        return 0
    facts = [
        ("name", account.name),
        ("email", account.email),
        ("display name", account.display_name),
        ("type", account.type),
        ("notes", account.notes),
        ("active", "yes" if account.active else "no: check --all leaves it out"),
        ("created", local_time(account.created)),
        ("updated", local_time(account.updated)),
        ("last verified", local_time(account.last_verified)),
    ]
    for name, value in facts:
        if value:
            output.line(f"{name:<15}{value}")
    submission, retrieval = account.submission, account.retrieval
    _show_leg(output, "outbound", submission.endpoint, Protocol.SMTP, account.submission_login)
    if retrieval is None:
        output.line("inbound        none: a send-only account")
    else:
        _show_leg(output, "inbound", retrieval.endpoint, retrieval.protocol, account.retrieval_login)
        is_automatic = retrieval.mode is RetrievalMode.AUTOMATIC
        every = f"every {counted(retrieval.interval, 'minute')}" if is_automatic else "by hand"
        output.line(f"  {'retrieval':<13}{every}, from {', '.join(retrieval.mailboxes)}")
        output.line(f"  {'delivered to':<13}{_delivered_to(retrieval)}")
        output.line(f"  {'on server':<13}{_afterwards(retrieval)}")
        if retrieved is None:
            output.line(f"last retrieval never; run `mailtui retrieve {quote(account.name)}`")
        else:
            _show_retrieval(account, retrieved, output)
    if report is None:
        output.line(f"last check     never; run `mailtui check {quote(account.name)}`")
    else:
        output.line(f"last check     {local_time(report.started)}")
        for leg in report.legs:
            word = Styled(SEVERITY_WORDS[leg.severity], SEVERITY_STYLES[leg.severity])
            output.line(f"  {leg.leg.value:<13}", word, _why(leg))
            for words in _remedy(account, leg):
                output.line(f"  {'':<13}{words}")
    return 0


def _show_retrieval(account: Account, report: RetrievalReport, output: Output) -> None:
    from mailtui.cli.retrieval_words import mailbox_lines, summary

    output.line(f"last retrieval {local_time(report.started)}")
    word = Styled(SEVERITY_WORDS[report.severity], SEVERITY_STYLES[report.severity])
    why = f": {report.leg.failure.hint}" if report.leg.failure is not None else ""
    output.line(f"  {'result':<13}", word, f"  {summary(report)}{why}")
    for words in _remedy(account, report.leg):
        output.line(f"  {'':<13}{words}")
    for _, told in mailbox_lines(report):
        output.line(f"  {'':<13}", told)


def _remedy(account: Account, leg: LegReport) -> Iterator[str]:
    diagnosis = diagnosis_of(leg, account.email)
    if diagnosis is not None and diagnosis.fix:
        yield f"fix: {diagnosis.fix}"
    if diagnosis is not None and diagnosis.url:
        yield f"see: {diagnosis.url}"
    if changed := untold_changes(leg):
        yield changed


def _why(leg: LegReport) -> str:
    if leg.failure is None:
        return f": {leg.warning}" if leg.warning else f" in {milliseconds(leg.ms)}"
    said = f" (the server said: {leg.failure.reply})" if leg.failure.reply else ""
    return f" at {leg.failure.stage.value}: {leg.failure.hint}{said}"


def _show_leg(output: Output, leg: str, endpoint: Endpoint, protocol: Protocol, login: Login | None) -> None:
    output.line(f"{leg:<15}{protocol.label} {endpoint.label}, {endpoint.security.label}")
    if login is None:
        output.line(f"  {'login':<13}none")
    else:
        output.line(f"  {'login':<13}{login.username}, {login.method.label}, secret: {login.secret or 'none'}")
    policy = endpoint.certificate
    detail = {Trust.CA_FILE: f": {policy.ca_file}", Trust.PIN: f": {policy.pin}"}.get(policy.trust, "")
    style = DANGER if policy.trust is Trust.ANYTHING else ""
    output.line(f"  {'certificate':<13}", Styled(f"{policy.trust.label}{detail}", style))
    if endpoint.allow_cleartext:
        output.line(f"  {'cleartext':<13}", Styled("the password may cross an unprotected connection", BAD))


def _delivered_to(retrieval: Retrieval) -> str:
    destination = retrieval.destination
    if destination.kind is not DestinationKind.MAILDIR:
        return str(destination)
    return f"{destination.value or 'a Maildir of its own'}, folder {retrieval.folder}"


def _afterwards(retrieval: Retrieval) -> str:
    larger = "" if retrieval.size_limit is None else f"; those of more than {retrieval.size_limit} MB are not fetched"
    if not retrieval.leave_on_server:
        return f"messages are deleted once they are kept here{larger}"
    if retrieval.delete_after is None:
        return f"messages stay{larger}"
    return f"messages are deleted after {retrieval.delete_after} days{larger}"


def account_json(account: Account, report: CheckReport | None, *, whole: bool = False) -> dict[str, object]:
    """An account under the keys of its TOML form, its times, and its last check: in short, or the `whole` report."""
    last: dict[str, object] | None = None
    if report is not None and whole:
        last = Remedies([account]).report_json(report, transcript=False)
    elif report is not None:
        last = {
            "started": utc_text(report.started),
            "severity": severity_name(report.severity),
            "outbound": report.outbound and severity_name(report.outbound.severity),
            "inbound": report.inbound and severity_name(report.inbound.severity),
        }
    times = {name: getattr(account, name) for name in ("created", "updated", "last_verified")}
    return {
        **account_table(account),
        **{name: time and utc_text(time) for name, time in times.items()},
        "last_check": last,
    }


def enable(args: Namespace, output: Output) -> int:
    """Make accounts active."""
    return _switch(args, output, True)


def disable(args: Namespace, output: Output) -> int:
    """Make accounts inactive."""
    return _switch(args, output, False)


def _switch(args: Namespace, output: Output, active: bool) -> int:
    names = list(dict.fromkeys(args.name))
    with open_database(args) as database:
        database.set_active(names, active)
    for name in names:
        output.line(f"{name} is ", Styled("active", GOOD) if active else Styled("inactive", DIM))
    return 0
