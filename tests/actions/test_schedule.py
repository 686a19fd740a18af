"""When retrievals are due: every interval and a bit later, at once where there is news, never twice at a time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mailtui.actions.schedule import AT_FIRST, ELSEWHERE, JITTER, Schedule, retrieval_interval
from mailtui.model.account import Account, RetrievalMode
from tests.actions.kit import account, endpoint
from tests.protocols.clock import Clock

START = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


def automatic(name: str, interval: int = 15) -> Account:
    made = account(name, endpoint(25), endpoint(143))
    assert made.retrieval is not None
    return replace(made, retrieval=replace(made.retrieval, mode=RetrievalMode.AUTOMATIC, interval=interval))


class Bench:
    """A schedule that runs on a clock of the test's own, and notes what it starts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.time()
        self.set_by = timedelta(0)
        self.looks = 0
        self.chance = 0.5
        self.started: list[list[str]] = []
        self.schedule = Schedule(self._start, now=self.now, random=lambda: self.chance)

    def _start(self, accounts: list[Account]) -> None:
        self.started.append([account.name for account in accounts])

    def now(self) -> datetime:
        self.looks += 1
        # To the second: the time that really passes is none of the test's.
        return START + self.set_by + timedelta(seconds=int(self._clock.time() - self._began))

    async def after(self, **time: float) -> list[list[str]]:
        """What is started within that time."""
        self.started.clear()
        self._clock.advance(timedelta(**time).total_seconds())
        for _ in range(5):
            await asyncio.sleep(0)
        return self.started


@pytest.fixture
async def bench(clock: Clock) -> AsyncIterator[Bench]:
    made = Bench(clock)
    running = asyncio.create_task(made.schedule.run())
    yield made
    running.cancel()


async def test_what_is_overdue_is_started_soon_and_together(bench: Bench) -> None:
    long_ago = START - timedelta(days=1)
    bench.schedule.plan([automatic("ada"), automatic("bob")], {"bob": long_ago})
    assert await bench.after(seconds=1) == []
    assert bench.schedule.next_at("ada") == bench.schedule.next_at("bob") == START + AT_FIRST / 2
    assert await bench.after(seconds=2) == [["ada", "bob"]]


async def test_the_interval_counts_from_the_last_time_and_is_stretched_by_chance(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada", 20)], {"ada": START - timedelta(minutes=5)})
    due = START + timedelta(minutes=15) + timedelta(minutes=20) * JITTER * 0.5
    assert bench.schedule.next_at("ada") == due
    assert await bench.after(minutes=15) == []
    assert await bench.after(minutes=1) == [["ada"]]


async def test_it_is_not_started_again_until_it_has_ended(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada", 1)], {})
    assert await bench.after(seconds=5) == [["ada"]]
    assert bench.schedule.next_at("ada") is None
    assert await bench.after(hours=1) == []
    bench.chance = 0.0
    bench.schedule.ended("ada", bench.now())
    assert bench.schedule.next_at("ada") == bench.now() + timedelta(minutes=1)
    assert await bench.after(minutes=1) == [["ada"]]


async def test_news_make_it_due_now(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada"), automatic("bob")], {"ada": START, "bob": START})
    bench.schedule.at_once("ada")
    assert await bench.after(seconds=0) == [["ada"]]


async def test_news_while_it_runs_make_it_due_once_more(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {})
    await bench.after(seconds=5)
    bench.schedule.at_once("ada")
    bench.schedule.at_once("ada")
    assert await bench.after(seconds=1) == []
    bench.schedule.ended("ada", bench.now())
    assert await bench.after(seconds=0) == [["ada"]]
    bench.schedule.ended("ada", bench.now())
    assert await bench.after(minutes=1) == []


async def test_what_cannot_be_seen_to_now_comes_a_little_later(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {"ada": START})
    bench.schedule.at_once("ada")
    await bench.after(seconds=0)
    bench.schedule.postpone("ada")
    assert await bench.after(seconds=AT_FIRST.total_seconds() - 1) == []
    assert await bench.after(seconds=2) == [["ada"]]


async def test_what_another_process_sees_to_is_looked_at_again(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {"ada": START})
    bench.schedule.at_once("ada")
    await bench.after(seconds=0)
    bench.schedule.ended("ada", START)
    bench.schedule.postpone("ada", is_elsewhere=True)
    assert await bench.after(seconds=ELSEWHERE.total_seconds() - 1) == []
    assert await bench.after(seconds=2) == [["ada"]]


async def test_planning_again_moves_nothing(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {"ada": START})
    due = bench.schedule.next_at("ada")
    await bench.after(minutes=3)
    bench.chance = 0.9
    bench.schedule.plan([automatic("ada"), automatic("new")], {"ada": START})
    assert bench.schedule.next_at("ada") == due


async def test_planning_again_does_not_start_twice_what_runs(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada", 1)], {})
    await bench.after(seconds=5)
    bench.schedule.plan([automatic("ada", 2)], {})
    assert await bench.after(hours=1) == []


async def test_a_retrieval_by_another_process_counts(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {"ada": START - timedelta(minutes=14)})
    bench.schedule.plan([automatic("ada")], {"ada": START})
    assert await bench.after(minutes=14) == []


async def test_an_account_that_is_gone_or_manual_is_forgotten(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada"), automatic("bob")], {})
    bench.schedule.plan([replace(automatic("bob"), active=False)], {})
    bench.schedule.at_once("ada")
    bench.schedule.ended("bob", START)
    assert bench.schedule.next_at("ada") is None
    assert await bench.after(hours=1) == []


@pytest.mark.parametrize(
    "manual", [account("ada", endpoint(25)), account("ada", endpoint(25), endpoint(143))], ids=["send-only", "manual"]
)
def test_only_automatic_ones_have_an_interval(manual: Account) -> None:
    assert retrieval_interval(manual) is None
    assert retrieval_interval(automatic("ada", 7)) == timedelta(minutes=7)


async def test_a_time_in_the_future_does_not_put_it_off_for_long(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {"ada": START + timedelta(days=400)})
    await bench.after(seconds=1)
    due = bench.schedule.next_at("ada")
    assert due is not None
    assert due < bench.now() + timedelta(minutes=17)


async def test_a_clock_that_is_set_back_does_not_put_it_off_for_long(bench: Bench) -> None:
    bench.schedule.plan([automatic("ada")], {"ada": START})
    bench.set_by = -timedelta(days=400)
    await bench.after(seconds=31)
    assert await bench.after(minutes=17) == [["ada"]]


async def test_other_work_has_an_interval_of_its_own(clock: Clock) -> None:
    started: list[str] = []
    began = clock.time()
    schedule = Schedule(
        lambda accounts: started.extend(account.name for account in accounts),
        every=lambda account: timedelta(hours=1) if account.active else None,
        now=lambda: START + timedelta(seconds=clock.time() - began),
        random=lambda: 0.0,
    )
    schedule.plan([account("ada", endpoint(25)), replace(automatic("bob"), active=False)], {})
    running = asyncio.create_task(schedule.run())
    for _ in range(3):
        await asyncio.sleep(0)
    assert started == ["ada"]
    running.cancel()


async def test_many_that_end_do_not_each_have_all_looked_at(bench: Bench) -> None:
    names = [f"account {number}" for number in range(50)]
    bench.schedule.plan([automatic(name) for name in names], {})
    assert await bench.after(seconds=10) == [names]
    bench.looks = 0
    for name in names:
        bench.schedule.ended(name, START)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert bench.looks == len(names), "each asks for the time once, and wakes nobody"
    assert await bench.after(minutes=17) == [names]
