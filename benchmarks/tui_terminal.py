"""A program on a terminal of ours: started, typed at, and timed by what it draws."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from benchmarks.measure import ROOT
from benchmarks.tui_screen import Screen

COLUMNS, LINES = 120, 40
_READ_SIZE = 65_536
_PATIENCE = 10.0
"""Seconds that a program has to leave after `end`."""

Seen = Callable[[Screen], bool]


class Terminal:
    """One run of a program on a pseudo terminal of 120x40 that knows synchronised updates, as most do now.

    A frame is looked at when it is whole; it counts as seen at the moment when its last bytes were read.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        self.screen = Screen(COLUMNS, LINES)
        self._has_answered = False
        self._has_ended = False
        self._main, side = pty.openpty()
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            argv, stdin=side, stdout=side, stderr=side, cwd=ROOT, env=dict(environment), start_new_session=True
        )
        os.close(side)
        self.last_output = self.began

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        if self._left(_PATIENCE) is None:
            self._process.kill()
            self._process.wait()
        os.close(self._main)

    def press(self, keys: bytes) -> float:
        """Type, and return when."""
        at = time.perf_counter()
        os.write(self._main, keys)
        return at

    def wait(self, seen: Seen, timeout: float) -> float | None:
        """Read until a whole frame satisfies `seen`; when that frame was read, or None after `timeout` seconds."""
        deadline = time.perf_counter() + timeout
        while (left := deadline - time.perf_counter()) > 0 and not self._has_ended:
            if self._read(left) and not self.screen.is_drawing and seen(self.screen):
                return self.last_output
        return None

    def settle(self, quiet: float, timeout: float) -> float:
        """Read until nothing has come for `quiet` seconds, at most `timeout`; when the last output came."""
        deadline = time.perf_counter() + timeout
        while time.perf_counter() < deadline and self._read(quiet):
            pass
        return self.last_output

    def leave(self, keys: bytes, timeout: float) -> float | None:
        """Type the keys that end the program; seconds until it has ended, or None."""
        at = self.press(keys)
        return None if self._left(timeout) is None else time.perf_counter() - at

    def _left(self, timeout: float) -> int | None:
        # Nobody can leave who is not listened to: the terminal's buffer is small.
        deadline = time.perf_counter() + timeout
        while (status := self._process.poll()) is None and time.perf_counter() < deadline:
            if not self._read(0.01):
                time.sleep(0.001)
        return status

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._main], [], [], timeout)
        if not ready:
            return False
        try:
            data = os.read(self._main, _READ_SIZE)
        except OSError:
            # How Linux says that the other side has gone.
            self._has_ended = True
            return False
        self.last_output = time.perf_counter()
        self.screen.feed(data)
        if self.screen.asked_for_synchronised and not self._has_answered:
            self._has_answered = True
            os.write(self._main, b"\x1b[?2026;2$y")
        return True
