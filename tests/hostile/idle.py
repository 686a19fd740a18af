"""Waiting without waiting: where nothing can happen before the next timer, the loop's time leaps there."""

import asyncio
import selectors
import threading
from typing import Any, Self, cast

# What was written to a loopback connection can be read at once, so a loop that hears nothing for this long, in
# seconds, hears nothing until a timer rings, or a thread is done.
_IDLE = 0.005
# How long a select waits that must not leap, for a thread is at work.
_PATIENCE = 0.05


class IdleClock:
    """Moves the running loop's time on. Client and server must both run on that loop, or in threads of this process."""

    def __init__(self) -> None:
        # The selector and the clock are the loop's own business; no public hook is there to see it idle.
        self._loop = cast(Any, asyncio.get_running_loop())
        self._selector: selectors.BaseSelector = self._loop._selector
        self._real_time, self._real_select = self._loop.time, self._selector.select
        self._threads = set(threading.enumerate())
        self._ahead = 0.0

    def __enter__(self) -> Self:
        self._loop.time = self._time
        cast(Any, self._selector).select = self._select
        return self

    def __exit__(self, *error: object) -> None:
        # The time that leapt stays: a loop's clock never goes back.
        del cast(Any, self._selector).select

    def _time(self) -> float:
        return float(self._real_time()) + self._ahead

    def _select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None or timeout <= _IDLE:
            return list(self._real_select(timeout))
        events = list(self._real_select(_IDLE))
        if events:
            return events
        if not self._threads.issuperset(threading.enumerate()):
            return list(self._real_select(min(timeout, _PATIENCE)))
        self._ahead += timeout - _IDLE
        return events
