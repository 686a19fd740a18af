"""Servers that send without end: each is cut off at its limit, long before the deadline, and memory stays flat."""

import itertools
import tracemalloc
from collections.abc import Iterable

import pytest

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import face
from tests.scripted import Peer

MIB = 1 << 20
FLOOD = 64 * MIB
"""What the server would send if it were let."""
SENT_LIMIT = 24 * MIB
"""The largest limit of ours, and what the buffers of two sockets can swallow."""
PEAK_LIMIT = 10 * MIB

LINE = b"x" * 65_000

FLOODS: dict[str, tuple[Protocol, Stage, Iterable[bytes]]] = {
    "smtp-greeting": (Protocol.SMTP, Stage.GREETING, itertools.repeat(b"220-and on\r\n" * 1_000)),
    "smtp-line": (Protocol.SMTP, Stage.GREETING, itertools.repeat(LINE)),
    "smtp-ehlo": (Protocol.SMTP, Stage.CAPABILITIES, itertools.repeat(b"250-" + b"x" * 4_000 + b"\r\n")),
    "smtp-replies": (Protocol.SMTP, Stage.AUTH, itertools.repeat(b"235 in\r\n" * 1_000)),
    "imap-line": (Protocol.IMAP, Stage.GREETING, itertools.repeat(LINE)),
    "imap-untagged": (Protocol.IMAP, Stage.CAPABILITIES, itertools.repeat(b"* 1 EXISTS\r\n" * 1_000)),
    "imap-long-untagged": (Protocol.IMAP, Stage.MAILBOX, itertools.repeat(b"* OK " + LINE + b"\r\n")),
    "imap-gigabyte-literal": (
        Protocol.IMAP,
        Stage.CAPABILITIES,
        itertools.chain([b"* CAPABILITY {1073741824}\r\n"], itertools.repeat(LINE)),
    ),
    "imap-chained-literals": (
        Protocol.IMAP,
        Stage.CAPABILITIES,
        itertools.chain([b"* CAPABILITY {65000}\r\n"], itertools.repeat(LINE + b" {65000}\r\n")),
    ),
    "imap-challenges": (Protocol.IMAP, Stage.AUTH, itertools.repeat(b"+ \r\n" * 1_000)),
    "pop3-line": (Protocol.POP3, Stage.GREETING, itertools.repeat(LINE)),
    "pop3-capabilities": (
        Protocol.POP3,
        Stage.CAPABILITIES,
        itertools.chain([b"+OK\r\n"], itertools.repeat(b"X-MORE\r\n" * 1_000)),
    ),
    "pop3-long-capabilities": (
        Protocol.POP3,
        Stage.CAPABILITIES,
        itertools.chain([b"+OK\r\n"], itertools.repeat(b"x" * 1_000_000 + b"\r\n")),
    ),
    "pop3-statuses": (Protocol.POP3, Stage.AUTH, itertools.repeat(b"+OK\r\n" * 1_000)),
}
# More answers than questions are no overflow: the first one too many makes no sense.
TOO_MANY = {"smtp-replies": Stage.CAPABILITIES, "imap-challenges": Stage.AUTH, "pop3-statuses": Stage.CAPABILITIES}


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_cut_off_and_memory_stays_flat(name: str) -> None:
    protocol, stage, pieces = FLOODS[name]
    turns = dialogue(protocol, Security.NONE)
    at = [turn.stage for turn in turns].index(stage)
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        for piece in pieces:
            if sent > FLOOD:
                return
            await peer.send(piece)
            sent += len(piece)

    tracemalloc.start()
    try:
        walked = await face(protocol, play(protocol, turns, fault=flood, at=at))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    if name in TOO_MANY:
        assert walked.verdict == (TOO_MANY[name], Cause.BAD_REPLY)
    else:
        assert walked.verdict == (stage, Cause.TOO_LARGE)
    assert sent < SENT_LIMIT
    assert peak < PEAK_LIMIT
