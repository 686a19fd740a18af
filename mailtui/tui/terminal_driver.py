"""Textual's driver for terminals, which lives on when the terminal goes away, so that the program can end in order."""

import os
import select
import signal
import threading
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


class _Lasting:
    """A file that takes what is written and loses it once its terminal is gone.

    Textual's thread that writes would die of the error, and the program then wait for ever to hand it more.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._gone = False

    def write(self, text: str) -> None:
        self._attempt(lambda: self._file.write(text))

    def flush(self) -> None:
        self._attempt(self._file.flush)

    def fileno(self) -> int:
        number: int = self._file.fileno()
        return number

    def isatty(self) -> bool:
        return bool(self._file.isatty())

    def _attempt(self, call: Any) -> None:
        if not self._gone:
            try:
                call()
            except OSError:
                self._gone = True


class TerminalDriver(LinuxDriver):
    """Writes to the terminal for as long as there is one, and ends the program when it goes away."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file = _Lasting(self._file)  # type: ignore[assignment]  # of a file only these four methods are used
        self._is_watched = False

    def start_application_mode(self) -> None:
        """Begin to draw; again after each time that another program had the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves its result out
        if not self._is_watched:
            self._is_watched = True
            threading.Thread(target=_hang_up_with, args=(self.fileno,), daemon=True, name="terminal-watch").start()


def _hang_up_with(terminal: int) -> None:
    """Wait until `terminal` is gone, then be told so as the system tells the programs that it belongs to.

    It tells no others, and Textual would read the end of the input again and again, with all the time there is.
    """
    poll = select.poll()
    # Nothing is asked for: what is left to be told is that it hung up.
    poll.register(terminal, 0)
    poll.poll()
    os.kill(os.getpid(), signal.SIGHUP)
