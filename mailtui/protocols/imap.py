"""IMAP (RFC 3501, RFC 9051) on aioimaplib's command table, states and tags, with framing and waiting of our own.

aioimaplib as shipped recurses once a line, waits for ever for what it cannot parse, and hides the server's words.
Here a reply is framed iteratively under limits, every pending command fails at once when the connection does, and a
cancelled command poisons the connection, for its reply would be taken for the next one's. This leans on names that
aioimaplib does not promise to keep: hence its pin below 2.1 and the fault battery in the tests.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from typing import Any, cast
from typing import Protocol as Interface

from aioimaplib import aioimaplib

from mailtui.model.check import Cause
from mailtui.protocols.arrivals import Arrivals
from mailtui.protocols.faults import WireError, closed
from mailtui.protocols.lines import foreign_banner
from mailtui.protocols.trace import Trace

# A line without literals: capabilities and ENVELOPEs run to some kilobytes.
LINE_LIMIT = 1 << 16
# A literal that is kept, as names are; those that are handed on may be of any length.
LITERAL_LIMIT = 1 << 16
# Untagged data that is kept for one command: the longest honest answer is a few dozen lines.
UNIT_LIMIT = 10_000
OCTET_LIMIT = 4 << 20
# What a line or a literal takes in memory beside its octets: a response can be made of empty ones.
_PART_COST = 64

# How many of the data that a reader took, to one command, a transcript shows.
_SHOWN = 3

_LITERAL = re.compile(rb"\{([0-9]{1,19})\+?\}$")


AUTHENTICATED, NOT_AUTHENTICATED, SELECTED = aioimaplib.AUTH, aioimaplib.NONAUTH, aioimaplib.SELECTED
"""The states of RFC 3501 section 3 that a session moves its wire to."""


Sink = Callable[[bytes], None]
"""Takes a literal as it comes, piece by piece."""


class Reader(Interface):
    """Takes untagged data as they come, where there may be more of them than can be kept."""

    def literal(self, parts: list[bytes], octets: int) -> Sink | None:
        """Where the literal goes that the last of `parts` announces; None to have it with the rest, if it is short.

        `parts` are the lines of one response so far, its first with the `* `; in place of literals that went elsewhere
        it holds empty ones.
        """
        ...

    def take(self, parts: list[bytes]) -> bool:
        """A whole response, lines and literals; False leaves it to the oldest command that is unanswered."""
        ...


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
        self._sink: Sink | None = None
        self.reader: Reader | None = None
        """Is given untagged data before any command."""
        self._scanned = 0
        self._sent: deque[Any] = deque()
        self._challenges: deque[bytes] = deque()
        self._units = 0
        self._octets = 0
        self._taken = 0
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
        if self._is_broken:
            return
        try:
            if self._sink is not None:
                # Nothing is in the buffer while a literal is poured out of it.
                data = self._pour(self._sink, data)
            self._buffer += data
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
            if self._sink is None:
                if len(buffer) < self._literal_left:
                    return False
                self._hold(self._cut(self._literal_left))
                self._literal_left = None
            else:
                self._pour(self._sink, self._cut(self._literal_left))
                if self._literal_left is not None:
                    return False
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            if len(buffer) > LINE_LIMIT:
                raise WireError(Cause.TOO_LARGE, f"the server sent a line of more than {LINE_LIMIT} octets")
            return False
        line = self._cut(end + 1)[:-1].removesuffix(b"\r")
        self._scanned = 0
        if len(line) > LINE_LIMIT:
            raise WireError(Cause.TOO_LARGE, f"the server sent a line of more than {LINE_LIMIT} octets")
        self._hold(line)
        literal = _LITERAL.search(line) if line.endswith(b"}") else None
        if literal is not None:
            self._expect_literal(int(literal[1]), line)
            return True
        parts, self._parts, self._held = self._parts, [], 0
        self._take(parts)
        return True

    def _expect_literal(self, octets: int, line: bytes) -> None:
        if self.reader is not None and self._parts[0].startswith(b"* "):
            self._sink = self.reader.literal(self._parts, octets)
        if self._sink is None and octets > LITERAL_LIMIT:
            raise WireError(
                Cause.TOO_LARGE,
                f"the server announces {octets} octets where {LITERAL_LIMIT} are plenty",
                line.decode("utf-8", "backslashreplace"),
            )
        self._literal_left = octets

    def _cut(self, octets: int) -> bytes:
        """At most so many octets from the start of the buffer."""
        with memoryview(self._buffer) as view:
            cut = bytes(view[:octets])
        del self._buffer[:octets]
        return cut

    def _pour(self, sink: Sink, data: bytes) -> bytes:
        """Hand on what of `data` belongs to the literal; the rest comes back."""
        assert self._literal_left is not None
        poured = data if len(data) <= self._literal_left else data[: self._literal_left]
        if poured:
            sink(poured)
        self._literal_left -= len(poured)
        if not self._literal_left:
            self._literal_left = self._sink = None
            self._hold(b"")
        return data[len(poured) :]

    def _hold(self, part: bytes) -> None:
        self._parts.append(part)
        self._held += len(part) + _PART_COST
        if self._held > OCTET_LIMIT:
            raise WireError(Cause.TOO_LARGE, f"the server sent one reply of more than {OCTET_LIMIT} octets")

    def _take(self, parts: list[bytes]) -> None:
        line = parts[0]
        if self.reader is not None and line.startswith(b"* ") and self._hand_over(parts):
            return
        if self._taken > _SHOWN:
            self._trace.remark(f"and {self._taken - _SHOWN} more of these")
        self._taken = 0
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

    def _hand_over(self, parts: list[bytes]) -> bool:
        """Whether the reader took it. A transcript shows the first of thousands that are alike."""
        assert self.reader is not None
        is_taken = self.reader.take(parts)
        if is_taken:
            self._taken += 1
            if self._taken <= _SHOWN:
                self._trace.received(b" ".join(parts))
            self._arrivals.wake()
        return is_taken

    def _take_untagged(self, line: bytes, rest: list[bytes]) -> None:
        if line[:4].upper() in (b"BYE", b"BYE "):
            self._bye = line.decode("utf-8", "backslashreplace")
        self._count(len(line) + sum(len(part) + _PART_COST for part in rest))
        if self._sent:
            command = self._sent[0]
            for part in (line, *rest):
                command.append_to_resp(part)
            # IDLE hands on what it has as it comes; other commands keep it.
            command.flush()

    def _count(self, octets: int) -> None:
        self._units += 1
        self._octets += octets
        if self._units > UNIT_LIMIT or self._octets > OCTET_LIMIT:
            raise WireError(Cause.TOO_LARGE, "the server sends data without end that nobody asked for")

    def _take_challenge(self, challenge: bytes) -> None:
        if self._sent and self._sent[0].name == "AUTHENTICATE":
            if len(self._challenges) > 1:
                raise WireError(Cause.BAD_REPLY, "the login never ends: the server keeps asking")
            self._challenges.append(challenge)
            self._arrivals.wake()
        elif self._sent and self._sent[0].name in ("APPEND", "IDLE"):
            self._count(len(challenge))
            self.pending_sync_command = self._sent[0]
            self._continuation(b"+ " + challenge)
            self._arrivals.wake()
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
            self._trace.sent(_octets(shown or str(command)))
        self.transport.write(_octets("".join(f"{command}\r\n" for command in commands)))

    async def answered(self, command: Any) -> Any:
        """The response to a command that was sent: `result` is OK, NO or BAD, `lines` end with the verdict's text."""
        while not command._event.is_set():
            await self._arrivals.next()
        return command.response

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until `is_so`, which is looked at whenever something comes, and when `wake` is called."""
        while not is_so():
            await self._arrivals.next()

    def wake(self) -> None:
        """Let who waits in `until` look again."""
        self._arrivals.wake()

    async def start_idling(self) -> Any:
        """Begin to IDLE (RFC 2177); the command is answered already where the server refuses."""
        self._idle_event.clear()
        command = self.command("IDLE")
        self.send_commands(command)
        await self.until(lambda: self._idle_event.is_set() or command._event.is_set())
        return command

    def stop_idling(self) -> None:
        """Say DONE; the answer to IDLE is still to come."""
        self._trace.sent(b"DONE")
        self.transport.write(b"DONE\r\n")

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


def _octets(text: str) -> bytes:
    # Surrogates are octets of a mailbox's name that is not UTF-8, and go back as they came.
    return text.encode("utf-8", "surrogateescape")


def response_code(words: str) -> tuple[str, str]:
    """The code in brackets at the start of a status text, upper case, and its arguments (RFC 3501 section 7.1)."""
    if not words.startswith("["):
        return "", ""
    code, _, arguments = words[1:].partition("]")[0].partition(" ")
    return code.upper(), arguments
