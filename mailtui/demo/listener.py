"""Servers on loopback ports: bound to IPv4 and IPv6 under one number, and all gone, connections too, on close."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Protocol

logger = logging.getLogger(__name__)

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_BIND_ATTEMPTS = 20
_CLOSE_SECONDS = 5.0
# asyncio takes a few turns of its loop between accepting a connection and telling its protocol; more do no harm.
_ACCEPT_TURNS = 10


class Connection(Protocol):
    """What a listener needs of a connection: where its transport is now."""

    @property
    def transport(self) -> asyncio.BaseTransport | None: ...


class Listener:
    """Opens ports and keeps every connection to them in sight, so that `close` leaves none behind."""

    def __init__(self) -> None:
        self._servers: list[asyncio.Server] = []
        self._reserved: list[socket.socket] = []
        self._connections: set[Connection] = set()
        self._empty = asyncio.Event()
        self._empty.set()

    def opened(self, connection: Connection) -> None:
        """Keep `connection` in sight, and alive: asyncio holds its task weakly."""
        self._connections.add(connection)
        self._empty.clear()

    def closed(self, connection: Connection) -> None:
        """Forget `connection`: its transport is gone."""
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    async def serve(self, handler: Handler, tls: ssl.SSLContext | None = None, *, port: int = 0) -> int:
        """Give each connection to `handler`; `tls` means TLS from the first byte.

        Returns the port: `port` where that is free, else any.
        """
        return await self.serve_protocol(lambda: _Stream(self, handler), tls, port=port)

    async def serve_protocol(
        self, factory: Callable[[], asyncio.Protocol], tls: ssl.SSLContext | None = None, *, port: int = 0
    ) -> int:
        """As `serve`, for a protocol class; it calls `opened` and `closed` by itself."""
        loop = asyncio.get_running_loop()
        port, sockets = _bind_loopback(port)
        for bound in sockets:
            self._servers.append(await loop.create_server(factory, sock=bound, ssl=tls))
        return port

    def closed_port(self) -> int:
        """A port that refuses connections for as long as this listener lives: held by a socket that never listens."""
        port, sockets = _bind_loopback()
        self._reserved += sockets
        return port

    async def close(self) -> None:
        """Close every port and every connection, and wait until their handlers have ended."""
        # A server that is closed while asyncio hands an accepted connection over would leave that one open for ever:
        # so accept no more, let those on their way arrive, and only then close.
        loop = asyncio.get_running_loop()
        for server in self._servers:
            for bound in server.sockets:
                loop.remove_reader(bound)
        for _ in range(_ACCEPT_TURNS):
            await asyncio.sleep(0)
        for server in self._servers:
            server.close()
        for held in self._reserved:
            held.close()
        for connection in list(self._connections):
            if isinstance(connection.transport, asyncio.Transport):
                connection.transport.abort()
        # A transport that will not go must not hold the process up.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._empty.wait()


class _Stream(asyncio.StreamReaderProtocol):
    """One connection as a reader and a writer, given to a handler."""

    def __init__(self, listener: Listener, handler: Handler) -> None:
        super().__init__(asyncio.StreamReader(), self._run)
        self._listener = listener
        self._handler = handler
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._listener.opened(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._listener.closed(self)

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._handler(reader, writer)
        except (OSError, EOFError):
            pass  # the client left, which is its right
        except Exception as error:  # noqa: BLE001  # what a client provokes ends its connection, not the demo
            # The type alone: what the error says may quote the client's line, password and all.
            logger.debug("a connection ended with %s", type(error).__name__)
        finally:
            writer.close()


def _bind_loopback(wanted: int = 0) -> tuple[int, list[socket.socket]]:
    """A free port, `wanted` if it is, and sockets bound to it on 127.0.0.1 and, where the machine has it, on ::1."""
    for attempt in range(_BIND_ATTEMPTS):
        try:
            ipv4 = _bind(socket.AF_INET, "127.0.0.1", wanted if attempt == 0 else 0)
        except OSError:
            if attempt or not wanted:
                raise
            continue
        port: int = ipv4.getsockname()[1]
        try:
            return port, [ipv4, _bind(socket.AF_INET6, "::1", port)]
        except OSError:
            if not _has_ipv6_loopback():
                return port, [ipv4]
            ipv4.close()
    raise OSError("no port is free on both 127.0.0.1 and ::1")


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only where the socket names its protocol.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if port:
        # Connections of a world that has just ended must not keep its ports from the next.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def _has_ipv6_loopback() -> bool:
    try:
        _bind(socket.AF_INET6, "::1", 0).close()
    except OSError:
        return False
    return True
