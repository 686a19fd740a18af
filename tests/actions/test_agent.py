"""The agent: what is due is done, nothing twice at a time, and whatever goes wrong, it goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mailtui.actions import agent as agents
from mailtui.actions import schedule
from mailtui.actions.agent import (
    Agent,
    AgentEvent,
    AgentOptions,
    Checked,
    NewMail,
    Planned,
    Problem,
    Retrieved,
    only_agent,
)
from mailtui.actions.schedule import Schedule
from mailtui.model.account import Account, Protocol, RetrievalMode
from mailtui.model.check import Cause, Stage
from mailtui.model.errors import StorageError, UsageError
from mailtui.model.retrieval import RetrievalReport
from mailtui.storage.database import Database
from tests.actions.kit import KNOWN, account, endpoint
from tests.cli.reports import failed, good_report
from tests.cli.retrievals import came
from tests.protocols.legs import until

HOURLY = AgentOptions(check_every=timedelta(hours=1))
NEVER = AgentOptions(check_every=None)


def automatic(name: str) -> Account:
    """POP3, so that nothing waits for news."""
    made = account(name, endpoint(25), endpoint(110), Protocol.POP3)
    assert made.retrieval is not None
    return replace(made, retrieval=replace(made.retrieval, mode=RetrievalMode.AUTOMATIC))


@dataclass
class Work:
    """Stands in for the real retrievals and checks; `gate` holds them up, `fault` is what they raise."""

    retrieved: list[str] = field(default_factory=list)
    checked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    fault: Exception | None = None
    busy_times: int = 0
    cancelled: int = 0

    async def retrieve_many(self, accounts: Iterable[Account], *rest: Any, **named: Any) -> None:
        report = busy if len(self.retrieved) < self.busy_times else came
        await self._do(accounts, self.retrieved, named["on_report"], report)

    async def check_many(self, accounts: Iterable[Account], *rest: Any, **named: Any) -> None:
        await self._do(accounts, self.checked, named["on_report"], good_report)

    async def _do(
        self, accounts: Iterable[Account], done: list[str], on_report: Callable[[Any], None], report: Callable[..., Any]
    ) -> None:
        accounts = list(accounts)
        done.extend(account.name for account in accounts)
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.fault is not None:
            raise self.fault
        for one in accounts:
            on_report(report(one))


def busy(account: Account) -> RetrievalReport:
    """Another process retrieves it."""
    report = came(account)
    return replace(report, leg=failed(report.leg, Stage.RESOLVE, Cause.RETRIEVAL_BUSY, "by another process"))


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    made = Work()
    monkeypatch.setattr(agents, "retrieve_many", made.retrieve_many)
    monkeypatch.setattr(agents, "check_many", made.check_many)
    monkeypatch.setattr(schedule, "AT_FIRST", timedelta(milliseconds=10))
    monkeypatch.setattr(agents, "LOOK_SECONDS", 0.01)
    return made


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        yield opened


class Running:
    """An agent at work, and what it told."""

    def __init__(self, database: Database, options: AgentOptions) -> None:
        self.told: list[AgentEvent] = []
        self.agent = Agent(database, KNOWN, self.told.append, options)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]


@asynccontextmanager
async def running(database: Database, options: AgentOptions = NEVER) -> AsyncIterator[Running]:
    made = Running(database, options)
    task = asyncio.create_task(made.agent.run())
    yield made
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


async def test_automatic_accounts_are_retrieved_and_active_ones_checked(database: Database, work: Work) -> None:
    for one in (automatic("ada"), account("bob", endpoint(25)), replace(automatic("off"), active=False)):
        database.add(one)
    work.gate.set()
    async with running(database, HOURLY) as run:
        await until(lambda: len(run.of(Retrieved)) == 1 and len(run.of(Checked)) == 2)
        assert run.told[0] == Planned(active=2, retrieved=1, checked=2)
        assert work.retrieved == ["ada"]
        assert sorted(work.checked) == ["ada", "bob"]
    assert set(database.latest()) == {"ada", "bob"}


async def test_what_another_process_retrieves_is_tried_again_soon_and_told_once(
    database: Database, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "ELSEWHERE", timedelta(milliseconds=10))
    database.add(automatic("ada"))
    work.busy_times = 3
    work.gate.set()
    async with running(database) as run:
        await until(lambda: len(run.of(Retrieved)) == 2)
        assert [event.report.leg.failure is None for event in run.of(Retrieved)] == [False, True]
    assert work.retrieved == ["ada"] * 4


async def test_who_was_checked_lately_is_not_due(database: Database, work: Work) -> None:
    for name in ("ada", "bob"):
        database.record(replace(good_report(database.add(account(name, endpoint(25)))), ms=3_000_000.0))
    database.add(account("new", endpoint(25)))
    work.gate.set()
    async with running(database, HOURLY) as run:
        await until(lambda: len(run.of(Checked)) == 1)
    assert work.checked == ["new"]


async def test_no_account_is_checked_while_it_is_retrieved(
    database: Database, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A POP3 server lets in one connection at a time."""
    postponed: list[str] = []
    postpone = Schedule.postpone

    def noted(self: Schedule, name: str) -> None:
        postponed.append(name)
        postpone(self, name)

    monkeypatch.setattr(Schedule, "postpone", noted)
    database.add(automatic("ada"))
    async with running(database, HOURLY) as run:
        await until(lambda: len(postponed) > 1)
        assert len(work.retrieved) + len(work.checked) == 1
        work.gate.set()
        await until(lambda: len(run.of(Checked)) == 1 and len(run.of(Retrieved)) == 1)


