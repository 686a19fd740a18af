"""The columns of the accounts list."""

from dataclasses import dataclass
from datetime import datetime

from mailtui.actions.standing import Standing
from mailtui.model.account import Account, Endpoint, Trust
from mailtui.model.check import CheckReport
from mailtui.model.text import clean
from mailtui.tui.columns import Column
from mailtui.tui.words import Role, age

UNSAFE = "!"
"""Beside a server whose certificate is not verified at all."""

_URGENCY = tuple(
    standing.value for standing in (Standing.FAILING, Standing.WARNING, Standing.UNCHECKED, Standing.GOOD, Standing.OFF)
)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with its last report and the value of its standing; `awaited` while that report is being read."""

    account: Account
    report: CheckReport | None
    status: str
    awaited: bool = False


def short_age(then: datetime | None, now: datetime) -> str:
    """How long ago, in at most four columns."""
    if then is None:
        return "–"
    seconds = int((now - then).total_seconds())
    for limit, size, unit in ((60, 1, "s"), (3_600, 60, "m"), (86_400, 3_600, "h"), (100 * 86_400, 86_400, "d")):
        if seconds < limit:
            return "now" if seconds < 5 else f"{seconds // size}{unit}"
    days = seconds // 86_400
    return f"{days // 30}mo" if days < 720 else f"{min(days // 365, 999)}y"


def server(endpoint: Endpoint | None) -> str:
    """`host:port` as it is shown, a dash where there is no server."""
    return "–" if endpoint is None else clean(endpoint.label)


def host(endpoint: Endpoint | None) -> str:
    """The host alone, for where there is no room for more."""
    return "–" if endpoint is None else clean(endpoint.host)


def unsafe(endpoint: Endpoint | None) -> str:
    """The flag of a server that may be anyone."""
    return UNSAFE if endpoint is not None and endpoint.certificate.trust is Trust.ANYTHING else ""


def server_key(endpoint: Endpoint | None) -> tuple[str, int] | None:
    """Servers sort by host, then by port."""
    return None if endpoint is None else (endpoint.host.casefold(), endpoint.port)


def _outbound(row: AccountRow) -> Endpoint:
    return row.account.submission.endpoint


def _inbound(row: AccountRow) -> Endpoint | None:
    return row.account.retrieval.endpoint if row.account.retrieval is not None else None


def _age(row: AccountRow, now: datetime) -> str:
    return "…" if row.awaited else age(_checked(row), now)


def _short_age(row: AccountRow, now: datetime) -> str:
    return "…" if row.awaited else short_age(_checked(row), now)


def _checked(row: AccountRow) -> datetime | None:
    return row.report.started if row.report is not None else None


STATUS: Column[AccountRow] = Column(
    "status", "Status", lambda row, now: row.status, 9, full=9, key=lambda row: _URGENCY.index(row.status)
)
"""Not drawn, for the marks say more; but the list sorts by it."""

ACCOUNT_COLUMNS: tuple[Column[AccountRow], ...] = (
    Column(
        "checked",
        "Checked",
        _age,
        4,
        full=11,
        short=_short_age,
        short_title="Age",
        key=_checked,
        largest_first=True,
        essential=True,
    ),
    Column(
        "name",
        "Name",
        lambda row, now: clean(row.account.name),
        18,
        role=lambda row: Role.PLAIN if row.account.active else Role.DIM,
        key=lambda row: row.account.name.casefold(),
        essential=True,
    ),
    Column(
        "email",
        "Email address",
        lambda row, now: clean(row.account.email),
        14,
        short_title="Email",
        key=lambda row: row.account.email.casefold(),
        essential=True,
    ),
    Column(
        "smtp",
        "SMTP server",
        lambda row, now: server(_outbound(row)),
        12,
        short=lambda row, now: host(_outbound(row)),
        flag=lambda row: unsafe(_outbound(row)),
        key=lambda row: server_key(_outbound(row)),
        essential=True,
    ),
    Column(
        "retrieval",
        "Retrieval server",
        lambda row, now: server(_inbound(row)),
        12,
        short=lambda row, now: host(_inbound(row)),
        short_title="Retrieval",
        flag=lambda row: unsafe(_inbound(row)),
        key=lambda row: server_key(_inbound(row)),
        essential=True,
    ),
    Column(
        "type",
        "Type",
        lambda row, now: clean(row.account.type) or "–",
        6,
        key=lambda row: row.account.type.casefold() or None,
    ),
    Column(
        "active",
        "Active",
        lambda row, now: "yes" if row.account.active else "no",
        7,
        full=7,
        key=lambda row: not row.account.active,
    ),
    Column(
        "updated",
        "Updated",
        lambda row, now: age(row.account.updated, now),
        11,
        full=11,
        key=lambda row: row.account.updated,
        largest_first=True,
    ),
)
