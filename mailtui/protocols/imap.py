"""IMAP (RFC 3501, RFC 9051) on aioimaplib's command table, states and tags, with framing and waiting of our own.

aioimaplib as shipped recurses once a line, waits for ever for what it cannot parse, and hides the server's words.
Here a reply is framed iteratively under limits, every pending command fails at once when the connection does, and a
cancelled command poisons the connection, for its reply would be taken for the next one's. This leans on names that
aioimaplib does not promise to keep: hence its pin below 2.1 and the fault battery in the tests.
"""

import asyncio
import re
from collections import deque
from typing import Any, cast

from aioimaplib import aioimaplib

from mailtui.model.check import Cause
from mailtui.protocols.arrivals import Arrivals
from mailtui.protocols.faults import WireError, closed
from mailtui.protocols.lines import foreign_banner
from mailtui.protocols.trace import Trace

# A line without literals: capabilities and ENVELOPEs run to some kilobytes.
LINE_LIMIT = 1 << 16
# Nothing that a check asks for is answered by a literal of more than a few octets.
LITERAL_LIMIT = 1 << 16
# Untagged data to one command: a check's longest honest answer is a few dozen lines.
UNIT_LIMIT = 10_000
OCTET_LIMIT = 4 << 20

_LITERAL = re.compile(rb"\{([0-9]{1,19})\+?\}$")


AUTHENTICATED, NOT_AUTHENTICATED, SELECTED = aioimaplib.AUTH, aioimaplib.NONAUTH, aioimaplib.SELECTED
"""The states of RFC 3501 section 3 that a session moves its wire to."""


