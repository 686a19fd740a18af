"""When a leg and its running stage must end."""

import asyncio

from mailtui.protocols.faults import WireError

_LOOK_AGAIN = 60.0
"""Seconds after which a timer rings at the latest."""


class Watch:
    """The deadlines of a leg and of its running stage, on one timer: a leg of ten quick stages sets it once."""

    def __init__(self, leg_timeout: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._leg_end = self._loop.time() + leg_timeout
        self._stage_timeout = leg_timeout
        self._end: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self._has_expired = False
        self.is_leg_end = False
        self.verdict: WireError | None = None
        """Why the stage was ended before its deadline, where it was."""

    def begin(self, stage_timeout: float) -> None:
        """A stage begins in this task; it will be cancelled when its time, or the leg's, is up."""
        self._stage_timeout = stage_timeout
        stage_end = self._loop.time() + stage_timeout
        self.is_leg_end = self._leg_end <= stage_end
        self._end = self._leg_end if self.is_leg_end else stage_end
        self._task = asyncio.current_task()
        self._cancelling = self._task.cancelling() if self._task is not None else 0
        self._set(self._end)

    def end(self, error: BaseException | None) -> bool:
        """The stage has ended; whether it was by its deadline, and by no other cancellation."""
        self._end = None
        if not self._has_expired or self._task is None:
            return False
        self._has_expired = False
        return self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError)

    def progress(self) -> None:
        """The running stage came forward: its time begins anew. For stages that are as long as the mail is."""
        if self._end is not None:
            self._end = min(self._leg_end, self._loop.time() + self._stage_timeout)
            self.is_leg_end = self._leg_end <= self._end

    def hold(self) -> None:
        """The running stage waits for this machine, not for the server: its time stands still until `progress`."""
        if self._end is not None:
            self._end = self._leg_end

    def end_early(self, verdict: WireError) -> None:
        """End the running stage as its deadline would, but by `verdict`."""
        if self._end is not None and self._task is not None and not self._has_expired:
            self.verdict = verdict
            self._has_expired = True
            self._task.cancel()

    def remaining(self) -> float:
        """Seconds until the running stage, or else the leg, must end."""
        return max(0.0, (self._leg_end if self._end is None else self._end) - self._loop.time())

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, end: float) -> None:
        # A leg without an end of its own (a retrieval) that is held has nothing to wait for; look again now and then.
        end = min(end, self._loop.time() + _LOOK_AGAIN)
        if self._timer is None or self._timer.when() > end:
            self.stop()
            self._timer = self._loop.call_at(end, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._end is None or self._task is None or self._has_expired:
            return
        if self._loop.time() < self._end:
            self._set(self._end)
            return
        self._has_expired = True
        self._task.cancel()
