"""Every fault that a certificate and a handshake can have, on implicit TLS and behind STARTTLS."""

from collections.abc import Iterator
from dataclasses import replace

from mailtui.model.account import CertificatePolicy, Protocol, Security, Trust
from mailtui.model.check import Cause, Stage
from tests.hostile.floods import flood
from tests.hostile.scenario import STARTTLS, TLS, Scenario
from tests.protocols.dialogue import Turn, dialogue
from tests.scripted import Action, Peer, reset, silence

FAULTY = {
    "expired": ("a certificate that has expired", Cause.CERTIFICATE_EXPIRED),
    "not_yet_valid": ("a certificate that is not valid yet", Cause.CERTIFICATE_NOT_YET_VALID),
    "wrong_name": ("a certificate for another name", Cause.CERTIFICATE_WRONG_NAME),
    "self_signed": ("a self-signed certificate", Cause.CERTIFICATE_SELF_SIGNED),
    "unknown_issuer": ("a certificate of an unknown issuer", Cause.CERTIFICATE_UNKNOWN_ISSUER),
    "hostile": ("a certificate that names ESC and bidi characters", Cause.CERTIFICATE_UNKNOWN_ISSUER),
}


def _opening(protocol: Protocol, security: Security) -> list[Turn]:
    """What comes before the handshake."""
    turns = dialogue(protocol, security)
    return turns[: [turn.stage for turn in turns].index(Stage.TLS)]


def _rejected(protocol: Protocol) -> Iterator[Scenario]:
    handshake = Turn(Stage.TLS, None, None)
    for way in (TLS, STARTTLS):
        turns = [*_opening(protocol, way.security), handshake]
        for name, (does, cause) in FAULTY.items():
            group = f"certificate-{name.replace('_', '-')}"
            yield Scenario(
                protocol,
                f"{group}-{way.security}",
                turns,
                (Stage.TLS, cause),
                way,
                f"shows {does}",
                shakes_hands=False,
                certificate=name,
                group=group,
            )
        pinned = replace(way, certificate=CertificatePolicy(Trust.PIN, pin="0" * 64))
        yield Scenario(
            protocol,
            f"certificate-not-pinned-{way.security}",
            turns,
            (Stage.TLS, Cause.CERTIFICATE_NOT_PINNED),
            pinned,
            "shows a good certificate with another key than the pinned one",
            shakes_hands=False,
            group="certificate-not-pinned",
        )


# A ServerHello of TLS 1.2 (RFC 5246 section 7.4.1.3) that announces more than comes.
_HALF_HELLO = b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(range(32)) + b"\x00\xc0\x2f"
# RFC 8446 section 6: a fatal alert, handshake_failure; and a warning, which asks for nothing.
_WHOLE_HELLO = b"\x02\x00\x00\x2d\x03\x03" + bytes(range(32)) + b"\x00\xc0\x2f\x00\x00\x05\xff\x01\x00\x01\x00"
# A Certificate of 16 MB (section 7.4.2), in records of 16 kB.
_ENDLESS_CERTIFICATE = (
    b"\x16\x03\x03\x00\x31" + _WHOLE_HELLO + b"\x16\x03\x03\x00\x07\x0b\xff\xff\xff\xff\xff\xfc",
    b"\x16\x03\x03\x40\x00" + bytes(0x4000),
)
_OLD_HELLO = b"\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" + bytes(range(32)) + b"\x00\xc0\x13\x00"
_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
_WARNING = b"\x15\x03\x03\x00\x02\x01\x5a"
_JUNK_RECORD = b"\x16\x03\x03\x3f\xff" + b"\x0b" * 0x3FFF


def _answering(data: bytes, then: Action) -> Action:
    async def script(peer: Peer) -> None:
        # What came before the client's hello would be an answer to STARTTLS.
        await peer.reader.read(65_536)
        await peer.send(data)
        await then(peer)

    return script


async def _close(peer: Peer) -> None:
    pass


HANDSHAKES: dict[str, tuple[str, Cause, Action]] = {
    "half-silent": ("sends half a ServerHello and falls silent", Cause.SILENT, _answering(_HALF_HELLO, silence)),
    "half-closed": ("sends half a ServerHello and hangs up", Cause.TLS_FAILED, _answering(_HALF_HELLO, _close)),
    "half-reset": ("sends half a ServerHello and resets", Cause.TLS_FAILED, _answering(_HALF_HELLO, reset)),
    "alert": ("agrees to no version or cipher", Cause.TLS_FAILED, _answering(_ALERT, silence)),
    "old": ("agrees to TLS 1.0", Cause.TLS_FAILED, _answering(_OLD_HELLO, silence)),
    "certificate": (
        "shows a certificate of 16 MB",
        Cause.TLS_FAILED,
        _answering(b"", flood(_ENDLESS_CERTIFICATE[1], _ENDLESS_CERTIFICATE[0])),
    ),
    "warnings": ("sends 64 MB of TLS warnings", Cause.TLS_FAILED, _answering(b"", flood(_WARNING * 1_000))),
    "junk": ("sends 64 MB of TLS records without sense", Cause.TLS_FAILED, _answering(b"", flood(_JUNK_RECORD))),
}


def _handshakes(protocol: Protocol) -> Iterator[Scenario]:
    for way in (TLS, STARTTLS):
        for name, (does, cause, then) in HANDSHAKES.items():
            group = f"handshake-{name}"
            yield Scenario(
                protocol,
                f"{group}-{way.security}",
                _opening(protocol, way.security),
                (Stage.TLS, cause),
                way,
                does,
                then,
                shakes_hands=False,
                group=group,
            )


_TRAPS: dict[str, tuple[str, Action]] = {
    "silent": ("says nothing", silence),
    "resets": ("resets", reset),
    "floods": ("sends 64 MB", flood(b"x" * 65_000)),
}


def _looked_at(protocol: Protocol) -> Iterator[Scenario]:
    """A rejected certificate is fetched by a second connection, which may meet anything."""
    for way in (TLS, STARTTLS):
        for name, (does, later) in _TRAPS.items():
            group = f"certificate-look-{name}"
            yield Scenario(
                protocol,
                f"{group}-{way.security}",
                [*_opening(protocol, way.security), Turn(Stage.TLS, None, None)],
                (Stage.TLS, Cause.CERTIFICATE_EXPIRED),
                way,
                f"shows a certificate that has expired; to the second connection that reads it, it {does}",
                later=later,
                shakes_hands=False,
                certificate="expired",
                group=group,
            )


SCENARIOS = [
    scenario for kind in (_rejected, _looked_at, _handshakes) for protocol in Protocol for scenario in kind(protocol)
]
