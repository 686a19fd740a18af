"""What the screens work on in tests: a store in memory, and checks that play a script."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots
from mailtui.actions.entries import STORED
from mailtui.actions.memory import Memory, Place
from mailtui.actions.saving import SecretPlaces
from mailtui.actions.schedule import Schedule
from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.check import CheckReport, LegReport, Status
from mailtui.model.errors import SecretError, UsageError
from mailtui.model.events import LegFinished, StageFinished, StageStarted
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.storage.hidden import Hidden
from mailtui.storage.reader import NoEntry, entry_name
from mailtui.storage.removed import Removed
from mailtui.storage.secrets import SourceState
from mailtui.tui.app import MailtuiApp
from mailtui.tui.desk import Loading
from mailtui.tui.services import AccountStore, Ask, Services
from mailtui.tui.widgets.account_list import AccountList
from tests.tui.people import NOW, PEOPLE, REPORTS, report
from tests.tui.retrieved import NoIdling, ScriptedRetrievals

DEADLINE = 20.0
"""Seconds after which a wait in a test is a failure; generous, since machines are slow."""


class MemoryStore:
    """An AccountStore without a disk."""

    def __init__(self, accounts: Iterable[Account] = (), reports: dict[str, CheckReport] | None = None) -> None:
        self._lock = threading.Lock()
        self._accounts = {account.name: account for account in accounts}
        self._history = {name: [found] for name, found in (reports or {}).items()}
        self._changes = 0
        self._version = 1
        self.batches: list[list[CheckReport]] = []
        self.learnt: list[Learnt] = []
        self.known: dict[Place, Baseline] = {}
        self.refused: dict[Place, RefusedLogin] = {}

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
            self._accounts[account.name] = replace(account, created=NOW, updated=NOW)
            return self._accounts[account.name]

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        with self._lock:
            if old_name not in self._accounts:
                raise UsageError(f"there is no account named {old_name!r}")
            stored = self._accounts[old_name]
            if expected_updated is not None and stored.updated != expected_updated:
                raise UsageError("changed meanwhile")
            if account.name != old_name and account.name in self._accounts:
                raise UsageError(f"there is an account named {account.name!r} already")
            del self._accounts[old_name]
            self._put(replace(account, created=stored.created))
            if old_name in self._history:
                self._history[account.name] = self._history.pop(old_name)
            return self._accounts[account.name]

    def _put(self, account: Account) -> None:
        """Store a changed account with a time that no other change had."""
        self._changes += 1
        self._accounts[account.name] = replace(account, updated=NOW + timedelta(seconds=self._changes))

    def change(self, account: Account) -> None:
        """What another process does: put `account` in the place of the one of its name."""
        with self._lock:
            self._put(account)
            self._version += 1

    def drop(self, name: str) -> None:
        """What another process does: remove an account."""
        with self._lock:
            del self._accounts[name]
            self._version += 1

    def set_active(self, names: Sequence[str], active: bool) -> None:
        with self._lock:
            for name in names:
                self._put(replace(self._accounts[name], active=active))

    def remove(self, *names: str, expected: Mapping[str, datetime | None] | None = None) -> Removed:
        with self._lock:
            for name in names:
                if name not in self._accounts:
                    raise UsageError(f"there is no account named {name!r}")
                if expected and name in expected and expected[name] != self._accounts[name].updated:
                    raise UsageError(f"account {name!r} was changed meanwhile")
            accounts = tuple(self._accounts.pop(name) for name in names)
            return Removed(accounts, tuple((name, found) for name in names for found in self._history.pop(name, [])))

    def restore(self, removed: Removed) -> list[Account]:
        with self._lock:
            for account in removed.accounts:
                if account.name in self._accounts:
                    raise UsageError(f"there is an account named {account.name!r} already")
                self._accounts[account.name] = account
            for name, found in removed.reports:
                self._history.setdefault(name, []).append(found)
            return list(removed.accounts)

    def record_many(self, reports: Sequence[CheckReport], learnt: Sequence[Learnt] = ()) -> None:
        with self._lock:
            self.batches.append(list(reports))
            self.learnt += learnt
            for found in reports:
                self._history.setdefault(found.account, []).insert(0, found)

    def latest(self, *, transcripts: bool = True) -> dict[str, CheckReport]:
        with self._lock:
            newest = {name: found[0] for name, found in self._history.items() if found}
            return {name: found if transcripts else _bare(found) for name, found in newest.items()}

    def history(self, name: str, limit: int = 100, *, transcripts: bool = True) -> list[CheckReport]:
        with self._lock:
            found = self._history.get(name, [])[:limit]
            return found if transcripts else [_bare(one) for one in found]

    def baselines(self) -> Mapping[Place, Baseline]:
        with self._lock:
            return dict(self.known)

    def refused_logins(self) -> Mapping[Place, RefusedLogin]:
        with self._lock:
            return dict(self.refused)

    def count_reports(self, names: Sequence[str]) -> int:
        with self._lock:
            return sum(len(self._history.get(name, [])) for name in names)

    def data_version(self) -> int:
        with self._lock:
            return self._version

    @property
    def recorded(self) -> list[CheckReport]:
        """All reports that came, in their order."""
        with self._lock:
            return [found for batch in self.batches for found in batch]


def _bare(found: CheckReport) -> CheckReport:
    def without(leg: LegReport | None) -> LegReport | None:
        return None if leg is None else replace(leg, transcript=())

    return replace(found, outbound=without(found.outbound), inbound=without(found.inbound))


class MemorySecrets:
    """Places of secrets without a disk: `entries` by scheme and entry. With `asks`, what is not there is asked for."""

    def __init__(
        self, entries: dict[tuple[SecretScheme, str], str] | None = None, *, keyring: bool = False, asks: bool = False
    ) -> None:
        self.entries = dict(entries or {})
        self.asks = asks
        self.keyring = keyring
        self.ask: Ask | None = None

    def of(self, ask: Ask) -> "MemorySecrets":
        """Itself, with the way to ask."""
        self.ask = ask
        return self

    def reader(self) -> "MemorySecrets":
        return self

    async def read(self, ref: SecretRef, account_name: str) -> str:
        found = self.entries.get((ref.scheme, entry_name(ref, account_name)))
        if found is not None:
            return found
        if ref.scheme in STORED and not self.asks:
            raise NoEntry("there is no such entry")
        assert self.ask is not None
        return await asyncio.to_thread(self.ask, f"Password of {account_name}")

    async def write(self, ref: SecretRef, account_name: str, secret: str) -> None:
        self.entries[ref.scheme, entry_name(ref, account_name)] = secret

    async def delete(self, ref: SecretRef, account_name: str) -> None:
        if self.entries.pop((ref.scheme, entry_name(ref, account_name)), None) is None:
            raise SecretError("there is no such entry")

    async def write_many(self, secrets: Sequence[tuple[SecretRef, Hidden[str]]]) -> dict[SecretRef, str]:
        failed: dict[SecretRef, str] = {}
        for entry, secret in secrets:
            try:
                await self.write(entry, entry.value, secret.value)
            except SecretError as error:
                failed[entry] = str(error)
        return failed

    async def delete_many(self, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
        failed: dict[SecretRef, str] = {}
        for entry in entries:
            try:
                await self.delete(entry, entry.value)
            except SecretError as error:
                failed[entry] = str(error)
        return failed

    async def holds(self, entry: SecretRef) -> bool:
        return (entry.scheme, entry.value) in self.entries

    async def where(self) -> list[SourceState]:
        return [
            SourceState(SecretScheme.KEYRING, self.keyring, "the desktop's keyring" if self.keyring else "no D-Bus"),
            SourceState(SecretScheme.VAULT, True, "an encrypted file"),
            SourceState(SecretScheme.COMMAND, True, "commands are run by /bin/sh"),
            SourceState(SecretScheme.ENV, True, "variables of the environment"),
            SourceState(SecretScheme.FILE, True, "private files"),
            SourceState(SecretScheme.ASK, True, "asked for in every run"),
        ]


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
        self.options: list[CheckOptions] = []
        self.memories: list[Memory] = []
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
        memory: Memory,
    ) -> None:
        accounts = list(accounts)
        self.calls.append([account.name for account in accounts])
        self.slots.append(slots)
        self.options.append(options)
        self.memories.append(memory)
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
            played = self._played(account)
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

    def _played(self, account: Account) -> CheckReport:
        """What the check of an account says."""
        return REPORTS.get(account.name) or report(account)

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

    def __init__(
        self,
        app: MailtuiApp,
        pilot: Pilot[int],
        store: MemoryStore,
        checks: ScriptedChecks,
        retrievals: ScriptedRetrievals,
    ) -> None:
        self.app = app
        self.pilot = pilot
        self.store = store
        self.checks = checks
        self.retrievals = retrievals

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
        """Wait until nothing runs and all that is due is drawn."""
        desk = self.app.desk
        await self.until(lambda: not (desk.board.running or desk.board.retrievals.running or desk.repainter.due))

    def text(self) -> str:
        """What is on the screen."""
        width = self.app.size.width
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text[:width].rstrip() for strip in strips)


def scripted(
    store: AccountStore,
    places: Callable[[Ask], SecretPlaces],
    checks: ScriptedChecks,
    retrievals: ScriptedRetrievals,
    *,
    idling: NoIdling | None = None,
    edit_file: Callable[[Path], int] | None = None,
) -> Services:
    """What the screens work with, so that everything goes by the scripts, the time as well."""
    idlers = idling or NoIdling()
    return Services(
        store,
        places,
        retrievals,
        retrievals.last,
        retrievals.last_of,
        checks,
        now=retrievals.now,
        schedule=lambda start: Schedule(start, now=retrievals.now, random=lambda: 0.5),
        idlers=lambda reader, memory, on_new: idlers,
        edit_file=edit_file,
    )


@asynccontextmanager
async def world(
    accounts: Iterable[Account] = PEOPLE,
    reports: dict[str, CheckReport] | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    checks: ScriptedChecks | None = None,
    store: MemoryStore | None = None,
    secrets: MemorySecrets | None = None,
    edit_file: Callable[[Path], int] | None = None,
    retrievals: ScriptedRetrievals | None = None,
    idling: NoIdling | None = None,
) -> AsyncIterator[World]:
    """Run the app without a terminal."""
    retrievals = retrievals or ScriptedRetrievals()
    store = store or MemoryStore(accounts, reports)
    checks = checks or ScriptedChecks()
    places: Callable[[Ask], SecretPlaces] = (secrets or MemorySecrets(asks=checks.asks)).of
    services = scripted(store, places, checks, retrievals, idling=idling, edit_file=edit_file)
    app = MailtuiApp(services)
    async with app.run_test(size=size, notifications=True) as pilot:
        running = World(app, pilot, store, checks, retrievals)
        await running.until(lambda: app.desk.state is not Loading.BUSY)
        yield running
