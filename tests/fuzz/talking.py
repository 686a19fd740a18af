"""A whole session in memory: the server's part is a list of turns, one for each time that the client has spoken."""

import asyncio
import socket
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from mailtui.model.account import AuthMethod, CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Leg, LegReport, Stage, plan
from mailtui.protocols import session_class
from mailtui.protocols.dial import Network
from mailtui.protocols.faults import StageFailed
from mailtui.protocols.resolve import Address
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.trace import StageBlock, Trace

SECRET = 'hor5e"battery\\staple'
NONCE = "fyko+d2lbbFgONRv9qkxdawL"
"""What the client's SCRAM nonce always is here, so that a server's part can be written down."""

_ENDPOINT = {
    security: Endpoint("127.0.0.1", 1, security, CertificatePolicy(Trust.ANYTHING))
    for security in (Security.NONE, Security.STARTTLS)
}


_PASSES = 20
"""Passes of the loop without a word, after which the client has nothing to say: its longest way to one takes five."""


class Line(asyncio.Transport):
    """The client's end: when it has written, or has nothing to say, the server's next turn follows; then the end."""

    def __init__(self, wire: Any, turns: list[bytes]) -> None:
        super().__init__()
        self._wire, self._turns = wire, turns
        self._is_over = False
        self.written = bytearray()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "sockname" else default

    def is_closing(self) -> bool:
        return self._is_over

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data
        asyncio.get_running_loop().call_soon(self.take_turn)

    def take_turn(self) -> None:
        if self._is_over:
            return
        if self._turns:
            self._wire.data_received(self._turns.pop(0))
            self._listen(len(self.written), _PASSES)
        else:
            self._is_over = True
            self._wire.eof_received()
            self._wire.connection_lost(None)

    def _listen(self, written: int, passes: int) -> None:
        if len(self.written) > written:
            return
        if passes:
            asyncio.get_running_loop().call_soon(self._listen, written, passes - 1)
        else:
            self.take_turn()

    def abort(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._wire.connection_lost(None)


async def _nothing(argument: object) -> None:
    pass


async def _at_once(work: Any) -> Any:
    return work()


async def talk(protocol: Protocol, security: Security, method: AuthMethod, turns: list[bytes]) -> LegReport:
    """The report of a session whose server says `turns`; IMAP's tags are T0, T1 and so on. Nothing leaves memory."""
    leg = Leg.OUTBOUND if protocol is Protocol.SMTP else Leg.INBOUND
    trace = Trace(
        account="under test",
        leg=leg,
        protocol=protocol,
        endpoint=_ENDPOINT[security],
        plan=plan(protocol, security, True),
        on_event=None,
        stage_timeout=20.0,
        leg_timeout=60.0,
    )

    async def connect(trace: Trace, network: Network, wire: Any) -> tuple[asyncio.Transport, Address]:
        for stage in (Stage.RESOLVE, Stage.CONNECT):
            async with trace.stage(stage):
                pass
        line = Line(wire, list(turns))
        wire.connection_made(line)
        wire.tagpre = "T"
        asyncio.get_running_loop().call_soon(line.take_turn)
        return line, Address(socket.AF_INET, "127.0.0.1", 1)

    async def protect(trace: Trace, block: StageBlock, context: Any, transport: asyncio.Transport) -> Any:
        return transport

    network = Network()
    network.contexts = cast(Any, SimpleNamespace(get=_nothing))
    session = session_class(protocol)(Credentials("ada@example.org", SECRET, method), network)
    module = "mailtui.protocols"
    with (
        patch(f"{module}.session.connect", connect),
        patch(f"{module}.session.protect", protect),
        # What happens in threads takes another time each time.
        patch(f"{module}.session.off_loop", _at_once),
        # A second look at a server that is silent is not in memory; here nobody is silent.
        patch(f"{module}.session.SILENCE", 60.0),
        patch(f"{module}.sasl.secrets", SimpleNamespace(token_urlsafe=lambda octets: NONCE)),
        patch(f"{module}.sasl.MAX_ITERATIONS", 1_000),
    ):
        try:
            await session.open(trace)
            await session.probe(trace, "ada@example.org")
        except StageFailed:
            pass
        finally:
            session.close()
            trace.stop()
    return trace.report()
