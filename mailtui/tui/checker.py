"""Runs checks for the screens: events go onto the board at once, and to the screens at most twenty times a second."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from textual.app import App
from textual.worker import Worker

from mailtui.actions.check import CheckOptions, Limits, Slots
from mailtui.actions.memory import Memory
from mailtui.actions.recording import Recorder
from mailtui.model.account import Account
from mailtui.model.check import CheckReport
from mailtui.model.errors import MailtuiError
from mailtui.model.events import Event
from mailtui.tui.board import Board, Run
from mailtui.tui.repainting import Repainter, ended
from mailtui.tui.services import Ask, Services

_GROUP = "checks"


class Checker:
    """Starts, follows and cancels checks. An account is never checked twice at once."""

    def __init__(
        self,
        app: App[Any],
        services: Services,
        board: Board,
        recorder: Recorder,
        *,
        options: CheckOptions,
        memory: Memory,
        ask: Ask,
        repainter: Repainter,
        on_error: Callable[[str], None],
    ) -> None:
        self._app = app
        self._services = services
        self._board = board
        self._recorder = recorder
        self._options = options
        self._memory = memory
        self._ask = ask
        self._repainter = repainter
        self._on_error = on_error
        self._runs: dict[Worker[None], Run] = {}
        self.slots = Slots(Limits())
        """One for all runs: each key that starts another must not open as many connections again."""

    def test(self, names: Iterable[str], *, insist: bool = False) -> int:
        """Start checking those of `names` that are not being checked; returns how many that are.

        With `insist`, logins that were refused before are tried again.
        """
        accounts = self._board.testable(names)
        if not accounts:
            return 0
        run = self._board.begin(accounts)
        self._repainter.soon()
        worker = self._app.run_worker(self._check(accounts, run, insist), group=_GROUP, exit_on_error=False)
        self._runs = {other: names for other, names in self._runs.items() if not other.is_finished}
        self._runs[worker] = run
        return len(accounts)

    def cancel(self) -> int:
        """Cancel all checks; returns how many accounts were being checked."""
        cancelled = 0
        for worker, run in self._runs.items():
            worker.cancel()
            cancelled += self._board.abandon(run)
        self._repainter.soon()
        return cancelled

    async def stop(self, timeout: float) -> None:
        """Cancel all checks and wait, at most `timeout` seconds, until they have let go of their connections."""
        workers = [worker for worker in self._runs if not worker.is_finished]
        self.cancel()
        await ended(workers, timeout)

    async def _check(self, accounts: list[Account], run: Run, insist: bool) -> None:
        try:
            await self._services.check_many(
                accounts,
                self._services.secrets(self._ask).reader(),
                on_event=partial(self._on_event, run),
                on_report=partial(self._on_report, run),
                options=replace(self._options, insist=insist),
                slots=self.slots,
                memory=self._memory,
            )
        except MailtuiError as error:
            self._on_error(str(error))
        except Exception as error:  # noqa: BLE001  # a defect of one run must not take the screen and the other runs along
            self._on_error(f"The check stopped by a defect of mailtui ({type(error).__name__}); please report it.")
        finally:
            self._board.abandon(run)
            self._repainter.soon()

    def _on_event(self, run: Run, event: Event) -> None:
        self._board.take_event(run, event)
        self._repainter.soon()

    def _on_report(self, run: Run, report: CheckReport) -> None:
        if self._board.take_report(run, report):
            self._recorder.add(report)
        self._repainter.soon()
