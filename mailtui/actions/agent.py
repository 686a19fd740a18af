"""The agent: fetches mail on schedule and as servers tell of it, and checks accounts, for as long as it runs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from mailtui.actions.check import CheckOptions, Limits, SecretReader, Slots, check_many
from mailtui.actions.idling import IdleEvent, Idlers
from mailtui.actions.memory import Memory
from mailtui.actions.recording import Recorder
from mailtui.actions.retrieve import RetrieveOptions, retrieval_slots, retrieve_many
from mailtui.actions.schedule import Schedule, retrieval_interval
from mailtui.model.account import Account
from mailtui.model.check import Cause, CheckReport, utc_now
from mailtui.model.errors import MailtuiError, UsageError
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.database import Database
from mailtui.storage.files import Busy, FileLock
from mailtui.storage.ledger import last_retrievals
from mailtui.storage.settings import RETRIEVALS_AT_ONCE

LOOK_SECONDS = 2.0
"""How often the database is asked whether another process has written."""


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """How the agent works. Without `check_every` it checks nothing."""

    check_every: timedelta | None
    retrievals_at_once: int = RETRIEVALS_AT_ONCE
    retrieve: RetrieveOptions = field(default_factory=RetrieveOptions)


@dataclass(frozen=True, slots=True)
class Planned:
    """The accounts were read: so many active ones, of which so many are retrieved, and so many checked."""

    active: int
    retrieved: int
    checked: int


@dataclass(frozen=True, slots=True)
class NewMail:
    """A server tells of new mail, or may have had some while no connection stood."""

    account: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A retrieval has ended."""

    account: Account
    report: RetrievalReport


@dataclass(frozen=True, slots=True)
class Checked:
    """A check has ended."""

    account: Account
    report: CheckReport


@dataclass(frozen=True, slots=True)
class Problem:
    """Something could not be done; the agent goes on."""

    words: str


AgentEvent = Planned | IdleEvent | NewMail | Retrieved | Checked | Problem


@contextlib.contextmanager
def only_agent(folder: Path) -> Iterator[None]:
    """Within, no other agent runs on this data folder. Raises UsageError if one does."""
    lock = FileLock(folder / "agent.lock", deadline=0)
    try:
        lock.acquire()
    except Busy:
        raise UsageError(f"another agent runs on {clean(str(folder))}; stop it first, or leave it to it") from None
    except OSError as error:
        raise UsageError(
            f"the agent's lock in {clean(str(folder))} cannot be taken: {error.strerror}; correct its permissions"
        ) from None
    try:
        yield
    finally:
        lock.release()


