"""The columns of the accounts list: what each shows, and how wide it is on a screen of any width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mailtui.model.account import Account, Endpoint
from mailtui.model.check import CheckReport
from mailtui.model.text import clean, pad, width
from mailtui.tui.words import age

GAP = 2
"""Blank columns after each column."""

_WIDEST = 40

Words = Callable[[Account, CheckReport | None, datetime], str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of words, `columns` wide at least unless it is `flexible`.

    A flexible one is as wide as its texts, and shrinks to `columns` where the screen is narrow; `short` says the
    same in fewer words, for cells that do not fit.
    """

    title: str
    text: Words
    columns: int
    flexible: bool = False
    short: Words | None = None

    def cell(self, account: Account, report: CheckReport | None, now: datetime, columns: int) -> str:
        """The cell's text in exactly `columns`."""
        words = self.text(account, report, now)
        if self.short is not None and width(words) > columns:
            words = self.short(account, report, now)
        return pad(words, columns)


def _retrieval(account: Account) -> Endpoint | None:
    return account.retrieval.endpoint if account.retrieval is not None else None


def _server(endpoint: Endpoint | None) -> str:
    return "–" if endpoint is None else clean(endpoint.label)


def _host(endpoint: Endpoint | None) -> str:
    return "–" if endpoint is None else clean(endpoint.host)


COLUMNS = (
    Column("Name", lambda account, report, now: clean(account.name), 12, flexible=True),
    Column("Email address", lambda account, report, now: clean(account.email), 14, flexible=True),
    Column(
        "SMTP server",
        lambda account, report, now: _server(account.submission.endpoint),
        13,
        flexible=True,
        short=lambda account, report, now: _host(account.submission.endpoint),
    ),
    Column(
        "Retrieval server",
        lambda account, report, now: _server(_retrieval(account)),
        13,
        flexible=True,
        short=lambda account, report, now: _host(_retrieval(account)),
    ),
    Column("Active", lambda account, report, now: "yes" if account.active else "no", 6),
    Column("Checked", lambda account, report, now: age(report.started if report else None, now), 11),
    Column("Updated", lambda account, report, now: age(account.updated, now), 11),
)


@dataclass(frozen=True, slots=True)
class Wish:
    """How wide a column would like to be, and how wide with its short texts."""

    full: int
    short: int


def wishes(accounts: Sequence[Account], now: datetime) -> list[Wish]:
    """What each column wishes for these accounts."""
    return [_wish(column, accounts, now) for column in COLUMNS]


def _wish(column: Column, accounts: Sequence[Account], now: datetime) -> Wish:
    if not column.flexible:
        return Wish(column.columns, column.columns)

    def widest(words: Words) -> int:
        longest = max((width(words(account, None, now)) for account in accounts), default=0)
        return min(max(longest, len(column.title)), _WIDEST)

    full = widest(column.text)
    return Wish(full, full if column.short is None else min(widest(column.short), full))


def fit(wanted: Sequence[Wish], room: int) -> list[int]:
    """Widths for `room` columns in all, gaps included.

    Flexible columns first give up what short texts can do without, then the widest of them shrink. Where that is
    not enough for all columns they share the room among themselves, and the others are reached by scrolling.
    """
    fixed = sum(wish.full + GAP for column, wish in zip(COLUMNS, wanted, strict=True) if not column.flexible) - GAP
    flexible = [index for index, column in enumerate(COLUMNS) if column.flexible]
    least = [min(column.columns, wish.full) for column, wish in zip(COLUMNS, wanted, strict=True)]
    target = room - GAP * len(flexible) - fixed
    if target < sum(min(least[index] + 4, wanted[index].short) for index in flexible):
        target = room - GAP * (len(flexible) - 1)
    widths = [wish.full for wish in wanted]
    floors = [wish.short for wish in wanted]
    for floor in (floors, least):
        while sum(widths[index] for index in flexible) > target:
            shrinkable = [index for index in flexible if widths[index] > floor[index]]
            if not shrinkable:
                break
            widths[max(shrinkable, key=lambda index: widths[index])] -= 1
    return widths
