"""Textual's driver for terminals, which lives on when the terminal goes away, so that the program can end in order."""

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
    """Writes to the terminal for as long as there is one."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._file = _Lasting(self._file)  # type: ignore[assignment]  # of a file only these four methods are used
