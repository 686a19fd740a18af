"""Put reports into the history while checks go on, away from their event loop."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from mailtui.model.check import CheckReport
from mailtui.model.errors import MailtuiError
from mailtui.offloop import off_loop

BATCH = 50
"""Reports that make one transaction: each transaction costs a flush to disk."""

GATHERING = 0.25
"""Seconds that a report waits for others to fill its batch."""

END_DEADLINE = 15.0
"""Seconds to wait for the last transaction: longer than the database waits for another process."""

Write = Callable[[Sequence[CheckReport]], None]


class Recorder:
    """Writes reports in the order they come, in batches. Belongs to one event loop.

    `write` blocks, and is called in a thread; None drops every report. `problem` is why some reports could not be
    written, or empty; `on_problem` is told of it when it changes.
    """

    def __init__(self, write: Write | None, on_problem: Callable[[str], None] = lambda problem: None) -> None:
        self._write = write
        self._on_problem = on_problem
        self._waiting: list[CheckReport] = []
        self._due = asyncio.Event()
        self._ending = False
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

    def add(self, report: CheckReport) -> None:
        """Take a report; returns at once."""
        if self._write is None:
            return
        self._waiting.append(report)
        if len(self._waiting) >= BATCH:
            self._due.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(self._write))

    async def end(self, deadline: float = END_DEADLINE) -> None:
        """Write what waits; returns when it is written, or could not be, or after `deadline` seconds."""
        self._ending = True
        self._due.set()
        if self._task is not None:
            _, late = await asyncio.wait({self._task}, timeout=deadline)
            if late:
                self._report("the database did not answer in time")

    async def _run(self, write: Write) -> None:
        while self._waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GATHERING):
                    await self._due.wait()
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
            if len(self._waiting) < BATCH and not self._ending:
                self._due.clear()
            try:
                await off_loop(lambda batch=batch: write(batch))  # type: ignore[misc]  # mypy cannot infer a default
            except MailtuiError as error:
                self._report(str(error))
            except Exception as error:  # noqa: BLE001  # a defect must be told, and not end the recording silently
                self._report(f"a defect of mailtui, please report it: {type(error).__name__}")

    def _report(self, problem: str) -> None:
        if problem != self.problem:
            self.problem = problem
            self._on_problem(problem)
