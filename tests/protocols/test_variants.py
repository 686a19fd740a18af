"""What honest servers do differently, each in its own protocol: none of it is a fault."""

import hashlib
from base64 import b64encode

import pytest

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Stage
from tests.protocols.dialogue import Turn, dialogue, play
from tests.protocols.legs import PLAIN_WAY, SECRET, USERNAME, Login, Walked, Way, face
from tests.scripted import Peer

PLAIN = b64encode(f"\0{USERNAME}\0{SECRET}".encode()).decode()


async def succeed(protocol: Protocol, turns: list[Turn], way: Way = PLAIN_WAY) -> Walked:
    walked = await face(protocol, play(protocol, turns), way)
    assert walked.verdict is None, walked.report.failure
    return walked


def asking(method: AuthMethod, secret: str = SECRET) -> Way:
    return Way(login=Login(method=method, secret=secret))


class TestSmtp:
    GREETING = Turn(Stage.GREETING, None, b"220-mail.test\r\n220 ESMTP\r\n")
    REST = (
        Turn(Stage.CAPABILITIES, "EHLO [127.0.0.1]", b"250-mail.test\r\n250 HELP\r\n"),
        Turn(Stage.ENVELOPE, "MAIL FROM:<ada@example.org>", b"250 ok\r\n"),
        Turn(Stage.ENVELOPE, "RSET", b"250 ok\r\n"),
        Turn(Stage.QUIT, "QUIT", b"221 bye\r\n"),
    )

    def turns(self, offer: bytes, *logins: tuple[str, bytes]) -> list[Turn]:
        capabilities = Turn(Stage.CAPABILITIES, "EHLO", b"250-mail.test\r\n250 " + offer + b"\r\n")
        return [self.GREETING, capabilities, *(Turn(Stage.AUTH, *login) for login in logins), *self.REST]

    async def test_no_login_where_the_account_has_none(self) -> None:
        turns = self.turns(b"AUTH PLAIN")[1:]
        walked = await succeed(Protocol.SMTP, [self.GREETING, turns[0], *self.REST[1:]], Way(login=Login(wanted=False)))
        assert walked.report.mechanism == ""
        assert Stage.AUTH not in [result.stage for result in walked.report.stages]

    @pytest.mark.parametrize("offer", [b"AUTH=PLAIN LOGIN", b"auth plain login", b"AUTH=LOGIN PLAIN"])
    async def test_old_and_odd_ways_to_offer_a_login(self, offer: bytes) -> None:
        await succeed(Protocol.SMTP, self.turns(offer, (f"AUTH PLAIN {PLAIN}", b"235 in\r\n")))

    async def test_login(self) -> None:
        name, password = b64encode(USERNAME.encode()).decode(), b64encode(SECRET.encode()).decode()
        logins = (
            ("AUTH LOGIN", b"334 VXNlcm5hbWU6\r\n"),
            (name, b"334 UGFzc3dvcmQ6\r\n"),
            (password, b"235 in\r\n"),
        )
        walked = await succeed(Protocol.SMTP, self.turns(b"AUTH LOGIN", *logins))
        assert walked.report.mechanism == "LOGIN"
        # Two lines of answers are masked, the name among them.
        assert walked.dialogue.count("C ****") == 2

    @pytest.mark.parametrize("prompt", [b"334 Username:\r\n", b"334 \r\n", b"334 VXNlcm5hbWU6\r\n"])
    async def test_login_whatever_the_prompts_say(self, prompt: bytes) -> None:
        await succeed(
            Protocol.SMTP, self.turns(b"AUTH LOGIN", ("AUTH LOGIN", prompt), ("", prompt), ("", b"235 in\r\n"))
        )

    async def test_a_first_message_that_is_too_long_for_the_command_waits_to_be_asked(self) -> None:
        token = SECRET * 40
        message = b64encode(f"user={USERNAME}\1auth=Bearer {token}\1\1".encode()).decode()
        asked = ("AUTH XOAUTH2", b"334 \r\n"), (message, b"235 in\r\n")
        way = Way(login=Login(token, AuthMethod.XOAUTH2))
        walked = await succeed(Protocol.SMTP, self.turns(b"AUTH XOAUTH2", *asked), way)
        assert all(len(line) <= 512 for line in walked.received.splitlines(keepends=True) if line.startswith(b"AUTH"))
        assert walked.dialogue.count("C ****") == 1

    async def test_without_tls_the_password_is_not_shown_if_it_need_not_be(self) -> None:
        turns = self.turns(
            b"AUTH PLAIN LOGIN CRAM-MD5", ("AUTH CRAM-MD5", b"334 PDFAbWFpbC50ZXN0Pg==\r\n"), ("", b"235 in\r\n")
        )
        walked = await succeed(Protocol.SMTP, turns)
        assert walked.report.mechanism == "CRAM-MD5"
        assert PLAIN.encode() not in walked.received

    async def test_xoauth2(self) -> None:
        token = b64encode(f"user={USERNAME}\1auth=Bearer {SECRET}\1\1".encode()).decode()
        turns = self.turns(b"AUTH XOAUTH2 PLAIN", (f"AUTH XOAUTH2 {token}", b"235 in\r\n"))
        await succeed(Protocol.SMTP, turns, asking(AuthMethod.XOAUTH2))

    @pytest.mark.parametrize(
        ("email", "path"),
        [
            ("ada@bücher.example", "<ada@xn--bcher-kva.example>"),
            ("ada@[192.0.2.1]", "<ada@[192.0.2.1]>"),
            ('"a b"@example.org', '<"a b"@example.org>'),
        ],
    )
    async def test_the_sender_as_the_wire_wants_it(self, email: str, path: str) -> None:
        turns = self.turns(b"HELP")
        turns = [turns[0], turns[1], Turn(Stage.ENVELOPE, f"MAIL FROM:{path}", b"250 ok\r\n"), *self.REST[2:]]
        await succeed(Protocol.SMTP, turns, Way(email=email, login=Login(wanted=False)))

    async def test_a_sender_beyond_ascii_where_the_server_knows_smtputf8(self) -> None:
        turns = self.turns(b"SMTPUTF8")
        mail = Turn(Stage.ENVELOPE, "MAIL FROM:<ädä@example.org> SMTPUTF8", b"250 ok\r\n")
        turns = [turns[0], turns[1], mail, *self.REST[2:]]
        await succeed(Protocol.SMTP, turns, Way(email="ädä@example.org", login=Login(wanted=False)))


