"""Many checks at once: what thousands of events cost the screen."""

import asyncio
from collections.abc import Callable, Iterable

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots
from mailtui.actions.memory import Memory
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg
from mailtui.model.events import StageFinished, StageStarted
from mailtui.tui.words import Mark
from tests.tui.people import account, report
from tests.tui.world import DEADLINE, ScriptedChecks, world

MANY = [account(f"account {number:03}", f"user{number}@example.org") for number in range(300)]


class Flood(ScriptedChecks):
    """Every account tells of its first stages, again and again, until the gate opens."""

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Listener,
        on_report: Callable[[CheckReport], None],
        options: CheckOptions,
        slots: Slots,
        memory: Memory,
    ) -> None:
        self.calls.append([account.name for account in accounts])
        reports = [report(account) for account in accounts]
        try:
            while not self.gate.is_set():
                for number, found in enumerate(reports):
                    if number % 30 == 0:
                        await asyncio.sleep(0)
                    for leg in found.legs:
                        result = leg.stages[0]
                        self._tell(on_event, StageStarted(found.account, leg.leg, 0, result.stage, 0.0))
                        self._tell(on_event, StageFinished(found.account, leg.leg, 0, result, None, 0.0))
        except asyncio.CancelledError:
            self.cancelled += self.calls[-1]
            raise
        for found in reports:
            on_report(found)


async def test_keys_are_answered_while_events_flood_and_repaints_are_few() -> None:
    checks = Flood(held=True)
    async with world(MANY, checks=checks) as running:
        await running.press("T")
        await running.until(lambda: checks.events > 10_000)
        for expected in range(1, 21):
            # Not by the pilot: it waits until the processor is idle.
            running.app.simulate_key("down")
            async with asyncio.timeout(DEADLINE):
                while running.list.selected != MANY[expected].name:  # noqa: ASYNC110  # the widget tells nobody else
                    await asyncio.sleep(0)
        assert running.app.desk.board.running == 300, "all that while the checks ran"
        assert running.app.desk.board.mark(MANY[0].name, Leg.OUTBOUND) is Mark.BEGUN
        assert running.list.repaints * 100 < checks.events, (running.list.repaints, checks.events)
        await running.press("escape")
        await running.until(lambda: len(checks.cancelled) == 300)
        assert running.app.desk.board.running == 0


async def test_reports_are_recorded_in_batches() -> None:
    checks = Flood()
    async with world(MANY, checks=checks) as running:
        await running.press("T")
        await running.until(lambda: len(running.store.recorded) == 300)
        assert len(running.store.batches) < 30
        assert sorted(found.account for found in running.store.recorded) == [person.name for person in MANY]


async def test_only_rows_on_the_screen_are_drawn() -> None:
    thousands = [account(f"account {number:04}", f"user{number}@example.org") for number in range(5_000)]
    async with world(thousands) as running:
        drawn: list[int] = []
        original = running.list._row
        running.list._row = lambda place: drawn.append(place) or original(place)  # type: ignore[method-assign, func-returns-value]  # a spy
        await running.press("end")
        await running.pilot.pause()
        assert running.list.selected == "account 4999"
        assert 0 < len(set(drawn)) < 40
        drawn.clear()
        await running.press("slash", *"4999")
        await running.until(lambda: running.list.names == ("account 4999",))
        assert len(drawn) < 200
