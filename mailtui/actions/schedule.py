"""When things are due again: every interval, each a little later by chance, so that they do not come in step."""

import asyncio
import random as chance
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtui.model.account import Account, RetrievalMode
from mailtui.model.check import utc_now

JITTER = 0.1
"""By how much of its interval a retrieval comes later at most."""

AT_FIRST = timedelta(seconds=5)
"""What is overdue when it is first seen is started within this time."""

ELSEWHERE = timedelta(minutes=1)
"""What another process was seeing to is due again after this time: that may have ended before all was done."""

_LOOK_AGAIN = 30.0
"""Seconds after which the clock is read again at the latest: the machine may have slept, or been set."""


def retrieval_interval(account: Account) -> timedelta | None:
    """Between two retrievals of this account; None where its mail is not fetched by itself."""
    retrieval = account.retrieval
    if not account.active or retrieval is None or retrieval.mode is not RetrievalMode.AUTOMATIC:
        return None
    return timedelta(minutes=retrieval.interval)


@dataclass(slots=True)
class _Entry:
    account: Account
    interval: timedelta
    earliest: datetime
    lateness: float
    last: datetime | None = None
    is_running: bool = False
    is_wanted: bool = False

    @property
    def due(self) -> datetime:
        if self.last is None or self.is_wanted:
            return self.earliest
        return max(self.earliest, self.last + self.interval * (1 + JITTER * self.lateness))


class Schedule:
    """The next retrieval of each automatic account, or whatever else is to be done `every` so often.

    `start` is called with the accounts that are due; whoever sees to them says so by `ended`, however it went, and
    until then they are not started again. `random` gives numbers from 0 to 1. On the event loop only.
    """

    def __init__(
        self,
        start: Callable[[list[Account]], None],
        *,
        every: Callable[[Account], timedelta | None] = retrieval_interval,
        now: Callable[[], datetime] = utc_now,
        random: Callable[[], float] = chance.random,
    ) -> None:
        self._start = start
        self._every = every
        self._now = now
        self._random = random
        self._entries: dict[str, _Entry] = {}
        self._changed = asyncio.Event()

    def plan(self, accounts: Iterable[Account], last: Mapping[str, datetime]) -> None:
        """Take these accounts, as far as they have an interval; `last` is when each was seen to, by its name.

        May be called at any time: what has not changed keeps its time.
        """
        before, self._entries = self._entries, {}
        # The same for all, so that what is overdue is started together.
        earliest = self._now() + AT_FIRST * self._random()
        for account in accounts:
            interval = self._every(account)
            if interval is None:
                continue
            entry = before.get(account.name) or _Entry(account, interval, earliest, self._random())
            entry.account, entry.interval = account, interval
            if (at := last.get(account.name)) is not None:
                entry.last = at if entry.last is None else max(entry.last, at)
            self._entries[account.name] = entry
        self._changed.set()

    def ended(self, name: str, at: datetime) -> None:
        """This account was seen to at `at`, whoever began it and however it went."""
        if (entry := self._entries.get(name)) is not None:
            entry.is_running = False
            entry.last, entry.lateness = at, self._random()
            if (entry.due - self._now()).total_seconds() < _LOOK_AGAIN:
                # Else it is seen in time anyway: thousands that end one by one must not each have all looked at.
                self._changed.set()

    def at_once(self, name: str) -> None:
        """There is news of this account: it is due now, or again once what runs has ended."""
        if (entry := self._entries.get(name)) is not None:
            entry.is_wanted, entry.earliest = True, self._now()
            self._changed.set()

    def postpone(self, name: str, *, is_elsewhere: bool = False) -> None:
        """This account was started and cannot be seen to at this moment: it is due again soon.

        `is_elsewhere`: another process sees to it.
        """
        if (entry := self._entries.get(name)) is not None:
            entry.is_running = False
            entry.is_wanted, entry.earliest = True, self._now() + (ELSEWHERE if is_elsewhere else AT_FIRST)
            self._changed.set()

    def next_at(self, name: str) -> datetime | None:
        """When this account is due; None where it has no interval, or is being seen to."""
        entry = self._entries.get(name)
        return None if entry is None or entry.is_running else entry.due

    async def run(self) -> None:
        """Start what is due, until cancelled."""
        while True:
            self._changed.clear()
            if due := self._take():
                self._start(due)
            now = self._now()
            waits = [(entry.due - now).total_seconds() for entry in self._entries.values() if not entry.is_running]
            try:
                async with asyncio.timeout(max(0.0, min([_LOOK_AGAIN, *waits]))):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _take(self) -> list[Account]:
        now = self._now()
        due = []
        for entry in self._entries.values():
            # A time in the future is that of a clock which was wrong.
            entry.earliest = min(entry.earliest, now + ELSEWHERE)
            entry.last = None if entry.last is None else min(entry.last, now)
            if not entry.is_running and entry.due <= now:
                entry.is_running, entry.is_wanted = True, False
                due.append(entry.account)
        return due
