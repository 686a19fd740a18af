"""A wire by itself, without a connection: what is sent is kept, what is received is fed by hand."""

import asyncio

from mailtui.model.account import Endpoint, Protocol
from mailtui.model.check import Leg
from mailtui.protocols.trace import Trace


class Pipe(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def abort(self) -> None:
        self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_aborted


def make_trace(protocol: Protocol) -> Trace:
    """A trace that nobody listens to; its deadlines are never set."""
    return Trace(
        account="under test",
        leg=Leg.INBOUND,
        protocol=protocol,
        endpoint=Endpoint("127.0.0.1", 1),
        plan=(),
        on_event=lambda event: None,
        stage_timeout=10.0,
        leg_timeout=20.0,
    )
