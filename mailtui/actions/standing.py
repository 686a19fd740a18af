"""How an account stands, in one word: what summaries count and filters ask for."""

from collections.abc import Mapping
from enum import Enum

from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, Severity, current, legs_of
from mailtui.model.retrieval import RetrievalReport


class Standing(Enum):
    """An account by the worst of its legs."""

    GOOD = "good"
    WARNING = "warning"
    FAILING = "failing"
    UNCHECKED = "unchecked"
    OFF = "off"


def standing_of(account: Account, report: CheckReport | None) -> Standing:
    """What `report`, the last of `account`, makes of it."""
    last = current(report, account)
    return standing_by(account, {leg.leg: leg.severity for leg in last.legs} if last is not None else {})


def standing_by(account: Account, severities: Mapping[Leg, Severity]) -> Standing:
    """What is known of the legs of `account` makes of it; an inactive account is off, whatever that is."""
    if not account.active:
        return Standing.OFF
    if Severity.FAILED in severities.values():
        return Standing.FAILING
    if any(setup.leg not in severities for setup in legs_of(account)):
        return Standing.UNCHECKED
    return Standing.WARNING if Severity.WARNING in severities.values() else Standing.GOOD


def current_retrieval(report: RetrievalReport | None, account: Account) -> RetrievalReport | None:
    """`report`, the last retrieval of `account`, where it tells of the server that the account has now, else None."""
    if report is None:
        return None
    now = ((setup.protocol, setup.endpoint) for setup in legs_of(account) if setup.leg is Leg.INBOUND)
    return report if (report.leg.protocol, report.leg.endpoint) in now else None


def newer_retrieval(
    report: RetrievalReport | None, account: Account, last: CheckReport | None
) -> RetrievalReport | None:
    """The same, unless the check `last` has looked at the receiving leg since."""
    found = current_retrieval(report, account)
    if found is None or (last is not None and last.inbound is not None and last.started > found.started):
        return None
    return found
