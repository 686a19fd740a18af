"""Accept servers as they are now: a person looked at what changed, and finds it right."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol as Interface

from mailtui.actions.memory import LearntStore, Memory
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, LegReport, current, utc_now
from mailtui.model.server import Change
from mailtui.model.watch import HELD_BACK, Learnt


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


def waits_for_acceptance(leg: LegReport) -> bool:
    """Whether the checks go on as before once a person accepts what changed at the server of `leg`.

    Where the account wants STARTTLS and there is none any more, accepting that would not bring it back.
    """
    if leg.failure is not None:
        return leg.failure.cause in HELD_BACK.values()
    # Without a login there is nothing to hold back: the leg goes well, and warns until the change is accepted.
    return leg.has_alarming_change


def accept_changes(store: ReportStore, memory: Memory, names: Iterable[str]) -> list[Accepted]:
    """Take the servers of the last reports of these accounts as they are; returns the legs that had waited for it.

    Nothing is checked. Blocks. Raises UsageError for an account that does not exist, and StorageError.
    """
    accounts = [store.account(name) for name in dict.fromkeys(names)]
    changed: list[tuple[str, LegReport]] = []
    for account in accounts:
        last = store.history(account.name, 1, transcripts=False)
        report = current(last[0] if last else None, account)
        legs = report.legs if report is not None else ()
        changed += [(account.name, leg) for leg in legs if waits_for_acceptance(leg)]
    accept_legs(store, memory, changed)
    return [Accepted(name, leg.leg, leg.changes, leg.changed_since) for name, leg in changed]


def accept_legs(store: LearntStore, memory: Memory, legs: Iterable[tuple[str, LegReport]]) -> None:
    """Take the servers of these legs, by their accounts' names, as they were seen. Blocks. Raises StorageError."""
    if learnt := learn_legs(memory, legs):
        store.record_many((), learnt=learnt)


def learn_legs(memory: Memory, legs: Iterable[tuple[str, LegReport]]) -> list[Learnt]:
    """Have `memory` take the servers of these legs as they were seen; returns what is to be kept of that."""
    now = utc_now()
    return [Learnt(name, leg.leg, baseline=memory.learn(name, leg, now)) for name, leg in legs]
