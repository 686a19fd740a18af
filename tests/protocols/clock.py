"""The loop's clock in the hands of a test: a deadline of ten seconds passes in no time, and never by accident."""

import asyncio

from mailtui.model.events import Event, StageStarted


class Clock:
    """A loop's time that can be moved on. The time that really passes counts as well."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._real_time = loop.time
        self._ahead = 0.0

    def time(self) -> float:
        """What the loop takes for its monotonic time, in seconds."""
        return self._real_time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; the timers that are due then ring in the loop's next round."""
        self._ahead += seconds

    def pass_in(self, step: int, seconds: float, event: Event) -> None:
        """As a listener (by functools.partial): let `seconds` pass as soon as stage number `step` waits."""
        if isinstance(event, StageStarted) and event.step == step:
            self._loop.call_soon(self.advance, seconds)
