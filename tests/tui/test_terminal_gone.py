"""The terminal goes away, as when a connection breaks: the program ends in order, whatever it was about to draw."""

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path

import pytest

from mailtui.tui.terminal_driver import _Lasting
from tests.tui.pty_program import ROOT

_DEADLINE = 60.0


class _Dead:
    """A file on a terminal that is gone."""

    writes = 0

    def write(self, text: str) -> None:
        self.writes += 1
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


def test_file_of_a_terminal_that_is_gone_takes_everything() -> None:
    dead = _Dead()
    lasting = _Lasting(dead)
    for _ in range(3):
        lasting.write("x")
        lasting.flush()
    assert dead.writes == 1


@pytest.mark.parametrize(
    ("keys", "belongs"),
    [("", True), ("", False), ("e", True), ("n", True), ("T", True), ("\x10", True)],
    ids=["list", "list on a terminal of another", "edit", "new", "testing", "palette"],
)
def test_program_ends_when_its_terminal_does(tmp_path: Path, keys: str, belongs: bool) -> None:
    terminal, device = os.openpty()
    fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    # Who does not own its terminal gets no signal from the system.
    own = "fcntl.ioctl(0, termios.TIOCSCTTY, 0);" if belongs else ""
    program = f"import fcntl, sys, termios; {own} from mailtui.__main__ import main; sys.exit(main(['demo']))"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=device,
        stdout=device,
        stderr=device,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color", "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )
    os.close(device)
    seen = bytearray()
    drawn = threading.Event()

    def read() -> None:
        while not drawn.is_set():
            seen.extend(os.read(terminal, 65_536))
            if b"Ada" in seen:
                drawn.set()

    try:
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        assert drawn.wait(_DEADLINE), bytes(seen[-2_000:])
        reader.join(_DEADLINE)
        os.write(terminal, keys.encode())
        if keys:
            os.read(terminal, 65_536)
    finally:
        os.close(terminal)
    try:
        assert process.wait(_DEADLINE) == 128 + signal.SIGHUP
    finally:
        process.kill()
        process.wait()
    assert list(tmp_path.iterdir()) == [], "what was made for the time of the demo is gone, too"
