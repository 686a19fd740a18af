"""The three parsers by themselves, fed in chunks: what they make of it, and that they never hold more than they may."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mailtui.model.account import Protocol
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import LINE_LIMIT, LITERAL_LIMIT, OCTET_LIMIT, ImapWire
from mailtui.protocols.pop3 import STATUS_LIMIT as POP3_STATUS_LIMIT
from mailtui.protocols.pop3 import Body, Pop3, State
from mailtui.protocols.smtp import SmtpWire
from tests.protocols.wires import Pipe, make_trace

SMTP_LINE_LIMIT, SMTP_REPLY_LINES = 4_096, 256
"""What mailtui.protocols.smtp allows a line and a reply."""


@dataclass(frozen=True)
class Heard:
    """What a parser made of its input: lines of the transcript, what came of them, and how it ended."""

    lines: tuple[str, ...]
    came: tuple[object, ...]
    end: str


def cut(data: bytes, seed: int) -> list[bytes]:
    """`data` in pieces: 0 is one piece, 1 single octets, any other seed its own random cuts."""
    if seed == 0:
        return [data]
    if seed == 1:
        return [data[at : at + 1] for at in range(len(data))]
    chance = random.Random(seed)
    cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.randint(1, 8)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


async def feed_smtp(chunks: Iterable[bytes]) -> Heard:
    """A greeting and the replies to four commands. Raises nothing that the wire does not hand on as its fault."""
    trace, pipe = make_trace(Protocol.SMTP), Pipe()
    wire = SmtpWire(trace, False)
    wire.connection_made(pipe)
    wire.send_group(b"EHLO [127.0.0.1]", b"MAIL FROM:<>", b"RSET", b"QUIT")
    for chunk in chunks:
        if pipe.is_aborted:
            break
        wire.data_received(chunk)
        assert len(wire._lines) <= SMTP_LINE_LIMIT + len(chunk)
        assert len(wire._reply) <= SMTP_REPLY_LINES + 1
    assert pipe.is_aborted or len(wire._lines) <= SMTP_LINE_LIMIT
    wire.eof_received()
    came: list[object] = []
    try:
        while True:
            came.append(await wire.read_response())
    except WireError as error:
        return Heard(_lines(trace), tuple(came), _told(error))


async def feed_imap(chunks: Iterable[bytes], *, asks: bool = False) -> Heard:
    """A greeting and the replies to a group of commands with the tags T0 to T3; `asks` is a login, T0, instead."""
    trace, pipe = make_trace(Protocol.IMAP), Pipe()
    wire = ImapWire(trace, False)
    wire.tagpre = "T"
    wire.connection_made(pipe)
    commands: list[Any] = [wire.command("AUTHENTICATE", "PLAIN")]
    if not asks:
        commands = [wire.command(name) for name in ("CAPABILITY", "NOOP", "CAPABILITY", "LOGOUT")]
        for number, command in enumerate(commands):
            command.tag = f"T{number}"
    wire.send_commands(*commands)
    for chunk in chunks:
        if pipe.is_aborted:
            break
        wire.data_received(chunk)
        assert len(wire._buffer) <= max(LINE_LIMIT, LITERAL_LIMIT) + len(chunk)
        assert wire._held <= OCTET_LIMIT + LITERAL_LIMIT
    wire.eof_received()
    came: list[object] = []
    try:
        came.append(await wire.greeting())
        for command in commands:
            while asks and (challenge := await wire.challenge(command)) is not None:
                came.append(challenge)
            response = await wire.answered(command)
            came.append((response.result, tuple(map(bytes, response.lines))))
    except WireError as error:
        return Heard(_lines(trace), tuple(came), _told(error))
    return Heard(_lines(trace), tuple(came), "answered")


POP3_STARTS = (
    (),
    ("CAPA", "AUTH PLAIN", "QUIT"),
    ("CAPA", "STLS"),
    ("CAPA", "STAT", "LIST", "UIDL", "RETR 1", "QUIT"),
)
"""What was sent before: nothing, a login, STARTTLS, or a whole session's worth."""


def feed_pop3(chunks: Iterable[bytes], start: int) -> Heard:
    """The answers to what POP3_STARTS sends, or a greeting."""
    conversation = Pop3()
    if commands := POP3_STARTS[start]:
        conversation.receive_data(b"+OK ready\r\n")
        conversation.next_event()
        if "STAT" in commands:
            conversation.send("PASS x")
            conversation.receive_data(b"+OK\r\n")
            conversation.next_event()
        for command in commands:
            conversation.send(command)
    came: list[object] = []
    end = conversation.state.value
    try:
        for chunk in chunks:
            conversation.receive_data(chunk)
            assert len(conversation._rest) <= POP3_STATUS_LIMIT
        end = conversation.state.value
    except WireError as error:
        end = _told(error)
    while (event := conversation.next_event()) is not None:
        # In how many pieces a body comes is not its own affair.
        if isinstance(event, Body) and came and isinstance(came[-1], Body):
            came[-1] = Body(came[-1].data + event.data)
        else:
            came.append(event)
    if conversation.state is State.BROKEN and came and isinstance(came[-1], Body):
        # What had come of a body that never ends is nobody's.
        came.pop()
    return Heard((), tuple(came), f"{end} {conversation.timestamp}")


def _lines(trace: Any) -> tuple[str, ...]:
    return tuple(f"{line.sender} {line.text}" for line in trace.report().transcript)


def _told(error: WireError) -> str:
    return f"{error.cause} {error.hint} {error.reply}"


_RUNNER = asyncio.Runner()


def in_loop(work: Any) -> Any:
    """Run a coroutine to its end, in a loop that is kept: making one takes longer than what is tried in it."""
    return _RUNNER.run(work)