class Agent:
    """Works while `run` does. `tell` is called on the loop with all that happens.

    `secrets` serves for as long (`RereadingReader`). An account is never retrieved and checked at once: POP3 servers
    let in one connection at a time.
    """

    def __init__(
        self, database: Database, secrets: SecretReader, tell: Callable[[AgentEvent], None], options: AgentOptions
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._tell = tell
        self._options = options
        self._memory = Memory()
        self._idlers = Idlers(secrets, self._memory, self._on_new, on_event=tell)
        self._retrievals = _Rounds(self._retrieve, retrieval_interval, self._on_problem)
        self._checks = _Rounds(self._check, self._check_interval, self._on_problem)
        self._retrievals.others = self._checks.running
        self._checks.others = self._retrievals.running
        self._recorder = Recorder(self._memory.write(database), self._on_unrecorded)
        self._retrieval_slots = retrieval_slots(options.retrievals_at_once)
        self._check_slots = Slots(Limits())
        self._accounts: list[Account] = []
        self._asked = asyncio.Event()
        self._planned: Planned | None = None
        self._problem = ""
        self._elsewhere: set[str] = set()
        """Accounts that another process was retrieving when they were due last; that is told once."""

    def reload(self, options: AgentOptions | None = None) -> None:
        """Read the accounts again soon, and go on with `options` if they are given."""
        if options is not None and options != self._options:
            self._options = options
            self._retrieval_slots = retrieval_slots(options.retrievals_at_once)
        self._planned = None
        self._asked.set()

    async def run(self) -> None:
        """Work until cancelled; what has come whole by then is stored. Raises StorageError where it cannot begin."""
        version = await off_loop(self._database.data_version)
        await self._read()
        try:
            async with asyncio.TaskGroup() as group:
                for rounds in (self._retrievals, self._checks):
                    group.create_task(rounds.run())
                group.create_task(self._idlers.run())
                group.create_task(self._follow(version))
        finally:
            await self._recorder.end()
            with contextlib.suppress(MailtuiError):
                await off_loop(lambda: self._memory.keep_refusals(self._database, self._accounts))

    async def _follow(self, version: int) -> None:
        """Read the accounts again when another process has written, or someone asks for it."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._asked.wait()
            try:
                now = await off_loop(self._database.data_version)
                if now != version or self._asked.is_set():
                    self._asked.clear()
                    await self._read()
                version, self._problem = now, ""
            except MailtuiError as error:
                self._on_problem(str(error))

    async def _read(self) -> None:
        accounts, retrieved, checked = await off_loop(self._stored)
        self._accounts = accounts
        self._retrievals.schedule.plan(accounts, retrieved)
        self._checks.schedule.plan(accounts, checked)
        self._idlers.follow(accounts)
        planned = Planned(
            sum(account.active for account in accounts),
            sum(retrieval_interval(account) is not None for account in accounts),
            sum(self._check_interval(account) is not None for account in accounts),
        )
        if planned != self._planned:
            self._planned = planned
            self._tell(planned)

    def _stored(self) -> tuple[list[Account], Mapping[str, datetime], Mapping[str, datetime]]:
        self._memory.reload(self._database)
        reports = last_retrievals(self._database).values()
        checks = self._database.latest(transcripts=False).values()
        return self._database.accounts(), _ends(reports), _ends(checks)

    def _check_interval(self, account: Account) -> timedelta | None:
        return self._options.check_every if account.active else None

    async def _retrieve(self, accounts: list[Account], done: Callable[[str], None]) -> None:
        by_name = {account.name: account for account in accounts}

        def on_report(report: RetrievalReport) -> None:
            done(report.account)
            if report.leg.failure is not None and report.leg.failure.cause is Cause.RETRIEVAL_BUSY:
                self._retrievals.schedule.postpone(report.account, is_elsewhere=True)
                if report.account in self._elsewhere:
                    return
                self._elsewhere.add(report.account)
            else:
                self._elsewhere.discard(report.account)
            self._tell(Retrieved(by_name[report.account], report))

        await retrieve_many(
            accounts,
            self._secrets,
            self._database,
            on_report=on_report,
            options=self._options.retrieve,
            slots=self._retrieval_slots,
            memory=self._memory,
        )

    async def _check(self, accounts: list[Account], done: Callable[[str], None]) -> None:
        by_name = {account.name: account for account in accounts}

        def on_report(report: CheckReport) -> None:
            done(report.account)
            self._recorder.add(report)
            self._tell(Checked(by_name[report.account], report))

        await check_many(
            accounts,
            self._secrets,
            on_report=on_report,
            options=CheckOptions(certificate_days=self._options.retrieve.certificate_days),
            slots=self._check_slots,
            memory=self._memory,
        )

    def _on_new(self, account: Account) -> None:
        self._tell(NewMail(account.name))
        self._retrievals.schedule.at_once(account.name)

    def _on_unrecorded(self, problem: str) -> None:
        self._on_problem(f"the history was not kept: {problem}")

    def _on_problem(self, words: str) -> None:
        if words != self._problem:
            # The same one every two seconds helps nobody.
            self._problem = words
            self._tell(Problem(words))


def _ends(reports: Iterable[RetrievalReport] | Iterable[CheckReport]) -> dict[str, datetime]:
    return {report.account: report.started + timedelta(milliseconds=report.ms) for report in reports}


_Work = Callable[[list[Account], Callable[[str], None]], Awaitable[None]]


class _Rounds:
    """One kind of work on accounts, as it becomes due. Whoever is in `others` at that moment comes later."""

    def __init__(
        self, work: _Work, every: Callable[[Account], timedelta | None], on_problem: Callable[[str], None]
    ) -> None:
        self.schedule = Schedule(self._start, every=every)
        self.running: set[str] = set()
        self.others: set[str] = set()
        self._work = work
        self._on_problem = on_problem
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Work until cancelled, and then let what has begun end in order."""
        async with asyncio.TaskGroup() as self._group:
            await self.schedule.run()

    def _start(self, accounts: list[Account]) -> None:
        assert self._group is not None
        free = [account for account in accounts if account.name not in self.others]
        for account in accounts:
            if account.name in self.others:
                self.schedule.postpone(account.name)
        if free:
            self.running.update(account.name for account in free)
            self._group.create_task(self._round(free))

    async def _round(self, accounts: list[Account]) -> None:
        left = {account.name for account in accounts}

        def done(name: str) -> None:
            left.discard(name)
            self.running.discard(name)
            self.schedule.ended(name, utc_now())

        try:
            await self._work(accounts, done)
        except MailtuiError as error:
            self._on_problem(str(error))
        except Exception as error:  # noqa: BLE001  # a defect must be told, and not end all that is to come
            self._on_problem(f"a defect of mailtui, please report it: {type(error).__name__}")
        finally:
            for name in tuple(left):
                done(name)
