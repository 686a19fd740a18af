"""TLS over a connected transport, one small object a connection.

asyncio's own keeps a read buffer of 256 KiB for each connection, reports a server that hangs up and one that talks
nonsense alike, and swallows what a server said that does not speak TLS at all: the very line that explains it.
"""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakKeyDictionary

_READ_SIZE = 16_384
_MOST_READ = 1 << 18
"""A connection that fills its buffer gets a larger one, up to this: thousands of quiet ones stay small."""
_FIRST_OCTETS = 1_000

# Seconds of handshakes in one turn of the loop: less than a person notices, and enough for ten of them.
_TURN = 0.008


class Turns:
    """Shares a loop with the rest of the program: a handshake takes a millisecond, and hundreds may be ready at once.

    Steps that find the turn used up run in the next ones, in their order, after whatever else has become ready.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float = _TURN) -> None:
        self._loop = loop
        self._seconds = self._left = seconds
        self._waiting: deque[Callable[[], None]] = deque()
        self._has_next = False

    def take(self, step: Callable[[], None]) -> None:
        """Run `step` now, or as soon as it is its turn. It must not raise."""
        if self._left > 0 and not self._waiting:
            self._run(step)
        else:
            self._waiting.append(step)
        self._call_next()

    def _run(self, step: Callable[[], None]) -> None:
        began = time.perf_counter()
        step()
        self._left -= time.perf_counter() - began

    def _call_next(self) -> None:
        if not self._has_next:
            self._has_next = True
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._has_next = False
        self._left = self._seconds
        try:
            while self._waiting and self._left > 0:
                self._run(self._waiting.popleft())
        finally:
            # A defect in one step must not keep the others waiting for ever.
            if self._waiting:
                self._call_next()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, Turns] = WeakKeyDictionary()


def _turns_of(loop: asyncio.AbstractEventLoop) -> Turns:
    turns = _turns.get(loop)
    if turns is None:
        turns = _turns[loop] = Turns(loop)
    return turns


class TlsTransport(asyncio.Transport, asyncio.BufferedProtocol):
    """Protocol of the transport below, transport of the protocol above, which it takes over from there.

    Sessions end it by `abort`: what had to be said was said in the mail protocol, and `close` is not offered.
    """

    def __init__(self, below: asyncio.Transport, context: ssl.SSLContext, server_hostname: str) -> None:
        super().__init__()
        self._below = below
        self._above = cast(asyncio.Protocol, below.get_protocol())
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._shaken: asyncio.Future[None] | None = None
        self._is_open = False
        self._turns: Turns | None = None
        self._is_waiting = False
        self.first_octets = b""
        """What the server said first, as it came: its own words when those were no TLS."""

    async def handshake(self) -> None:
        """Agree on TLS. Raises ssl.SSLError (a rejected certificate among them), OSError, EOFError on a hang-up."""
        if self._below.is_closing():
            # Its end has been told to the protocol above already; it will not be told again.
            raise EOFError("the connection ended before the handshake")
        loop = asyncio.get_running_loop()
        self._shaken = loop.create_future()
        self._turns = _turns_of(loop)
        self._below.set_protocol(self)
        self._below.resume_reading()
        self._shake_in_turn()
        await self._shaken

    def _shake_in_turn(self) -> None:
        if self._turns is not None and not self._is_waiting:
            self._is_waiting = True
            self._turns.take(self._shake)

    def _shake(self) -> None:
        self._is_waiting = False
        if self._shaken is None or self._shaken.done():
            # It has ended, or was given up, while it waited.
            return
        try:
            self.session.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as error:
            # The alert that tells the server why.
            self._flush()
            self._settle(error)
        else:
            self._flush()
            self._is_open = True
            self._settle(None)
            self._deliver()

    def _shake_at_last(self) -> None:
        # What came before the end tells more than the end does, even if its turn has not come.
        if self._is_waiting:
            self._shake()

    def _settle(self, error: Exception | None) -> None:
        if self._shaken is None or self._shaken.done():
            return
        if error is None:
            self._shaken.set_result(None)
        else:
            self._shaken.set_exception(error)
            # A cancelled handshake has nobody left to hear of it.
            self._shaken.exception()

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        received = self._buffer[:nbytes]
        if self._is_open:
            self._incoming.write(received)
            if nbytes == len(self._buffer) < _MOST_READ:
                self._buffer = memoryview(bytearray(4 * nbytes))
            self._deliver()
        elif self._shaken is not None and not self._shaken.done():
            if len(self.first_octets) < _FIRST_OCTETS:
                self.first_octets += bytes(received[: _FIRST_OCTETS - len(self.first_octets)])
            self._incoming.write(received)
            self._shake_in_turn()

    def _deliver(self) -> None:
        pieces: list[bytes] = []
        try:
            while data := self.session.read(_READ_SIZE):
                pieces.append(data)
        except ssl.SSLWantReadError:
            self._hand_up(pieces)
        except ssl.SSLError as error:
            self._hand_up(pieces)
            self._above.connection_lost(error)
            self.abort()
            return
        else:
            # What a server says after it has ended TLS is nobody's, and is not kept for anyone either.
            self._is_open = False
            self._hand_up(pieces)
            self._above.eof_received()
        self._flush()

    def _hand_up(self, pieces: list[bytes]) -> None:
        # Servers that write little by little make little records: what lies above is called once for all of them.
        if pieces:
            self._above.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _flush(self) -> None:
        if self._outgoing.pending and not self._below.is_closing():
            self._below.write(self._outgoing.read())

    def eof_received(self) -> bool:
        self._shake_at_last()
        if self._is_open:
            self._above.eof_received()
        else:
            self._settle(EOFError("the connection ended during the handshake"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._shake_at_last()
        self._settle(exc or EOFError("the connection ended during the handshake"))
        self._above.connection_lost(exc)

    def pause_writing(self) -> None:
        self._above.pause_writing()

    def resume_writing(self) -> None:
        self._above.resume_writing()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if data and not self._below.is_closing():
            self.session.write(data)
            self._flush()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == "ssl_object":
            return self.session
        if name == "sslcontext":
            return self.session.context
        return self._below.get_extra_info(name, default)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._above

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._above = cast(asyncio.Protocol, protocol)

    def is_reading(self) -> bool:
        return self._below.is_reading()

    def pause_reading(self) -> None:
        self._below.pause_reading()

    def resume_reading(self) -> None:
        self._below.resume_reading()

    def is_closing(self) -> bool:
        return self._below.is_closing()

    def abort(self) -> None:
        self._below.abort()
