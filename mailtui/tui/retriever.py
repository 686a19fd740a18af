"""Runs retrievals for the screens: events go onto the board at once, to the screens at most twenty times a second."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.worker import Worker

from mailtui.actions.memory import Memory
from mailtui.actions.slots import Slots
from mailtui.model.account import Account
from mailtui.model.check import Cause
from mailtui.model.errors import MailtuiError
from mailtui.model.retrieval import RetrievalEvent, RetrievalReport, RetrievalStarted
from mailtui.tui.board import Board
from mailtui.tui.repainting import Repainter, ended
from mailtui.tui.retrievals import Batch, Retrieving
from mailtui.tui.services import Ask, Services

if TYPE_CHECKING:
    from mailtui.actions.retrieve import RetrieveOptions

_GROUP = "retrievals"

Say = Callable[[str], None]


@dataclass(slots=True, eq=False)
class _Run:
    """Retrievals that were started together; each has its own task once it is made."""

    batch: Batch
    worker: Worker[None] | None = None
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)


class Retriever:
    """Starts, follows and cancels retrievals. An account is never retrieved twice at once.

    What is cancelled finishes the messages that it is storing; until then it is shown as running. `on_end` is told the
    name of each account whose retrieval has ended, however it went, and whether another process is at it.
    """

    def __init__(
        self,
        app: App[Any],
        services: Services,
        board: Board,
        *,
        certificate_days: int,
        at_once: int,
        memory: Memory,
        ask: Ask,
        repainter: Repainter,
        say: Say,
        on_error: Say,
    ) -> None:
        self._app = app
        self._services = services
        self._board = board
        self._certificate_days = certificate_days
        self._at_once = at_once
        self._memory = memory
        self._ask = ask
        self._repainter = repainter
        self._say = say
        self._on_error = on_error
        self._runs: list[_Run] = []
        self.on_end: Callable[[str, bool], None] = lambda name, is_elsewhere: None

    @cached_property
    def options(self) -> "RetrieveOptions":
        """Those of every retrieval that is started here."""
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.actions.retrieve import RetrieveOptions

        return RetrieveOptions(certificate_days=self._certificate_days)

    @cached_property
    def _slots(self) -> Slots:
        """One for all runs: each key that starts another must not open as many connections again."""
        from mailtui.actions.retrieve import retrieval_slots

        return retrieval_slots(self._at_once)

    def retrieve(self, names: Iterable[str], *, by_hand: bool = True) -> int:
        """Start retrieving those of `names` that are not being retrieved; returns how many that are."""
        accounts = self._board.retrievable(names)
        if not accounts:
            return 0
        run = _Run(self._board.retrievals.begin(accounts, by_hand=by_hand))
        run.worker = self._app.run_worker(self._retrieve(accounts, run), group=_GROUP, exit_on_error=False)
        self._runs.append(run)
        self._repainter.soon()
        return len(accounts)

    def cancel(self, names: Iterable[str] | None = None, *, by_hand: bool = False) -> list[str]:
        """Cancel the retrievals of these accounts, or all; returns which were not being cancelled already.

        With `by_hand`, those that began by themselves go on.
        """
        stopped = set(self._board.retrievals.ending(names, by_hand=by_hand))
        for run in self._runs:
            for name, one in run.batch.items():
                if one in stopped and (task := run.tasks.get(name)) is not None:
                    # One that still waits for its turn has not begun to be followed.
                    self._follow(one, task)
                    task.cancel()
        self._repainter.soon()
        return sorted(one.name for one in stopped)

    async def stop(self, timeout: float) -> None:
        """Cancel all and wait, at most `timeout` seconds, until what was being stored is."""
        self._board.retrievals.ending()
        workers = [run.worker for run in self._runs if run.worker is not None and not run.worker.is_finished]
        for worker in workers:
            worker.cancel()
        await ended(workers, timeout)

    async def _retrieve(self, accounts: list[Account], run: _Run) -> None:
        try:
            await self._services.retrieve_many(
                accounts,
                self._services.secrets(self._ask).reader(),
                on_event=partial(self._on_event, run),
                on_report=partial(self._on_report, run),
                options=self.options,
                slots=self._slots,
                memory=self._memory,
                tasks=run.tasks,
            )
        except MailtuiError as error:
            self._on_error(str(error))
        except Exception as error:  # noqa: BLE001  # a defect of one run must not take the screen and the other runs along
            self._on_error(f"The retrieval stopped by a defect of mailtui ({type(error).__name__}); please report it.")
        finally:
            self._runs.remove(run)
            for one in run.batch.values():
                self._end(one)

    def _on_event(self, run: _Run, event: RetrievalEvent) -> None:
        if isinstance(event, RetrievalStarted):
            self._begun(run.batch[event.account], run.tasks.get(event.account))
        self._board.retrievals.take(run.batch, event, self._services.now())
        self._repainter.soon()

    def _begun(self, one: Retrieving, task: "asyncio.Task[None] | None") -> None:
        if task is not None:
            self._follow(one, task)
            if one.is_ending:
                # Cancelled before there was anything to cancel.
                task.cancel()

    def _follow(self, one: Retrieving, task: "asyncio.Task[None]") -> None:
        task.add_done_callback(lambda task: self._end(one))

    def _on_report(self, run: _Run, report: RetrievalReport) -> None:
        one, failure = run.batch[report.account], report.leg.failure
        if failure is not None and failure.cause is Cause.RETRIEVAL_BUSY:
            # Another process is at it, and its report is the one that counts.
            if one.by_hand:
                self._say(f"{one.name}: {failure.hint}")
            self._end(one, is_elsewhere=True)
        else:
            self._end(one, report)

    def _end(self, one: Retrieving, report: RetrievalReport | None = None, *, is_elsewhere: bool = False) -> None:
        if self._board.retrievals.end(one, report):
            self.on_end(one.name, is_elsewhere)
            self._repainter.soon()
