"""A POP3 session: the conversation of `pop3` over a connection, walked stage by stage."""

import asyncio
import hashlib
from typing import cast

from mailtui.model.account import AuthMethod, Security
from mailtui.model.check import Cause, Stage
from mailtui.protocols import sasl
from mailtui.protocols.arrivals import Arrivals
from mailtui.protocols.faults import WireError, closed
from mailtui.protocols.pop3 import Challenge, End, Event, Line, Pop3, Status
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.session import (
    MAX_ROUNDS,
    Session,
    answer,
    first_message,
    starttls_not_offered,
    starttls_refused,
)
from mailtui.protocols.trace import StageBlock, Trace

# Capabilities are few, and each is a line of at most 512 octets (RFC 2449 section 3); more is an attack.
_CAPABILITY_LINES = 200
_CAPABILITY_OCTETS = 512 * _CAPABILITY_LINES
# RFC 2449 section 4: a command line is 255 octets, its CRLF among them.
_COMMAND_LIMIT = 253

# A drop of more octets, or messages, is beyond what is counted anywhere (RFC 8438: 63 bits).
_MOST = (1 << 63) - 1

# RFC 3206 and RFC 2449 section 8.1: these say that the server, not the login, is the trouble, and that it will pass.
_PASSING = frozenset({"SYS/TEMP", "IN-USE", "LOGIN-DELAY"})


