"""Dialogues with a few bytes changed: whatever comes of it, it has a name, and it is never a fault of ours."""

import asyncio
import random
from dataclasses import replace

import pytest

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn, dialogue, secure
from tests.protocols.legs import Login, Way, face
from tests.scripted import Peer

PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"+",
        b"+ ",
        b"* ",
        b"-",
        b"[",
        b"]",
        b"(",
        b")",
        b".",
        b"..\r\n",
        b"=",
        b"====",
    ),
    *(b"{3}", b"{3}\r\n", b"{}", b"250 ", b"250-", b"334 ", b"535 ", b"+OK ", b"-ERR ", b"* BYE ", b"* OK "),
    *(b"[CAPABILITY ", b"AUTH=", b"SASL ", b"\xff", b"\x85", b"\x1c", b"99999999999999999999", b"\x16\x03\x01"),
    *(text.encode() for text in ("\u2028", "\u0663")),
)


def mutate(data: bytes, chance: random.Random) -> bytes:
    """`data` with one to three places changed."""
    for _ in range(chance.randint(1, 3)):
        start = chance.randint(0, len(data))
        end = chance.choice((start, min(len(data), start + chance.randint(1, 6))))
        data = data[:start] + chance.choice((b"", chance.choice(PIECES), data[start:end] * 2)) + data[end:]
    return data


async def play_deaf(peer: Peer, turns: list[Turn], authority: Authority) -> None:
    """Answer line by line, whatever the client says; then hang up."""
    for turn in turns:
        tag = "" if turn.hears is None else (await peer.line()).partition(" ")[0]
        if turn.says is None:
            await secure(peer, authority.good)
        else:
            await peer.send(turn.says.replace(b"{tag}", tag.encode("utf-8", "replace")))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("security", [Security.NONE, Security.STARTTLS])
@pytest.mark.parametrize("protocol", Protocol)
async def test_a_mutated_dialogue_is_never_our_own_fault(
    authority: Authority, protocol: Protocol, security: Security, seed: int
) -> None:
    chance = random.Random(f"{protocol} {security} {seed}")
    turns = dialogue(protocol, security)
    for at, turn in enumerate(turns):
        if turn.says is None or (security is Security.STARTTLS and turn.stage is Stage.STARTTLS):
            continue
        mutant = replace(turn, says=mutate(turn.says, chance))
        mutated = [*turns[:at], mutant, *turns[at + 1 :]]
        method = chance.choice([AuthMethod.AUTOMATIC, AuthMethod.PLAIN, AuthMethod.SCRAM_SHA_256, AuthMethod.LOGIN])
        way = Way(security, Login(method=method), authority.policy, stage_timeout=0.5)
        mutated_turns = list(mutated)

        async def script(peer: Peer, turns: list[Turn] = mutated_turns) -> None:
            try:
                # A literal or a challenge that a mutation announces is waited for: the server does not wait as long.
                async with asyncio.timeout(0.1):
                    await play_deaf(peer, turns, authority)
            except TimeoutError:
                pass

        walked = await face(protocol, script, way)
        if walked.report.failure is not None:
            assert walked.report.failure.cause is not Cause.INTERNAL, mutant
