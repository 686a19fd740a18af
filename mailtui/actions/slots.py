"""How many connections may be open at once, and how one that nobody answers makes room for others."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from mailtui.model.account import Endpoint
from mailtui.model.check import Stage, Status

PATIENCE = 1.0
"""Seconds that a connection may stay silent at its beginning and keep others of the same port waiting."""

_SILENT_AT_FIRST = (Stage.CONNECT, Stage.TLS, Stage.GREETING)
_HEARD = (Stage.TLS, Stage.GREETING)


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections open at once: in all, and to one port of a host."""

    total: int = 200
    per_host: int = 20


class Slots:
    """The connections that may be open at once. A leg waits for its port first, so that it holds up no other.

    Limits of a host are those of one server there: what is silent on one port takes no place from another.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = _Places(limits.total)
        self._ports: dict[tuple[str, int], _Places] = {}

    @asynccontextmanager
    async def enter(self, endpoint: Endpoint) -> "AsyncIterator[Place]":
        """Wait for a place, and hold it within."""
        key = (endpoint.host.lower(), endpoint.port)
        port = self._ports.setdefault(key, _Places(self._limits.per_host))
        await port.take()
        place = Place(port)
        try:
            await self._total.take()
            try:
                yield place
            finally:
                self._total.give()
        finally:
            place.leave()


class Place:
    """One leg's place at its port. It is lent to others while the server, just connected to, says nothing."""

    def __init__(self, port: "_Places") -> None:
        self._port = port
        self._timer: asyncio.TimerHandle | None = None
        self._is_lent = False
        self._is_heard = False

    def follow(self, stage: Stage, status: Status | None) -> None:
        """Learn whether the server talks, from the leg's stages as they begin (without a status) and end."""
        if self._is_heard:
            return
        if status is None:
            if stage in _SILENT_AT_FIRST:
                self._wait()
        elif stage in _HEARD and status is Status.OK:
            self._hear()

    def leave(self) -> None:
        """The leg is over."""
        self._stop()
        if not self._is_lent:
            self._port.give()

    def _wait(self) -> None:
        self._stop()
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._lend)

    def _lend(self) -> None:
        if not self._is_lent:
            self._is_lent = True
            self._port.give()

    def _hear(self) -> None:
        self._is_heard = True
        self._stop()
        if self._is_lent:
            self._is_lent = False
            self._port.take_back()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Places:
    """So many places, given in the order of asking."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a place."""
        if self._free > 0:
            self._free -= 1
            return
        given = asyncio.get_running_loop().create_future()
        self._waiting.append(given)
        try:
            await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():
                # It was given in the very moment in which nobody wanted it any more.
                self.give()
            raise

    def take_back(self) -> None:
        """Take a place that was lent, whether one is free or not: the next ones wait the longer."""
        self._free -= 1

    def give(self) -> None:
        """Give a place back."""
        self._free += 1
        while self._free > 0 and self._waiting:
            given = self._waiting.popleft()
            if not given.done():
                self._free -= 1
                given.set_result(None)