class TestImap:
    CAPABILITY = b"* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n{tag} OK done\r\n"
    PROBE = (
        Turn(Stage.MAILBOX, "EXAMINE INBOX", b"* 2 EXISTS\r\n{tag} OK done\r\n"),
        Turn(Stage.QUIT, "LOGOUT", b"* BYE see you\r\n{tag} OK done\r\n"),
    )

    def turns(self, capabilities: bytes, *logins: tuple[str, bytes]) -> list[Turn]:
        capability = b"* CAPABILITY IMAP4rev1 " + capabilities + b"\r\n{tag} OK done\r\n"
        return [
            Turn(Stage.GREETING, None, b"* OK ready\r\n"),
            Turn(Stage.CAPABILITIES, "CAPABILITY", capability),
            *(Turn(Stage.AUTH, *login) for login in logins),
            Turn(Stage.CAPABILITIES, "CAPABILITY", capability),
            *self.PROBE,
        ]

    async def test_capabilities_that_come_unasked_save_their_round_trips(self) -> None:
        turns = [
            Turn(Stage.GREETING, None, b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"),
            Turn(Stage.AUTH, f"AUTHENTICATE PLAIN {PLAIN}", b"{tag} OK [CAPABILITY IMAP4rev1 X-IN] welcome\r\n"),
            *self.PROBE,
        ]
        walked = await succeed(Protocol.IMAP, turns)
        assert walked.report.capabilities == ("IMAP4rev1", "X-IN")
        # To connect, the greeting, the login, the group.
        assert walked.report.round_trips == 4
        assert walked.report.octets is None

    async def test_capabilities_may_come_before_the_verdict_on_the_login(self) -> None:
        turns = self.turns(
            b"SASL-IR AUTH=PLAIN", ("AUTHENTICATE", b"* CAPABILITY IMAP4rev1 X-IN\r\n{tag} OK welcome\r\n")
        )
        del turns[3]
        walked = await succeed(Protocol.IMAP, turns)
        assert walked.report.capabilities == ("IMAP4rev1", "X-IN")

    async def test_without_sasl_ir_the_message_waits_for_its_turn(self) -> None:
        turns = self.turns(b"AUTH=PLAIN", ("AUTHENTICATE PLAIN", b"+ \r\n"), (PLAIN, b"{tag} OK in\r\n"))
        # The tag is that of the line before: IMAP's answer to a continuation.
        turns[3] = Turn(Stage.AUTH, None, b"")

        async def script(peer: Peer) -> None:
            await play(Protocol.IMAP, turns[:2])(peer)
            tag, _, command = (await peer.line()).partition(" ")
            assert command == "AUTHENTICATE PLAIN"
            await peer.send(b"+ \r\n")
            assert await peer.line() == PLAIN
            await peer.send(f"{tag} OK in\r\n".encode())
            await play(Protocol.IMAP, turns[4:])(peer)

        walked = await face(Protocol.IMAP, script)
        assert walked.verdict is None
        assert walked.report.round_trips == 6

    async def test_the_login_command_quotes_what_it_must(self) -> None:
        login = 'LOGIN "ada@example.org" "hor5e\\"battery\\\\staple"'
        walked = await succeed(Protocol.IMAP, self.turns(b"", (login, b"{tag} OK in\r\n")))
        assert walked.report.mechanism == "the LOGIN command"
        assert 'LOGIN "ada@example.org" ****' in walked.dialogue

    async def test_preauth_is_said_to_prove_no_password(self) -> None:
        turns = [
            Turn(Stage.GREETING, None, b"* PREAUTH you are local\r\n"),
            *self.turns(b"")[1:2],
            *self.turns(b"")[2:],
        ]
        walked = await succeed(Protocol.IMAP, turns)
        details = {result.stage: result.detail for result in walked.report.stages}
        assert "the password is not proven" in details[Stage.AUTH]
        assert b"LOGIN" not in walked.received

    async def test_a_farewell_before_the_server_hangs_up_is_its_reason(self) -> None:
        turns = self.turns(b"")[:2]
        turns[1] = Turn(Stage.CAPABILITIES, "CAPABILITY", b"* BYE going down for maintenance\r\n")
        walked = await face(Protocol.IMAP, play(Protocol.IMAP, turns))
        assert walked.report.failure is not None
        assert walked.report.failure.cause == "not-available"
        assert walked.report.failure.reply == "BYE going down for maintenance"

    async def test_untagged_data_nobody_asked_for_is_no_fault(self) -> None:
        chatter = b"* 7 EXISTS\r\n* OK still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n"
        turns = dialogue(Protocol.IMAP, Security.NONE)
        turns = [
            Turn(turn.stage, turn.hears, chatter + turn.says if turn.hears and turn.says else turn.says)
            for turn in turns
            if turn.stage is not Stage.MAILBOX or turn.hears
        ]
        await succeed(Protocol.IMAP, turns)


class TestPop3:
    REST = (
        Turn(Stage.CAPABILITIES, "CAPA", b"+OK\r\nUIDL\r\n.\r\n"),
        Turn(Stage.MAILBOX, "STAT", b"+OK 2 320\r\n"),
        Turn(Stage.QUIT, "QUIT", b"+OK bye\r\n"),
    )

    def turns(self, capabilities: bytes, *logins: tuple[str, bytes], greeting: bytes = b"+OK ready\r\n") -> list[Turn]:
        return [
            Turn(Stage.GREETING, None, greeting),
            Turn(Stage.CAPABILITIES, "CAPA", b"+OK\r\n" + capabilities + b"\r\n.\r\n"),
            *(Turn(Stage.AUTH, *login) for login in logins),
            *self.REST,
        ]

    async def test_user_and_pass(self) -> None:
        logins = ((f"USER {USERNAME}", b"+OK\r\n"), (f"PASS {SECRET}", b"+OK in\r\n"))
        walked = await succeed(Protocol.POP3, self.turns(b"USER", *logins))
        assert walked.report.mechanism == "USER and PASS"
        assert "C PASS ****" in walked.dialogue

    @pytest.mark.parametrize("method", [AuthMethod.APOP, AuthMethod.AUTOMATIC])
    async def test_apop_shows_no_password(self, method: AuthMethod) -> None:
        stamp = "<1896.697170952@dbc.mtview.ca.us>"
        digest = hashlib.md5((stamp + SECRET).encode(), usedforsecurity=False).hexdigest()
        turns = self.turns(
            b"USER\r\nSASL PLAIN",
            (f"APOP {USERNAME} {digest}", b"+OK in\r\n"),
            greeting=f"+OK POP3 {stamp}\r\n".encode(),
        )
        walked = await succeed(Protocol.POP3, turns, asking(method))
        assert walked.report.mechanism == "APOP"
        assert digest not in repr(walked.report)

    async def test_a_long_message_does_not_fit_into_the_command(self) -> None:
        """RFC 5034 section 4: the whole line has at most 255 octets."""
        secret = "s" * 300
        message = b64encode(f"\0{USERNAME}\0{secret}".encode()).decode()
        turns = self.turns(b"SASL PLAIN", ("AUTH PLAIN", b"+ \r\n"), (message, b"+OK in\r\n"))
        walked = await succeed(Protocol.POP3, turns, Way(login=Login(secret=secret)))
        assert b"AUTH PLAIN\r\n" in walked.received

    async def test_an_empty_line_among_the_capabilities_is_no_fault(self) -> None:
        logins = (("USER", b"+OK\r\n"), ("PASS", b"+OK in\r\n"))
        await succeed(Protocol.POP3, self.turns(b"USER\r\n\r\n  \r\nTOP", *logins))
