"""Finished reports on their way into the history, in batches and off the loop."""

import asyncio
from collections.abc import Callable, Sequence

from mailtui.model.check import CheckReport
from mailtui.model.errors import MailtuiError
from mailtui.offloop import off_loop

_BATCH = 500


class Recorder:
    """Writes reports in the order they come; while one batch is being written the next one gathers."""

    def __init__(
        self, record_many: Callable[[Sequence[CheckReport]], None], on_error: Callable[[MailtuiError], None]
    ) -> None:
        self._record_many = record_many
        self._on_error = on_error
        self._pending: list[CheckReport] = []
        self._writer: asyncio.Task[None] | None = None

    def add(self, report: CheckReport) -> None:
        """Take one report; returns at once."""
        self._pending.append(report)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())

    async def flush(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all is written; whether it is."""
        if self._writer is not None and not self._writer.done():
            await asyncio.wait({self._writer}, timeout=timeout)
        return not self._pending and (self._writer is None or self._writer.done())

    async def _write(self) -> None:
        while self._pending:
            batch = self._pending[:_BATCH]
            try:
                await off_loop(lambda batch=batch: self._record_many(batch))  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            except MailtuiError as error:
                self._on_error(error)
            del self._pending[: len(batch)]
