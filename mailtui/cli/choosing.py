"""Which accounts a command is about."""

from collections.abc import Sequence

from mailtui.model.account import Account
from mailtui.model.check import Leg
from mailtui.model.errors import UsageError
from mailtui.model.text import clean
from mailtui.storage.names import no_such_account


def choose_accounts(
    accounts: Sequence[Account], names: Sequence[str], legs: frozenset[Leg], source: str
) -> list[Account]:
    """Those `names`, active or not; without names, the active ones. Raises UsageError when nothing is left to check."""
    if not names:
        chosen = [account for account in accounts if account.active and _has_leg(account, legs)]
        if not chosen:
            what = "active account" if len(legs) > 1 else f"active account with an {min(legs).value} leg"
            raise UsageError(f"there is no {what} in {clean(source)}")
        return chosen
    by_name = {account.name: account for account in accounts}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        known = list(by_name)
        raise UsageError("\n".join(no_such_account(name, known, place=source) for name in dict.fromkeys(unknown)))
    chosen = [by_name[name] for name in dict.fromkeys(names)]
    for account in chosen:
        if not _has_leg(account, legs):
            raise UsageError(f"{clean(account.name)} has no inbound leg: it is a send-only account")
    return chosen


def _has_leg(account: Account, legs: frozenset[Leg]) -> bool:
    return Leg.OUTBOUND in legs or account.retrieval is not None
