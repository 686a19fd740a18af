"""A secret from a command, such as `pass show mail/ada`: the first line that it prints."""

import asyncio
import contextlib
import os
import selectors
import subprocess
import time

from mailtui.model.errors import SecretError
from mailtui.model.text import clean_bytes
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden
from mailtui.storage.shell import ShellCommand, Stopped, ending, last_line

DEADLINE = 30.0
"""Seconds that a command may take: time enough to type a passphrase into a pinentry."""

OUTPUT_LIMIT = 1 << 20
"""Octets of output that are read; a command that prints more is no password command."""

_ERROR_TAIL = 4_096
_POLL = 0.05


async def read_command(command: str, deadline: float = DEADLINE) -> Hidden[str]:
    """Run `command` with `sh -c`, as other mail programs do, and return its first line.

    It has no terminal and no input. At the deadline, or when the wait is cancelled, it is killed with its whole
    process group. Raises SecretError with the last line of its error output, never with its output.
    """
    run = _Run(command, deadline)
    try:
        return await off_loop(run.read)
    except asyncio.CancelledError:
        run.shell.kill()
        raise


def describe(command: str) -> str:
    """What the command is, by its program alone: the rest of the line may hold what is not to be shown."""
    return ShellCommand(command, "the password command").shown


class _Run:
    """One run of a command. `read` blocks."""

    def __init__(self, command: str, deadline: float) -> None:
        self.shell = ShellCommand(command, "the password command")
        self._deadline = deadline
        self._errors = b""

    def read(self) -> Hidden[str]:
        give_up = time.monotonic() + self._deadline
        process = self._start()
        try:
            output = self._collect(process, give_up)
            status = self.shell.wait(give_up)
            if status is None:
                raise self._too_slow()
        finally:
            self.shell.close()
        return self._judge(status, output)

    def _start(self) -> "subprocess.Popen[bytes]":
        try:
            return self.shell.start(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, environment=_environment())
        except Stopped:
            raise SecretError(f"{self.shell.shown} was not run: the run was cancelled") from None
        except OSError as error:
            raise SecretError(f"{self.shell.shown} cannot be run: {error.strerror}") from None

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
                ended = self.shell.poll() is not None
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
                f"{self.shell.shown} printed more than {OUTPUT_LIMIT >> 20} MiB; "
                "it must print the password on its first line"
            )

    def _too_slow(self) -> SecretError:
        return SecretError(
            f"{self.shell.shown} did not finish within {self._deadline:g} seconds and was ended; "
            "run it in a shell to see what it waits for"
        )

    def _judge(self, status: int, output: bytes) -> Hidden[str]:
        line = output.split(b"\n", 1)[0].removesuffix(b"\r")
        if status != 0:
            words = self._last_words(line)
            raise SecretError(f"{self.shell.shown} {ending(status)}" + (f": {words}" if words else ""))
        if not line:
            raise SecretError(f"{self.shell.shown} printed nothing on its first line; the password belongs there")
        try:
            return Hidden(line.decode("utf-8"))
        except UnicodeDecodeError:
            raise SecretError(f"{self.shell.shown} printed a first line that is not UTF-8 text") from None

    def _last_words(self, secret: bytes) -> str:
        # A script run with `set -x` repeats on its error output what it prints.
        last = last_line(self._errors)
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
