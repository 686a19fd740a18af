"""Handshakes share the loop: they take turns with everything else, and lose nothing by waiting for theirs."""

import asyncio
import ssl
from collections.abc import Callable
from functools import partial

import pytest

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Severity
from mailtui.protocols import tls
from mailtui.protocols.tls import TlsTransport, Turns
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import Way, walk
from tests.scripted import ScriptedServer


async def test_steps_beyond_a_turn_run_in_the_next_ones_in_their_order() -> None:
    loop = asyncio.get_running_loop()
    # No step is so short that it leaves anything of such a turn.
    turns = Turns(loop, seconds=1e-12)
    ran: list[int] = []
    for number in range(5):
        turns.take(partial(ran.append, number))
    counts = []
    for _ in range(6):
        counts.append(len(ran))
        await asyncio.sleep(0)
    assert counts == [1, 2, 3, 4, 5, 5]
    assert ran == [0, 1, 2, 3, 4]


async def test_steps_that_fit_into_a_turn_run_at_once() -> None:
    turns = Turns(asyncio.get_running_loop(), seconds=60)
    ran: list[int] = []
    for number in range(100):
        turns.take(partial(ran.append, number))
    assert ran == list(range(100))


async def test_a_run_of_many_handshakes_goes_well_one_at_a_time(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns(asyncio.get_running_loop(), seconds=1e-12)
    monkeypatch.setattr(tls, "_turns_of", lambda loop: turns)
    script = play(Protocol.IMAP, dialogue(Protocol.IMAP, Security.IMPLICIT_TLS), context=authority.good)
    way = Way(Security.IMPLICIT_TLS, certificate=authority.policy)
    async with ScriptedServer(script) as server:
        walked = await asyncio.gather(*(walk(Protocol.IMAP, server.port, way) for _ in range(20)))
        await server.all_closed()
    assert [one.report.severity for one in walked] == [Severity.OK] * 20


class Held(Turns):
    """Turns that come when the test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.steps: list[Callable[[], None]] = []

    def take(self, step: Callable[[], None]) -> None:
        self.steps.append(step)

    def come(self) -> None:
        steps, self.steps = self.steps, []
        for step in steps:
            step()


class Below(asyncio.Transport):
    """A connection that goes nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: asyncio.BaseProtocol = asyncio.Protocol()
        self.written = b""

    def is_closing(self) -> bool:
        return False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol

    def resume_reading(self) -> None:
        pass

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data


class Client:
    """A handshake under way, on a connection that goes nowhere, whose turns come when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns = Held(asyncio.get_running_loop())
        monkeypatch.setattr(tls, "_turns_of", lambda loop: self.turns)
        self.below = Below()
        self.transport = TlsTransport(self.below, ssl.create_default_context(), "localhost")
        self.handshake = asyncio.ensure_future(self.transport.handshake())

    def receive(self, data: bytes) -> None:
        self.transport.get_buffer(-1)[: len(data)] = data
        self.transport.buffer_updated(len(data))


@pytest.mark.parametrize("end", ["eof", "lost"])
async def test_what_came_before_a_hang_up_is_heard_though_its_turn_had_not_come(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    client = Client(monkeypatch)
    await asyncio.sleep(0)
    assert client.below.written == b""
    client.turns.come()
    assert client.below.written[:1] == b"\x16", "the client's hello"
    client.receive(b"220 mail.example.org speaks in clear\r\n")
    assert not client.handshake.done()
    if end == "eof":
        client.transport.eof_received()
    else:
        client.transport.connection_lost(None)
    with pytest.raises(ssl.SSLError, match=r"(?i)wrong.version|record"):
        await client.handshake
    client.turns.come()


async def test_a_handshake_that_was_given_up_does_nothing_when_its_turn_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(monkeypatch)
    await asyncio.sleep(0)
    client.handshake.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.handshake
    client.turns.come()
    assert client.below.written == b""


async def test_each_handshake_waits_once(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(monkeypatch)
    await asyncio.sleep(0)
    client.turns.come()
    for octet in (b"\x16", b"\x03", b"\x03"):
        client.receive(octet)
    assert len(client.turns.steps) == 1
    client.handshake.cancel()
