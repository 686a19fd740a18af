"""The real program on a pseudo-terminal, driven by keys."""

import asyncio
import fcntl
import os
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.tui.pty_stream import Stream

ROOT = Path(__file__).parents[2]
_DEADLINE = 20.0
"""Seconds after which a wait is a failure; generous, since machines are slow."""
_LAST_WORDS = 2.0
_CHUNK = 65_536
_ANSWERS = {"\x1b[?2026$p": b"\x1b[?2026;2$y", "\x1b[?2048$p": b"\x1b[?2048;0$y"}
"""The terminal marks frames (DEC mode 2026), so that half of one is never taken for a screen; it knows no mode 2048."""
_KEYS = {
    "enter": "\r",
    "escape": "\x1b[27u",  # unlike a bare ESC it needs no wait for what may follow
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "backspace": "\x7f",
    "space": " ",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "asterisk": "*",
    "slash": "/",
    "question_mark": "?",
    "shift+down": "\x1b[1;2B",
    "delete": "\x1b[3~",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "f3": "\x1bOR",
    "f4": "\x1bOS",
    "f5": "\x1b[15~",
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
}


def octets_of(key: str) -> bytes:
    """What a terminal sends for a key, named as in the bindings."""
    if key.startswith("ctrl+"):
        return bytes([ord(key[-1]) & 0x1F])
    if len(key) > 1 and key not in _KEYS:
        raise ValueError(f"no key named {key!r}")
    return _KEYS.get(key, key).encode()


class Program:
    """A running program and the screen that it draws."""

    def __init__(self, process: asyncio.subprocess.Process, terminal: int, stream: Stream) -> None:
        self.stream = stream
        self._process = process
        self._terminal = terminal
        self._moved = asyncio.Event()
        self._ended = False
        asyncio.get_running_loop().add_reader(terminal, self._read)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.stream.text

    def _read(self) -> None:
        try:
            octets = os.read(self._terminal, _CHUNK)
        except OSError:  # the other side is closed: EIO on Linux
            octets = b""
        if octets:
            self.stream.feed(octets)
            for question in self.stream.questions:
                os.write(self._terminal, _ANSWERS[question])
            self.stream.questions.clear()
        else:
            self._stop_reading()
            self.stream.end()
        self._moved.set()

    def _stop_reading(self) -> None:
        if not self._ended:
            self._ended = True
            asyncio.get_running_loop().remove_reader(self._terminal)

    async def press(self, *keys: str) -> None:
        """Send keys, all at once."""
        os.write(self._terminal, b"".join(octets_of(key) for key in keys))

    async def type(self, text: str) -> None:
        """Send text as it is typed."""
        os.write(self._terminal, text.encode())

    async def until(self, wanted: str | Callable[[str], object], *, gone: bool = False) -> str:
        """Wait until the screen holds `wanted` (or no longer does, with `gone`), and return it.

        A fault in what was written, the end of the program and the deadline raise AssertionError.
        """
        test = wanted if callable(wanted) else lambda text: wanted in text
        try:
            async with asyncio.timeout(_DEADLINE):
                while True:
                    if self.stream.faults:
                        await self._last_words()
                    self.require_harmless()
                    if self.stream.is_whole and bool(test(self.text)) is not gone:
                        return self.text
                    assert not self._ended, f"the program has ended:\n{self.text}"
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            what = f"{'still' if gone else 'no'} {wanted!r}" if isinstance(wanted, str) else "not what was expected"
            raise AssertionError(f"{what} on the screen:\n{self.text}") from None

    async def go(self, *keys: str, to: str | Callable[[str], object]) -> str:
        """Press keys and wait for what they lead to."""
        await self.press(*keys)
        return await self.until(to)

    async def _last_words(self) -> None:
        # A defect rings the bell and then tells where: give it the time to.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                while not self._ended:
                    self._moved.clear()
                    await self._moved.wait()

    def require_harmless(self) -> None:
        """Fail on the first fault in what was written."""
        if faults := self.stream.faults:
            raise AssertionError("\n".join([*faults[:5], self.text, self.stream.printed[-8_000:] * self._ended]))

    async def leave(self, *keys: str) -> int:
        """Press the keys that end the program; returns its exit status."""
        await self.press(*keys)
        async with asyncio.timeout(_DEADLINE):
            status = await self._process.wait()
            while not self._ended:
                self._moved.clear()
                await self._moved.wait()
        self.require_harmless()
        assert "Traceback" not in self.stream.printed
        return status

    async def close(self) -> None:
        """End the program, if it has not ended, and let the terminal go."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        self._stop_reading()
        os.close(self._terminal)


@asynccontextmanager
async def program(
    folder: Path, columns: int, rows: int, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """Run mailtui with its data, its settings and its home in `folder`."""
    terminal, device = os.openpty()
    try:
        fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mailtui",
            *arguments,
            stdin=device,
            stdout=device,
            stderr=device,
            cwd=folder,
            start_new_session=True,
            env={
                "HOME": str(folder),
                "LANG": "C.UTF-8",
                "MAILTUI_CONFIG": str(folder / "config.toml"),
                "MAILTUI_DATA": str(folder / "data"),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)),
                "TERM": "xterm-256color",
                **(environment or {}),
            },
        )
    except BaseException:
        os.close(terminal)
        raise
    finally:
        os.close(device)
    running = Program(process, terminal, Stream(columns, rows))
    try:
        yield running
    finally:
        await running.close()


def squeezed(text: str) -> str:
    """`text` without its white space and frames, in which words that were wrapped are whole again."""
    return re.sub(r"[\s│╭╮╰╯─]+", "", text)
