"""Who may hear a password, and what is masked and cleaned of what is said aloud."""

import socket
from base64 import b64encode

import pytest

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from mailtui.protocols.resolve import Address
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn, dialogue, play
from tests.protocols.legs import SECRET, USERNAME, Login, Way, face, secret_forms
from tests.scripted import Peer

every_protocol = pytest.mark.parametrize("protocol", Protocol)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No address is this machine."""
    monkeypatch.setattr(Address, "is_loopback", property(lambda address: False))


@pytest.mark.usefixtures("elsewhere")
@every_protocol
async def test_no_login_in_clear_to_another_machine(protocol: Protocol) -> None:
    turns = dialogue(protocol, Security.NONE)[:2]

    async def then_silence(peer: Peer) -> None:
        await play(protocol, turns)(peer)
        await peer.silence()

    walked = await face(protocol, then_silence)
    assert walked.verdict == (Stage.AUTH, Cause.CLEARTEXT_REFUSED)
    # What was said is one question about capabilities.
    assert walked.received.count(b"\n") == 1
    assert USERNAME.encode() not in walked.received
    assert walked.report.mechanism == ""


@pytest.mark.usefixtures("elsewhere")
@every_protocol
async def test_a_login_in_clear_where_the_account_says_so(protocol: Protocol) -> None:
    walked = await face(protocol, play(protocol, dialogue(protocol, Security.NONE)), Way(allow_cleartext=True))
    assert walked.verdict is None


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("security", [Security.IMPLICIT_TLS, Security.STARTTLS])
@every_protocol
async def test_tls_needs_no_such_word(authority: Authority, protocol: Protocol, security: Security) -> None:
    script = play(protocol, dialogue(protocol, security), context=authority.good)
    walked = await face(protocol, script, Way(security, certificate=authority.policy))
    assert walked.verdict is None


@pytest.mark.parametrize(
    ("family", "host", "expected"),
    [
        (socket.AF_INET, "127.0.0.1", True),
        (socket.AF_INET, "127.8.9.1", True),
        (socket.AF_INET6, "::1", True),
        (socket.AF_INET6, "::ffff:127.0.0.1", True),
        (socket.AF_INET6, "::ffff:192.0.2.1", False),
        (socket.AF_INET, "192.0.2.1", False),
        (socket.AF_INET, "10.0.0.1", False),
        (socket.AF_INET, "0.0.0.0", False),
        (socket.AF_INET6, "fe80::1", False),
    ],
)
def test_loopback_is_an_address_and_no_name(family: socket.AddressFamily, host: str, expected: bool) -> None:
    assert Address(family, host, 25).is_loopback is expected


def _echo(protocol: Protocol, secret: str) -> list[Turn]:
    """The server repeats the login to the client, in every form it came in."""
    plain = b64encode(f"\0{USERNAME}\0{secret}".encode()).decode()
    words = f"you said {secret} that is {plain} or {b64encode(secret.encode()).decode()}"
    turns = dialogue(protocol, Security.NONE)[:3]
    refusal = {Protocol.SMTP: "535", Protocol.IMAP: "{tag} NO", Protocol.POP3: "-ERR"}[protocol]
    return [*turns[:2], Turn(Stage.AUTH, turns[2].hears, f"{refusal} {words}\r\n".encode())]


@pytest.mark.parametrize("secret", [SECRET, "Tr0ub4dor&3", "pass word", "pässwörd", "aé" * 30])
@every_protocol
async def test_a_server_that_repeats_the_secret_is_masked(protocol: Protocol, secret: str) -> None:
    async def then_silence(peer: Peer) -> None:
        await play(protocol, _echo(protocol, secret))(peer)
        await peer.silence()

    # `face` looks for the secret in every text of the report and the events.
    walked = await face(protocol, then_silence, Way(login=Login(secret=secret)))
    assert walked.verdict == (Stage.AUTH, Cause.BAD_CREDENTIALS)
    assert walked.report.failure is not None
    assert "you said ****" in walked.report.failure.reply
    assert "you said ****" in walked.dialogue
    everything = repr(walked.report) + repr(walked.events)
    assert [form for form in secret_forms(secret) if form in everything] == []


@every_protocol
async def test_a_secret_in_the_capabilities_is_masked(protocol: Protocol) -> None:
    """A server can know a password from an earlier visit, and show it where nobody expects it."""
    turns = dialogue(protocol, Security.NONE)
    shown = {
        Protocol.SMTP: b"250-mail.test\r\n250-X-" + SECRET.encode() + b"\r\n250 AUTH PLAIN\r\n",
        Protocol.IMAP: b"* CAPABILITY STATUS=SIZE SASL-IR AUTH=PLAIN X-" + SECRET.encode() + b"\r\n{tag} OK done\r\n",
        Protocol.POP3: b"+OK\r\nSASL PLAIN\r\nX-" + SECRET.encode() + b"\r\n.\r\n",
    }[protocol]
    said = [Turn(turn.stage, turn.hears, shown) if turn.stage is Stage.CAPABILITIES else turn for turn in turns]
    walked = await face(protocol, play(protocol, said))
    assert any("****" in capability for capability in walked.report.capabilities)


HOSTILE = "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eesrever\u2066 \u200bhidden \U000e0041 \x00 \x7f"


@pytest.mark.parametrize("at", range(3), ids=["greeting", "capabilities", "login"])
@every_protocol
async def test_control_characters_are_shown_and_not_obeyed(protocol: Protocol, at: int) -> None:
    turns = dialogue(protocol, Security.NONE)[:3]
    refusals = {
        Protocol.SMTP: ["554", "502", "535"],
        Protocol.IMAP: ["* BYE", "{tag} NO", "{tag} NO"],
        Protocol.POP3: ["-ERR", "+OK", "-ERR"],
    }[protocol]
    says = f"{refusals[at]} {HOSTILE}\r\n".encode()
    if protocol is Protocol.POP3 and at == 1:
        says += f"SASL {HOSTILE}\r\n.\r\n".encode()
    turns = [*turns[:at], Turn(turns[at].stage, turns[at].hears, says)]

    async def then_silence(peer: Peer) -> None:
        await play(protocol, turns)(peer)
        await peer.silence()

    # `face` looks for hostile characters in every text of the report.
    walked = await face(protocol, then_silence)
    assert walked.report.failure is not None
    assert "\\x1b[31mred" in walked.dialogue.lower()
    assert "\\u202eesrever" in walked.dialogue.lower()


@pytest.mark.parametrize("method", [AuthMethod.PLAIN, AuthMethod.LOGIN])
@every_protocol
async def test_bytes_that_are_no_utf8_are_shown_as_escapes(protocol: Protocol, method: AuthMethod) -> None:
    turns = dialogue(protocol, Security.NONE)
    says = {
        Protocol.SMTP: b"554 \xff\xfe\x9b",
        Protocol.IMAP: b"* BYE \xff\xfe\x9b",
        Protocol.POP3: b"-ERR \xff\xfe\x9b",
    }
    turns = [Turn(Stage.GREETING, None, says[protocol] + b"\r\n")]
    walked = await face(protocol, play(protocol, turns), Way(login=Login(method=method)))
    assert walked.report.failure is not None
    assert walked.report.failure.reply.endswith("\\xff\\xfe\\x9b")
