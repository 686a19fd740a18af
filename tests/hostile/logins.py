"""Logins that are drawn out, or drawn into too much work."""

from base64 import b64decode, b64encode

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import Scenario, asking
from tests.protocols.dialogue import Turn, dialogue
from tests.protocols.legs import SECRET, USERNAME
from tests.scripted import Peer

_VERDICT = Stage.AUTH, Cause.BAD_REPLY


def _offering(protocol: Protocol, mechanism: bytes) -> list[Turn]:
    greeting, capabilities = dialogue(protocol, Security.NONE)[:2]
    assert capabilities.says is not None
    return [greeting, Turn(Stage.CAPABILITIES, capabilities.hears, capabilities.says.replace(b"PLAIN", mechanism))]


def _prompt(protocol: Protocol, challenge: bytes) -> bytes:
    return (b"334 " if protocol is Protocol.SMTP else b"+ ") + b64encode(challenge) + b"\r\n"


def _challenged(protocol: Protocol) -> Scenario:
    """The mechanism LOGIN, whose prompts nobody reads: here they are the password, in base64."""
    ask = {Protocol.SMTP: "AUTH LOGIN", Protocol.IMAP: "AUTHENTICATE LOGIN", Protocol.POP3: "AUTH LOGIN"}[protocol]
    prompt = _prompt(protocol, SECRET.encode())
    # What answers a challenge has no tag.
    name, secret = b64encode(USERNAME.encode()), b64encode(SECRET.encode())

    async def then(peer: Peer) -> None:
        assert (await peer.line()).encode() == name
        await peer.send(prompt)
        assert (await peer.line()).encode() == secret
        await peer.send(prompt)
        await peer.silence()

    return Scenario(
        protocol,
        "echo-in-challenges",
        [*_offering(protocol, b"LOGIN"), Turn(Stage.AUTH, ask, prompt)],
        _VERDICT,
        asking(AuthMethod.LOGIN),
        "asks for the name, the password and more, by the password in base64",
        then,
    )


def _overworked(protocol: Protocol) -> Scenario:
    """SCRAM lets the server choose how long the client works: here for hours (RFC 5802 section 5.1)."""

    async def then(peer: Peer) -> None:
        first = b64decode((await peer.line()).rpartition(" ")[2]).decode()
        nonce = first.partition(",r=")[2]
        await peer.send(_prompt(protocol, f"r={nonce}rest,s=QSXCR+Q6sek8bf92,i=2000000000".encode()))
        await peer.silence()

    return Scenario(
        protocol,
        "scram-rounds-beyond-measure",
        [*_offering(protocol, b"SCRAM-SHA-256"), Turn(Stage.AUTH, None, b"")],
        _VERDICT,
        asking(AuthMethod.SCRAM_SHA_256),
        "asks for 2,000,000,000 rounds of SCRAM",
        then,
    )


SCENARIOS = [scenario for kind in (_challenged, _overworked) for scenario in map(kind, Protocol)]
