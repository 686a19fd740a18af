"""Accept servers as they are now: a person looked at what changed, and finds it right."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol as Interface

from mailtui.actions.memory import LearntStore, Memory
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, current, utc_now
from mailtui.model.server import Change
from mailtui.model.watch import Learnt


class ReportStore(LearntStore, Interface):
    """The part of the database that accepting needs. Calls block."""

    def account(self, name: str) -> Account:
        """The account of that name."""

    def history(self, name: str, limit: int = 100, *, transcripts: bool = True) -> list[CheckReport]:
        """The reports of an account, newest first."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One leg whose server is what the next check is compared with: what had changed, and since when."""

    account: str
    leg: Leg
    changes: tuple[Change, ...]
    since: datetime | None


def accept_changes(store: ReportStore, memory: Memory, names: Iterable[str]) -> list[Accepted]:
    """Take the servers of the last reports of these accounts as they are; returns the legs that had changed.

    Nothing is checked. Blocks. Raises UsageError for an account that does not exist, and StorageError.
    """
    accounts = [store.account(name) for name in dict.fromkeys(names)]
    accepted: list[Accepted] = []
    learnt: list[Learnt] = []
    now = utc_now()
    for account in accounts:
        last = store.history(account.name, 1, transcripts=False)
        report = current(last[0] if last else None, account)
        for leg in report.legs if report is not None else ():
            if leg.changes:
                learnt.append(Learnt(account.name, leg.leg, baseline=memory.learn(account.name, leg, now)))
                accepted.append(Accepted(account.name, leg.leg, leg.changes, leg.changed_since))
    if learnt:
        store.record_many((), learnt=learnt)
    return accepted
