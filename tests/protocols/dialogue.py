"""What a well-behaved server hears and says, turn by turn, so that a fault can be put at any turn of it."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Stage, plan
from tests.scripted import Action, Peer

Fault = Callable[[Peer], Awaitable[None]]


@dataclass(frozen=True)
class Turn:
    """The client says a line that starts with `hears` (None: it waits for the server), the server says `says`.

    `{tag}` in `says` stands for the tag of an IMAP command; `says` of None is the TLS handshake.
    """

    stage: Stage
    hears: str | None
    says: bytes | None


def dialogue(protocol: Protocol, security: Security) -> list[Turn]:
    """The whole dialogue of a check that succeeds; every server here takes commands in groups."""
    greeting, capabilities, starttls, login, rest = {
        Protocol.SMTP: _smtp,
        Protocol.IMAP: _imap,
        Protocol.POP3: _pop3,
    }[protocol](security is Security.STARTTLS)
    handshake = Turn(Stage.TLS, None, None)
    turns = [handshake] if security is Security.IMPLICIT_TLS else []
    turns += [greeting, capabilities]
    if security is Security.STARTTLS:
        turns += [starttls, handshake, capabilities]
    return [*turns, login, *rest]


def _smtp(starttls: bool) -> tuple[Turn, Turn, Turn, Turn, list[Turn]]:
    offer = b"250-STARTTLS\r\n" if starttls else b""
    ehlo = Turn(
        Stage.CAPABILITIES, "EHLO [127.0.0.1]", b"250-mail.test\r\n250-PIPELINING\r\n" + offer + b"250 AUTH PLAIN\r\n"
    )
    return (
        Turn(Stage.GREETING, None, b"220 mail.test ESMTP ready\r\n"),
        ehlo,
        Turn(Stage.STARTTLS, "STARTTLS", b"220 2.0.0 go ahead\r\n"),
        Turn(Stage.AUTH, "AUTH PLAIN ", b"235 2.7.0 welcome\r\n"),
        [
            ehlo,
            Turn(Stage.ENVELOPE, "MAIL FROM:<", b"250 2.1.0 sender ok\r\n"),
            Turn(Stage.ENVELOPE, "RSET", b"250 2.0.0 forgotten\r\n"),
            Turn(Stage.QUIT, "QUIT", b"221 2.0.0 bye\r\n"),
        ],
    )


def _imap(starttls: bool) -> tuple[Turn, Turn, Turn, Turn, list[Turn]]:
    offer = b" STARTTLS" if starttls else b""
    capability = Turn(
        Stage.CAPABILITIES,
        "CAPABILITY",
        b"* CAPABILITY IMAP4rev1 STATUS=SIZE SASL-IR AUTH=PLAIN" + offer + b"\r\n{tag} OK done\r\n",
    )
    return (
        Turn(Stage.GREETING, None, b"* OK mail.test ready\r\n"),
        capability,
        Turn(Stage.STARTTLS, "STARTTLS", b"{tag} OK go ahead\r\n"),
        Turn(Stage.AUTH, "AUTHENTICATE PLAIN ", b"{tag} OK welcome\r\n"),
        [
            capability,
            Turn(Stage.MAILBOX, "STATUS INBOX (SIZE)", b"* STATUS INBOX (SIZE 900)\r\n{tag} OK done\r\n"),
            Turn(Stage.MAILBOX, "EXAMINE INBOX", b"* 3 EXISTS\r\n* 0 RECENT\r\n{tag} OK [READ-ONLY] done\r\n"),
            Turn(Stage.QUIT, "LOGOUT", b"* BYE see you\r\n{tag} OK done\r\n"),
        ],
    )


def _pop3(starttls: bool) -> tuple[Turn, Turn, Turn, Turn, list[Turn]]:
    offer = b"STLS\r\n" if starttls else b""
    capa = Turn(Stage.CAPABILITIES, "CAPA", b"+OK listed\r\nPIPELINING\r\nSASL PLAIN\r\n" + offer + b".\r\n")
    return (
        Turn(Stage.GREETING, None, b"+OK mail.test ready\r\n"),
        capa,
        Turn(Stage.STARTTLS, "STLS", b"+OK go ahead\r\n"),
        Turn(Stage.AUTH, "AUTH PLAIN ", b"+OK welcome\r\n"),
        [
            capa,
            Turn(Stage.MAILBOX, "STAT", b"+OK 3 900\r\n"),
            Turn(Stage.QUIT, "QUIT", b"+OK bye\r\n"),
        ],
    )


def steps_of(protocol: Protocol, security: Security, turns: Sequence[Turn]) -> list[int]:
    """For each turn the index of its stage in the plan."""
    stages = plan(protocol, security, True)
    steps: list[int] = []
    for turn in turns:
        start = steps[-1] if steps else 0
        if steps and stages[start] is not turn.stage:
            start += 1
        steps.append(stages.index(turn.stage, start))
    return steps


def play(
    protocol: Protocol,
    turns: Sequence[Turn],
    *,
    context: ssl.SSLContext | None = None,
    fault: Fault | None = None,
    at: int = -1,
) -> Action:
    """A script that follows `turns`; where turn number `at` should be answered, `fault` happens instead."""

    async def script(peer: Peer) -> None:
        for number, turn in enumerate(turns):
            tag = "" if turn.hears is None else await hear(protocol, peer, turn.hears)
            if fault is not None and number == at:
                if turn.says is None:
                    # The client's first words; what came before them would be an answer to STARTTLS, not to these.
                    await peer.reader.read(65_536)
                await fault(peer)
                return
            if turn.says is None:
                assert context is not None
                await secure(peer, context)
            else:
                await peer.send(turn.says.replace(b"{tag}", tag.encode()))

    return script


async def secure(peer: Peer, context: ssl.SSLContext) -> None:
    """`Peer.start_tls`, for a client that may hang up on the way: asyncio does not tell the protocol above of that."""
    wire = peer.writer.transport.get_protocol()
    assert isinstance(wire, asyncio.Protocol)
    try:
        await peer.start_tls(context)
    except OSError:
        wire.connection_lost(None)
        raise


async def hear(protocol: Protocol, peer: Peer, start: str) -> str:
    """The client's next line, which must start with `start`; returns its tag in IMAP, empty elsewhere."""
    line, tag = await peer.line(), ""
    if protocol is Protocol.IMAP:
        tag, _, line = line.partition(" ")
    assert line.startswith(start), f"expected {start!r}, the client sent {line!r}"
    return tag
