"""What the screens can ask for: one place that knows the board, runs the checks and writes to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from textual.app import App
from textual.notifications import SeverityLevel

from mailtui.actions.check import CheckOptions
from mailtui.actions.memory import Memory
from mailtui.actions.recording import Recorder
from mailtui.model.account import Account
from mailtui.model.check import CheckReport
from mailtui.model.errors import MailtuiError
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.settings import RETRIEVALS_AT_ONCE
from mailtui.tui.automatic import Automatic
from mailtui.tui.board import Board
from mailtui.tui.checker import Checker
from mailtui.tui.collector import Collector
from mailtui.tui.diagnosing import prepare
from mailtui.tui.errands import Errands
from mailtui.tui.judging import Judgement, judge_all
from mailtui.tui.messages import AccountsChanged, ChecksProgressed
from mailtui.tui.repainting import Repainter
from mailtui.tui.retriever import Retriever
from mailtui.tui.services import Ask, Services

T = TypeVar("T")

_WATCH_INTERVAL = 2.0
"""Seconds between two looks for what other processes wrote."""


class Loading(Enum):
    """Whether the accounts are there yet."""

    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


class Desk:
    """The actions of the screens. What changes is told to every open screen by messages."""

    def __init__(
        self,
        app: App[Any],
        services: Services,
        ask: Ask,
        options: CheckOptions | None = None,
        *,
        retrievals_at_once: int = RETRIEVALS_AT_ONCE,
    ) -> None:
        """`options` are those of every check that is started here."""
        self._app = app
        self._written: int | None = None
        self._own_writes = 0
        self._writing: set[asyncio.Task[Any]] = set()
        self._switching = asyncio.Lock()
        self.collector = Collector()
        self.services = services
        self.ask = ask
        self.options = options or CheckOptions()
        self.memory = Memory()
        """What past checks taught; filled when the accounts are read."""
        self.board = Board()
        self.state = Loading.BUSY
        self.loaded = asyncio.Event()
        """The accounts have been read once, or could not be."""
        self.errands = Errands(self, app)
        self.recorder = Recorder(self.memory.write(services.store), partial(self.say, severity="error"))
        self.repainter = Repainter(app, self.progressed)
        self.checker = Checker(
            app,
            services,
            self.board,
            self.recorder,
            options=self.options,
            memory=self.memory,
            ask=ask,
            repainter=self.repainter,
            on_error=self._say_error,
        )
        self.retriever = Retriever(
            app,
            services,
            self.board,
            certificate_days=self.options.certificate_days,
            at_once=retrievals_at_once,
            memory=self.memory,
            ask=ask,
            repainter=self.repainter,
            say=self.say,
            on_error=self._say_error,
        )
        self.automatic = Automatic(
            services,
            self.board,
            self.retriever,
            self.memory,
            ask,
            changed=self.changed,
            on_error=self._say_error,
        )

    @property
    def now(self) -> datetime:
        """The present time, from which ages are told."""
        return self.services.now()

    def say(self, words: str, severity: SeverityLevel = "information") -> None:
        """Tell the person; the words may come from anywhere."""
        lines = "\n".join(clean(line) for line in words.splitlines()[:8])
        self._app.notify(lines, severity=severity, markup=False, timeout=8 if severity == "error" else 4)

    def _say_error(self, words: str) -> None:
        self.say(words, "error")

    def progressed(self) -> None:
        """Ask the open screens to repaint what changed."""
        for screen in self._app.screen_stack:
            screen.post_message(ChecksProgressed())

    def changed(self, select: str | None = None) -> None:
        """The accounts are others now: ask the open screens to build their lists again."""
        if self.state is Loading.DONE:
            # Not before: what was never read looks as if it were never retrieved.
            self.automatic.follow()
        for screen in self._app.screen_stack:
            screen.post_message(AccountsChanged(select))

    def put(self, *accounts: Account, instead_of: str | None = None) -> None:
        """Accounts were stored: show them, with the cursor on the first; `instead_of` is the name it had before."""
        self._own_writes += 1
        for account in accounts:
            if instead_of is not None and instead_of != account.name:
                self.memory.renamed(instead_of, account.name)
            self.board.put(account, instead_of=instead_of)
        self.changed(select=accounts[0].name if accounts else None)

    def replace(self, *accounts: Account) -> None:
        """Stored accounts are others now, under their names: show them, with the cursor where it is."""
        self._own_writes += 1
        for account in accounts:
            self.board.put(account)
        self.changed()

    def drop(self, names: Sequence[str]) -> None:
        """Accounts were removed: show them no more, and fetch no more of their mail."""
        self._own_writes += 1
        self.retriever.cancel(names)
        self.board.remove(names)
        self.changed()

    def reload(self) -> None:
        """Read accounts and last reports from the database."""
        self.start(self._reload, group="load")

    async def watch(self, interval: float = _WATCH_INTERVAL) -> None:
        """Read the accounts again whenever another process has written, looked for every `interval` s; never ends."""
        loop = asyncio.get_running_loop()
        pause = interval
        while True:
            await asyncio.sleep(pause)
            try:
                written = await off_loop(self.services.store.data_version)
                if written != self._written and self._written is not None:
                    began = loop.time()
                    await self._reload()
                    # A process that writes all the time must not keep this one reading all the time.
                    pause = max(interval, 10 * (loop.time() - began))
                self._written = written
            except MailtuiError:
                # What the person does next runs into the same trouble, and is told.
                pause = 10 * interval

    def set_active(self, names: Sequence[str], active: bool) -> None:
        """Make accounts active or inactive."""
        names = [name for name in names if name in self.board]
        # At once: the next key press is about what this one has done.
        self._own_writes += 1
        for name in names:
            account = self.board.account(name)
            if account.active is not active:
                self.board.put(replace(account, active=active, updated=self.now))
        self.automatic.follow()
        self.progressed()
        self.start(partial(self._set_active, names, active), group="write")

    def complete(self, name: str) -> None:
        """Fetch the transcripts of an account's last check and retrieval, which the list does without."""
        if self.board.lacks_transcripts(name):
            self.start(partial(self._complete, name), group="read")
        if self.board.retrievals.lacks_transcript(name):
            self.start(partial(self._complete_retrieval, name), group="read")

    async def history(self, name: str) -> list[CheckReport]:
        """The reports of an account, newest first, without their transcripts. Raises MailtuiError."""
        return await off_loop(partial(self.services.store.history, name, transcripts=False))

    def start(self, work: Callable[[], Awaitable[None]], *, group: str) -> None:
        """Do something in the background; what goes wrong is told."""

        async def guarded() -> None:
            try:
                await work()
            except MailtuiError as error:
                self.say(str(error), "error")

        self._app.run_worker(guarded(), group=group, exclusive=group == "load")

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do what must not stop half-way: it goes on to its end, also when nobody waits for it any more."""
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def settled(self, timeout: float) -> None:
        """Wait, at most `timeout` seconds, for all that must not stop half-way."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=timeout)

    async def keep_refusals(self, timeout: float) -> None:
        """Store, within `timeout` seconds, the refused logins of checks that were cancelled."""
        accounts = [self.board.account(name) for name in self.board.names]
        keep = partial(self.memory.keep_refusals, self.services.store, accounts)
        try:
            await asyncio.wait_for(off_loop(keep), timeout)
        except (MailtuiError, TimeoutError) as error:
            self.say(str(error) or "the database did not answer in time", "error")

    async def _reload(self) -> None:
        try:
            with self.collector.loading():
                # What was written here in the meantime must not be undone on the screen by what was read before.
                own_writes = -1
                while own_writes != self._own_writes:
                    own_writes = self._own_writes
                    accounts = await off_loop(self._read_accounts)
                    if self.state is not Loading.DONE:
                        # The names first: the reports of thousands take much longer.
                        self.board.expect(accounts)
                        self.changed()
                    reports, judgements, retrievals = await off_loop(partial(self._read_last, accounts))
            self.board.load(accounts, reports, judgements, retrievals)
            self.state = Loading.DONE
        except MailtuiError:
            self.state = Loading.FAILED
            raise
        finally:
            self.loaded.set()
            self.changed()

    def _read_accounts(self) -> list[Account]:
        # What was learnt before any account can be tested: a login that was refused must not be tried again.
        self.memory.reload(self.services.store)
        return self.services.store.accounts()

    def _read_last(
        self, accounts: list[Account]
    ) -> tuple[dict[str, CheckReport], dict[str, Judgement], Mapping[str, RetrievalReport]]:
        prepare()
        reports = self.services.store.latest(transcripts=False)
        retrieved = self.services.last_retrievals()
        return reports, judge_all(accounts, reports, retrieved), retrieved

    async def _set_active(self, names: list[str], active: bool) -> None:
        async with self._switching:
            try:
                await self.finish(off_loop(lambda: self.services.store.set_active(names, active)))
                self._own_writes += 1
            except MailtuiError:
                self.reload()
                raise
        one = len(names) == 1
        what = f"{names[0]} is" if one else f"{len(names)} accounts are"
        self.say(f"{what} active now." if active else f"{what} off now: T leaves {'it' if one else 'them'} out.")

    async def _complete(self, name: str) -> None:
        for report in await off_loop(partial(self.services.store.history, name, 1)):
            self.board.complete(report)
        self.progressed()

    async def _complete_retrieval(self, name: str) -> None:
        if (report := await off_loop(partial(self.services.last_retrieval, name))) is not None:
            self.board.retrievals.complete(report)
            self.progressed()
