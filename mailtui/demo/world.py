"""The demo's world: every server on loopback, in a thread and an event loop of its own."""

import asyncio
import contextlib
import logging
import secrets
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

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

_CHATTY_LOGGERS = ("mail.log", "pymap")
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


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
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start every server; returns when all of them listen. Raises UsageError where they cannot."""
        if self._thread is not None:
            raise RuntimeError("a demo world starts once")
        for name in _CHATTY_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._thread = threading.Thread(target=self._run, name="mailtui-demo", daemon=True)
        self._thread.start()
        listening = self._ready.wait(_START_SECONDS)
        if self._error is not None:
            raise UsageError(f"the demo's servers cannot start on loopback: {self._error}") from self._error
        if not listening:
            raise UsageError(f"the demo's servers did not start within {_START_SECONDS:.0f} seconds; try again")

    def stop(self) -> None:
        """Close every port and connection and wait for the thread to end. Stopping twice is no error."""
        if self._thread is None:
            return
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            # The loop closes by itself where a server failed to start.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        try:
            # Clients that reject a certificate belong here; asyncio's debug mode would print a traceback for each.
            asyncio.run(self._serve(), debug=False)
        except BaseException as error:  # noqa: BLE001  # `start` raises it again in the thread that can show it
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        # Imported here: the servers' libraries take a third of a second, for those alone who start a world.
        from mailtui.demo.listener import Listener
        from mailtui.demo.servers import open_servers

        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        listener = Listener()
        try:
            self.ports, ca_file = await open_servers(listener, self.folder / "certificates", self.passwords)
            self.accounts = tuple(make_account(person, self.ports, ca_file) for person in PEOPLE)
            self._ready.set()
            await self._stop.wait()
        finally:
            await listener.close()
