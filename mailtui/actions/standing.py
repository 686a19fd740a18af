"""How an account stands, in one word: what summaries count and filters ask for."""

from enum import Enum

from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Severity, current, legs_of


class Standing(Enum):
    """An account by the worst of its legs."""

    GOOD = "good"
    WARNING = "warning"
    FAILING = "failing"
    UNCHECKED = "unchecked"
    OFF = "off"


def standing_of(account: Account, report: CheckReport | None) -> Standing:
    """What `report`, the last of `account`, makes of it; an inactive account is off, whatever it says."""
    if not account.active:
        return Standing.OFF
    last = current(report, account)
    severities = {leg.leg: leg.severity for leg in last.legs} if last is not None else {}
    if Severity.FAILED in severities.values():
        return Standing.FAILING
    if any(setup.leg not in severities for setup in legs_of(account)):
        return Standing.UNCHECKED
    return Standing.WARNING if Severity.WARNING in severities.values() else Standing.GOOD
