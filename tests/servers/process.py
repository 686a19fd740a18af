"""Run a server in the foreground for as long as the tests need it, with nothing left behind."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

DEADLINE = 60.0
"""Seconds a server may take to do what is waited for: a busy machine is no failure."""


class ServerError(Exception):
    """A server did not start or did not do what was waited for; holds the end of its log."""


def free_ports(count: int) -> list[int]:
    """`count` loopback ports that nobody listens on, from below the range that outgoing connections take."""
    with ExitStack() as held:
        ports: list[int] = []
        for port in random.sample(range(20_000, 32_000), 1_000):
            listener = held.enter_context(socket.socket())
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            ports.append(port)
            if len(ports) == count:
                return ports
    raise ServerError("no free loopback ports")


def public_folder(prefix: str) -> Path:
    """A new folder that a server's own user can reach, with a path short enough for the sockets inside it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder


def find_program(name: str) -> str | None:
    """Where the server's program is: ordinary users lack the sbin folders in PATH."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")


def require_program(name: str) -> str:
    """See `find_program`; raises ServerError when it is not installed."""
    if (program := find_program(name)) is None:
        raise ServerError(f"{name} is not installed")
    return program


def tail(log: Path, lines: int = 30) -> str:
    """The end of a log, for an error message."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return f"(no {log.name})"


class ForegroundServer:
    """One server process in a session of its own; `log` is shown when it fails."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        self._output = log.with_suffix(".output")
        # An interrupted test run must not leave servers running.
        guard = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                guard + command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until `condition` holds; raises ServerError when the server ends or the deadline passes."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            if self._process.poll() is not None:
                raise ServerError(f"the server ended while waiting for {what}:\n{self._evidence()}")
            if time.monotonic() > deadline:
                raise ServerError(f"waited in vain for {what}:\n{self._evidence()}")
            time.sleep(0.02)

    def wait_for_port(self, port: int) -> None:
        """Wait until `port` accepts connections."""

        def accepts() -> bool:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                return False
            return True

        self.wait_for(accepts, f"port {port}")

    def stop(self) -> None:
        """End the server and everything it started."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(DEADLINE)

    def _evidence(self) -> str:
        return f"{tail(self._output)}\n{tail(self._log)}"