async def test_what_another_process_changes_counts_soon(database: Database, work: Work) -> None:
    work.gate.set()
    async with running(database) as run:
        await until(lambda: run.told == [Planned(0, 0, 0)])
        with Database.open(database.path) as other:
            other.add(automatic("ada"))
        await until(lambda: len(run.of(Retrieved)) == 1)
        assert run.of(Planned) == [Planned(0, 0, 0), Planned(1, 1, 0)]


async def test_being_asked_it_reads_again_and_takes_new_options(database: Database, work: Work) -> None:
    database.add(account("ada", endpoint(25)))
    work.gate.set()
    async with running(database) as run:
        await until(lambda: bool(run.told))
        run.agent.reload(HOURLY)
        await until(lambda: work.checked == ["ada"])
        assert run.of(Planned) == [Planned(1, 0, 0), Planned(1, 0, 1)]


async def test_a_database_that_fails_is_told_once_and_does_not_end_it(
    database: Database, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def data_version() -> int:
        nonlocal asked
        asked += 1
        raise StorageError("the disk is full")

    async with running(database) as run:
        await until(lambda: bool(run.told))
        monkeypatch.setattr(database, "data_version", data_version)
        await until(lambda: asked >= 3)
        assert run.of(Problem) == [Problem("the disk is full")]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (StorageError("the disk is full"), "the disk is full"),
        (ValueError("secret"), "a defect of mailtui, please report it: ValueError"),
    ],
)
async def test_a_fault_frees_the_account_for_the_next_time(
    database: Database, work: Work, fault: Exception, words: str
) -> None:
    database.add(automatic("ada"))
    work.fault = fault
    work.gate.set()
    async with running(database) as run:
        await until(lambda: run.of(Problem) == [Problem(words)])
        work.fault = None
        run.agent._on_new(automatic("ada"))
        await until(lambda: len(run.of(Retrieved)) == 1)
        assert work.retrieved == ["ada", "ada"]
        assert run.of(NewMail) == [NewMail("ada")]


async def test_being_ended_it_ends_what_runs(database: Database, work: Work) -> None:
    database.add(automatic("ada"))
    async with running(database):
        await until(lambda: work.retrieved == ["ada"])
    assert work.cancelled == 1


def test_only_one_agent_works_on_a_data_folder(tmp_path: Path) -> None:
    with only_agent(tmp_path), pytest.raises(UsageError, match="another agent runs on"), only_agent(tmp_path):
        pass
    with only_agent(tmp_path):
        pass


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "agent.lock").mkdir()
    with pytest.raises(UsageError, match="agent's lock"), only_agent(tmp_path):
        pass
