"""Servers that send without end: each is cut off at its limit, long before the deadline."""

import asyncio

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import CLEAR, TLS, Scenario, Verdict
from tests.protocols.dialogue import Turn, dialogue
from tests.scripted import Action, Peer

MIB = 1 << 20
FLOOD = 64 * MIB
"""What a server would send if it were let."""
_SENT_LIMIT = 24 * MIB
"""The largest limit of ours, and what the buffers of two sockets can swallow."""

LINE = b"x" * 65_000


def flood(piece: bytes, first: bytes = b"", octets: int = FLOOD) -> Action:
    """A step: send `first`, then `piece` until it is `octets` in all; it fails if the client takes whatever comes."""

    async def pour(peer: Peer) -> None:
        await peer.send(first)
        for sent in range(0, octets, len(piece)):
            assert sent < _SENT_LIMIT, "the client takes whatever it is sent"
            await peer.send(piece)
            # While there is room for more, nothing else waits: the loop has to tell of a connection that is gone.
            await asyncio.sleep(0)
        await peer.silence()

    return pour


def _flooded(
    protocol: Protocol, name: str, does: str, stage: Stage, then: Action, verdict: Verdict = None
) -> list[Scenario]:
    """In clear and under TLS; the verdict is that it is too much, unless it is another."""
    turns = dialogue(protocol, Security.NONE)
    at = [turn.stage for turn in turns].index(stage)
    heard = [*turns[:at], Turn(stage, turns[at].hears, b"")]
    verdict = verdict or (stage, Cause.TOO_LARGE)
    return [
        Scenario(protocol, f"{name}-{way.security}", heard, verdict, way, does, then, group=name)
        for way in (CLEAR, TLS)
    ]


# More answers than questions are no overflow: the first one too many makes no sense.
_TOO_MANY_CAPABILITIES = (Stage.CAPABILITIES, Cause.BAD_REPLY)
_TOO_MANY_CHALLENGES = (Stage.AUTH, Cause.BAD_REPLY)

SMTP, IMAP, POP3 = Protocol.SMTP, Protocol.IMAP, Protocol.POP3
_FLOODS = [
    _flooded(SMTP, "endless-greeting", "greets with 64 MB of lines", Stage.GREETING, flood(b"220-and on\r\n" * 1_000)),
    _flooded(SMTP, "endless-greeting-line", "greets with one line of 64 MB", Stage.GREETING, flood(LINE)),
    _flooded(
        SMTP, "endless-ehlo", "sends 64 MB of capabilities", Stage.CAPABILITIES, flood(b"250-" + LINE[:4_000] + b"\r\n")
    ),
    _flooded(
        SMTP,
        "endless-replies",
        "sends 64 MB of `235 in`",
        Stage.AUTH,
        flood(b"235 in\r\n" * 1_000),
        _TOO_MANY_CAPABILITIES,
    ),
    _flooded(
        SMTP, "endless-rounds", "sends 64 MB of `334`", Stage.AUTH, flood(b"334 e30=\r\n" * 1_000), _TOO_MANY_CHALLENGES
    ),
    _flooded(
        SMTP,
        "endless-refusal",
        "sends a refusal of 64 MB",
        Stage.AUTH,
        flood(b"535-wrong, and that is not all\r\n" * 99),
    ),
    _flooded(IMAP, "endless-greeting-line", "greets with one line of 64 MB", Stage.GREETING, flood(LINE)),
    _flooded(
        IMAP, "endless-untagged", "sends 64 MB of `* 1 EXISTS`", Stage.CAPABILITIES, flood(b"* 1 EXISTS\r\n" * 1_000)
    ),
    _flooded(
        IMAP,
        "endless-long-untagged",
        "sends 64 MB of `* OK` and 65 kB",
        Stage.MAILBOX,
        flood(b"* OK " + LINE + b"\r\n"),
    ),
    _flooded(
        IMAP,
        "endless-folders",
        "sends 100,000 folders as untagged LIST",
        Stage.MAILBOX,
        flood(b'* LIST (\\HasNoChildren) "/" "a/folder/among/very/many"\r\n' * 1_000, octets=58 * 100_000),
    ),
    _flooded(
        IMAP,
        "gigabyte-literal",
        "announces a literal of 1 GB, and sends it",
        Stage.CAPABILITIES,
        flood(LINE, b"* CAPABILITY {1073741824}\r\n"),
    ),
    _flooded(
        IMAP,
        "chained-literals",
        "sends literals of 65 kB in one line, without end",
        Stage.CAPABILITIES,
        flood(LINE + b" {65000}\r\n", b"* CAPABILITY {65000}\r\n"),
    ),
    _flooded(
        IMAP,
        "endless-literals",
        "sends FETCH data of 60 kB, without end",
        Stage.CAPABILITIES,
        flood(b"* 1 FETCH {60000}\r\n" + LINE[:60_000] + b")\r\n"),
    ),
    _flooded(IMAP, "endless-rounds", "sends 64 MB of `+`", Stage.AUTH, flood(b"+ \r\n" * 1_000), _TOO_MANY_CHALLENGES),
    _flooded(POP3, "endless-greeting-line", "greets with one line of 64 MB", Stage.GREETING, flood(LINE)),
    _flooded(
        POP3,
        "endless-capabilities",
        "sends 64 MB of capabilities",
        Stage.CAPABILITIES,
        flood(b"X-MORE\r\n" * 1_000, b"+OK\r\n"),
    ),
    _flooded(
        POP3,
        "endless-long-capabilities",
        "sends 64 MB of capabilities of 1 MB each",
        Stage.CAPABILITIES,
        flood(b"x" * 1_000_000 + b"\r\n", b"+OK\r\n"),
    ),
    _flooded(
        POP3, "endless-statuses", "sends 64 MB of `+OK`", Stage.AUTH, flood(b"+OK\r\n" * 1_000), _TOO_MANY_CAPABILITIES
    ),
    _flooded(POP3, "endless-rounds", "sends 64 MB of `+`", Stage.AUTH, flood(b"+ \r\n" * 1_000), _TOO_MANY_CHALLENGES),
    _flooded(
        POP3,
        "endless-refusal",
        "sends a refusal of one line of 64 MB",
        Stage.AUTH,
        flood(LINE, b"-ERR wrong, and more: "),
    ),
]

SCENARIOS = [scenario for scenarios in _FLOODS for scenario in scenarios]
