"""STARTTLS: once chosen it is the only way on, and nothing that was said before it counts after it."""

from collections.abc import Iterator

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import STARTTLS, Scenario, asking
from tests.protocols.dialogue import Turn, dialogue
from tests.scripted import Action, Peer

EVIL = "EVIL"
"""Marks what someone on the way says in clear."""

_REFUSALS = {
    Protocol.SMTP: (b"454 4.7.0 no certificate here\r\n", "454 4.7.0 no certificate here"),
    Protocol.IMAP: (b"{tag} NO no certificate here\r\n", "NO no certificate here"),
    Protocol.POP3: (b"-ERR no certificate here\r\n", "-ERR no certificate here"),
}


def _opening(protocol: Protocol) -> list[Turn]:
    """Up to the answer to STARTTLS, which is the last turn."""
    return dialogue(protocol, Security.STARTTLS)[:3]


def _said(turn: Turn, before: bytes = b"", after: bytes = b"") -> Turn:
    """`turn` with more words around its own."""
    assert turn.says is not None
    return Turn(turn.stage, turn.hears, before + turn.says + after)


def _denied(protocol: Protocol) -> Iterator[Scenario]:
    greeting, capabilities, starttls = _opening(protocol)
    stripped = dialogue(protocol, Security.NONE)[1]
    verdict = Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED
    does = "offers all but STARTTLS, which someone on the way has taken out"
    yield Scenario(protocol, "starttls-stripped", [greeting, stripped], verdict, STARTTLS, does)
    # The same length of line, as some devices rewrite it.
    assert capabilities.says is not None
    masked = capabilities.says.replace(starttls.hears.encode() if starttls.hears else b"", b"XXXXXXXX")
    turns = [greeting, Turn(Stage.CAPABILITIES, capabilities.hears, masked)]
    yield Scenario(
        protocol, "starttls-overwritten", turns, verdict, STARTTLS, "offers XXXXXXXX in the place of STARTTLS"
    )
    says, reply = _REFUSALS[protocol]
    refused = Turn(Stage.STARTTLS, starttls.hears, says)
    yield Scenario(
        protocol,
        "starttls-refused",
        [greeting, capabilities, refused],
        (Stage.STARTTLS, Cause.STARTTLS_REFUSED),
        STARTTLS,
        reply=reply,
    )

    async def go_on_in_clear(peer: Peer) -> None:
        await peer.reader.read(65_536)
        assert dialogue(protocol, Security.NONE)[0].says is not None
        await peer.send(dialogue(protocol, Security.NONE)[0].says or b"")
        await peer.silence()

    yield Scenario(
        protocol,
        "starttls-agreed-and-not-done",
        _opening(protocol),
        (Stage.TLS, Cause.NOT_TLS),
        STARTTLS,
        "agrees to STARTTLS and goes on in clear",
        go_on_in_clear,
    )


INJECTED = {
    Protocol.SMTP: [
        b"250 pwned\r\n",
        b"250-half",
        b"235 you are in\r\n221 bye\r\n",
        b"250-mail.test\r\n250 AUTH PLAIN\r\n235 you are in\r\n",
        b"nonsense\r\n",
        b"\x16\x03\x03",
    ],
    Protocol.IMAP: [
        b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
        b"* CAPABILITY IMAP4rev1",
        b"{tag} OK twice\r\n",
        b"* BYE your account is closed\r\n",
        b"* PREAUTH you are in\r\n",
        b"+ \r\n",
        b"nonsense\r\n",
        b"* OK {3}\r\n",
        b"\r\n",
    ],
    Protocol.POP3: [b"+OK pwned\r\n", b"-ERR\r\n", b"+OK\r\nUSER\r\n.\r\n+OK\r\n", b"+", b"+ \r\n", b"nonsense\r\n"],
}


