"""What the screens work on in tests: a store in memory, and checks that play a script."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots
from mailtui.model.account import Account, SecretRef
from mailtui.model.check import CheckReport, LegFinished, LegReport, StageFinished, StageStarted, Status
from mailtui.model.errors import SecretError, UsageError
from mailtui.tui.app import MailtuiApp
from mailtui.tui.desk import Loading
from mailtui.tui.services import Ask, Services
from mailtui.tui.widgets.account_list import AccountList
from tests.tui.people import NOW, PEOPLE, REPORTS, report

DEADLINE = 20.0
"""Seconds after which a wait in a test is a failure; generous, since machines are slow."""


class MemoryStore:
    """An AccountStore without a disk."""

    def __init__(self, accounts: Iterable[Account] = (), reports: dict[str, CheckReport] | None = None) -> None:
        self._lock = threading.Lock()
        self._accounts = {account.name: account for account in accounts}
        self._reports = dict(reports or {})
        self.batches: list[list[CheckReport]] = []

    def accounts(self) -> list[Account]:
        with self._lock:
            return list(self._accounts.values())

    def account(self, name: str) -> Account:
        with self._lock:
            if name not in self._accounts:
                raise UsageError(f"there is no account named {name!r}")
            return self._accounts[name]

    def add(self, account: Account) -> Account:
        with self._lock:
            if account.name in self._accounts:
                raise UsageError(f"there is an account named {account.name!r} already")
            self._accounts[account.name] = replace(account, updated=NOW)
            return account

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        with self._lock:
            stored = self._accounts[old_name]
            if expected_updated is not None and stored.updated != expected_updated:
                raise UsageError("changed meanwhile")
            self._accounts.pop(old_name)
            self._accounts[account.name] = replace(account, updated=NOW + timedelta(seconds=len(self.batches) + 1))
            return account

    def set_active(self, names: Sequence[str], active: bool) -> None:
        with self._lock:
            for name in names:
                self._accounts[name] = replace(self._accounts[name], active=active, updated=NOW)

    def record_many(self, reports: Sequence[CheckReport]) -> None:
        with self._lock:
            self.batches.append(list(reports))
            self._reports.update({found.account: found for found in reports})

    def latest(self, *, transcripts: bool = True) -> dict[str, CheckReport]:
        with self._lock:
            return {name: found if transcripts else _bare(found) for name, found in self._reports.items()}

    def history(self, name: str, limit: int = 100) -> list[CheckReport]:
        with self._lock:
            return [self._reports[name]][:limit] if name in self._reports else []

    @property
    def recorded(self) -> list[CheckReport]:
        """All reports that came, in their order."""
        with self._lock:
            return [found for batch in self.batches for found in batch]


def _bare(found: CheckReport) -> CheckReport:
    def without(leg: LegReport | None) -> LegReport | None:
        return None if leg is None else replace(leg, transcript=())

    return replace(found, outbound=without(found.outbound), inbound=without(found.inbound))


class AskingReader:
    """A secret reader that asks for every secret."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return await asyncio.to_thread(self._ask, f"Password of {account_name}")


class ScriptedChecks:
    """A check_many that plays the reports of REPORTS as events, both legs in turn.

    While `gate` is closed every check waits, after its first `steps` stages.
    """

    def __init__(self, *, steps: int = 0, held: bool = False, asks: bool = False) -> None:
        self.steps = steps
        self.gate = asyncio.Event()
        if not held:
            self.gate.set()
        self.asks = asks
        self.calls: list[list[str]] = []
        self.slots: list[Slots] = []
        self.secrets: list[str] = []
        self.cancelled: list[str] = []
        self.events = 0

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Listener,
        on_report: Callable[[CheckReport], None],
        options: CheckOptions,
        slots: Slots,
    ) -> None:
        accounts = list(accounts)
        self.calls.append([account.name for account in accounts])
        self.slots.append(slots)
        async with asyncio.TaskGroup() as group:
            for account in accounts:
                group.create_task(self._check(account, secrets, on_event, on_report))

    async def _check(
        self, account: Account, secrets: SecretReader, on_event: Listener, on_report: Callable[[CheckReport], None]
    ) -> None:
        try:
            if self.asks and account.submission.secret is not None:
                try:
                    self.secrets.append(await secrets.read(account.submission.secret, account.name))
                except SecretError as error:
                    self.secrets.append(str(error))
            played = REPORTS.get(account.name) or report(account)
            for leg in played.legs:
                self._play(account.name, leg, on_event, range(self.steps))
                if self.steps < len(leg.stages):
                    stage = leg.stages[self.steps]
                    self._tell(on_event, StageStarted(account.name, leg.leg, self.steps, stage.stage, 0.0))
            await self.gate.wait()
            for leg in played.legs:
                self._play(account.name, leg, on_event, range(self.steps, len(leg.stages)))
                self._tell(on_event, LegFinished(account.name, leg))
            on_report(replace(played, started=NOW))
        except asyncio.CancelledError:
            self.cancelled.append(account.name)
            raise

    def _play(self, name: str, leg: LegReport, on_event: Listener, steps: range) -> None:
        for step in steps:
            if step >= len(leg.stages) or leg.stages[step].status is Status.SKIPPED:
                return
            result = leg.stages[step]
            failure = leg.failure if result.status is Status.FAILED else None
            self._tell(on_event, StageStarted(name, leg.leg, step, result.stage, 0.0))
            self._tell(on_event, StageFinished(name, leg.leg, step, result, failure, 0.0))

    def _tell(self, on_event: Listener, event: StageStarted | StageFinished | LegFinished) -> None:
        self.events += 1
        on_event(event)


class World:
    """A running app with what it works on."""

    def __init__(self, app: MailtuiApp, pilot: Pilot[int], store: MemoryStore, checks: ScriptedChecks) -> None:
        self.app = app
        self.pilot = pilot
        self.store = store
        self.checks = checks

    @property
    def list(self) -> AccountList:
        """The list of accounts, wherever the person is."""
        return next(screen for screen in self.app.screen_stack if screen.query(AccountList)).query_one(AccountList)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds; TimeoutError after the deadline."""
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await self.pilot.pause(0.01)
        await self.pilot.pause()

    async def idle(self) -> None:
        """Wait until no check runs and all that is due is drawn."""
        await self.until(lambda: self.app.desk.board.running == 0 and self.app.desk.checker.repaint_due is False)

    def text(self) -> str:
        """What is on the screen."""
        width = self.app.size.width
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text[:width].rstrip() for strip in strips)


@asynccontextmanager
async def world(
    accounts: Iterable[Account] = PEOPLE,
    reports: dict[str, CheckReport] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    checks: ScriptedChecks | None = None,
    store: MemoryStore | None = None,
    edit_file: Callable[[Path], int] | None = None,
) -> AsyncIterator[World]:
    """Run the app without a terminal."""
    store = store or MemoryStore(accounts, reports)
    checks = checks or ScriptedChecks()
    app = MailtuiApp(Services(store, AskingReader, checks, now=lambda: NOW, edit_file=edit_file))
    async with app.run_test(size=size, notifications=True) as pilot:
        running = World(app, pilot, store, checks)
        await running.until(lambda: app.desk.state is not Loading.BUSY)
        yield running
