"""Every fault a certificate can have, on implicit TLS and on STARTTLS, and what each policy makes of it."""

import os
import socket
import ssl
from pathlib import Path

import pytest

from mailtui.model.account import CertificatePolicy, Protocol, Security, Trust
from mailtui.model.check import Cause, Severity, Stage
from mailtui.protocols import dial
from mailtui.protocols.resolve import Address
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import Walked, Way, face
from tests.scripted import Peer

protected = pytest.mark.parametrize("security", [Security.IMPLICIT_TLS, Security.STARTTLS])
every_protocol = pytest.mark.parametrize("protocol", Protocol)

REJECTED = {
    "expired": Cause.CERTIFICATE_EXPIRED,
    "not_yet_valid": Cause.CERTIFICATE_NOT_YET_VALID,
    "wrong_name": Cause.CERTIFICATE_WRONG_NAME,
    "self_signed": Cause.CERTIFICATE_SELF_SIGNED,
    "unknown_issuer": Cause.CERTIFICATE_UNKNOWN_ISSUER,
}


class Presenter:
    """Goes as far as the handshake, then listens: `shaken` are the connections that accepted the certificate."""

    def __init__(self, protocol: Protocol, security: Security, context: ssl.SSLContext) -> None:
        turns = dialogue(protocol, security)
        handshake = [turn.stage for turn in turns].index(Stage.TLS)
        self._opening = play(protocol, turns[: handshake + 1], context=context)
        self.shaken: list[int] = []
        self.said_under_tls = b""

    async def __call__(self, peer: Peer) -> None:
        await self._opening(peer)
        self.shaken.append(peer.number)
        self.said_under_tls += await peer.reader.read()


def context_of(authority: Authority, name: str) -> ssl.SSLContext:
    context = getattr(authority, name)
    assert isinstance(context, ssl.SSLContext)
    return context


async def succeed(
    authority: Authority, protocol: Protocol, security: Security, name: str, policy: CertificatePolicy
) -> Walked:
    script = play(protocol, dialogue(protocol, security), context=context_of(authority, name))
    walked = await face(protocol, script, Way(security, certificate=policy))
    assert walked.verdict is None
    assert walked.connections == 1
    return walked


@pytest.mark.parametrize("name", REJECTED)
@protected
@every_protocol
async def test_a_rejected_certificate_is_shown_with_its_facts(
    authority: Authority, protocol: Protocol, security: Security, name: str
) -> None:
    server = Presenter(protocol, security, context_of(authority, name))
    walked = await face(protocol, server, Way(security, certificate=authority.policy))
    assert walked.verdict == (Stage.TLS, REJECTED[name])
    # One that was rejected, one that only looked.
    assert walked.connections == 2
    assert server.shaken == [2]
    assert server.said_under_tls == b""
    tls = walked.report.tls
    assert tls is not None
    assert not tls.verified
    assert tls.certificate is not None
    assert ("mail.elsewhere.example" in tls.certificate.names) == (name == "wrong_name")
    assert len(tls.certificate.pin) == len(tls.certificate.fingerprint) == 64
    failed = next(result for result in walked.report.stages if result.stage is Stage.TLS)
    assert failed.detail.startswith("certificate of ")
    assert ("ended" in failed.detail) == (name == "expired")


@protected
async def test_a_second_look_that_meets_silence_loses_no_verdict(authority: Authority, security: Security) -> None:
    server = Presenter(Protocol.SMTP, security, authority.expired)

    async def once(peer: Peer) -> None:
        if peer.number == 1:
            await server(peer)
        await peer.silence()

    walked = await face(Protocol.SMTP, once, Way(security, certificate=authority.policy, stage_timeout=0.3))
    assert walked.verdict == (Stage.TLS, Cause.CERTIFICATE_EXPIRED)
    assert walked.report.tls is None
    assert server.shaken == []


@pytest.mark.parametrize("name", ["good", "expired", "self_signed", "wrong_name"])
@protected
@every_protocol
async def test_accepting_anything_says_that_nothing_was_verified(
    authority: Authority, protocol: Protocol, security: Security, name: str
) -> None:
    walked = await succeed(authority, protocol, security, name, CertificatePolicy(Trust.ANYTHING))
    assert walked.report.tls is not None
    assert not walked.report.tls.verified
    assert walked.report.tls.certificate is not None
    assert walked.report.stages[_tls_step(walked)].detail.endswith("; NOT VERIFIED")


@protected
@every_protocol
async def test_a_pinned_key_is_enough_by_itself(authority: Authority, protocol: Protocol, security: Security) -> None:
    """Here the certificate has expired and is for another name: the account has said that the key is what counts."""
    seen = await succeed(authority, protocol, security, "self_signed", CertificatePolicy(Trust.ANYTHING))
    assert seen.report.tls is not None
    assert seen.report.tls.certificate is not None
    pinned = CertificatePolicy(Trust.PIN, pin=seen.report.tls.certificate.pin)
    walked = await succeed(authority, protocol, security, "self_signed", pinned)
    assert walked.report.tls is not None
    assert walked.report.tls.verified