class Pop3Wire(asyncio.Protocol):
    """Feeds a Pop3 conversation and waits for its events."""

    def __init__(self, trace: Trace, paused: bool) -> None:
        self.conversation = Pop3()
        self._trace = trace
        self._paused_at_start = paused
        self._transport: asyncio.Transport | None = None
        self._arrivals = Arrivals()

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
        self._arrivals.wake()

    def eof_received(self) -> bool:
        self._arrivals.fail(closed("answering"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrivals.fail(exc or closed("answering"))

    def send(self, *commands: str, shown: str = "") -> None:
        """Send commands without waiting; `shown` stands in the transcript for one that holds a secret."""
        # What broke the connection between two commands is the reason that the next one fails.
        self._arrivals.require_alive()
        self._trace.round_trips += 1
        for command in commands:
            self._trace.sent((shown or command).encode())
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

    async def next_event(self) -> Event:
        """The next event. Raises WireError or OSError when none will come."""
        while (event := self.conversation.next_event()) is None:
            await self._arrivals.next()
        match event:
            case Status():
                self._trace.received(event.line.encode())
            case Challenge():
                self._trace.received(b"+ " + event.data)
            case Line():
                self._trace.received(event.data)
            case End():
                self._trace.received(b".")
        return event

    async def status(self) -> Status:
        """The next status line. Raises WireError when something else comes."""
        event = await self.next_event()
        if not isinstance(event, Status):
            raise WireError(Cause.BAD_REPLY, "the server asks for more where a verdict was due")
        return event

    async def lines(self, limit: int, octets: int) -> list[bytes]:
        """The lines of a reply whose status was +OK. Raises WireError when there are more than `limit` or `octets`."""
        found: list[bytes] = []
        while isinstance(event := await self.next_event(), Line):
            found.append(event.data)
            octets -= len(event.data)
            if len(found) > limit or octets < 0:
                raise WireError(Cause.TOO_LARGE, "the server sent a list that is longer than any honest one")
        return found

    def unread(self) -> bool:
        return self.conversation.unread()

    def protected(self, transport: asyncio.Transport) -> None:
        self._transport = transport


class Pop3Session(Session):
    """One POP3 session."""

    wire: Pop3Wire

    def _make_wire(self, trace: Trace, paused: bool) -> Pop3Wire:
        self.wire = Pop3Wire(trace, paused)
        return self.wire

    async def _greet(self, trace: Trace) -> None:
        async with trace.stage(Stage.GREETING) as block:
            trace.round_trips += 1
            greeting = await self.wire.status()
            block.reply = greeting.line
            if not greeting.ok:
                raise WireError(Cause.NOT_AVAILABLE, "the server lets nobody in now", greeting.line)
            block.detail = "APOP possible" if self.wire.conversation.timestamp else ""

    async def _read_capabilities(self, trace: Trace) -> None:
        async with trace.stage(Stage.CAPABILITIES) as block:
            self.wire.send("CAPA")
            await self._take_capabilities(trace, block)

    async def _take_capabilities(self, trace: Trace, block: StageBlock) -> None:
        status = await self.wire.status()
        block.reply = status.line
        # CAPA is optional (RFC 2449): a server that refuses it speaks plain RFC 1939.
        lines = await self.wire.lines(_CAPABILITY_LINES, _CAPABILITY_OCTETS) if status.ok else []
        capabilities = (line.decode("utf-8", "backslashreplace").strip() for line in lines)
        trace.capabilities = tuple(capability for capability in capabilities if capability)
        block.detail = ", ".join(trace.capabilities) or "none: the server knows no CAPA"

    async def _request_tls(self, trace: Trace, block: StageBlock) -> None:
        if trace.capabilities and not _offers(trace, "STLS"):
            raise starttls_not_offered()
        self.wire.send("STLS")
        status = await self.wire.status()
        block.reply = status.line
        if not status.ok:
            raise starttls_refused(status.line)

    def _offered_logins(self, trace: Trace) -> tuple[str, ...]:
        offered = []
        for line in trace.capabilities:
            keyword, *mechanisms = line.upper().split()
            if keyword == "SASL":
                offered += mechanisms
        is_in_clear = trace.endpoint.security is Security.NONE
        if is_in_clear and not offered and _offers(trace, "STLS") and not _offers(trace, "USER"):
            # RFC 2595 section 2.2: a server that wants TLS first leaves USER out.
            raise WireError(Cause.LOGIN_DISABLED, "the server allows no login before STARTTLS, which it offers")
        # Without CAPA, or without USER in it, the RFC 1939 commands are still the ones that may work.
        if _offers(trace, "USER") or not offered:
            offered.append(sasl.USER_PASS)
        if self.wire.conversation.timestamp and self._is_timestamp_good(trace):
            offered.append(sasl.APOP)
        return tuple(dict.fromkeys(offered))

    def _is_timestamp_good(self, trace: Trace) -> bool:
        """Behind STLS the timestamp has come in clear, from whoever it was: only who asks for APOP gets it so."""
        is_from_clear = trace.endpoint.security is Security.STARTTLS
        return not is_from_clear or (self.credentials is not None and self.credentials.method is AuthMethod.APOP)

    async def _authenticate(self, trace: Trace, block: StageBlock, way: str, credentials: Credentials) -> None:
        sasl.require_plain_line(credentials)
        if way == sasl.USER_PASS:
            status = await self._user_pass(credentials)
        elif way == sasl.APOP:
            digest = hashlib.md5(
                (self.wire.conversation.timestamp + credentials.secret).encode(), usedforsecurity=False
            ).hexdigest()
            trace.masker.hide(digest)
            self.wire.send(f"APOP {credentials.username} {digest}", shown=f"APOP {credentials.username} ****")
            status = await self.wire.status()
        else:
            status = await self._sasl(trace, way, credentials)
        block.reply = status.line
        if not status.ok:
            raise _refused_login(status, credentials.username)

    async def _user_pass(self, credentials: Credentials) -> Status:
        self.wire.send(f"USER {credentials.username}")
        status = await self.wire.status()
        if status.ok:
            self.wire.send(f"PASS {credentials.secret}", shown="PASS ****")
            status = await self.wire.status()
        return status

    async def _sasl(self, trace: Trace, way: str, credentials: Credentials) -> Status:
        exchange = sasl.exchange(way, credentials)
        command, initial = first_message(exchange, f"AUTH {way}", _COMMAND_LIMIT)
        is_secret = exchange.initial is not None and initial is None
        self.wire.send(command, shown=f"AUTH {way} ****" if is_secret else "")
        for _ in range(MAX_ROUNDS):
            event = await self.wire.next_event()
            if isinstance(event, Status):
                if event.ok and not exchange.is_complete:
                    raise WireError(
                        Cause.BAD_REPLY, "the login is said to have succeeded before it was made", event.line
                    )
                return event
            if not isinstance(event, Challenge):
                raise WireError(Cause.BAD_REPLY, "the server sends lines in the middle of a login")
            self.wire.respond(initial or await answer(trace, exchange, event.data))
            initial = None
        raise WireError(Cause.BAD_REPLY, "the login never ends: the server keeps asking")

    async def probe(self, trace: Trace, email: str) -> None:
        """CAPA again, STAT and QUIT, in one group where the server takes groups (RFC 2449 section 6.6)."""
        is_grouped = _offers(trace, "PIPELINING")
        async with trace.stage(Stage.CAPABILITIES) as block:
            self.wire.send("CAPA", *(("STAT", "QUIT") if is_grouped else ()))
            await self._take_capabilities(trace, block)
        async with trace.stage(Stage.MAILBOX) as block:
            if not is_grouped:
                self.wire.send("STAT")
            status = await self.wire.status()
            block.reply = status.line
            if not status.ok:
                cause = Cause.NOT_AVAILABLE if status.code in _PASSING else Cause.NO_INBOX
                raise WireError(cause, "the login is good, but the mailbox cannot be opened", status.line)
            count, _, size = status.text.partition(" ")
            size = size.partition(" ")[0]
            if not (count.isascii() and count.isdigit() and size.isascii() and size.isdigit()):
                raise WireError(Cause.BAD_REPLY, "the server's STAT makes no sense", status.line)
            if max(len(count), len(size)) > 19 or max(int(count), int(size)) > _MOST:
                raise WireError(Cause.BAD_REPLY, "the server's STAT is beyond all measure", status.line)
            trace.messages, trace.octets = int(count), int(size)
            block.detail = f"{trace.messages} messages, {trace.octets} octets"
        async with trace.stage(Stage.QUIT) as block:
            try:
                if not is_grouped:
                    self.wire.send("QUIT")
                block.reply = (await self.wire.status()).line
            except (WireError, OSError):
                # Nothing was marked for deletion, so nothing is lost when a server hangs up at once.
                block.detail = "the server closed the connection without a word"


def _offers(trace: Trace, keyword: str) -> bool:
    return any(line.upper().split(" ", 1)[0] == keyword for line in trace.capabilities)


def _refused_login(status: Status, username: str) -> WireError:
    if status.code == "SYS/PERM":
        return WireError(Cause.NOT_AVAILABLE, f"the server does not serve {username}", status.line)
    if status.code in _PASSING:
        return WireError(Cause.NOT_AVAILABLE, "the server cannot let anyone log in right now", status.line)
    return WireError(Cause.BAD_CREDENTIALS, f"the server refuses the login of {username}", status.line)
