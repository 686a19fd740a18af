"""Hand a message to a command on its standard input; an exit code of 0 means that it was taken."""

import asyncio
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping

from mailtui.model.text import clean_bytes
from mailtui.offloop import off_loop
from mailtui.storage.shell import ShellCommand, Stopped, ending, last_line

DEADLINE = 60.0
"""Seconds in which the command must take some of the message, or end once it has all."""

_NOT_RUN = (126, 127)
"""What the shell exits with where the command itself is not there, or cannot be run (POSIX, Shell, 2.8.2)."""

_ERROR_TAIL = 4_096
_WORDS_LIMIT = 200
_POLL = 0.05


class HandoverFailed(Exception):
    """The command did not take the message. `hint` is our line, `words` the last line of its errors, cleaned.

    `is_about_message`: another message may be taken.
    """

    def __init__(self, hint: str, words: str = "", *, is_about_message: bool = False) -> None:
        super().__init__(hint)
        self.hint = hint
        self.words = words
        self.is_about_message = is_about_message


async def hand_over(
    command: str, pieces: Iterator[bytes], environment: Mapping[str, str], deadline: float = DEADLINE
) -> None:
    """Run `command` with `sh -c`, `environment` added to ours, and feed it `pieces`, which are read in a thread.

    It has no terminal; what it prints is dropped. At the deadline, or when the wait is cancelled, it is killed with its
    whole process group. Raises HandoverFailed.
    """
    run = _Handover(command, deadline)
    try:
        await off_loop(lambda: run.feed(pieces, environment))
    except asyncio.CancelledError:
        run.shell.kill()
        raise


class _Handover:
    """One run. `feed` blocks."""

    def __init__(self, command: str, deadline: float) -> None:
        self.shell = ShellCommand(command, "the delivery command")
        self._deadline = deadline
        self._errors = b""

    def feed(self, pieces: Iterator[bytes], environment: Mapping[str, str]) -> None:
        try:
            status = self._exchange(self._start(environment), pieces)
        except OSError as error:
            raise self._failed(f"could not be given the message: {error.strerror}") from None
        finally:
            # Ended before its input is: what is not whole must not look so.
            self.shell.close()
        if status != 0:
            raise self._failed(ending(status), is_about_message=status not in _NOT_RUN)

    def _start(self, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        try:
            return self.shell.start(
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, environment={**os.environ, **environment}
            )
        except Stopped:
            raise self._failed("was not run: the retrieval was cancelled") from None
        except (OSError, ValueError) as error:
            words = (error.strerror if isinstance(error, OSError) else "") or str(error)
            raise self._failed(f"cannot be run: {words}") from None

    def _exchange(self, process: "subprocess.Popen[bytes]", pieces: Iterator[bytes]) -> int:
        """Write the message and read the errors until the command ends; what it leaves behind may hold them open."""
        assert process.stdin is not None
        assert process.stderr is not None
        stdin, stderr = process.stdin.fileno(), process.stderr.fileno()
        os.set_blocking(stdin, False)
        piece: memoryview | None = memoryview(b"")
        give_up = time.monotonic() + self._deadline
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stderr, selectors.EVENT_READ)
            while selector.get_map() and time.monotonic() < give_up:
                # Asked before reading: all that it said before it ended is then in the pipe.
                ended = self.shell.poll() is not None
                ready = {key.fd for key, _ in selector.select(0 if ended else _POLL)}
                if stderr in ready and not self._read_errors(stderr):
                    selector.unregister(stderr)
                elif ended and stderr not in ready:
                    break
                if stdin in ready:
                    piece = _rest(piece, pieces)
                    written = None if piece is None else _write(stdin, piece)
                    if piece is None or written is None:
                        selector.unregister(stdin)
                        process.stdin.close()
                    else:
                        piece = piece[written:]
                    give_up = time.monotonic() + self._deadline
        status = self.shell.wait(give_up)
        if status is None:
            words = f"did not end within {self._deadline:g} seconds and was ended"
            raise self._failed(words, is_about_message=True)
        return status

    def _read_errors(self, descriptor: int) -> bool:
        chunk = os.read(descriptor, 65_536)
        self._errors = (self._errors + chunk)[-_ERROR_TAIL:]
        return bool(chunk)

    def _failed(self, what: str, *, is_about_message: bool = False) -> HandoverFailed:
        words = clean_bytes(last_line(self._errors), _WORDS_LIMIT).strip()
        return HandoverFailed(f"{self.shell.shown} {what}", words, is_about_message=is_about_message)


def _rest(piece: memoryview | None, pieces: Iterator[bytes]) -> memoryview | None:
    """What is to be written now; None after the last of it."""
    if piece:
        return piece
    following = next((one for one in pieces if one), None)
    return None if following is None else memoryview(following)


def _write(descriptor: int, piece: memoryview) -> int | None:
    """Octets that were taken; None once the command reads no more, which its exit code may well mean to do."""
    try:
        return os.write(descriptor, piece)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return None
