"""What the last check and the last retrieval say of an account, worked out once for each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mailtui.actions.standing import Standing, newer_retrieval, standing_by
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, current
from mailtui.model.retrieval import RetrievalReport
from mailtui.tui.legs import settled_mark, severity_mark
from mailtui.tui.words import Mark


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """`last` is what of `report` still speaks of `account`; `newest` is `retrieved` where it does, and is newer.

    Each leg stands as the newest of them found it. Another object for every change of what it is made from.
    """

    account: Account
    report: CheckReport | None
    retrieved: RetrievalReport | None
    last: CheckReport | None
    newest: RetrievalReport | None
    standing: Standing
    outbound: Mark
    inbound: Mark

    def mark(self, leg: Leg) -> Mark:
        """The mark of one leg."""
        return self.outbound if leg is Leg.OUTBOUND else self.inbound


def judge(account: Account, report: CheckReport | None, retrieved: RetrievalReport | None = None) -> Judgement:
    """What `report`, the last check of `account`, and its last retrieval say."""
    last = current(report, account)
    newest = newer_retrieval(retrieved, account, last)
    severities = {leg.leg: leg.severity for leg in last.legs} if last is not None else {}
    inbound = settled_mark(account, Leg.INBOUND, last)
    if newest is not None:
        severities[Leg.INBOUND] = newest.severity
        inbound = severity_mark(newest.severity)
    return Judgement(
        account,
        report,
        retrieved,
        last,
        newest,
        standing_by(account, severities),
        settled_mark(account, Leg.OUTBOUND, last),
        inbound,
    )


def judge_all(
    accounts: Iterable[Account], reports: Mapping[str, CheckReport], retrieved: Mapping[str, RetrievalReport]
) -> dict[str, Judgement]:
    """The judgements of many, by name; with thousands it takes so long that the event loop must not wait for it."""
    return {
        account.name: judge(account, reports.get(account.name), retrieved.get(account.name)) for account in accounts
    }
