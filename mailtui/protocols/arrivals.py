"""Waiting for what the other side says next, shared by the wires of all three protocols."""

import asyncio

from mailtui.protocols.faults import closed


class Arrivals:
    """Wakes the one task that waits on a wire, and tells it when there is nothing more to wait for.

    A wait that is cancelled spoils the connection: the reply that was waited for would be taken for the next one's.
    """

    def __init__(self) -> None:
        self.fault: Exception | None = None
        """Why the connection is of no use any more; the first reason stands."""
        self._waiter: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Something has come."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def fail(self, fault: Exception) -> None:
        """Nothing more will come, and why."""
        self.fault = self.fault or fault
        self.wake()

    def require_alive(self) -> None:
        """Raise the fault, a WireError or OSError, if there is one."""
        if self.fault is not None:
            raise self.fault

    async def next(self) -> None:
        """Wait for anything to come. Raises WireError or OSError when nothing will."""
        self.require_alive()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.fail(closed("being listened to"))
            raise
