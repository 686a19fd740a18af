"""Falling silent, hanging up and talking nonsense, at every turn of every dialogue.

For IMAP this is the contract of our subclass of aioimaplib's protocol, which leans on names that the library does not
promise to keep.
"""

import itertools
from collections.abc import Iterator

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.floods import flood
from tests.hostile.scenario import CLEAR, STARTTLS, TLS, Scenario, Verdict
from tests.protocols.dialogue import Turn, dialogue, steps_of
from tests.scripted import Action, Peer, reset, silence

NONSENSE = "what is this?"
_ENDLESS = 10 << 20


async def _drip(peer: Peer) -> None:
    for _ in itertools.repeat(None):
        await peer.drip(b" ", 1.0)


async def _drip_tls(peer: Peer) -> None:
    # A record that is announced, and never whole.
    await peer.drip(b"\x16\x03\x03\x3f\xff", 1.0)
    await _drip(peer)


async def _close(peer: Peer) -> None:
    pass


async def _half_close(peer: Peer) -> None:
    await peer.half_close()
    await peer.silence()


async def _nonsense(peer: Peer) -> None:
    await peer.send(NONSENSE.encode() + b"\r\n")
    await peer.silence()


def _after_client_hello(fault: Action) -> Action:
    async def then(peer: Peer) -> None:
        # What came before the client's first words would be an answer to STARTTLS, not to these.
        await peer.reader.read(65_536)
        await fault(peer)

    return then


FAULTS: dict[str, tuple[str, Action]] = {
    "silence": ("says nothing more", silence),
    "drip": ("sends one octet a second, and never a whole line", _drip),
    "close": ("closes the connection", _close),
    "reset": ("resets the connection", reset),
    "half-close": ("ends its own side and goes on listening", _half_close),
    "nonsense": (f"says `{NONSENSE}`", _nonsense),
    "endless-line": ("sends a line of 10 MB", flood(b"A" * 65_536, octets=_ENDLESS)),
}
_USUAL = {
    "silence": Cause.SILENT,
    "drip": Cause.SILENT,
    "close": Cause.CLOSED,
    "reset": Cause.CLOSED,
    "half-close": Cause.CLOSED,
    "nonsense": Cause.BAD_REPLY,
    "endless-line": Cause.TOO_LARGE,
}
_AT = {
    ("close", Stage.TLS): Cause.TLS_FAILED,
    ("reset", Stage.TLS): Cause.TLS_FAILED,
    ("half-close", Stage.TLS): Cause.TLS_FAILED,
    ("nonsense", Stage.TLS): Cause.NOT_TLS,
    ("endless-line", Stage.TLS): Cause.NOT_TLS,
    ("nonsense", Stage.GREETING): Cause.FOREIGN_BANNER,
}


def _verdict(fault: str, stage: Stage) -> Verdict:
    if stage is Stage.QUIT and fault not in ("silence", "drip"):
        # All is proven by then, and nothing is lost.
        return None
    return stage, _AT.get((fault, stage), _USUAL[fault])


def _at_every_turn(protocol: Protocol, security: Security, fault: str) -> Iterator[Scenario]:
    turns = dialogue(protocol, security)
    way = {Security.NONE: CLEAR, Security.STARTTLS: STARTTLS, Security.IMPLICIT_TLS: TLS}[security]
    does, action = FAULTS[fault]
    for at, turn in enumerate(turns):
        if security is Security.IMPLICIT_TLS and turn.stage is not Stage.TLS:
            # All turns but the handshake are those of a connection in clear.
            continue
        is_protected = Stage.TLS in [before.stage for before in turns[:at]]
        if fault == "half-close" and is_protected:
            # TLS has no such state.
            continue
        is_handshake = turn.stage is Stage.TLS
        then = action if fault != "drip" or not is_handshake else _drip_tls
        where = "where it should shake hands" if way is TLS else "at each turn of the dialogue"
        heard = [] if is_handshake else [Turn(turn.stage, turn.hears, b"")]
        yield Scenario(
            protocol,
            f"{fault}-{security}-{at}-{turn.stage}",
            [*turns[:at], *heard],
            _verdict(fault, turn.stage),
            way,
            f"{does}, {where}",
            _after_client_hello(then) if is_handshake else then,
            reply=NONSENSE if fault == "nonsense" and turn.stage is not Stage.QUIT else None,
            shakes_hands=False,
            step=steps_of(protocol, security, turns)[at],
            group=f"{fault}-{security}",
        )


SCENARIOS = [
    scenario
    for fault in FAULTS
    for protocol in Protocol
    for security in Security
    for scenario in _at_every_turn(protocol, security, fault)
]
