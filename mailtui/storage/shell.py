"""A command of the shell in a session of its own, which can be ended with all that it started."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping

_REAP = 5.0
_FIRST_PAUSE = 0.0005
_LONGEST_PAUSE = 0.02


class Stopped(Exception):
    """The command was ended before it was begun."""


class ShellCommand:
    """One run of `sh -c command`, as other mail programs do it. `kill` may come from another thread at any time."""

    def __init__(self, command: str, what: str) -> None:
        """`what` is what the command is for people, such as "the password command"."""
        self._command = command
        self._what = what
        self._lock = threading.Lock()
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def shown(self) -> str:
        """What it is, with the name of the program alone: the rest of the line may hold what should not be shown."""
        words = self._command.split(maxsplit=1)
        program = words[0] if words else ""
        plain = program.replace("/", "").replace("-", "").replace("_", "").isalnum()
        name = os.path.basename(program) if plain else ""
        return f"{self._what} ({name[:40]} …)" if name else self._what

    def start(self, *, stdin: int, stdout: int, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Begin; its errors come through a pipe. Raises OSError, ValueError and Stopped."""
        with self._lock:
            if self._killed:
                raise Stopped
            # A session of its own: a program that would ask on our terminal fails at once instead of waiting unseen.
            # The lock and the short call keep `kill` from missing a process that is just being born.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", self._command],
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=environment,
            )
            return self._process

    def poll(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        with self._lock:
            return None if self._process is None else self._process.poll()

    def wait(self, give_up: float) -> int | None:
        """Wait for it until `give_up`, a moment of `time.monotonic`; its exit status, None while it still runs."""
        pause = _FIRST_PAUSE
        while (status := self.poll()) is None and time.monotonic() < give_up:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return status

    def kill(self) -> None:
        """End the command and what it started. A process that has been waited for is left alone: its id is free."""
        with self._lock:
            self._killed = True
            if self._process is not None and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it if it still runs, and let go of its pipes."""
        self.kill()
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_REAP)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def ending(status: int) -> str:
    """How a command ended that did not end well, in words."""
    return f"failed with exit code {status}" if status > 0 else f"was ended by signal {-status}"


def last_line(errors: bytes) -> bytes:
    """The last line that is not empty."""
    return next((line for line in reversed(errors.splitlines()) if line.strip()), b"")