@protected
@every_protocol
async def test_a_key_that_is_not_the_pinned_one_ends_the_leg(
    authority: Authority, protocol: Protocol, security: Security
) -> None:
    server = Presenter(protocol, security, authority.good)
    policy = CertificatePolicy(Trust.PIN, pin="0" * 64)
    walked = await face(protocol, server, Way(security, certificate=policy))
    assert walked.verdict == (Stage.TLS, Cause.CERTIFICATE_NOT_PINNED)
    assert walked.connections == 1
    assert server.said_under_tls == b""
    assert walked.report.tls is not None
    assert walked.report.tls.certificate is not None
    assert "certificate of " in walked.report.stages[_tls_step(walked)].detail


@protected
async def test_the_system_store_does_not_know_our_authority(authority: Authority, security: Security) -> None:
    server = Presenter(Protocol.SMTP, security, authority.good)
    walked = await face(Protocol.SMTP, server, Way(security))
    assert walked.verdict == (Stage.TLS, Cause.CERTIFICATE_UNKNOWN_ISSUER)
    assert walked.report.tls is not None


@pytest.mark.parametrize("content", [None, "this is no certificate\n", ""], ids=["missing", "garbage", "empty"])
@protected
async def test_a_ca_file_that_cannot_be_used_is_named(
    authority: Authority, tmp_path: Path, security: Security, content: str | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    server = Presenter(Protocol.IMAP, security, authority.good)
    policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(ca_file))
    walked = await face(Protocol.IMAP, server, Way(security, certificate=policy))
    assert walked.verdict == (Stage.TLS, Cause.CERTIFICATE_INVALID)
    assert walked.report.failure is not None
    assert str(ca_file) in walked.report.failure.hint
    assert walked.connections == 1
    assert server.shaken == []


async def test_a_ca_file_that_never_ends_holds_nobody_up(authority: Authority, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    server = Presenter(Protocol.IMAP, Security.IMPLICIT_TLS, authority.good)
    way = Way(Security.IMPLICIT_TLS, certificate=CertificatePolicy(Trust.CA_FILE, ca_file=str(pipe)))
    walked = await face(Protocol.IMAP, server, way)
    assert walked.verdict == (Stage.TLS, Cause.CERTIFICATE_INVALID)
    assert walked.report.failure is not None
    assert "is not a file" in walked.report.failure.hint


async def test_a_ca_file_that_changes_is_read_again(authority: Authority, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(ca_file))
    ca_file.write_text("not yet\n")
    server = Presenter(Protocol.POP3, Security.IMPLICIT_TLS, authority.good)
    walked = await face(Protocol.POP3, server, Way(Security.IMPLICIT_TLS, certificate=policy))
    assert walked.verdict == (Stage.TLS, Cause.CERTIFICATE_INVALID)
    ca_file.write_bytes(authority.ca_file.read_bytes())
    await succeed(authority, Protocol.POP3, Security.IMPLICIT_TLS, "good", policy)


@protected
@every_protocol
async def test_a_certificate_that_ends_soon_is_a_warning(
    authority: Authority, protocol: Protocol, security: Security
) -> None:
    walked = await succeed(authority, protocol, security, "ending_soon", authority.policy)
    assert walked.report.severity is Severity.WARNING
    assert walked.report.warning.startswith("the certificate ends in 6 days, on ")
    walked = await succeed(authority, protocol, security, "good", authority.policy)
    assert walked.report.severity is Severity.OK
    assert walked.report.warning == ""


@pytest.mark.parametrize(("alert", "words"), [(40, "handshake failure"), (70, "protocol version")])
async def test_a_server_that_agrees_to_nothing_is_told_apart_from_one_without_tls(alert: int, words: str) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.reader.read(65_536)
        # RFC 8446 section 6: a fatal alert.
        await peer.send(bytes([0x15, 3, 3, 0, 2, 2, alert]))
        await peer.silence()

    walked = await face(Protocol.SMTP, refuse, Way(Security.IMPLICIT_TLS))
    assert walked.verdict == (Stage.TLS, Cause.TLS_FAILED)
    assert walked.report.failure is not None
    assert walked.report.failure.hint.startswith("TLS could not be agreed: ")
    assert words in walked.report.failure.hint
    assert walked.connections == 1


@protected
async def test_a_second_look_is_never_a_second_connection_at_once(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, security: Security
) -> None:
    """A run counts a leg as one connection."""
    connect_one = dial.connect_one
    made: list[socket.socket] = []
    open_beside: list[int] = []

    async def connect(address: Address) -> socket.socket:
        connection = await connect_one(address)
        open_beside.append(sum(other.fileno() != -1 for other in made))
        made.append(connection)
        return connection

    monkeypatch.setattr(dial, "connect_one", connect)
    server = Presenter(Protocol.IMAP, security, authority.expired)
    await face(Protocol.IMAP, server, Way(security, certificate=authority.policy))
    assert open_beside == [0, 0]


async def test_a_hostile_certificate_steers_no_terminal(authority: Authority) -> None:
    """A self-signed certificate says whatever its maker wants it to."""
    server = Presenter(Protocol.SMTP, Security.IMPLICIT_TLS, authority.hostile)
    # `face` looks for hostile characters in every text of the report.
    walked = await face(Protocol.SMTP, server, Way(Security.IMPLICIT_TLS))
    assert walked.report.failure is not None
    assert walked.report.tls is not None
    assert walked.report.tls.certificate is not None
    assert walked.report.tls.certificate.subject == "\\x1b[2Jred \\u202eesrever"


def _tls_step(walked: Walked) -> int:
    return [result.stage for result in walked.report.stages].index(Stage.TLS)
