"""What the last report says of an account, worked out once for each report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailtui.actions.standing import Standing, standing_of
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, current
from mailtui.tui.legs import settled_mark
from mailtui.tui.words import Mark


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """`last` is what of `report` still speaks of `account`. Another object for every change of either."""

    account: Account
    report: CheckReport | None
    last: CheckReport | None
    standing: Standing
    outbound: Mark
    inbound: Mark

    def mark(self, leg: Leg) -> Mark:
        """The mark of one leg."""
        return self.outbound if leg is Leg.OUTBOUND else self.inbound


def judge(account: Account, report: CheckReport | None) -> Judgement:
    """What `report`, the last of `account`, says."""
    last = current(report, account)
    return Judgement(
        account,
        report,
        last,
        standing_of(account, last),
        settled_mark(account, Leg.OUTBOUND, last),
        settled_mark(account, Leg.INBOUND, last),
    )


def judge_all(accounts: Iterable[Account], reports: Mapping[str, CheckReport]) -> dict[str, Judgement]:
    """The judgements of many, by name; with thousands it takes so long that the event loop must not wait for it."""
    return {account.name: judge(account, reports.get(account.name)) for account in accounts}
