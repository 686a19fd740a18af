"""Run a blocking call away from the event loop, in a thread that can never hold the process or another call up.

A leaf of the standard library alone, so every room may use it. The loop's own executor will not do: it has few
threads, so one dead name server would stall every other lookup, and leaving the loop waits for all of them.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def off_loop(call: Callable[[], T]) -> T:
    """Return what `call` returns, or raise what it raises, from a daemon thread of its own.

    Cancelling the wait abandons the thread: it ends by itself, and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(result)  # type: ignore[arg-type]  # without an error, result is call()'s T

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = call()
        except BaseException as caught:  # noqa: BLE001  # whatever it is, the waiter gets it
            error = caught
        # A closed loop means that nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, daemon=True, name="mailtui-off-loop").start()
    return await outcome