class ImapWire(aioimaplib.IMAP4ClientProtocol):  # type: ignore[misc]  # aioimaplib ships no types
    """One connection. Commands may be sent in groups; untagged data belongs to the oldest one that is unanswered."""

    def __init__(self, trace: Trace, paused: bool) -> None:
        super().__init__(asyncio.get_running_loop())
        self._trace = trace
        self._paused_at_start = paused
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._held = 0
        self._literal_left: int | None = None
        self._scanned = 0
        self._sent: deque[Any] = deque()
        self._challenges: deque[bytes] = deque()
        self._units = 0
        self._octets = 0
        self._greeting: bytes | None = None
        self._bye = ""
        self._arrivals = Arrivals()
        self._is_broken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._paused_at_start:
            cast(asyncio.Transport, transport).pause_reading()

    def protected(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self._bye = ""

    def unread(self) -> bool:
        unasked = self._challenges or (self._units and not self._sent)
        return bool(self._buffer or self._parts or unasked or self._is_broken)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            while self._next_part():
                pass
        except WireError as error:
            self._is_broken = True
            self._arrivals.fail(error)
            self.transport.abort()

    def _next_part(self) -> bool:
        """Move one line or literal from the buffer; False when more has to come first."""
        buffer = self._buffer
        if self._literal_left is not None:
            if len(buffer) < self._literal_left:
                return False
            self._hold(bytes(buffer[: self._literal_left]))
            del buffer[: self._literal_left]
            self._literal_left = None
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > LINE_LIMIT:
                raise WireError(Cause.TOO_LARGE, f"the server sent a line of more than {LINE_LIMIT} octets")
            return False
        line = bytes(buffer[:end]).removesuffix(b"\r")
        del buffer[: end + 1]
        self._scanned = 0
        if len(line) > LINE_LIMIT:
            raise WireError(Cause.TOO_LARGE, f"the server sent a line of more than {LINE_LIMIT} octets")
        self._hold(line)
        literal = _LITERAL.search(line) if line.endswith(b"}") else None
        if literal is not None:
            self._literal_left = int(literal[1])
            if self._literal_left > LITERAL_LIMIT:
                raise WireError(
                    Cause.TOO_LARGE,
                    f"the server announces {self._literal_left} octets where {LITERAL_LIMIT} are plenty",
                    line.decode("utf-8", "backslashreplace"),
                )
            return True
        parts, self._parts, self._held = self._parts, [], 0
        self._take(parts)
        return True

    def _hold(self, part: bytes) -> None:
        self._parts.append(part)
        self._held += len(part)
        if self._held > OCTET_LIMIT:
            raise WireError(Cause.TOO_LARGE, f"the server sent one reply of more than {OCTET_LIMIT} octets")

    def _take(self, parts: list[bytes]) -> None:
        line = parts[0]
        self._trace.received(line if len(parts) == 1 else b" ".join(parts))
        if self._greeting is None:
            mark, word, *_ = (*line.upper().split(b" ", 2), b"", b"")
            if mark != b"*" or word not in (b"OK", b"PREAUTH", b"BYE"):
                raise foreign_banner("IMAP", line)
            self._greeting = line
            self._arrivals.wake()
        elif line.startswith(b"* "):
            self._take_untagged(line[2:], parts[1:])
        elif line == b"+" or line.startswith(b"+ "):
            self._take_challenge(line[2:])
        else:
            self._take_tagged(line)

    def _take_untagged(self, line: bytes, rest: list[bytes]) -> None:
        if line[:4].upper() in (b"BYE", b"BYE "):
            self._bye = line.decode("utf-8", "backslashreplace")
        self._units += 1
        self._octets += len(line) + sum(map(len, rest))
        if self._units > UNIT_LIMIT or self._octets > OCTET_LIMIT:
            raise WireError(Cause.TOO_LARGE, "the server sends data without end that nobody asked for")
        if self._sent:
            command = self._sent[0]
            for part in (line, *rest):
                command.append_to_resp(part)
            # IDLE hands on what it has as it comes; other commands keep it.
            command.flush()

    def _take_challenge(self, challenge: bytes) -> None:
        if self._sent and self._sent[0].name == "AUTHENTICATE":
            if len(self._challenges) > 1:
                raise WireError(Cause.BAD_REPLY, "the login never ends: the server keeps asking")
            self._challenges.append(challenge)
            self._arrivals.wake()
        elif self._sent and self._sent[0].name in ("APPEND", "IDLE"):
            self.pending_sync_command = self._sent[0]
            self._continuation(b"+ " + challenge)
        else:
            words = challenge.decode("utf-8", "backslashreplace")
            raise WireError(Cause.BAD_REPLY, "the server asks for more where there is no more to say", words)

    def _take_tagged(self, line: bytes) -> None:
        tag, _, response = line.partition(b" ")
        result, _, words = response.partition(b" ")
        text = line.decode("utf-8", "backslashreplace")
        if not self._sent or self._sent[0].tag.encode() != tag:
            raise WireError(Cause.BAD_REPLY, "the server answered something that was not asked", text)
        verdict = result.upper().decode("ascii", "replace")
        if verdict not in ("OK", "NO", "BAD"):
            raise WireError(Cause.BAD_REPLY, "the server sent a line that is no IMAP reply", text)
        self._units = self._octets = 0
        self.pending_sync_command = None
        self._sent.popleft().close(words, result=verdict)
        self._arrivals.wake()

    def eof_received(self) -> bool:
        self._arrivals.fail(self._farewell())
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrivals.fail(exc or self._farewell())

    def _farewell(self) -> WireError:
        if self._bye:
            return WireError(Cause.NOT_AVAILABLE, "the server said goodbye and closed the connection", self._bye)
        return closed("answering")

    async def greeting(self) -> bytes:
        """The server's first line, without the `* `."""
        while self._greeting is None:
            await self._arrivals.next()
        return self._greeting[2:]

    def command(self, name: str, *arguments: str) -> Any:
        """A command ready to be sent. Raises ValueError for one that would break out of its line."""
        return aioimaplib.Command(name, self.new_tag(), *arguments, loop=self.loop)

    def send_commands(self, *commands: Any, shown: str = "") -> None:
        """Send commands without waiting (RFC 3501 section 5.5); `shown` stands in the transcript for a secret one."""
        self._arrivals.require_alive()
        self._trace.round_trips += 1
        for command in commands:
            self._sent.append(command)
            self._trace.sent((shown or str(command)).encode())
        self.transport.write("".join(f"{command}\r\n" for command in commands).encode())

    async def answered(self, command: Any) -> Any:
        """The response to a command that was sent: `result` is OK, NO or BAD, `lines` end with the verdict's text."""
        while not command._event.is_set():
            await self._arrivals.next()
        return command.response

    async def execute(self, command: Any, scrub: str | None = None) -> Any:
        """aioimaplib's own commands come through here: one, and its response."""
        if self.state not in aioimaplib.Commands[command.name].valid_states:
            raise aioimaplib.Abort(f"{command.name} is not allowed in the {self.state} state")
        self.send_commands(command, shown=f"{command.tag} {command.name} ****" if scrub else "")
        return await self.answered(command)

    async def challenge(self, command: Any) -> bytes | None:
        """The next challenge, still base64, or None once `command` is answered."""
        while not self._challenges and not command._event.is_set():
            await self._arrivals.next()
        return self._challenges.popleft() if self._challenges else None

    def respond(self, message: bytes) -> None:
        """Answer a challenge with base64."""
        self._trace.round_trips += 1
        self._trace.sent(b"****" if message else b"")
        self.transport.write(message + b"\r\n")


def response_code(words: str) -> tuple[str, str]:
    """The code in brackets at the start of a status text, upper case, and its arguments (RFC 3501 section 7.1)."""
    if not words.startswith("["):
        return "", ""
    code, _, arguments = words[1:].partition("]")[0].partition(" ")
    return code.upper(), arguments
