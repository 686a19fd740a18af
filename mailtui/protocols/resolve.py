"""Names to addresses, by the C library in threads of its own, each name asked for once a run."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Generic, TypeVar

from mailtui.model.server import is_loopback
from mailtui.offloop import off_loop

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Address:
    """One socket address of a host."""

    family: socket.AddressFamily
    host: str
    port: int
    scope: int = 0

    @property
    def family_label(self) -> str:
        return "IPv6" if self.family is socket.AF_INET6 else "IPv4"

    @property
    def sockaddr(self) -> tuple[str, int] | tuple[str, int, int, int]:
        if self.family is socket.AF_INET6:
            return (self.host, self.port, 0, self.scope)
        return (self.host, self.port)

    @property
    def is_loopback(self) -> bool:
        """Whether this is this machine itself, by address, whatever the name was."""
        return is_loopback(self.host)


class Once(Generic[K, V]):
    """Answers each key by one call, however many ask: the rest wait for it, and its error is theirs, too."""

    def __init__(self, answer: Callable[[K], Awaitable[V]]) -> None:
        self._answer = answer
        self._tasks: dict[K, asyncio.Future[V]] = {}

    async def get(self, key: K) -> V:
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(self._answer(key))
            # Everyone who asked may have been cancelled by the time it fails.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        if task.done():
            return task.result()
        return await asyncio.shield(task)


class WhileWanted(Generic[K, V]):
    """Like Once, for work that holds a connection: it is given up, and forgotten, when nobody waits for it any more."""

    def __init__(self) -> None:
        self._tasks: dict[K, asyncio.Future[V]] = {}
        self._waiting: Counter[K] = Counter()

    async def get(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """What `work` came to for the first that asked for `key`."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = asyncio.ensure_future(work())
        if task.done():
            return task.result()
        self._waiting[key] += 1
        try:
            return await asyncio.shield(task)
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key] and not task.done():
                del self._tasks[key]
                task.cancel()


class Resolver:
    """Looks names up, once each, for as long as the resolver lives: a run, not a process, so that a fix is seen."""

    def __init__(self) -> None:
        self._once = Once(_look_up)

    async def addresses(self, host: str, port: int) -> list[Address]:
        """All addresses of the ASCII name `host`, in the order of RFC 6724. Raises socket.gaierror."""
        try:
            literal = ip_address(host)
        except ValueError:
            return [Address(a.family, a.host, port, a.scope) for a in await self._once.get(host)]
        return [Address(socket.AF_INET6 if literal.version == 6 else socket.AF_INET, host, port)]


async def _look_up(host: str) -> list[Address]:
    found = await off_loop(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    addresses = []
    for family, _, _, _, sockaddr in found:
        if family in (socket.AF_INET, socket.AF_INET6):
            scope = sockaddr[3] if len(sockaddr) == 4 else 0
            addresses.append(Address(family, str(sockaddr[0]), 0, int(scope)))
    return list(dict.fromkeys(addresses))
