"""What the screens know of retrievals: those that run, how far they are, and the last of each account. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from mailtui.model.account import Account
from mailtui.model.amounts import Pace
from mailtui.model.check import Leg, Stage
from mailtui.model.events import LegFinished
from mailtui.model.retrieval import (
    RetrievalEvent,
    RetrievalFinished,
    RetrievalProgress,
    RetrievalReport,
    RetrievalStarted,
)
from mailtui.tui.legs import LegProgress, setup_of
from mailtui.tui.words import Mark


def ended_at(report: RetrievalReport) -> datetime:
    """When a retrieval ended."""
    return report.started + timedelta(milliseconds=report.ms)


@dataclass(slots=True, eq=False)
class Retrieving:
    """A retrieval that runs, filled by its events. `is_ending`: it was cancelled, and finishes what it has begun."""

    name: str
    """Of its account, as it is called now."""
    leg: LegProgress
    by_hand: bool = True
    progress: RetrievalProgress | None = None
    is_ending: bool = False
    _begun: datetime | None = None
    _before: tuple[int, int] = (0, 0)
    _now: datetime | None = None

    @classmethod
    def of(cls, account: Account, *, by_hand: bool) -> "Retrieving":
        """The beginning of a retrieval of `account`."""
        setup = setup_of(account, Leg.INBOUND)
        return cls(account.name, LegProgress(setup.retrieval_plan if setup is not None else ()), by_hand)

    def take(self, event: RetrievalEvent, now: datetime) -> None:
        """Learn from an event that came now."""
        if isinstance(event, RetrievalProgress):
            if self._begun is None:
                # What came before the first word of progress says nothing of how fast it came.
                self._begun, self._before = now, (event.messages, event.octets)
            self.progress, self._now = event, now
        elif not isinstance(event, RetrievalStarted | RetrievalFinished):
            self.leg.take(event)

    @property
    def pace(self) -> Pace | None:
        """How far the mail is and how fast it comes; None before any does."""
        told = self.progress
        if told is None or self._begun is None or self._now is None:
            return None
        messages, octets = self._before
        return Pace(
            told.messages - messages,
            told.messages_in_all - messages,
            told.octets - octets,
            max(told.octets_in_all - octets, 0),
            (self._now - self._begun).total_seconds(),
        )

    @property
    def stage(self) -> Stage | None:
        """Which stage is walked; None where it still waits for its turn."""
        return None if self.leg.running is None else self.leg.planned[self.leg.running]

    @property
    def mark(self) -> Mark:
        """A filling circle: of the mail once that comes, of the stages before."""
        if (pace := self.pace) is not None and self.leg.report is None:
            return Mark.of_progress(int(pace.share * 100), 100)
        return self.leg.mark


Batch = Mapping[str, Retrieving]
"""Retrievals that were started together, by what their accounts were called then."""


class Retrievals:
    """Retrievals by account. `note` is told the name of every account of which something has changed; `touch` instead,
    where that is its last retrieval."""

    def __init__(self, note: Callable[[str], None], touch: Callable[[str], None]) -> None:
        self._note = note
        self._touch = touch
        self._running: dict[str, Retrieving] = {}
        self._last: dict[str, RetrievalReport] = {}
        self._bare: set[str] = set()
        self._begun = 0

    @property
    def running(self) -> int:
        """How many accounts are being retrieved."""
        return len(self._running)

    @property
    def by_hand(self) -> int:
        """How many of those a person began."""
        return sum(1 for one in self._running.values() if one.by_hand)

    @property
    def progress(self) -> tuple[int, int]:
        """How many accounts are done, of how many, since retrievals began to run."""
        return self._begun - len(self._running), self._begun

    def of(self, name: str) -> Retrieving | None:
        """The retrieval of an account that runs."""
        return self._running.get(name)

    def last(self, name: str) -> RetrievalReport | None:
        """The last retrieval of an account that has ended."""
        return self._last.get(name)

    @property
    def times(self) -> dict[str, datetime]:
        """When each account was retrieved last."""
        return {name: ended_at(report) for name, report in self._last.items()}

    def load(self, reports: Mapping[str, RetrievalReport], names: Iterable[str]) -> None:
        """Take the stored reports of the accounts `names`; newer ones that are known already stay."""
        known, bare = self._last, self._bare
        self._last, self._bare = {}, set()
        for name in names:
            mine, stored = known.get(name), reports.get(name)
            if stored is not None and (mine is None or mine.started < stored.started):
                self._last[name] = stored
                self._bare.add(name)
            elif mine is not None:
                self._last[name] = mine
                self._bare |= bare & {name}

    def lacks_transcript(self, name: str) -> bool:
        """Whether the last retrieval of an account was loaded without its transcript."""
        return name in self._bare

    def complete(self, report: RetrievalReport) -> None:
        """Take a stored report with its transcript, unless a newer one has come."""
        known = self._last.get(report.account)
        if known is not None and known.started <= report.started:
            self._last[report.account] = report
            self._bare.discard(report.account)
            self._touch(report.account)

    def renamed(self, before: str, name: str) -> None:
        """An account has another name; a retrieval of it goes on."""
        if (report := self._last.pop(before, None)) is not None:
            self._last[name] = replace(report, account=name)
        if before in self._bare:
            self._bare.remove(before)
            self._bare.add(name)
        if (running := self._running.pop(before, None)) is not None:
            running.name = name
            self._running[name] = running

    def forget(self, name: str) -> None:
        """An account is gone."""
        self._last.pop(name, None)
        self._bare.discard(name)
        self._running.pop(name, None)

    def begin(self, accounts: Iterable[Account], *, by_hand: bool) -> Batch:
        """Retrievals are about to run, together; none of an account that is being retrieved."""
        batch = {account.name: Retrieving.of(account, by_hand=by_hand) for account in accounts}
        self._begun = len(batch) + (self._begun if self._running else 0)
        self._running.update(batch)
        for name in batch:
            self._note(name)
        return batch

    def take(self, batch: Batch, event: RetrievalEvent, now: datetime) -> None:
        """Learn what a retrieval of `batch` did."""
        one = batch[event.account]
        if self._runs(one):
            one.take(event, now)
            if not isinstance(event, LegFinished):
                self._note(one.name)

    def end(self, one: Retrieving, report: RetrievalReport | None = None) -> bool:
        """A retrieval has ended, with a report if it was not cancelled; whether it was running."""
        if not self._runs(one):
            return False
        del self._running[one.name]
        if report is None:
            self._note(one.name)
        else:
            self._last[one.name] = replace(report, account=one.name)
            self._bare.discard(one.name)
            self._touch(one.name)
        return True

    def ending(self, names: Iterable[str] | None = None, *, by_hand: bool = False) -> list[Retrieving]:
        """These of those that run, or all, are being cancelled; returns which were not already.

        With `by_hand`, those that began by themselves go on.
        """
        stopped = [
            one
            for name in (self._running if names is None else names)
            if (one := self._running.get(name)) is not None and not one.is_ending and (one.by_hand or not by_hand)
        ]
        for one in stopped:
            one.is_ending = True
            self._note(one.name)
        return stopped

    def _runs(self, one: Retrieving) -> bool:
        return self._running.get(one.name) is one
