"""Do to its end what must not stop half-way."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class FinishedFirst(asyncio.CancelledError):
    """A cancellation that goes on only now that the work was done to its end; `outcome` is what that returned."""

    def __init__(self, outcome: Any) -> None:
        self.outcome = outcome
        super().__init__()


async def to_the_end(work: Coroutine[Any, Any, T], on_cancel: Callable[[], None] = lambda: None) -> T:
    """What `work` returns or raises. A cancellation in the meantime waits until `work` has ended; `on_cancel` is told.

    It then goes on as FinishedFirst, or as itself if `work` failed. Every wait in `work` needs a deadline of its own.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is None:
        return task.result()
    if task.cancelled() or task.exception() is not None:
        raise cancelled
    raise FinishedFirst(task.result()) from None
