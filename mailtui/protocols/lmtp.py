"""LMTP (RFC 2033): messages handed to a server of one's own, each taken or refused while we wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

from mailtui.model.account import ascii_host
from mailtui.model.address import plain_address
from mailtui.model.check import Cause, Stage
from mailtui.protocols.dial import connect_one, interleave
from mailtui.protocols.faults import WireError, system_words, translate
from mailtui.protocols.resolve import Resolver
from mailtui.protocols.stuffing import Stuffing

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that the server may take for a connection, a reply, or to take in a piece of a message."""
VERDICT_PATIENCE = 300.0
"""Seconds for the verdict on a message. To give up earlier than the server means to deliver it twice."""

# RFC 5321 section 4.5.3.1.5 allows a reply line 512 octets; real servers say more in a refusal.
_LINE_LIMIT = 4_096
_REPLY_LINES = 256


class Refused(WireError):
    """The server does not take this message, now or ever; it may take others."""


class _Lost(WireError):
    """The connection ended, or the server ends it, before anything of a message was said."""


class LmtpReply:
    """A reply: its code and all of its text in one line, as the server said it."""

    def __init__(self, code: int, lines: list[str]) -> None:
        self.code = code
        self.lines = lines

    def __str__(self) -> str:
        return f"{self.code} {' '.join(' '.join(self.lines).split())}".strip()

    def is_full(self) -> bool:
        """Whether the mailbox is full (RFC 3463 section 3.3, x.2.2): no other message would fit either."""
        return bool(self.lines) and self.lines[0].split(" ", 1)[0] in ("4.2.2", "5.2.2")