def _injected(protocol: Protocol) -> Iterator[Scenario]:
    for number, injected in enumerate(INJECTED[protocol], 1):
        *before, answer = _opening(protocol)
        yield Scenario(
            protocol,
            f"starttls-injected-{number}",
            [*before, _said(answer, after=injected)],
            (Stage.STARTTLS, Cause.STARTTLS_INJECTED),
            STARTTLS,
            "puts replies behind its answer to STARTTLS, to be taken for those under TLS",
            group="starttls-injected",
        )


def _guessed_tags() -> Scenario:
    """aioimaplib counts its tags, so all that follow are known from one."""

    async def then(peer: Peer) -> None:
        tag, _, command = (await peer.line()).partition(" ")
        assert command == "STARTTLS"
        letters, number = tag.rstrip("0123456789"), int(tag.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        guessed = [f"{letters}{number + step} OK [CAPABILITY IMAP4rev1 {EVIL}] in" for step in range(1, 8)]
        await peer.send("\r\n".join([f"{tag} OK go ahead", f"* CAPABILITY {EVIL}", *guessed, ""]).encode())
        await peer.silence()

    return Scenario(
        Protocol.IMAP,
        "starttls-guessed-tags",
        _opening(Protocol.IMAP)[:2],
        (Stage.STARTTLS, Cause.STARTTLS_INJECTED),
        STARTTLS,
        "answers the commands that will come after TLS, by guessing their tags",
        then,
        unbelieved=EVIL,
    )


def _preauth() -> Scenario:
    return Scenario(
        Protocol.IMAP,
        "preauth-before-tls",
        [Turn(Stage.GREETING, None, b"* PREAUTH you are root\r\n")],
        (Stage.GREETING, Cause.PREAUTH_BEFORE_TLS),
        STARTTLS,
        reply="PREAUTH you are root",
    )


_EVIL_OFFER = {
    Protocol.SMTP: (b"250-PIPELINING\r\n", b"250-PIPELINING\r\n250-EVIL\r\n250-SIZE 666\r\n"),
    Protocol.IMAP: (b" STATUS=SIZE", b" STATUS=SIZE EVIL AUTH=EVIL"),
    Protocol.POP3: (b"PIPELINING\r\n", b"PIPELINING\r\nEVIL\r\nIMPLEMENTATION EVIL\r\n"),
}


def _forgotten(protocol: Protocol) -> Iterator[Scenario]:
    turns = dialogue(protocol, Security.STARTTLS)
    assert turns[1].says is not None
    evil = Turn(Stage.CAPABILITIES, turns[1].hears, turns[1].says.replace(*_EVIL_OFFER[protocol]))
    yield Scenario(
        protocol,
        "capabilities-before-tls",
        [turns[0], evil, *turns[2:]],
        None,
        STARTTLS,
        "offers more in clear than under TLS",
        unbelieved=EVIL,
    )

    async def close(peer: Peer) -> None:
        pass

    yield Scenario(
        protocol,
        "capabilities-before-tls-then-close",
        [turns[0], evil, *turns[2:4]],
        (Stage.CAPABILITIES, Cause.CLOSED),
        STARTTLS,
        "offers much in clear, and hangs up under TLS",
        close,
        reply="",
        unbelieved=EVIL,
    )
    offers = {Protocol.SMTP: b"AUTH PLAIN", Protocol.IMAP: b"AUTH=PLAIN", Protocol.POP3: b"SASL PLAIN"}
    nothing = {Protocol.SMTP: b"X-NONE", Protocol.IMAP: b"LOGINDISABLED", Protocol.POP3: b"SASL X-NONE"}
    causes = {
        Protocol.SMTP: Cause.AUTH_NOT_OFFERED,
        Protocol.IMAP: Cause.LOGIN_DISABLED,
        Protocol.POP3: Cause.NO_MECHANISM,
    }
    assert turns[4].says is not None
    after = Turn(Stage.CAPABILITIES, turns[4].hears, turns[4].says.replace(offers[protocol], nothing[protocol]))
    yield Scenario(
        protocol,
        "login-offered-before-tls-only",
        [*turns[:4], after],
        (Stage.AUTH, causes[protocol]),
        STARTTLS,
        "offers a login in clear, and none under TLS",
    )


def _untagged() -> Iterator[Scenario]:
    turns = dialogue(Protocol.IMAP, Security.STARTTLS)
    untagged = {
        "data": b'* 666 EXISTS\r\n* STATUS INBOX (SIZE 666)\r\n* LIST () "/" EVIL\r\n',
        "capability": b"* CAPABILITY IMAP4rev1 EVIL\r\n",
        "alert": b"* OK [ALERT] EVIL: call this number\r\n",
        "capability-code": b"* OK [CAPABILITY IMAP4rev1 EVIL] ready\r\n",
        "bye": b"* BYE EVIL: your account is closed\r\n",
    }
    places = {0: ("greeting", False), 1: ("capabilities", True), 2: ("starttls", True)}
    for at, (place, is_first) in places.items():
        for name, data in untagged.items():
            said = _said(turns[at], before=data) if is_first else _said(turns[at], after=data)
            if place == "capabilities" and name.startswith("capability"):
                # There it is the answer itself.
                continue
            for ending, end, verdict in (
                ("all-well", turns[3:], None),
                ("close", turns[3:4], (Stage.CAPABILITIES, Cause.CLOSED)),
            ):
                yield Scenario(
                    Protocol.IMAP,
                    f"untagged-{name}-before-tls-{place}-{ending}",
                    [*turns[:at], said, *turns[at + 1 : 3], *end],
                    verdict,
                    STARTTLS,
                    f"sends untagged data in clear: `{data.decode().splitlines()[0]}`",
                    _closing(ending == "close"),
                    reply="" if verdict else None,
                    unbelieved=EVIL,
                    group=f"untagged-{name}-before-tls-{ending}",
                )


def _closing(at_once: bool) -> Action:
    async def then(peer: Peer) -> None:
        if not at_once:
            await peer.silence()

    return then


def _timestamp() -> Scenario:
    """RFC 1939 section 7: the timestamp is in the greeting, which under STLS came in clear."""
    turns = dialogue(Protocol.POP3, Security.STARTTLS)
    greeting = Turn(Stage.GREETING, None, b"+OK ready <1.EVIL@mail.test>\r\n")
    assert turns[4].says is not None
    after = Turn(Stage.CAPABILITIES, turns[4].hears, turns[4].says.replace(b"SASL PLAIN", b"SASL X-NONE"))
    return Scenario(
        Protocol.POP3,
        "timestamp-before-tls",
        [greeting, *turns[1:4], after],
        (Stage.AUTH, Cause.NO_MECHANISM),
        STARTTLS,
        "gives a timestamp for APOP in clear, and under TLS no other login",
        unbelieved="APOP",
    )


def _challenge_in_clear() -> Scenario:
    """The same for an account that asks for APOP: its servers have no other place for the timestamp."""
    turns = dialogue(Protocol.POP3, Security.STARTTLS)
    greeting = Turn(Stage.GREETING, None, b"+OK ready <1.2@mail.test>\r\n")
    login = Turn(Stage.AUTH, "APOP ", b"+OK in\r\n")
    return Scenario(
        Protocol.POP3,
        "timestamp-before-tls-asked-for",
        [greeting, *turns[1:5], login, *turns[6:]],
        None,
        asking(AuthMethod.APOP, STARTTLS),
        "gives a timestamp for APOP in clear to an account that asks for APOP",
    )


SCENARIOS = [
    *(scenario for kind in (_denied, _injected, _forgotten) for protocol in Protocol for scenario in kind(protocol)),
    _guessed_tags(),
    _preauth(),
    *_untagged(),
    _timestamp(),
    _challenge_in_clear(),
]
