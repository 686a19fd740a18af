"""Retrieve mail: fetched, stored for good, recorded, and only then deleted where that is wished."""

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailtui.actions.finishing import to_the_end
from mailtui.actions.leg import CheckOptions, LegCheck, Run, SecretReader
from mailtui.actions.lockout import Logins
from mailtui.actions.memory import Memory
from mailtui.actions.places import Destinations
from mailtui.actions.rehearsing import Listing, Rehearsal, names_agree
from mailtui.actions.retrieving import Retrieving
from mailtui.actions.slots import Limits, Slots
from mailtui.actions.storing import not_stored
from mailtui.actions.tally import Tally
from mailtui.model.account import Account
from mailtui.model.amounts import counted
from mailtui.model.check import (
    CERTIFICATE_WARNING,
    Cause,
    CheckReport,
    Failure,
    Leg,
    LegReport,
    Stage,
    legs_of,
    utc_now,
)
from mailtui.model.errors import StorageError
from mailtui.model.retrieval import RetrievalEvent, RetrievalFinished, RetrievalReport, RetrievalStarted
from mailtui.model.text import clean
from mailtui.model.watch import Learnt
from mailtui.offloop import off_loop
from mailtui.protocols.dial import Network
from mailtui.protocols.faults import WireError
from mailtui.storage.database import Database
from mailtui.storage.files import Busy, FileLock
from mailtui.storage.ledger import Ledger
from mailtui.storage.maildir import settle
from mailtui.storage.paths import DataPaths, private_folder
from mailtui.storage.settings import RETRIEVALS_AT_ONCE

Listener = Callable[[RetrievalEvent], None]


@dataclass(frozen=True, slots=True)
class RetrieveOptions:
    """How to retrieve. `timeout` is in seconds, and ends a server that is silent for so long.

    A dry run changes nothing, on the server or here, and logs in twice. `insist` as in `CheckOptions`.
    """

    dry_run: bool = False
    timeout: float = 30.0
    transcript: bool = True
    certificate_days: int = CERTIFICATE_WARNING.days
    insist: bool = False


def retrieval_slots(at_once: int = RETRIEVALS_AT_ONCE) -> Slots:
    """Places for so many retrievals at once, whatever their hosts."""
    return Slots(Limits(total=at_once, per_host=at_once))


async def retrieve_many(
    accounts: Iterable[Account],
    secrets: SecretReader,
    database: Database,
    *,
    on_event: Listener | None = None,
    on_report: Callable[[RetrievalReport], None],
    options: RetrieveOptions | None = None,
    slots: Slots | None = None,
    memory: Memory | None = None,
    tasks: dict[str, "asyncio.Task[None]"] | None = None,
) -> None:
    """Retrieve the mail of accounts that receive, at once within `slots`; a report comes as soon as it is whole.

    Never raises but for cancellation, after which nothing is lost: what was stored is recorded, or found by the next
    run. Each report is kept in the database (not that of a dry run, nor of an account that another process retrieves).
    `memory` is what past checks taught, read from the database where it is not given. Into `tasks` each account's task
    is put by its name: cancelling it ends that account alone, without a report.
    """
    options = options or RetrieveOptions()
    memory = memory or await _memory(database)
    check_options = CheckOptions(
        frozenset({Leg.INBOUND}),
        stage_timeout=options.timeout,
        leg_timeout=math.inf,
        transcript=options.transcript,
        certificate_days=options.certificate_days,
        insist=options.insist,
    )
    run = Run(secrets, on_event, check_options, Network(), slots or retrieval_slots(), memory, Logins())

    async def retrieve(account: Account) -> None:
        report = await _Account(account, run, database, options, on_event).retrieve()
        await off_loop(lambda: _keep_learnt(memory, database, report))
        if on_event is not None:
            on_event(RetrievalFinished(account.name, report))
        on_report(report)

    async with asyncio.TaskGroup() as group:
        for account in accounts:
            if account.retrieval is not None:
                task = group.create_task(retrieve(account))
                if tasks is not None:
                    tasks[account.name] = task


async def _memory(database: Database) -> Memory:
    try:
        return await off_loop(lambda: Memory.load(database))
    except StorageError:
        # Each account fails by itself, and says why.
        return Memory()


