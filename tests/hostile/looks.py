"""Traps for whoever looks what a port really speaks: each waits for the connection after the leg's."""

from collections.abc import Iterator

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.floods import flood
from tests.hostile.scenario import CLEAR, STARTTLS, TLS, Scenario
from tests.protocols.dialogue import Turn, dialogue
from tests.protocols.honest import PLAIN_MESSAGE
from tests.protocols.legs import SECRET
from tests.scripted import Action, Peer, reset, silence

_HOSTILE = f"\x1b[2J\u202e {SECRET} {PLAIN_MESSAGE}".encode()


def _says(data: bytes) -> Action:
    async def script(peer: Peer) -> None:
        await peer.send(data)
        await peer.silence()

    return script


async def _drip(peer: Peer) -> None:
    while True:
        await peer.drip(b" ", 0.5)


def _greets(protocol: Protocol) -> Action:
    """Words of every kind in the greeting, and every login on offer in clear."""
    greeting, capabilities = dialogue(protocol, Security.NONE)[:2]
    assert greeting.says is not None

    async def script(peer: Peer) -> None:
        assert greeting.says is not None
        assert capabilities.says is not None
        await peer.send(greeting.says.replace(b"ready", _HOSTILE))
        tag = (await peer.line()).partition(" ")[0]
        await peer.send(capabilities.says.replace(b"{tag}", tag.encode()))
        await peer.silence()

    return script


_TRAPS: dict[str, tuple[str, Action]] = {
    "silent": ("says nothing", silence),
    "dripping": ("sends an octet every half second", _drip),
    "reset": ("resets", reset),
    "flooding": ("sends 64 MB", flood(b"x" * 65_000)),
    "flooding-lines": ("sends 64 MB of lines", flood(b"220-\x1b[2J and on\r\n" * 1_000)),
    "flooding-tls": ("sends 64 MB of TLS records", flood(b"\x16\x03\x03\x3f\xff" + b"\x0b" * 0x3FFF)),
    "binary": ("sends octets that no text holds", _says(b"\xff\xfe\x00\x9b2J" + _HOSTILE + b"\r\n")),
}


def _looked_at(protocol: Protocol) -> Iterator[Scenario]:
    """A port that is silent in clear is looked at by TLS; one that speaks in clear to a leg with TLS, in clear."""
    greeting = dialogue(protocol, Security.NONE)[0]
    traps = {**_TRAPS, "greeting": ("greets in ESC and bidi, with the password, and offers a login", _greets(protocol))}
    for name, (does, later) in traps.items():
        for way in (CLEAR, STARTTLS, TLS):
            is_clear = way is not TLS
            # Whatever answers a handshake by TLS records speaks TLS.
            silent = Cause.NOT_PLAIN if name == "flooding-tls" else Cause.SILENT
            yield Scenario(
                protocol,
                f"look-{name}-{way.security}",
                [Turn(Stage.GREETING, None, b"")] if is_clear else [greeting],
                (Stage.GREETING, silent) if is_clear else (Stage.TLS, Cause.NOT_TLS),
                way,
                f"speaks in another mode than the account's; to a second connection it {does}",
                later=later,
                shakes_hands=False,
                group=f"look-{name}",
            )


SCENARIOS = [scenario for protocol in Protocol for scenario in _looked_at(protocol)]
