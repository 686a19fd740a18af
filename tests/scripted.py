"""A server that does what a script says: for the things that well-behaved servers cannot be made to do.

A script is an async function of a `Peer`, or a list of steps: bytes are sent; a string is what the client's next
line must start with; anything else is an async function of the `Peer`, such as `silence` or `drip(b"...")`.
When the script ends the connection is closed. A script that fails makes the server's `async with` raise.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

Action = Callable[["Peer"], Awaitable[None]]
Step = bytes | str | Action
Script = Action | Sequence[Step]

_DEADLINE = 20.0


class Peer:
    """One client, seen from the script. `number` counts connections from 1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader, self.writer, self.number = reader, writer, number

    async def send(self, data: bytes) -> None:
        """Send, and wait while the client does not read. Raises OSError once it is gone."""
        self.writer.write(data)
        await self.writer.drain()

    async def line(self) -> str:
        """The client's next line without its end. Raises EOFError when there is none."""
        line = await self.reader.readuntil(b"\n")
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")

    async def expect(self, start: str) -> str:
        """The client's next line; raises AssertionError unless it starts with `start`, whatever the case."""
        line = await self.line()
        assert line.upper().startswith(start.upper()), f"expected {start!r}, the client sent {line!r}"
        return line

    async def drip(self, data: bytes, interval: float = 0.01) -> None:
        """Send one byte every `interval` seconds."""
        for byte in data:
            await self.send(bytes([byte]))
            await asyncio.sleep(interval)

    async def silence(self) -> None:
        """Say nothing until the client ends its side."""
        while await self.reader.read(65_536):
            pass

    async def reset(self) -> None:
        """Close with a TCP reset."""
        linger_zero = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        self.writer.transport.abort()

    async def half_close(self) -> None:
        """End our sending side; the client can still send. Not for TLS, which has no such state."""
        self.writer.write_eof()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Turn the connection to TLS, as the server."""
        await self.writer.start_tls(context)


class _Wire(asyncio.StreamReaderProtocol):
    """Remembers what came, read by the script or not, and whether the connection is still open."""

    def __init__(self, server: "ScriptedServer") -> None:
        super().__init__(asyncio.StreamReader(), self._connected)
        self._server, self.received = server, bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._server._opened(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._server._closed(self)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._server._run(self, reader, writer)


class ScriptedServer:
    """Runs `script` for each connection on a loopback port, `host` and `port`; `tls` means TLS from the first byte."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script, self._tls = script, tls
        self._wires: list[_Wire] = []
        self._open: set[_Wire] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._none_open = asyncio.Event()
        self._none_open.set()
        self._failure: Exception | None = None
        self.host, self.port = "127.0.0.1", 0

    @property
    def connections(self) -> int:
        """How many were accepted so far; with `tls`, how many shook hands."""
        return len(self._wires)

    @property
    def open_connections(self) -> int:
        return len(self._open)

    @property
    def received(self) -> bytes:
        """Every byte received, connection after connection; what came under TLS is in clear."""
        return b"".join(wire.received for wire in self._wires)

    async def all_closed(self) -> None:
        """Wait until no connection is open. Raises TimeoutError after a generous deadline."""
        async with asyncio.timeout(_DEADLINE):
            await self._none_open.wait()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Wire(self), self.host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        # asyncio loses a connection that it is handing over while its server closes: let those arrive first.
        for _ in range(10):
            await asyncio.sleep(0)
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for wire in list(self._open):
            assert isinstance(wire.transport, asyncio.Transport)
            wire.transport.abort()
        await asyncio.gather(*self._tasks)
        await self.all_closed()
        if kind is None and self._failure is not None:
            raise self._failure

    def _opened(self, wire: _Wire) -> None:
        self._wires.append(wire)
        self._open.add(wire)
        self._none_open.clear()

    def _closed(self, wire: _Wire) -> None:
        self._open.discard(wire)
        if not self._open:
            self._none_open.set()

    async def _run(self, wire: _Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await _play(self._script, Peer(reader, writer, self._wires.index(wire) + 1))
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client, or the test, left first: what it saw until then is the test's own question
        except Exception as failure:  # noqa: BLE001  # kept, and raised again in the test
            self._failure = self._failure or failure
        finally:
            self._tasks.discard(task)
            writer.close()


async def _play(script: Script, peer: Peer) -> None:
    if callable(script):
        await script(peer)
        return
    for step in script:
        if isinstance(step, bytes):
            await peer.send(step)
        elif isinstance(step, str):
            await peer.expect(step)
        else:
            await step(peer)


silence: Action = Peer.silence
reset: Action = Peer.reset
half_close: Action = Peer.half_close


def drip(data: bytes, interval: float = 0.01) -> Action:
    """A step: send one byte of `data` every `interval` seconds."""
    return lambda peer: peer.drip(data, interval)


def start_tls(context: ssl.SSLContext) -> Action:
    """A step: turn the connection to TLS."""
    return lambda peer: peer.start_tls(context)