class _Learning:
    """The database as `Memory` writes to it, without the reports that come along: those are of checks alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.baselines = database.baselines
        self.refused_logins = database.refused_logins

    def record_many(self, reports: Sequence[CheckReport], learnt: Sequence[Learnt] = ()) -> None:
        if learnt:
            self._database.record_many((), learnt)


def _keep_learnt(memory: Memory, database: Database, report: RetrievalReport) -> None:
    # What is not stored now stays in the memory, and comes with the next report.
    with contextlib.suppress(StorageError):
        memory.write(_Learning(database))([CheckReport(report.account, report.started, report.ms, None, report.leg)])


class _Account:
    """One retrieval of one account."""

    def __init__(
        self, account: Account, run: Run, database: Database, options: RetrieveOptions, on_event: Listener | None
    ) -> None:
        self._account = account
        self._run = run
        self._options = options
        self._on_event = on_event
        self._data = DataPaths(database.path.parent)
        self._ledger = Ledger(database, account.name)
        self._destinations = Destinations(account, self._ledger, self._data)
        self._lock: FileLock | None = None
        self._again: dict[str, int] = {}
        """Messages of each mailbox that may have been handed over before, without a word that they were taken."""

    async def retrieve(self) -> RetrievalReport:
        """All of it. Never raises but for cancellation."""
        started, began = utc_now(), time.perf_counter()
        tally = Tally(self._account.name, self._on_event)
        try:
            leg, is_stable = await (self._rehearse(tally) if self._options.dry_run else self._really(tally))
            report = RetrievalReport(
                self._account.name,
                started,
                round((time.perf_counter() - began) * 1_000, 3),
                leg,
                tuple(mailbox.result() for mailbox in tally.mailboxes),
                tuple(tally.candidates),
                self._options.dry_run,
                is_stable,
            )
            is_busy = leg.failure is not None and leg.failure.cause is Cause.RETRIEVAL_BUSY
            return report if self._options.dry_run or is_busy else await self._kept(report)
        finally:
            if self._lock is not None:
                self._lock.release()

    async def _really(self, tally: Tally) -> tuple[LegReport, None]:
        retrieving = Retrieving(self._account, tally, self._ledger, self._destinations)
        try:
            leg = await self._leg(self._run, retrieving)
        finally:
            await self._destinations.close()
        for name, again in self._again.items():
            # This one may not have come so far, and it is said only once.
            mailbox = next((one for one in tally.mailboxes if one.name == name), None) or tally.begin(name, "")
            mailbox.notes.append(
                f"{counted(again, 'message')} may have been delivered twice:"
                " the last retrieval was interrupted meanwhile"
            )
        return leg, None

    async def _rehearse(self, tally: Tally) -> tuple[LegReport, bool | None]:
        rehearsal = Rehearsal(self._account, tally, self._ledger, self._destinations)
        leg = await self._leg(self._run, rehearsal)
        if leg.failure is not None or not rehearsal.has_uids:
            return leg, None if leg.failure is not None else False
        listing = Listing(self._account, Tally(self._account.name, None))
        again = await self._leg(replace(self._run, on_event=None), listing, is_first=False)
        return leg, None if again.failure is not None else names_agree(rehearsal.names, listing.names)

    async def _leg(self, run: Run, walk: Listing | Retrieving, *, is_first: bool = True) -> LegReport:
        setup = next(setup for setup in legs_of(self._account) if setup.leg is Leg.INBOUND)
        leg = LegCheck(
            self._account,
            setup,
            run,
            work=walk.work,
            plan=setup.retrieval_plan,
            prepare=self._begin if is_first else None,
        )
        return await leg.check()

    async def _begin(self) -> Failure | None:
        """Take the account's lock and deal with what an interrupted retrieval left; why it cannot be begun, or None."""
        if self._on_event is not None:
            self._on_event(RetrievalStarted(self._account.name))
        try:
            await self._take_lock()
            if not self._options.dry_run:
                await self._destinations.find_root()
                # The lock must not end before it.
                await to_the_end(off_loop(self._settle))
        except Busy:
            return Failure(
                Cause.RETRIEVAL_BUSY,
                Stage.RESOLVE,
                "this account is being retrieved by another mailtui on this machine; wait until that has ended",
            )
        except (OSError, StorageError) as error:
            fault: WireError = not_stored(error)
            return Failure(fault.cause, Stage.RESOLVE, fault.hint)
        return None

    async def _take_lock(self) -> None:
        token = await off_loop(lambda: self._ledger.token)
        folder = self._data.locks
        self._lock = lock = FileLock(folder / f"{token}.lock", deadline=0.0)

        def take() -> None:
            private_folder(folder)
            lock.acquire()

        await off_loop(take)

    def _settle(self) -> None:
        unfinished = self._ledger.unfinished()
        if not unfinished:
            return
        delivered = settle(Path(file) for _, _, file in unfinished if file)
        self._ledger.confirm([id_ for id_, _, file in unfinished if file and Path(file) in delivered])
        self._ledger.forget([id_ for id_, _, file in unfinished if not file or Path(file) not in delivered])
        for _, mailbox, file in unfinished:
            if not file:
                self._again[clean(mailbox)] = self._again.get(clean(mailbox), 0) + 1

    async def _kept(self, report: RetrievalReport) -> RetrievalReport:
        try:
            await off_loop(lambda: self._ledger.finish(report))
        except StorageError as error:
            warning = "; ".join(filter(None, (report.leg.warning, f"this report could not be kept: {error}")))
            return replace(report, leg=replace(report.leg, warning=warning))
        return report
