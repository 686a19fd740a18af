"""mailtui account list: the accounts, or their retrievals alone; filtered and sorted."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from mailtui.actions.standing import current_retrieval, newer_retrieval
from mailtui.cli.account import JSON_VERSION, account_json
from mailtui.cli.fetched import all_fetched, brief_json
from mailtui.cli.output import DANGER, DIM, Output, Styled
from mailtui.cli.places import open_database
from mailtui.cli.words import SEVERITY_STYLES, SEVERITY_WORDS, local_time, table_lines, unsafe_lines, utc_text
from mailtui.interop.accounts_toml import account_table
from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, RetrievalMode, Trust
from mailtui.model.check import CheckReport, LegReport, Severity, current
from mailtui.model.errors import UsageError
from mailtui.model.report_json import severity_name
from mailtui.model.retrieval import RetrievalReport

Entry = tuple[Account, CheckReport | None]
"""An account and what its last check says of the servers that it has now."""

Key = str | bool | int | datetime | None

_STANDINGS = ("failing", "warning", "unchecked", "good", "off")

_KEYS: dict[str, Callable[[Account, CheckReport | None], Key]] = {
    "name": lambda account, report: account.name.casefold(),
    "email": lambda account, report: account.email.casefold(),
    "type": lambda account, report: account.type.casefold() or None,
    "active": lambda account, report: not account.active,
    "status": lambda account, report: _STANDINGS.index(_standing(account, report)),
    "checked": lambda account, report: report.started if report else None,
    "outbound": lambda account, report: _place(account.submission.endpoint, Protocol.SMTP),
    "inbound": lambda account, report: _inbound(account.retrieval),
    "method": lambda account, report: _minutes(account.retrieval),
    "folder": lambda account, report: account.retrieval.folder.casefold() if account.retrieval else None,
}


def list_accounts(args: Namespace, output: Output) -> int:
    """Print the accounts that are wanted, with the verdict of their last check."""
    wanted = _wanted(args.where)
    with open_database(args) as database:
        accounts = database.accounts()
        # The names alone are what a shell completes: it should not wait for more than it needs.
        with_reports = not args.names or args.where or args.sort
        latest = database.latest(transcripts=False) if with_reports else {}
        fetched = all_fetched(database) if args.retrieval and not args.names else {}
    entries = [(account, current(latest.get(account.name), account)) for account in accounts]
    found = [entry for entry in entries if wanted(*entry) and (entry[0].retrieval or not args.retrieval)]
    found = _sorted(found, args.sort, args.reverse)
    if args.names:
        for account, _ in found:
            output.line(account.name)
        return 0
    if args.format == "json":
        output.json(_retrievals_json(found, fetched) if args.retrieval else _accounts_json(found))
        return 0
    if not found:
        output.line(_nothing(accounts, args))
        return 0
    if args.retrieval:
        headings, rows = _RETRIEVAL_HEADINGS, [_retrieval_row(*entry, fetched.get(entry[0].name)) for entry in found]
    else:
        headings, rows = _HEADINGS, [_row(*entry) for entry in found]
    for line in table_lines(headings, rows, output.columns):
        output.line(*line)
    for account, _ in found:
        for line in unsafe_lines(account):
            output.line(*line)
    return 0


def _wanted(where: str | None) -> Callable[[Account, CheckReport | None], bool]:
    if not where:
        return lambda account, report: True
    from mailtui.actions.filtering import Filter, matcher

    if problem := Filter.parse(where).problem:
        raise UsageError(f"--where: {problem}")
    return matcher(where)


def _standing(account: Account, report: CheckReport | None) -> str:
    from mailtui.actions.standing import standing_of

    return standing_of(account, report).value


def _sorted(entries: Sequence[Entry], column: str | None, reverse: bool) -> list[Entry]:
    """`entries` by a column; those with nothing in it stay last either way."""
    key = _KEYS[column or "name"]
    there = [entry for entry in entries if key(*entry) is not None]
    there.sort(key=lambda entry: key(*entry), reverse=reverse)  # type: ignore[arg-type,return-value]  # none is None
    return there + [entry for entry in entries if key(*entry) is None]


def _nothing(accounts: Sequence[Account], args: Namespace) -> str:
    if not accounts:
        return "no accounts yet; add one with `mailtui account add`, or try `mailtui demo`"
    if args.where:
        return "no account is so; see `mailtui account list --help` for what --where can ask"
    return "every account only sends: none retrieves mail"


_HEADINGS = ["NAME", "EMAIL", "OUTBOUND", "INBOUND", "ACTIVE", "LAST CHECK", "OUT", "IN"]


def _row(account: Account, report: CheckReport | None) -> list[Styled]:
    retrieval = account.retrieval
    return [
        Styled(account.name, ""),
        Styled(account.email, ""),
        _server(account.submission.endpoint, Protocol.SMTP),
        Styled("send only", DIM) if retrieval is None else _server(retrieval.endpoint, retrieval.protocol),
        _active(account),
        _checked(report),
        _verdict(report.outbound if report else None),
        _verdict(report.inbound if report else None),
    ]


_RETRIEVAL_HEADINGS = ["ACCOUNT", "SERVER", "RETRIEVED", "FOLDER", "ON SERVER", "ACTIVE", "FETCHED", "LAST", "RESULT"]


def _retrieval_row(account: Account, report: CheckReport | None, fetched: RetrievalReport | None) -> list[Styled]:
    retrieval = account.retrieval
    assert retrieval is not None  # the others were left out
    leg = report.inbound if report else None
    last = _checked(report if leg else None), _verdict(leg, cause=True)
    fetched = current_retrieval(fetched, account)
    # The newer of the two tells how the server stands.
    if (newest := newer_retrieval(fetched, account, report)) is not None:
        last = _checked(newest), _fetched(newest)
    return [
        Styled(account.name, ""),
        _server(retrieval.endpoint, retrieval.protocol),
        Styled("by hand" if retrieval.mode is RetrievalMode.MANUAL else f"every {retrieval.interval} min", ""),
        Styled(retrieval.folder, ""),
        Styled(_left(retrieval), ""),
        _active(account),
        _checked(fetched),
        *last,
    ]


def _left(retrieval: Retrieval) -> str:
    if not retrieval.leave_on_server:
        return "deleted"
    return "left" if retrieval.delete_after is None else f"{retrieval.delete_after} days"


def _server(endpoint: Endpoint, protocol: Protocol) -> Styled:
    return Styled(_place(endpoint, protocol), DANGER if endpoint.certificate.trust is Trust.ANYTHING else "")


def _place(endpoint: Endpoint, protocol: Protocol) -> str:
    return f"{protocol.label} {endpoint.label}"


def _inbound(retrieval: Retrieval | None) -> str | None:
    return None if retrieval is None else _place(retrieval.endpoint, retrieval.protocol)


def _minutes(retrieval: Retrieval | None) -> int | None:
    """Minutes between retrievals; by hand comes after every interval that is allowed."""
    if retrieval is None:
        return None
    return retrieval.interval if retrieval.mode is RetrievalMode.AUTOMATIC else 1_000_000


def _active(account: Account) -> Styled:
    return Styled("yes", "") if account.active else Styled("no", DIM)


def _checked(report: CheckReport | RetrievalReport | None) -> Styled:
    return Styled(local_time(report.started), "") if report else Styled("never", DIM)


def _verdict(leg: LegReport | None, *, cause: bool = False) -> Styled:
    if leg is None:
        return Styled("-", DIM)
    return _result(leg.severity, _cause(leg) if cause else "")


def _fetched(report: RetrievalReport) -> Styled:
    came = f", {report.stored:,} new" if report.stored or not report.leg.failure else ""
    return _result(report.severity, f"{_cause(report.leg)}{came}")


def _result(severity: Severity, told: str) -> Styled:
    return Styled(f"{SEVERITY_WORDS[severity]}{told}", SEVERITY_STYLES[severity])


def _cause(leg: LegReport) -> str:
    return f" {leg.failure.cause.value}" if leg.failure else ""


def _accounts_json(entries: Sequence[Entry]) -> dict[str, object]:
    return {"version": JSON_VERSION, "accounts": [account_json(*entry) for entry in entries]}


def _retrievals_json(entries: Sequence[Entry], fetched: Mapping[str, RetrievalReport]) -> dict[str, object]:
    retrievals = [_retrieval_json(*entry, fetched.get(entry[0].name)) for entry in entries]
    return {"version": JSON_VERSION, "retrievals": retrievals}


def _retrieval_json(account: Account, report: CheckReport | None, fetched: RetrievalReport | None) -> dict[str, object]:
    table = account_table(account)["retrieval"]
    assert isinstance(table, dict)  # the others were left out
    last: dict[str, object] | None = None
    if report is not None and report.inbound is not None:
        failure = report.inbound.failure
        last = {
            "started": utc_text(report.started),
            "severity": severity_name(report.inbound.severity),
            "cause": failure and failure.cause.value,
        }
    return {
        "account": account.name,
        "active": account.active,
        **table,
        "last_check": last,
        "last_retrieval": brief_json(current_retrieval(fetched, account)),
    }
