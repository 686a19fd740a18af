"""A secret from a command, such as `pass show mail/ada`: the first line that it prints."""

import asyncio
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time

from mailtui.model.errors import SecretError
from mailtui.model.text import clean_bytes
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden

DEADLINE = 30.0
"""Seconds that a command may take: time enough to type a passphrase into a pinentry."""

OUTPUT_LIMIT = 1 << 20
"""Octets of output that are read; a command that prints more is no password command."""

_ERROR_TAIL = 4_096
_POLL = 0.05
_REAP = 5.0


async def read_command(command: str, deadline: float = DEADLINE) -> Hidden[str]:
    """Run `command` with `sh -c`, as other mail programs do, and return its first line.

    It has no terminal and no input. At the deadline, or when the wait is cancelled, it is killed with its whole
    process group. Raises SecretError with the last line of its error output, never with its output.
    """
    run = _Run(command, deadline)
    try:
        return await off_loop(run.read)
    except asyncio.CancelledError:
        run.kill()
        raise


def describe(command: str) -> str:
    """The name of the program alone: the rest of the line may hold what should not be shown."""
    words = command.split(maxsplit=1)
    program = words[0] if words else ""
    shown = os.path.basename(program) if program.replace("/", "").replace("-", "").replace("_", "").isalnum() else ""
    return f"the password command ({shown[:40]} …)" if shown else "the password command"


class _Run:
    """One run of a command. `read` blocks; `kill` may come from another thread at any time."""

    def __init__(self, command: str, deadline: float) -> None:
        self._command = command
        self._deadline = deadline
        self._lock = threading.Lock()
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = b""

    def read(self) -> Hidden[str]:
        give_up = time.monotonic() + self._deadline
        try:
            process = self._start()
        except OSError as error:
            raise SecretError(f"{describe(self._command)} cannot be run: {error.strerror}") from None
        try:
            output = self._collect(process, give_up)
            status = self._wait(process, give_up)
        except BaseException:
            self.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_REAP)
            raise
        finally:
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        return self._judge(status, output)

    def kill(self) -> None:
        """End the command and what it started. A process that has been waited for is left alone: its id is free."""
        with self._lock:
            self._killed = True
            if self._process is not None and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._killed:
                raise SecretError(f"{describe(self._command)} was not run: the run was cancelled")
            # A session of its own: a program that would ask on our terminal fails at once instead of waiting unseen.
            # The lock and the short call keep `kill` from missing a process that is just being born.
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", self._command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env=_environment(),
            )
            return self._process

    def _collect(self, process: subprocess.Popen[bytes], give_up: float) -> bytes:
        """Read both streams until they end or the command does: an agent it leaves behind may hold them open."""
        output = bytearray()
        with selectors.DefaultSelector() as selector:
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    selector.register(stream, selectors.EVENT_READ, stream is process.stdout)
            while selector.get_map():
                if time.monotonic() >= give_up:
                    raise self._too_slow()
                # Asked before reading: all that it printed before it ended is then in the pipes.
                ended = self._poll(process) is not None
                ready = selector.select(0 if ended else _POLL)
                if ended and not ready:
                    break
                for key, _ in ready:
                    if chunk := os.read(key.fd, 65_536):
                        self._keep(chunk, output if key.data else None)
                    else:
                        selector.unregister(key.fileobj)
        return bytes(output)

    def _keep(self, chunk: bytes, output: bytearray | None) -> None:
        if output is None:
            self._errors = (self._errors + chunk)[-_ERROR_TAIL:]
            return
        output += chunk
        if len(output) > OUTPUT_LIMIT:
            raise SecretError(
                f"{describe(self._command)} printed more than {OUTPUT_LIMIT >> 20} MiB; "
                "it must print the password on its first line"
            )

    def _poll(self, process: subprocess.Popen[bytes]) -> int | None:
        with self._lock:
            return process.poll()

    def _wait(self, process: subprocess.Popen[bytes], give_up: float) -> int:
        while (status := self._poll(process)) is None:
            if time.monotonic() >= give_up:
                raise self._too_slow()
            time.sleep(0.005)
        return status

    def _too_slow(self) -> SecretError:
        return SecretError(
            f"{describe(self._command)} did not finish within {self._deadline:g} seconds and was ended; "
            "run it in a shell to see what it waits for"
        )

    def _judge(self, status: int, output: bytes) -> Hidden[str]:
        line = output.split(b"\n", 1)[0].removesuffix(b"\r")
        if status != 0:
            how = f"failed with exit code {status}" if status > 0 else f"was ended by signal {-status}"
            words = self._last_words(line)
            raise SecretError(f"{describe(self._command)} {how}" + (f": {words}" if words else ""))
        if not line:
            raise SecretError(
                f"{describe(self._command)} printed nothing on its first line; the password belongs there"
            )
        try:
            return Hidden(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise SecretError(f"{describe(self._command)} printed a first line that is not UTF-8 text") from None

    def _last_words(self, secret: bytes) -> str:
        lines = [line for line in self._errors.splitlines() if line.strip()]
        # A script run with `set -x` repeats on its error output what it prints.
        last = lines[-1] if lines else b""
        return clean_bytes(last.replace(secret, b"***") if secret else last, 200).strip()


def _environment() -> dict[str, str]:
    """Our environment, with GPG_TTY naming our terminal: gpg's agent asks for passphrases there."""
    environment = dict(os.environ)
    if "GPG_TTY" not in environment:
        for descriptor in (0, 1, 2):
            with contextlib.suppress(OSError):
                environment["GPG_TTY"] = os.ttyname(descriptor)
                break
    return environment
