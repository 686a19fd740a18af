"""While something runs, the screens are told of it often enough for the eye, and no more often."""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerFailed

REPAINT_INTERVAL = 1 / 20
"""Seconds between two repaints while checks run: fluent to the eye, and time left for keys and for the checks."""


class Repainter:
    """Calls `repaint` some time after the first of several wishes for it."""

    def __init__(self, pump: MessagePump, repaint: Callable[[], None]) -> None:
        self._pump = pump
        self._repaint = repaint
        self.due = False

    def soon(self) -> None:
        """Something has changed."""
        if not self.due:
            self.due = True
            self._pump.set_timer(REPAINT_INTERVAL, self._now)

    def _now(self) -> None:
        self.due = False
        self._repaint()


async def ended(workers: list[Worker[None]], timeout: float) -> None:
    """Wait, at most `timeout` seconds, until `workers` have ended, however they did."""
    if workers:
        await asyncio.wait({asyncio.ensure_future(_ended(worker)) for worker in workers}, timeout=timeout)


async def _ended(worker: Worker[None]) -> None:
    try:
        await worker.wait()
    except (WorkerFailed, asyncio.CancelledError):
        # However it ended, it has ended.
        return
