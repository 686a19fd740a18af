"""What both servers share: lines in, octets out, until the connection is to break."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable

from tests.retrieval.office import Office


class Conversation(asyncio.Protocol):
    """One connection. A subclass answers `line`, or `literal` after it has asked for one by `wanted`."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.transport: asyncio.Transport
        self._received = bytearray()
        self._queue = bytearray()
        self._left = office.faults.cut
        self._is_ending = self._is_pumping = False
        self.wanted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.greet()

    def greet(self) -> None:
        raise NotImplementedError

    def line(self, line: bytes) -> None:
        raise NotImplementedError

    def literal(self, octets: bytes) -> None:
        raise NotImplementedError

    def data_received(self, data: bytes) -> None:
        self._received += data
        while not self._is_ending:
            if self.wanted:
                if len(self._received) < self.wanted:
                    return
                octets = bytes(self._received[: self.wanted])
                del self._received[: self.wanted]
                self.wanted = 0
                self.literal(octets)
                continue
            end = self._received.find(b"\r\n")
            if end < 0:
                return
            line = bytes(self._received[:end])
            del self._received[: end + 2]
            self.line(line)

    def send(self, data: bytes) -> None:
        """Send, as far as the cut allows, in pieces where it is to be so."""
        if self._is_ending:
            return
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        if self.office.faults.pieces:
            self._queue += data
            self._pump()
        else:
            self.transport.write(data)
        if self._left == 0 and not self.office.faults.mute:
            self.drop()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_ending = True
        self._queue.clear()

    def _pump(self) -> None:
        if not self._is_pumping and self._queue:
            self._is_pumping = True
            asyncio.get_running_loop().call_soon(self._piece)

    def _piece(self) -> None:
        self._is_pumping = False
        if not self._queue:
            return
        # Of what is long the pieces are longer, or one message would take the time of a hundred.
        size = self.office.random.randint(1, max(1, self.office.faults.pieces, len(self._queue) // 50))
        self.transport.write(bytes(self._queue[:size]))
        del self._queue[:size]
        if self._queue:
            self._pump()
        elif self._is_ending:
            self._end()

    def drop(self) -> None:
        """End the connection, after what was sent."""
        self._is_ending = True
        if not self._queue:
            self._end()

    def _end(self) -> None:
        if self.office.faults.reset:
            connection = self.transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.close()


@contextlib.asynccontextmanager
async def serving(conversation: Callable[[Office], Conversation], office: Office) -> AsyncIterator[int]:
    """Serve `office` on loopback; yields the port."""
    loop = asyncio.get_running_loop()
    open_ones: set[Conversation] = set()

    def connect() -> Conversation:
        one = conversation(office)
        open_ones.add(one)
        return one

    server = await loop.create_server(connect, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in open_ones:
            if hasattr(one, "transport"):
                one.transport.abort()
