"""mailtui account add, list, show, remove, enable and disable."""

from argparse import Namespace
from datetime import UTC, datetime
from shlex import quote

from mailtui.cli.account_form import account_from
from mailtui.cli.output import BAD, DANGER, DIM, GOOD, Output, Styled
from mailtui.cli.places import open_database
from mailtui.cli.terminal import confirm, is_interactive
from mailtui.cli.words import (
    SEVERITY_STYLES,
    SEVERITY_WORDS,
    local_time,
    milliseconds,
    table_lines,
    unsafe_lines,
)
from mailtui.interop.accounts_toml import account_table
from mailtui.model.account import Account, Endpoint, Login, Protocol, Retrieval, RetrievalMode, SecretScheme, Trust
from mailtui.model.check import CheckReport, LegReport, current
from mailtui.model.errors import UsageError
from mailtui.model.report_json import report_to_json, severity_name

JSON_VERSION = 1
"""Raised when a field changes its meaning or goes away; new fields may come without."""

_STORED = (SecretScheme.KEYRING, SecretScheme.VAULT)


def add(args: Namespace, output: Output) -> int:
    """Store the account that the options describe."""
    account = account_from(args)
    with open_database(args) as database:
        database.add(account)
    output.line(f"added {account.name}")
    for line in unsafe_lines(account):
        output.line(*line)
    logins = (account.submission_login, account.retrieval_login)
    if any(login and login.secret and login.secret.scheme in _STORED for login in logins):
        output.line(f"next: mailtui secret set {quote(account.name)}")
    else:
        output.line(f"next: mailtui check {quote(account.name)}")
    return 0


def list_accounts(args: Namespace, output: Output) -> int:
    """Print every account with the verdict of its last check."""
    with open_database(args) as database:
        accounts = database.accounts()
        latest = database.latest(transcripts=False)
    if args.format == "json":
        output.json(
            {"version": JSON_VERSION, "accounts": [account_json(a, current(latest.get(a.name), a)) for a in accounts]}
        )
        return 0
    if not accounts:
        output.line("no accounts yet; add one with `mailtui account add`, or try `mailtui demo`")
        return 0
    headings = ["NAME", "EMAIL", "OUTBOUND", "INBOUND", "ACTIVE", "LAST CHECK", "OUT", "IN"]
    rows = [_row(account, current(latest.get(account.name), account)) for account in accounts]
    for line in table_lines(headings, rows, output.columns):
        output.line(*line)
    for account in accounts:
        for line in unsafe_lines(account):
            output.line(*line)
    return 0


def _row(account: Account, report: CheckReport | None) -> list[Styled]:
    retrieval = account.retrieval
    return [
        Styled(account.name, ""),
        Styled(account.email, ""),
        _server(account.submission.endpoint, Protocol.SMTP),
        Styled("send only", DIM) if retrieval is None else _server(retrieval.endpoint, retrieval.protocol),
        Styled("yes", "") if account.active else Styled("no", DIM),
        Styled(local_time(report.started), "") if report else Styled("never", DIM),
        _verdict(report.outbound if report else None),
        _verdict(report.inbound if report else None),
    ]


def _server(endpoint: Endpoint, protocol: Protocol) -> Styled:
    unsafe = endpoint.certificate.trust is Trust.ANYTHING
    return Styled(f"{protocol.label} {endpoint.label}", DANGER if unsafe else "")


def _verdict(leg: LegReport | None) -> Styled:
    return Styled("-", DIM) if leg is None else Styled(SEVERITY_WORDS[leg.severity], SEVERITY_STYLES[leg.severity])


def show(args: Namespace, output: Output) -> int:
    """Print one account and its last check."""
    with open_database(args) as database:
        account = database.account(args.name)
        reports = database.history(args.name, limit=1)
    report = current(reports[0] if reports else None, account)
    if args.format == "json":
        output.json({"version": JSON_VERSION, **account_json(account, report, whole=True)})
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
        every = f"every {retrieval.interval} minutes" if retrieval.mode is RetrievalMode.AUTOMATIC else "by hand"
        output.line(f"  {'retrieval':<13}{every}, into {retrieval.folder}")
        output.line(f"  {'on server':<13}{_afterwards(retrieval)}")
    if report is None:
        output.line(f"last check     never; run `mailtui check {quote(account.name)}`")
    else:
        output.line(f"last check     {local_time(report.started)}")
        for leg in report.legs:
            word = Styled(SEVERITY_WORDS[leg.severity], SEVERITY_STYLES[leg.severity])
            output.line(f"  {leg.leg.value:<13}", word, _why(leg))
    return 0


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


def _afterwards(retrieval: Retrieval) -> str:
    if not retrieval.leave_on_server:
        return "messages are deleted once they are kept here"
    if retrieval.delete_after is None:
        return "messages stay"
    return f"messages are deleted after {retrieval.delete_after} days"


def account_json(account: Account, report: CheckReport | None, *, whole: bool = False) -> dict[str, object]:
    """An account under the keys of its TOML form, its times, and its last check: in short, or the `whole` report."""
    last: dict[str, object] | None = None
    if report is not None and whole:
        last = report_to_json(report, transcript=False)
    elif report is not None:
        last = {
            "started": _utc(report.started),
            "severity": severity_name(report.severity),
            "outbound": report.outbound and severity_name(report.outbound.severity),
            "inbound": report.inbound and severity_name(report.inbound.severity),
        }
    times = {name: getattr(account, name) for name in ("created", "updated", "last_verified")}
    return {
        **account_table(account),
        **{name: time and _utc(time) for name, time in times.items()},
        "last_check": last,
    }


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def remove(args: Namespace, output: Output) -> int:
    """Forget accounts, all or none, after a yes on the terminal or --yes."""
    with open_database(args) as database:
        accounts = [database.account(name) for name in dict.fromkeys(args.name)]
        names = ", ".join(account.name for account in accounts)
        if not args.yes:
            if not is_interactive():
                raise UsageError("without a terminal there is nobody to ask: add --yes to remove the accounts")
            if not confirm(output, f"Remove {names} and the check history?"):
                output.line("nothing was removed")
                return 0
        database.remove(*(account.name for account in accounts))
    for account in accounts:
        output.line(f"removed {account.name}")
        for source in _stored_secrets(account):
            command = f"mailtui secret remove {quote(account.name)} --from {quote(source)}"
            output.line(f"its secret stays in {source}; to remove it: {command}")
    return 0


def _stored_secrets(account: Account) -> list[str]:
    logins = (account.submission_login, account.retrieval_login)
    refs = [login.secret for login in logins if login and login.secret and login.secret.scheme in _STORED]
    return list(dict.fromkeys(f"{ref.scheme.value}:{ref.value or account.name}" for ref in refs))


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
