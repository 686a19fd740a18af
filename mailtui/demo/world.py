"""The demo's world: every server on loopback, in a process of its own, so that it costs the screen no time."""

import contextlib
import json
import os
import secrets
import selectors
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mailtui.demo.accounts import PEOPLE, make_account
from mailtui.model.account import Account
from mailtui.model.check import Cause, Leg, Stage
from mailtui.model.errors import UsageError

expectations: dict[str, dict[Leg, Cause | None]] = {
    person.name: {leg: way.cause for leg, way in person.ways.items()} for person in PEOPLE
}
"""What a check of each account must show: the cause of the failure of each leg, None where it is healthy."""

expected_stages: dict[str, dict[Leg, Stage | None]] = {
    person.name: {leg: way.stage for leg, way in person.ways.items()} for person in PEOPLE
}
"""The stage at which each of those failures must show."""

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_PACKAGE = Path(__file__).parents[2]


class DemoWorld:
    """Servers and the accounts that meet them. `folder` must exist; certificates are made in it.

    Passwords are random, new in every world. Use it as a context manager, or call `start` and `stop`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.accounts: tuple[Account, ...] = ()
        """Healthy ones first; empty until `start`."""
        self.passwords: dict[str, str] = {person.name: secrets.token_urlsafe(18) for person in PEOPLE}
        """The password that each account stores, by the name of its secret's entry."""
        self.ports: dict[str, int] = {}
        """The port of each server, by a name such as `imaps`; empty until `start`."""
        self.ca_file = folder
        """The PEM file of the authority that signed the sound certificates, from `start` on."""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every server; returns when all of them listen. Raises UsageError where they cannot."""
        if self._process is not None:
            raise RuntimeError("a demo world starts once")
        # It must find this very package, wherever that was imported from.
        path = os.pathsep.join(part for part in (str(_PACKAGE), os.environ.get("PYTHONPATH", "")) if part)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mailtui.demo.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": path},
            )
            answer = self._converse(self._process)
        except OSError as error:
            self.stop()
            raise UsageError(f"the demo's servers cannot be started: {error.strerror}") from error
        if "error" in answer:
            self.stop()
            raise UsageError(f"the demo's servers cannot start on loopback: {answer['error']}")
        self.ports, self.ca_file = answer["ports"], Path(answer["ca_file"])
        self.accounts = tuple(make_account(person, self.ports, self.ca_file) for person in PEOPLE)

    def _converse(self, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
        """Tell the servers what to serve; returns what they answer. Raises OSError."""
        assert process.stdin is not None
        assert process.stdout is not None
        order = {"folder": str(self.folder / "certificates"), "passwords": self.passwords}
        process.stdin.write(json.dumps(order).encode() + b"\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(_START_SECONDS):
                return {"error": f"they were not ready within {_START_SECONDS:.0f} seconds; try again"}
        answer: dict[str, Any] = json.loads(process.stdout.readline() or b'{"error": "they ended at once"}')
        return answer

    def stop(self) -> None:
        """Close every port and connection and wait for the servers to end. Stopping twice is no error."""
        process = self._process
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