class LmtpClient:
    """Delivers one message after another to one server, on one connection, which is made when it is first needed.

    Every method raises WireError NOT_DELIVERED. After one that is not `Refused` nothing more should be tried now.
    """

    def __init__(self, place: str, recipient: str, *, patience: float = PATIENCE) -> None:
        """`place` is `HOST:PORT` or the path of a socket, `recipient` an email address, `patience` in seconds."""
        self._place = place
        self._recipient = recipient
        self._patience = patience
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._offers: dict[str, str] = {}
        self.shown = f"lmtp {place}"

    async def deliver(self, sender: str, octets: int, pieces: AsyncIterator[bytes]) -> None:
        """Hand a message over; the server has taken it for good when this returns.

        `sender` is the reverse-path; one that is no plain address is left empty. `octets` is the size of `pieces`.
        """
        try:
            await self._deliver(sender, octets, pieces)
        except Refused:
            raise
        except BaseException:
            # A reply that was not waited for would be taken for that to the next command.
            self.abort()
            raise

    async def close(self) -> None:
        """QUIT, and let go. Raises nothing but cancellation."""
        if self._writer is None:
            return
        try:
            await self._ask(b"QUIT")
        except WireError:
            pass
        finally:
            self.abort()

    def abort(self) -> None:
        """Let go at once."""
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _deliver(self, sender: str, octets: int, pieces: AsyncIterator[bytes]) -> None:
        is_old = self._writer is not None
        if not is_old:
            await self._open()
        try:
            await self._envelope(sender, octets)
        except _Lost:
            # Servers do not wait for ever between two messages; of this one nothing was said.
            if not is_old:
                raise
            self.abort()
            await self._open()
            await self._envelope(sender, octets)
        try:
            reply = await self._content(pieces)
        except _Lost as error:
            # It may be this message that the server cannot bear. Where it is the server, the next one cannot reach it.
            self.abort()
            raise Refused(error.cause, error.hint, error.reply) from error
        if reply.code // 100 != 2:
            raise self._verdict(reply, is_about_message=True)

    async def _content(self, pieces: AsyncIterator[bytes]) -> LmtpReply:
        stuffing = Stuffing()
        async for piece in pieces:
            await self._send(stuffing.feed(piece))
        await self._send(stuffing.end())
        return await self._reply(VERDICT_PATIENCE)

    async def _envelope(self, sender: str, octets: int) -> None:
        """MAIL, RCPT and DATA, in one group where the server takes it (RFC 2920)."""
        mail = self._mail(sender, octets)
        commands = (mail, b"RCPT TO:<%s>" % self._forward_path(), b"DATA")
        if "PIPELINING" in self._offers:
            await self._send(b"".join(command + b"\r\n" for command in commands))
            replies = [await self._first_reply(), await self._reply(), await self._reply()]
            wrong = next((at for at in (0, 1, 2) if not _is_accepted(replies[at], at)), None)
            if wrong is None:
                return
            verdict = self._verdict(replies[wrong], is_about_message=wrong == 0)
            if _is_accepted(replies[2], 2):
                # It waits for a message that has no recipient.
                self.abort()
            raise verdict
        for at, command in enumerate(commands):
            await self._send(command + b"\r\n")
            reply = await (self._reply() if at else self._first_reply())
            if not _is_accepted(reply, at):
                raise self._verdict(reply, is_about_message=at == 0)

    def _mail(self, sender: str, octets: int) -> bytes:
        limit = self._offers.get("SIZE", "").split(" ")[0]
        if limit.isascii() and limit.isdigit() and len(limit) < 20 and 0 < int(limit) < octets:
            raise Refused(Cause.NOT_DELIVERED, f"{self.shown} takes no message of {octets} octets, at most {limit}")
        size = f" SIZE={octets}" if "SIZE" in self._offers else ""
        body = " BODY=8BITMIME" if "8BITMIME" in self._offers else ""
        utf8 = "" if self._recipient.rpartition("@")[0].isascii() else " SMTPUTF8"
        return f"MAIL FROM:<{plain_address(sender)}>{size}{body}{utf8}".encode("ascii")

    def _forward_path(self) -> bytes:
        local_part, _, domain = self._recipient.rpartition("@")
        try:
            address = f"{local_part}@{domain if domain.startswith('[') else ascii_host(domain)}"
        except (ValueError, UnicodeError) as error:
            raise self._failed(f"cannot be given {self._recipient}: {error}") from error
        if not local_part.isascii() and "SMTPUTF8" not in self._offers:
            raise self._failed(f"knows no SMTPUTF8, which the address {self._recipient} needs")
        return address.encode()

    async def _open(self) -> None:
        try:
            self._reader, self._writer = await self._within(self._patience, self._connect())
        except OSError as error:
            raise self._failed(f"cannot be reached: {system_words(error)}") from error
        greeting = await self._reply()
        if greeting.code != 220:
            raise self._verdict(greeting)
        reply = await self._ask(b"LHLO " + self._own_name())
        if reply.code != 250:
            if reply.code in (500, 501, 502, 504):
                raise self._failed("speaks no LMTP; a server of SMTP does not tell of each message", str(reply))
            raise self._verdict(reply)
        words = (line.split(" ", 1) for line in reply.lines[1:])
        self._offers = {keyword[0].upper(): (keyword[1] if keyword[1:] else "") for keyword in words}

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._place.startswith("/"):
            return await asyncio.open_unix_connection(self._place, limit=_LINE_LIMIT)
        host, _, port = self._place.rpartition(":")
        try:
            addresses = await Resolver().addresses(ascii_host(host), int(port))
        except (ValueError, UnicodeError) as error:
            raise self._failed(f"cannot be reached: {error}") from error
        except OSError as error:
            # A name has faults of its own, such as that there is no server of that name.
            raise self._failed(f"cannot be reached: {translate(error, Stage.RESOLVE, self._place)[1]}") from error
        failed: OSError = ConnectionError("it has neither an IPv4 nor an IPv6 address")
        for address in interleave(addresses) if addresses else []:
            try:
                return await asyncio.open_connection(sock=await connect_one(address), limit=_LINE_LIMIT)
            except OSError as error:
                failed = error
        raise failed

    def _own_name(self) -> bytes:
        own = self._writer.get_extra_info("sockname") if self._writer is not None else None
        if not isinstance(own, tuple):
            return b"localhost"
        address = str(own[0]).partition("%")[0]
        return f"[IPv6:{address}]".encode() if ":" in address else f"[{address}]".encode()

    async def _ask(self, command: bytes) -> LmtpReply:
        await self._send(command + b"\r\n")
        return await self._reply()

    async def _send(self, data: bytes) -> None:
        assert self._writer is not None
        try:
            self._writer.write(data)
            await self._within(self._patience, self._writer.drain())
        except OSError as error:
            raise self._lost("while it was being written to") from error

    async def _first_reply(self) -> LmtpReply:
        """The first one to a message; a server that leaves says so here, if at all (RFC 5321 section 3.8)."""
        reply = await self._reply()
        if reply.code == 421:
            raise _Lost(Cause.NOT_DELIVERED, f"{self.shown} does not take mail for now", str(reply))
        return reply

    async def _reply(self, patience: float | None = None) -> LmtpReply:
        return await self._within(patience or self._patience, self._read_reply())

    async def _read_reply(self) -> LmtpReply:
        code, lines = b"", list[str]()
        while len(lines) < _REPLY_LINES:
            line = await self._read_line()
            text = line.decode("utf-8", "backslashreplace")
            is_reply = line[:3].isdigit() and len(line) >= 3 and line[3:4] in (b"", b" ", b"-")
            if not is_reply or (code and line[:3] != code):
                raise self._failed("speaks no LMTP: this is no reply of it", text)
            code = line[:3]
            lines.append(text[4:])
            if line[3:4] != b"-":
                return LmtpReply(int(code), lines)
        raise self._failed(f"speaks no LMTP: it sent a reply of more than {_REPLY_LINES} lines")

    async def _read_line(self) -> bytes:
        assert self._reader is not None
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as error:
            raise self._failed(f"speaks no LMTP: it sent a line of more than {_LINE_LIMIT} octets") from error
        except (EOFError, OSError) as error:
            raise self._lost("instead of answering") from error
        return line.removesuffix(b"\n").removesuffix(b"\r")

    async def _within(self, seconds: float, wait: Awaitable[T]) -> T:
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                return await wait
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise self._failed(f"did not answer within {seconds:g} seconds") from error

    def _lost(self, when: str) -> WireError:
        return _Lost(Cause.NOT_DELIVERED, f"{self.shown} closed the connection {when}")

    def _failed(self, what: str, reply: str = "") -> WireError:
        return WireError(Cause.NOT_DELIVERED, f"{self.shown} {what}", reply)

    def _verdict(self, reply: LmtpReply, *, is_about_message: bool = False) -> WireError:
        """The error for a negative reply."""
        is_passing = 400 <= reply.code < 500
        if is_about_message and 400 <= reply.code < 600 and reply.code != 421 and not reply.is_full():
            words = "does not take this message for now" if is_passing else "refuses this message"
            return Refused(Cause.NOT_DELIVERED, f"{self.shown} {words}", str(reply))
        if is_passing:
            return self._failed("does not take mail for now", str(reply))
        return self._failed(f"refuses mail for {self._recipient}", str(reply))


def _is_accepted(reply: LmtpReply, at: int) -> bool:
    """Whether `reply` is the wanted one to MAIL (0), RCPT (1) or DATA (2)."""
    return reply.code == 354 if at == 2 else reply.code // 100 == 2
