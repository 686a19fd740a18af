"""What was said under TLS is handed up in its order, all of it, and nothing after the end."""

import asyncio
import contextlib
import ssl

import pytest

from mailtui.protocols.tls import TlsTransport
from tests.protocols.conftest import Authority
from tests.protocols.wires import Pipe


class Above(asyncio.Protocol):
    """Notes what it is told; hangs up at `hangs_up_at`, if that is not empty."""

    def __init__(self, hangs_up_at: bytes = b"") -> None:
        self.told: list[bytes | str] = []
        self.transport: asyncio.Transport | None = None
        self._hangs_up_at = hangs_up_at

    def data_received(self, data: bytes) -> None:
        self.told.append(data)
        if self._hangs_up_at and self._hangs_up_at in data and self.transport is not None:
            self.transport.abort()

    def eof_received(self) -> bool:
        self.told.append("end")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost" if exc is None else type(exc).__name__)


class Below(Pipe):
    """A connection of which the test is the other end."""

    def __init__(self, above: Above) -> None:
        super().__init__()
        self.protocol: asyncio.BaseProtocol = above

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def resume_reading(self) -> None:
        """Nothing is read by itself."""


class Line:
    """A connection under TLS, in memory."""

    def __init__(self, authority: Authority, above: Above) -> None:
        self.above, self.below = above, Below(above)
        context = ssl.create_default_context(cafile=str(authority.ca_file))
        self.transport = TlsTransport(self.below, context, "localhost")
        above.transport = self.transport
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.server = authority.good.wrap_bio(self._in, self._out, server_side=True)

    async def shake_hands(self) -> None:
        shaking = asyncio.ensure_future(self.transport.handshake())
        while not shaking.done():
            await asyncio.sleep(0)
            self._in.write(bytes(self.below.written))
            self.below.written.clear()
            with contextlib.suppress(ssl.SSLWantReadError):
                self.server.do_handshake()
            self.receive(self._out.read())
        await shaking

    def records(self, *says: bytes) -> bytes:
        """One record each."""
        for piece in says:
            self.server.write(piece)
        return self._out.read()

    def end(self) -> bytes:
        """What ends TLS (close_notify)."""
        with pytest.raises(ssl.SSLWantReadError):
            self.server.unwrap()
        return self._out.read()

    def receive(self, data: bytes) -> None:
        while data:
            buffer = self.transport.get_buffer(-1)
            count = min(len(buffer), len(data))
            buffer[:count] = data[:count]
            data = data[count:]
            self.transport.buffer_updated(count)


@pytest.fixture
async def line(authority: Authority) -> Line:
    line = Line(authority, Above())
    await line.shake_hands()
    return line


async def test_records_that_came_together_are_handed_up_together_and_before_the_end(line: Line) -> None:
    line.receive(line.records(b"one ", b"two ", b"three") + line.end())
    assert line.above.told == [b"one two three", "end"]


async def test_what_comes_after_the_end_is_not_kept(line: Line) -> None:
    line.receive(line.end())
    for _ in range(100):
        line.receive(b"x" * 16_384)
    assert line.above.told == ["end"]
    assert line.transport._incoming.pending == 0


async def test_what_came_before_a_broken_record_is_handed_up_before_the_fault(line: Line) -> None:
    line.receive(line.records(b"good") + b"\x17\x03\x03\x00\x20" + bytes(32))
    assert line.above.told[:2] == [b"good", "SSLError"]
    assert line.below.is_aborted


async def test_who_hangs_up_in_the_middle_is_told_nothing_more(authority: Authority) -> None:
    line = Line(authority, Above(hangs_up_at=b"bad"))
    await line.shake_hands()
    line.receive(line.records(b"good ", b"bad ", b"worse"))
    assert line.below.is_aborted
    assert line.above.told == [b"good bad worse"]


async def test_nothing_is_held_back_and_no_buffer_grows_beyond_its_limit(line: Line) -> None:
    sizes = set()
    for _ in range(40):
        line.receive(line.records(*[b"y" * 16_000] * 20))
        sizes.add(len(line.transport.get_buffer(-1)))
        # What is paused now has nothing left to deliver.
        assert line.transport.session.pending() == 0
    assert b"".join(piece for piece in line.above.told if isinstance(piece, bytes)) == b"y" * (40 * 20 * 16_000)
    assert max(sizes) == 1 << 18
