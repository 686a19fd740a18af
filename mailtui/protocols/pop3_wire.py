"""The conversation of `pop3` on a connection."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from mailtui.model.check import Cause
from mailtui.protocols.arrivals import Arrivals
from mailtui.protocols.faults import WireError, closed
from mailtui.protocols.pop3 import Body, Challenge, Event, Pop3, Status
from mailtui.protocols.trace import Trace

# What may have come and not been taken before the server has to wait.
_UNREAD_LIMIT = 1 << 18
# Of a list of thousands the transcript shows the beginning.
_SHOWN_LINES = 100
# Octets of a line of a list that has not ended; RFC 1939 section 3 allows 512.
_LINE_LIMIT = 1 << 16


class Pop3Wire(asyncio.Protocol):
    """Feeds a Pop3 conversation and waits for its events. While nobody takes those, little more is read."""

    def __init__(self, trace: Trace, paused: bool) -> None:
        self.conversation = Pop3()
        self._trace = trace
        self._paused_at_start = paused
        self._transport: asyncio.Transport | None = None
        self._arrivals = Arrivals()
        self._unread = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._paused_at_start:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        try:
            self.conversation.receive_data(data)
        except WireError as error:
            self._arrivals.fail(error)
            if self._transport is not None:
                self._transport.abort()
        self._unread += len(data)
        if self._unread > _UNREAD_LIMIT and self._transport is not None:
            self._transport.pause_reading()
        self._arrivals.wake()

    def eof_received(self) -> bool:
        self._arrivals.fail(closed("answering"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrivals.fail(exc or closed("answering"))

    def send(self, *commands: str, shown: str = "") -> None:
        """Send commands without waiting; `shown` stands in the transcript for one that holds a secret."""
        for command in commands:
            self._trace.sent((shown or command).encode())
        self.send_silently(commands)

    def send_silently(self, commands: Sequence[str]) -> None:
        """Send commands of which the transcript tells nothing: there may be thousands."""
        # What broke the connection between two commands is the reason that the next one fails.
        self._arrivals.require_alive()
        self._trace.round_trips += 1
        self._write(b"".join(self.conversation.send(command) for command in commands))

    def respond(self, message: bytes) -> None:
        """Answer a challenge with base64."""
        self._trace.round_trips += 1
        self._trace.sent(b"****" if message else b"")
        self._write(self.conversation.respond(message))

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise self._arrivals.fault or closed("listening")
        self._transport.write(data)

    async def take(self) -> Event:
        """The next event, of which the transcript tells nothing. Raises WireError or OSError when none will come."""
        while (event := self.conversation.next_event()) is None:
            if self._unread > _UNREAD_LIMIT and self._transport is not None:
                self._transport.resume_reading()
            self._unread = 0
            await self._arrivals.next()
        return event

    async def next_event(self) -> Event:
        """The next event. Raises WireError or OSError when none will come."""
        event = await self.take()
        match event:
            case Status():
                self._trace.received(event.line.encode())
            case Challenge():
                self._trace.received(b"+ " + event.data)
        return event

    async def status(self) -> Status:
        """The next status line. Raises WireError when something else comes."""
        event = await self.next_event()
        if not isinstance(event, Status):
            raise WireError(Cause.BAD_REPLY, "the server asks for more where a verdict was due")
        return event

    async def verdict(self, command: str) -> Status:
        """The status line that answers `command`; what answers those before it, and nobody has read, is let go."""
        while not (isinstance(event := await self.take(), Status) and event.command == command):
            pass
        self._trace.received(event.line.encode())
        return event

    async def lines(self, limit: int, octets: int, on_data: Callable[[], None] | None = None) -> list[bytes]:
        """The lines of a reply whose status was +OK. Raises WireError when there are more than `limit` or `octets`.

        `on_data` is called whenever some of them have come.
        """
        heard = bytearray()
        unfinished = 0
        try:
            while isinstance(event := await self.take(), Body):
                heard += event.data
                limit -= event.data.count(b"\n")
                end = event.data.rfind(b"\n") + 1
                unfinished = len(event.data) - end if end else unfinished + len(event.data)
                if len(heard) > octets or limit < 0 or unfinished > _LINE_LIMIT:
                    raise WireError(Cause.TOO_LARGE, "the server sent a list that is longer than any honest one")
                if on_data is not None:
                    on_data()
        finally:
            lines = [line.removesuffix(b"\r") for line in bytes(heard).split(b"\n")]
            if not lines[-1]:
                lines.pop()
            self._show(lines)
        self._trace.received(b".")
        return lines

    def _show(self, lines: list[bytes]) -> None:
        for line in lines[:_SHOWN_LINES]:
            self._trace.received(line)
        if len(lines) > _SHOWN_LINES:
            self._trace.remark(f"{len(lines)} lines in all")

    def unread(self) -> bool:
        return self.conversation.unread()

    def protected(self, transport: asyncio.Transport) -> None:
        self._transport = transport
