"""SMTP submission (RFC 6409) on aiosmtplib, with framing of our own: each stage shows, and groups are pipelined."""

import asyncio
from collections import deque
from typing import cast

from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from mailtui.model.account import Security, ascii_host
from mailtui.model.check import Cause, Stage
from mailtui.model.server import Service
from mailtui.protocols import sasl
from mailtui.protocols.arrivals import Arrivals
from mailtui.protocols.faults import WireError, closed
from mailtui.protocols.lines import LineBuffer, foreign_banner, service_of
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

# RFC 5321 section 4.5.3.1.5 allows a reply line 512 octets; real servers say more in an EHLO or a refusal.
_LINE_LIMIT = 4_096
_REPLY_LINES = 256
# RFC 5321 section 4.5.3.1.4: a command line is 512 octets, its CRLF among them.
_COMMAND_LIMIT = 510


class SmtpWire(SMTPProtocol):
    """aiosmtplib's commands and message transfer over our own reading of replies.

    As shipped it forgets a reply that comes before it is asked for, so commands cannot be pipelined, and it drops bytes
    that were injected before TLS where they have to be refused.
    """

    def __init__(self, trace: Trace, paused: bool) -> None:
        super().__init__(loop=asyncio.get_running_loop())
        self._trace = trace
        self._paused_at_start = paused
        self._lines = LineBuffer(_LINE_LIMIT)
        self._reply: list[bytes] = []
        self._replies: deque[SMTPResponse] = deque()
        self._arrivals = Arrivals()
        self._shown: bytes | None = None
        self._greeted = False
        self._is_broken = False
        # Replies still due; the greeting is one. Any other would be taken for the answer to what is asked next.
        self._expected = 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._paused_at_start:
            cast(asyncio.Transport, transport).pause_reading()

    def data_received(self, data: bytes) -> None:
        try:
            for line in self._lines.feed(data):
                self._take(line)
        except WireError as error:
            self._is_broken = True
            self._arrivals.fail(error)
            if self.transport is not None:
                cast(asyncio.Transport, self.transport).abort()

    def _take(self, line: bytes) -> None:
        self._trace.received(line)
        text = line.decode("utf-8", "backslashreplace")
        if not (len(line) >= 3 and line[:3].isdigit() and line[3:4] in (b"", b" ", b"-")):
            if not self._greeted and not self._reply:
                raise foreign_banner("SMTP", line)
            raise WireError(Cause.BAD_REPLY, "the server sent a line that is no SMTP reply", text)
        if self._reply and self._reply[0][:3] != line[:3]:
            raise WireError(Cause.BAD_REPLY, "the server changed its reply code within one reply", text)
        self._reply.append(line)
        if len(self._reply) > _REPLY_LINES:
            raise WireError(Cause.TOO_LARGE, f"the server sent a reply of more than {_REPLY_LINES} lines")
        if line[3:4] == b"-":
            return
        words = b"\n".join(part[4:].strip() for part in self._reply)
        self._reply = []
        if not self._expected:
            raise unexpected(text)
        self._expected -= 1
        self._greeted = True
        self._replies.append(SMTPResponse(int(line[:3]), words.decode("utf-8", "backslashreplace")))
        self._arrivals.wake()

    def eof_received(self) -> bool:
        self._arrivals.fail(closed("answering"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._arrivals.fail(exc or closed("answering"))

    async def read_response(self, timeout: float | None = None) -> SMTPResponse:
        """The next reply. Raises WireError or OSError when none will come; `timeout` is the stage's own business."""
        while not self._replies:
            await self._arrivals.next()
        return self._replies.popleft()

    def write(self, data: bytes) -> None:
        self._expected += 1
        for line in (self._shown or data).splitlines():
            self._trace.sent(line)
        super().write(data)

    async def command(self, line: bytes, shown: bytes | None = None) -> SMTPResponse:
        """One command and its reply; `shown` stands in the transcript for a line that holds a secret."""
        self._arrivals.require_alive()
        self._trace.round_trips += 1
        self._shown = shown
        try:
            return await self.execute_command(line)
        finally:
            self._shown = None

    def send_group(self, *lines: bytes) -> None:
        """Send commands without waiting (RFC 2920); each reply is then read by `read_response`, in order."""
        self._arrivals.require_alive()
        self._trace.round_trips += 1
        self._expected += len(lines) - 1
        self.write(b"".join(line + b"\r\n" for line in lines))

    def unread(self) -> bool:
        return bool(self._replies or self._reply or len(self._lines) or self._is_broken)

    def protected(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._over_ssl = True


class SmtpSession(Session):
    """One submission session."""

    wire: SmtpWire

    def _make_wire(self, trace: Trace, paused: bool) -> SmtpWire:
        self.wire = SmtpWire(trace, paused)
        self._greeting = b""
        return self.wire

    async def _greet(self, trace: Trace) -> None:
        async with trace.stage(Stage.GREETING) as block:
            trace.round_trips += 1
            reply = await self.wire.read_response()
            block.reply = words(reply)
            if reply.code != 220:
                raise WireError(Cause.NOT_AVAILABLE, "the server takes no mail now", words(reply))
            block.detail = reply.message.partition(" ")[0]
            self._greeting = words(reply).encode()

    async def _read_capabilities(self, trace: Trace) -> None:
        async with trace.stage(Stage.CAPABILITIES) as block:
            reply = await self.wire.command(b"EHLO " + self._own_name())
            if reply.code != 250:
                if service_of(self._greeting) is Service.OTHER:
                    # FTP greets by SMTP's codes: only now is it sure that it is none.
                    raise foreign_banner("SMTP", self._greeting)
                raise refusal(reply, Cause.BAD_REPLY, "the server refuses EHLO")
            block.reply = words(reply)
            trace.capabilities = tuple(line.strip() for line in reply.message.split("\n")[1:] if line.strip())
            block.detail = ", ".join(trace.capabilities) or "none"

    def _own_name(self) -> bytes:
        """How we name ourselves: the connection's own address as a literal (RFC 5321 section 4.1.3)."""
        assert self._transport is not None
        own = self._transport.get_extra_info("sockname")
        address = str(own[0]).partition("%")[0] if own else "127.0.0.1"
        return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()

    async def _request_tls(self, trace: Trace, block: StageBlock) -> None:
        if not _offers(trace, "STARTTLS"):
            raise starttls_not_offered()
        reply = await self.wire.command(b"STARTTLS")
        block.reply = words(reply)
        if reply.code != 220:
            raise starttls_refused(words(reply))

    def _offered_logins(self, trace: Trace) -> tuple[str, ...]:
        offered: list[str] = []
        for line in trace.capabilities:
            # Some servers still write the AUTH= of a draft beside, or instead of, RFC 4954's form.
            keyword, *mechanisms = line.upper().replace("AUTH=", "AUTH ", 1).split()
            if keyword == "AUTH":
                offered += mechanisms
        if not offered:
            unprotected = trace.endpoint.security is Security.NONE and _offers(trace, "STARTTLS")
            way_out = "it may after STARTTLS, which it offers" if unprotected else "submission ports are 465 and 587"
            raise WireError(Cause.AUTH_NOT_OFFERED, f"the server offers no login here; {way_out}")
        return tuple(dict.fromkeys(offered))

    async def _authenticate(self, trace: Trace, block: StageBlock, way: str, credentials: Credentials) -> None:
        exchange = sasl.exchange(way, credentials)
        command, initial = first_message(exchange, f"AUTH {way}", _COMMAND_LIMIT)
        is_secret = exchange.initial is not None and initial is None
        reply = await self.wire.command(command.encode(), f"AUTH {way} ****".encode() if is_secret else None)
        rounds = 0
        while reply.code == 334:
            rounds += 1
            if rounds > MAX_ROUNDS:
                raise WireError(Cause.BAD_REPLY, "the login never ends: the server keeps asking", words(reply))
            response = initial or await answer(trace, exchange, reply.message.encode())
            initial = None
            reply = await self.wire.command(response, b"****" if response else b"")
        block.reply = words(reply)
        if reply.code != 235:
            raise _refused_login(reply, credentials.username, is_in_clear=trace.endpoint.security is Security.NONE)
        if not exchange.is_complete:
            raise WireError(Cause.BAD_REPLY, "the login is said to have succeeded before it was made", words(reply))

    async def probe(self, trace: Trace, email: str) -> None:
        """EHLO again after a login, then MAIL FROM and RSET, which sends nothing, and QUIT, in one group if offered."""
        if self.credentials is not None:
            await self._read_capabilities(trace)
        async with trace.stage(Stage.ENVELOPE) as block:
            commands = [b"MAIL FROM:" + _reverse_path(trace, email), b"RSET", b"QUIT"]
            is_grouped = _offers(trace, "PIPELINING")
            if is_grouped:
                self.wire.send_group(*commands)
            reply = await (self.wire.read_response() if is_grouped else self.wire.command(commands[0]))
            block.reply = words(reply)
            if reply.code != 250:
                hint = f"the server does not let {email} send"
                if reply.code == 530 and self.credentials is None:
                    hint = "the server wants a login, and the account has none"
                raise refusal(reply, Cause.SENDER_REFUSED, hint)
            reset = await (self.wire.read_response() if is_grouped else self.wire.command(commands[1]))
            if reset.code != 250:
                raise refusal(reset, Cause.BAD_REPLY, "the server does not take the test back (RSET)")
            block.detail = f"sender {email} accepted, nothing sent"
        await self._quit(trace, is_grouped)

    async def _quit(self, trace: Trace, is_sent: bool) -> None:
        async with trace.stage(Stage.QUIT) as block:
            try:
                reply = await (self.wire.read_response() if is_sent else self.wire.command(b"QUIT"))
            except (WireError, OSError):
                # Nothing is lost when a server hangs up instead of saying 221.
                block.detail = "the server closed the connection without a word"
                return
            block.reply = words(reply)


def unexpected(text: str) -> WireError:
    """The error for a reply that nobody asked for; a server that shuts down may send 421 (RFC 5321 section 3.8)."""
    if text.startswith("421"):
        return WireError(Cause.NOT_AVAILABLE, "the server is closing down", text)
    return WireError(Cause.BAD_REPLY, "the server said something that nobody had asked for", text)


def words(reply: SMTPResponse) -> str:
    """A reply as one line."""
    return f"{reply.code} {' '.join(reply.message.split())}".strip()


def refusal(reply: SMTPResponse, cause: Cause, hint: str) -> WireError:
    """The error for a negative reply: a permanent one is `cause`, a transient one (4yz) says come back later."""
    if 400 <= reply.code < 500:
        return WireError(Cause.NOT_AVAILABLE, f"{hint} for now", words(reply))
    if not 500 <= reply.code < 600:
        return WireError(Cause.BAD_REPLY, "the server answers with a code that makes no sense here", words(reply))
    return WireError(cause, hint, words(reply))


def _refused_login(reply: SMTPResponse, username: str, *, is_in_clear: bool) -> WireError:
    """The error for a login that failed, by the codes of RFC 4954 section 6."""
    # Some servers refuse a password by 501: taken for a syntax error, it would be tried again and again.
    is_password = reply.code == 501 and "fail" in reply.message.lower()
    if 500 <= reply.code <= 503 and not is_password:
        return WireError(Cause.BAD_REPLY, "the server does not understand the login", words(reply))
    if reply.code == 504:
        return WireError(Cause.NO_MECHANISM, "the server offers this login method but does not know it", words(reply))
    if reply.code in (530, 538):
        why = " without encryption" if is_in_clear or reply.code == 538 else ""
        return WireError(Cause.LOGIN_DISABLED, f"the server allows no login here{why}", words(reply))
    return refusal(reply, Cause.BAD_CREDENTIALS, f"the server refuses the login of {username}")


def _offers(trace: Trace, keyword: str) -> bool:
    return any(line.upper().split(" ", 1)[0] == keyword for line in trace.capabilities)


def _reverse_path(trace: Trace, email: str) -> bytes:
    """The address between brackets: its domain in ASCII, and SMTPUTF8 only where the rest needs it (RFC 6531)."""
    local_part, _, domain = email.rpartition("@")
    try:
        address = f"{local_part}@{domain if domain.startswith('[') else ascii_host(domain)}"
    except (ValueError, UnicodeError) as error:
        raise WireError(Cause.SENDER_REFUSED, f"{email} has a domain that cannot be sent from: {error}") from error
    if address.isascii():
        return f"<{address}>".encode()
    if not _offers(trace, "SMTPUTF8"):
        raise WireError(Cause.SENDER_REFUSED, f"the server knows no SMTPUTF8, which the address {email} needs")
    return f"<{address}> SMTPUTF8".encode()
