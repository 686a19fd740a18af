"""Put reports into the history while a check goes on, away from its event loop."""

import asyncio
from collections.abc import Callable, Sequence

from mailtui.model.check import CheckReport
from mailtui.model.errors import StorageError
from mailtui.offloop import off_loop

BATCH = 50
"""Reports that make one transaction: each costs a flush to disk."""

END_DEADLINE = 15.0
"""Seconds to wait for the last transaction: longer than the database waits for another process."""

Write = Callable[[Sequence[CheckReport]], None]


class Recorder:
    """Collects reports and writes them in batches. `problem` is why some could not be written, or empty."""

    def __init__(self, write: Write | None) -> None:
        self._write = write
        self._waiting: list[CheckReport] = []
        self._wake = asyncio.Event()
        self._ended = False
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

    def add(self, report: CheckReport) -> None:
        """Take a report; returns at once."""
        if self._write is None:
            return
        self._waiting.append(report)
        if self._task is None:
            self._task = asyncio.create_task(self._run(self._write))
        if len(self._waiting) >= BATCH:
            self._wake.set()

    async def end(self) -> None:
        """Write what waits; returns when it is written, or could not be."""
        self._ended = True
        self._wake.set()
        if self._task is not None:
            done, _ = await asyncio.wait({self._task}, timeout=END_DEADLINE)
            if not done:
                self.problem = "the database did not answer in time"

    async def _run(self, write: Write) -> None:
        while not (self._ended and not self._waiting):
            await self._wake.wait()
            if not self._ended:
                self._wake.clear()
            batch, self._waiting = self._waiting, []
            try:
                await off_loop(lambda batch=batch: write(batch))  # type: ignore[misc]  # mypy cannot infer a default
            except StorageError as error:
                self.problem = str(error)
