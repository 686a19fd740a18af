"""STARTTLS: once chosen it is the only way on, and nothing that was said before it counts after it."""

import asyncio
import ssl

import pytest

from mailtui.model.account import CertificatePolicy, Protocol, Security
from mailtui.model.check import Cause, Stage
from mailtui.protocols.certificates import build_context
from mailtui.protocols.dial import Network
from mailtui.protocols.resolve import Once
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn, dialogue, play
from tests.protocols.legs import Way, face
from tests.scripted import Peer

every_protocol = pytest.mark.parametrize("protocol", Protocol)

INJECTED = {
    Protocol.SMTP: [b"250 pwned\r\n", b"250-half", b"235 you are in\r\n221 bye\r\n", b"nonsense\r\n", b"\x16\x03\x03"],
    Protocol.IMAP: [
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        b"* CAPABILITY IMAP4rev1",
        b"{tag} OK twice\r\n",
        b"+ \r\n",
        b"nonsense\r\n",
        b"* OK {3}\r\n",
        b"\r\n",
    ],
    Protocol.POP3: [b"+OK pwned\r\n", b"-ERR\r\n", b"+", b"+ \r\n", b"nonsense\r\n"],
}


@pytest.mark.parametrize(
    ("protocol", "injected"), [(protocol, injected) for protocol, all in INJECTED.items() for injected in all]
)
async def test_bytes_after_the_answer_are_an_attack(authority: Authority, protocol: Protocol, injected: bytes) -> None:
    turns = dialogue(protocol, Security.STARTTLS)[:3]
    assert turns[-1].says is not None
    turns[-1] = Turn(turns[-1].stage, turns[-1].hears, turns[-1].says + injected)
    heard_after = b""

    async def inject(peer: Peer) -> None:
        nonlocal heard_after
        await play(protocol, turns)(peer)
        heard_after = await peer.reader.read()

    walked = await face(protocol, inject, Way(Security.STARTTLS, certificate=authority.policy))
    assert walked.verdict == (Stage.STARTTLS, Cause.STARTTLS_INJECTED)
    assert heard_after == b""


@every_protocol
async def test_bytes_that_come_while_the_certificates_are_read_are_an_attack(
    authority: Authority, protocol: Protocol
) -> None:
    """The first check of a run reads the store after the answer to STARTTLS: time for someone to slip a word in."""
    turns = dialogue(protocol, Security.STARTTLS)[:3]
    injected, answered = asyncio.Event(), asyncio.Event()
    heard_after = b""

    async def inject(peer: Peer) -> None:
        nonlocal heard_after
        await play(protocol, turns)(peer)
        answered.set()
        await injected.wait()
        await peer.send(INJECTED[protocol][1])
        heard_after = await peer.reader.read()

    class SlowNetwork(Network):
        def __init__(self) -> None:
            super().__init__()
            self.contexts = Once(self._slowly)

        async def _slowly(self, policy: CertificatePolicy) -> ssl.SSLContext:
            await answered.wait()
            injected.set()
            await asyncio.sleep(0.05)
            return await build_context(policy)

    way = Way(Security.STARTTLS, certificate=authority.policy)
    walked = await face(protocol, inject, way, network=SlowNetwork())
    assert walked.verdict == (Stage.TLS, Cause.STARTTLS_INJECTED)
    assert heard_after == b""


@every_protocol
async def test_a_server_that_hangs_up_after_its_answer_is_named_at_once(
    authority: Authority, protocol: Protocol
) -> None:
    turns = dialogue(protocol, Security.STARTTLS)[:3]
    walked = await face(protocol, play(protocol, turns), Way(Security.STARTTLS, certificate=authority.policy))
    assert walked.verdict == (Stage.TLS, Cause.TLS_FAILED)


@every_protocol
async def test_what_is_said_in_clear_is_forgotten(authority: Authority, protocol: Protocol) -> None:
    """A mechanism that was offered only before TLS, by anyone on the way, is not there to be chosen."""
    turns = dialogue(protocol, Security.STARTTLS)
    offers = {Protocol.SMTP: b"AUTH PLAIN", Protocol.IMAP: b"AUTH=PLAIN", Protocol.POP3: b"SASL PLAIN"}
    nothing = {Protocol.SMTP: b"X-NOTHING", Protocol.IMAP: b"LOGINDISABLED", Protocol.POP3: b"SASL X-NOTHING"}
    after = turns[4]
    assert after.stage is Stage.CAPABILITIES
    assert after.says is not None
    turns[4] = Turn(after.stage, after.hears, after.says.replace(offers[protocol], nothing[protocol]))
    script = play(protocol, turns[:5], context=authority.good)

    async def then_silence(peer: Peer) -> None:
        await script(peer)
        await peer.silence()

    walked = await face(protocol, then_silence, Way(Security.STARTTLS, certificate=authority.policy))
    assert walked.report.failure is not None
    assert walked.report.failure.stage is Stage.AUTH
    assert walked.report.failure.kind == "auth"


@every_protocol
async def test_a_report_never_holds_what_was_offered_in_clear(authority: Authority, protocol: Protocol) -> None:
    turns = dialogue(protocol, Security.STARTTLS)[:4]
    script = play(protocol, turns, context=authority.good)
    walked = await face(protocol, script, Way(Security.STARTTLS, certificate=authority.policy))
    assert walked.verdict == (Stage.CAPABILITIES, Cause.CLOSED)
    assert walked.report.tls is not None
    assert walked.report.capabilities == ()


@pytest.mark.parametrize("spoken", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"* OK IMAP4\r\n"])
@every_protocol
async def test_a_server_without_tls_on_a_tls_port_is_shown_in_its_own_words(
    authority: Authority, protocol: Protocol, spoken: bytes
) -> None:
    async def speak(peer: Peer) -> None:
        await peer.send(spoken)
        await peer.silence()

    walked = await face(protocol, speak, Way(Security.IMPLICIT_TLS, certificate=authority.policy))
    assert walked.verdict == (Stage.TLS, Cause.NOT_TLS)
    assert walked.report.failure is not None
    assert walked.report.failure.reply.startswith(spoken.decode().split("\r\n", maxsplit=1)[0])


@pytest.mark.parametrize("security", [Security.NONE, Security.STARTTLS])
@every_protocol
async def test_tls_on_a_port_that_should_greet_ends_by_the_deadline(
    authority: Authority, protocol: Protocol, security: Security
) -> None:
    """Such a server waits for the client's first word, as the client waits for its greeting."""

    async def wait_for_hello(peer: Peer) -> None:
        await peer.start_tls(authority.good)

    way = Way(security, certificate=authority.policy, stage_timeout=0.2)
    walked = await face(protocol, wait_for_hello, way)
    assert walked.verdict == (Stage.GREETING, Cause.SILENT)
    assert walked.received == b""
