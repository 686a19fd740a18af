"""A relay before the server that makes every round trip longer, and counts how many each connection waits for.

It works anywhere, but costs processor time beside the tools that it slows down; `link` is the cheaper way to a delay.
"""

import asyncio
import contextlib
import dataclasses
import statistics
import threading
from collections import deque
from collections.abc import Iterator
from functools import partial

from benchmarks.server import Server


@dataclasses.dataclass(slots=True)
class Connection:
    """The round trips of one connection: one for TCP, and one for each time that it waited for the server."""

    service: str
    trips: int = 1
    client_spoke_last: bool = True

    def heard(self, from_client: bool) -> None:
        """Count data in one direction."""
        if self.client_spoke_last and not from_client:
            self.trips += 1
        self.client_spoke_last = from_client


@dataclasses.dataclass(frozen=True, slots=True)
class Relayed:
    """The server as seen through the relay, and the connections so far."""

    server: Server
    connections: list[Connection]

    def take_trips(self) -> str:
        """Median round trips of the finished connections since the last call: `outbound / inbound`."""
        taken = self.connections[:]
        del self.connections[: len(taken)]
        words = []
        for leg in ("submission", "imap"):
            trips = [one.trips for one in taken if one.service.startswith(leg)]
            words.append(f"{statistics.median(trips):g}" if trips else "-")
        return " / ".join(words)


class _End(asyncio.Protocol):
    """One end of a relayed connection: what it hears goes out at the other end after the delay, in order."""

    def __init__(self, connection: Connection, from_client: bool, delay: float) -> None:
        self.connection = connection
        self.from_client = from_client
        self.delay = delay
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None
        self.opened = 0.0
        self.due = 0
        self.queue: deque[bytes | None] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.opened = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        self.connection.heard(self.from_client)
        self._later(data)

    def eof_received(self) -> bool:
        self._later(None)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._later(None)

    def _later(self, data: bytes | None) -> None:
        loop = asyncio.get_running_loop()
        # What a client says before the TCP handshake would have ended has to wait for that too.
        ready = max(loop.time(), self.opened + 2 * self.delay) if self.from_client else loop.time()
        self.queue.append(data)
        loop.call_at(ready + self.delay, self._send)

    def join(self, other: "_End") -> None:
        """Name the other end; what was due before it was there goes out now."""
        self.other = other
        for _ in range(self.due):
            self._send()

    def _send(self) -> None:
        # One call per entry, each taking the oldest: the order is kept whichever timer fires first.
        if self.other is None or self.other.transport is None:
            self.due += 1
            return
        data = self.queue.popleft()
        out = self.other.transport
        if data is None:
            out.close()
        elif not out.is_closing():
            out.write(data)


@contextlib.contextmanager
def relay(server: Server, round_trip: float) -> Iterator[Relayed]:
    """Relay every port of `server` with `round_trip` more seconds per round trip."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="relay", daemon=True)
    thread.start()
    connections: list[Connection] = []
    try:
        listening = asyncio.run_coroutine_threadsafe(_listen(server, round_trip / 2, connections), loop)
        ports = listening.result(timeout=10)
        yield Relayed(dataclasses.replace(server, ports=ports), connections)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _listen(server: Server, delay: float, connections: list[Connection]) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def accept(service: str) -> _End:
        connection = Connection(service)
        client = _End(connection, True, delay)
        task = loop.create_task(_open(server.ports[service], client, delay, connections))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return client

    ports = {}
    for service in server.ports:
        listener = await loop.create_server(partial(accept, service), "127.0.0.1", 0, backlog=1024)
        ports[service] = int(listener.sockets[0].getsockname()[1])
    return ports


async def _open(port: int, client: _End, delay: float, connections: list[Connection]) -> None:
    """Connect to the server when the client's half of the TCP handshake would have arrived there."""
    await asyncio.sleep(3 * delay)
    loop = asyncio.get_running_loop()
    try:
        _, end = await loop.create_connection(lambda: _End(client.connection, False, delay), "127.0.0.1", port)
    except OSError:
        if client.transport is not None:
            client.transport.abort()
        return
    end.join(client)
    client.join(end)
    connections.append(client.connection)
