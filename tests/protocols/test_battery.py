"""The fault battery: every way of falling silent, hanging up or talking nonsense, at every turn of every dialogue.

For IMAP this is the contract of our subclass of aioimaplib's protocol, which leans on names that the library does not
promise to keep.
"""

import asyncio
import functools
import itertools

import pytest

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from mailtui.protocols.dial import Network
from tests.protocols.clock import Clock
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Fault, dialogue, play, steps_of
from tests.protocols.legs import Walked, Way, face
from tests.scripted import Peer

TURNS = [
    (protocol, security, at)
    for protocol in Protocol
    for security in Security
    for at, turn in enumerate(dialogue(protocol, security))
    # Under implicit TLS all turns but the handshake are those of a clear connection.
    if security is not Security.IMPLICIT_TLS or turn.stage is Stage.TLS
]
# A connection that is TLS cannot be half closed.
CLEAR_TURNS = [
    (protocol, security, at)
    for protocol, security, at in TURNS
    if Stage.TLS not in [turn.stage for turn in dialogue(protocol, security)[:at]]
]


def parametrize(turns: list[tuple[Protocol, Security, int]]) -> pytest.MarkDecorator:
    ids = [
        f"{protocol}-{security}-{at}-{dialogue(protocol, security)[at].stage}-{dialogue(protocol, security)[at].hears}"
        for protocol, security, at in turns
    ]
    return pytest.mark.parametrize(("protocol", "security", "at"), turns, ids=ids)


every_turn = parametrize(TURNS)
every_clear_turn = parametrize(CLEAR_TURNS)


async def strike(
    authority: Authority, protocol: Protocol, security: Security, at: int, fault: Fault, clock: Clock | None = None
) -> tuple[Walked, Stage]:
    """Walk into `fault` at turn `at`; with a clock, all the time that a stage has passes there."""
    turns = dialogue(protocol, security)
    way = Way(security, certificate=authority.policy)
    step = steps_of(protocol, security, turns)[at]
    script = play(protocol, turns, context=authority.good, fault=fault, at=at)
    wait = None if clock is None else functools.partial(clock.pass_in, step, way.stage_timeout + 0.1)
    network = Network()
    # The context is there at once, so that what the leg waits for in TLS is the server.
    await network.contexts.get(way.certificate)
    walked = await face(protocol, script, way, on_event=wait, network=network)
    if walked.report.failure is not None:
        assert walked.report.stages[step].status == "failed"
    return walked, turns[at].stage


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("security", Security)
async def test_without_a_fault_the_dialogues_are_good(
    authority: Authority, protocol: Protocol, security: Security
) -> None:
    script = play(protocol, dialogue(protocol, security), context=authority.good)
    walked = await face(protocol, script, Way(security, certificate=authority.policy))
    assert walked.verdict is None
    assert walked.connections == 1


@every_turn
async def test_silence_ends_by_the_deadline_of_its_stage(
    authority: Authority, clock: Clock, protocol: Protocol, security: Security, at: int
) -> None:
    walked, stage = await strike(authority, protocol, security, at, Peer.silence, clock)
    assert walked.verdict == (stage, Cause.SILENT)
    assert walked.report.failure is not None
    assert walked.report.failure.hint.endswith("did not answer within 10 s")


@every_turn
async def test_a_drip_ends_by_the_deadline_of_its_stage(
    authority: Authority, clock: Clock, protocol: Protocol, security: Security, at: int
) -> None:
    dripped = 0

    async def drip(peer: Peer) -> None:
        nonlocal dripped
        # A TLS record that is announced, too, and never whole; as a line it never ends.
        for byte in itertools.chain(b"\x16\x03\x03\x3f\xff" if stage is Stage.TLS else b"", itertools.repeat(0x20)):
            await peer.send(bytes([byte]))
            dripped += 1
            clock.advance(1.0)
            await asyncio.sleep(0.001)

    stage = dialogue(protocol, security)[at].stage
    walked, _ = await strike(authority, protocol, security, at, drip)
    assert walked.verdict == (stage, Cause.SILENT)
    # One byte a second: ten of them, and those that were on their way when the client hung up.
    assert 5 <= dripped <= 20


async def _close(peer: Peer) -> None:
    pass


async def _half_close(peer: Peer) -> None:
    await peer.half_close()
    await peer.silence()


def _hung_up(stage: Stage) -> tuple[Stage, Cause] | None:
    if stage is Stage.QUIT:
        return None
    return stage, Cause.TLS_FAILED if stage is Stage.TLS else Cause.CLOSED


@pytest.mark.parametrize("fault", [_close, Peer.reset], ids=["close", "reset"])
@every_turn
async def test_a_server_that_hangs_up_is_named_at_once(
    authority: Authority, protocol: Protocol, security: Security, at: int, fault: Fault
) -> None:
    walked, stage = await strike(authority, protocol, security, at, fault)
    assert walked.verdict == _hung_up(stage)
    if stage is Stage.QUIT:
        assert walked.report.stages[-1].detail == "the server closed the connection without a word"


@every_clear_turn
async def test_a_half_closed_connection_is_named_at_once(
    authority: Authority, protocol: Protocol, security: Security, at: int
) -> None:
    walked, stage = await strike(authority, protocol, security, at, _half_close)
    assert walked.verdict == _hung_up(stage)


@every_turn
async def test_nonsense_is_named_at_once(authority: Authority, protocol: Protocol, security: Security, at: int) -> None:
    async def fault(peer: Peer) -> None:
        await peer.send(b"what is this?\r\n")
        await peer.silence()

    walked, stage = await strike(authority, protocol, security, at, fault)
    cause = {Stage.GREETING: Cause.FOREIGN_BANNER, Stage.TLS: Cause.NOT_TLS}.get(stage, Cause.BAD_REPLY)
    assert walked.verdict == (None if stage is Stage.QUIT else (stage, cause))
    if stage is not Stage.QUIT:
        assert walked.report.failure is not None
        assert walked.report.failure.reply == "what is this?"


FLOOD = b"A" * 65_536
FLOOD_ROUNDS = 160
"""Ten megabytes in all."""


@every_turn
async def test_a_line_without_end_is_cut_off(
    authority: Authority, protocol: Protocol, security: Security, at: int
) -> None:
    rounds = 0

    async def fault(peer: Peer) -> None:
        nonlocal rounds
        for _ in range(FLOOD_ROUNDS):
            await peer.send(FLOOD)
            rounds += 1
        await peer.silence()

    walked, stage = await strike(authority, protocol, security, at, fault)
    if stage is Stage.QUIT:
        assert walked.verdict is None
    elif stage is Stage.TLS:
        assert walked.verdict == (stage, Cause.NOT_TLS)
    else:
        assert walked.verdict == (stage, Cause.TOO_LARGE)
    assert rounds < FLOOD_ROUNDS
