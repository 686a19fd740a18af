"""What only SMTP servers do wrong, and what each of it is called."""

from base64 import b64encode

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn
from tests.protocols.legs import SECRET, Login, Way
from tests.protocols.scenarios import Scenario, enact, params

GREETING = Turn(Stage.GREETING, None, b"220 mail.test ESMTP\r\n")
WRONG_MECHANISMS = b"250-mail.test\r\n250 AUTH GSSAPI NTLM\r\n"


def greeted(reply: bytes) -> list[Turn]:
    return [GREETING, Turn(Stage.CAPABILITIES, "EHLO", reply)]


def offering(mechanism: bytes, *replies: tuple[str, bytes]) -> list[Turn]:
    turns = greeted(b"250-mail.test\r\n250 AUTH " + mechanism + b"\r\n")
    return turns + [Turn(Stage.AUTH, hears, says) for hears, says in replies]


def logged_in(*replies: tuple[str, bytes], capabilities: bytes = b"250-mail.test\r\n250 AUTH PLAIN\r\n") -> list[Turn]:
    turns = [*offering(b"PLAIN", ("AUTH PLAIN", b"235 in\r\n")), Turn(Stage.CAPABILITIES, "EHLO", capabilities)]
    return turns + [Turn(Stage.ENVELOPE, hears, says) for hears, says in replies]


def asking(method: AuthMethod) -> Way:
    return Way(login=Login(method=method))


STARTTLS = Way(Security.STARTTLS)
OFFER = b"250-mail.test\r\n250 STARTTLS\r\n"

SCENARIOS = [
    Scenario(
        "greeted-554",
        [Turn(Stage.GREETING, None, b"554 5.7.1 you are on a list\r\n")],
        (Stage.GREETING, Cause.NOT_AVAILABLE),
        reply="554 5.7.1 you are on a list",
    ),
    Scenario(
        "greeted-421",
        [Turn(Stage.GREETING, None, b"421-busy\r\n421 come back later\r\n")],
        (Stage.GREETING, Cause.NOT_AVAILABLE),
        reply="421 busy come back later",
    ),
    Scenario(
        "banner-ssh",
        [Turn(Stage.GREETING, None, b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n")],
        (Stage.GREETING, Cause.FOREIGN_BANNER),
        reply="SSH-2.0-OpenSSH_9.2p1 Debian",
    ),
    Scenario(
        "banner-http",
        [Turn(Stage.GREETING, None, b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n")],
        (Stage.GREETING, Cause.FOREIGN_BANNER),
    ),
    Scenario(
        "banner-imap", [Turn(Stage.GREETING, None, b"* OK IMAP4rev1\r\n")], (Stage.GREETING, Cause.FOREIGN_BANNER)
    ),
    Scenario("banner-pop3", [Turn(Stage.GREETING, None, b"+OK POP3\r\n")], (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario(
        "banner-tls-alert",
        [Turn(Stage.GREETING, None, b"\x15\x03\x01\x00\x02\x02\x46\n")],
        (Stage.GREETING, Cause.FOREIGN_BANNER),
    ),
    Scenario(
        "greeting-without-end",
        [Turn(Stage.GREETING, None, b"220-and another thing\r\n" * 1_000)],
        (Stage.GREETING, Cause.TOO_LARGE),
    ),
    Scenario(
        "greeting-in-two-codes",
        [Turn(Stage.GREETING, None, b"220-hello\r\n250 hello\r\n")],
        (Stage.GREETING, Cause.BAD_REPLY),
        reply="250 hello",
    ),
    Scenario("ehlo-unknown", greeted(b"502 what?\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="502 what?"),
    Scenario("ehlo-later", greeted(b"450 not now\r\n"), (Stage.CAPABILITIES, Cause.NOT_AVAILABLE)),
    Scenario("ehlo-nonsense-code", greeted(b"354 go on\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("ehlo-mixed-codes", greeted(b"250-a\r\n220 b\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("ehlo-no-code", greeted(b"hello\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="hello"),
    Scenario("ehlo-no-space", greeted(b"250hello\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("ehlo-without-end", greeted(b"250-X-MORE\r\n" * 65_536), (Stage.CAPABILITIES, Cause.TOO_LARGE)),
    Scenario(
        "ehlo-answered-twice",
        [GREETING, Turn(Stage.CAPABILITIES, "EHLO", b"250 AUTH PLAIN\r\n250 again\r\n")],
        (Stage.AUTH, Cause.AUTH_NOT_OFFERED),
    ),
    Scenario(
        "shut-down-between-commands",
        greeted(b"250-mail.test\r\n250 AUTH PLAIN\r\n421 4.3.2 shutting down\r\n"),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="421 4.3.2 shutting down",
    ),
    Scenario(
        "unasked-reply-between-commands",
        greeted(b"250-mail.test\r\n250 AUTH PLAIN\r\n235 you are in\r\n"),
        (Stage.AUTH, Cause.BAD_REPLY),
        reply="235 you are in",
    ),
    Scenario(
        "starttls-not-offered",
        greeted(b"250-mail.test\r\n250 AUTH PLAIN\r\n"),
        (Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED),
        STARTTLS,
    ),
    Scenario(
        "starttls-refused",
        [*greeted(OFFER), Turn(Stage.STARTTLS, "STARTTLS", b"454 4.7.0 no certificate here\r\n")],
        (Stage.STARTTLS, Cause.STARTTLS_REFUSED),
        STARTTLS,
        reply="454 4.7.0 no certificate here",
    ),
    Scenario("auth-not-offered", greeted(b"250 mail.test\r\n"), (Stage.AUTH, Cause.AUTH_NOT_OFFERED)),
    Scenario(
        "sender-refused-without-a-login",
        [*greeted(b"250 mail.test\r\n"), Turn(Stage.ENVELOPE, "MAIL", b"530 5.7.0 Authentication required\r\n")],
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        Way(login=Login(wanted=False)),
        reply="530 5.7.0 Authentication required",
    ),
    Scenario("only-unknown-mechanisms", greeted(WRONG_MECHANISMS), (Stage.AUTH, Cause.NO_MECHANISM)),
    Scenario("no-such-mechanism", offering(b"PLAIN"), (Stage.AUTH, Cause.NO_MECHANISM), asking(AuthMethod.CRAM_MD5)),
    Scenario(
        "wrong-password",
        offering(b"PLAIN", ("AUTH PLAIN", b"535 5.7.8 wrong\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="535 5.7.8 wrong",
    ),
    Scenario(
        "login-later",
        offering(b"PLAIN", ("AUTH PLAIN", b"454 4.7.0 the database is down\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="454 4.7.0 the database is down",
    ),
    Scenario(
        "login-not-understood",
        offering(b"PLAIN", ("AUTH PLAIN", b"501 5.5.2 cannot decode\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    Scenario(
        "login-method-unknown-after-all",
        offering(b"PLAIN", ("AUTH PLAIN", b"504 5.5.4 unrecognized authentication type\r\n")),
        (Stage.AUTH, Cause.NO_MECHANISM),
    ),
    Scenario(
        "login-wants-encryption",
        offering(b"PLAIN", ("AUTH PLAIN", b"530 5.7.0 Must issue a STARTTLS command first\r\n")),
        (Stage.AUTH, Cause.LOGIN_DISABLED),
    ),
    Scenario(
        "login-method-too-weak",
        offering(b"PLAIN", ("AUTH PLAIN", b"534 5.7.9 Application-specific password required\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
    ),
    Scenario("login-250", offering(b"PLAIN", ("AUTH PLAIN", b"250 fine\r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    Scenario("plain-asked-for-more", offering(b"PLAIN", ("AUTH PLAIN", b"334 \r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    Scenario(
        "login-rounds-without-end",
        offering(b"XOAUTH2", ("AUTH XOAUTH2", b"334 e30=\r\n"), ("", b"334 e30=\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.XOAUTH2),
    ),
    Scenario(
        "xoauth2-refused",
        offering(b"XOAUTH2", ("AUTH XOAUTH2", b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"), ("", b"535 no\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        asking(AuthMethod.XOAUTH2),
        reply="535 no",
    ),
    Scenario(
        "challenge-not-base64",
        offering(b"CRAM-MD5", ("AUTH CRAM-MD5", b"334 <what is this>\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.CRAM_MD5),
    ),
    Scenario(
        "success-before-the-password",
        offering(b"LOGIN", ("AUTH LOGIN", b"334 VXNlcm5hbWU6\r\n"), ("", b"235 in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.LOGIN),
    ),
    Scenario(
        "success-without-server-signature",
        offering(b"SCRAM-SHA-256", ("AUTH SCRAM-SHA-256", b"235 in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.SCRAM_SHA_256),
    ),
    Scenario(
        "foreign-nonce",
        offering(b"SCRAM-SHA-256", ("AUTH SCRAM-SHA-256", b"334 " + b64encode(b"r=x,s=AAAA,i=4096") + b"\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.SCRAM_SHA_256),
    ),
    Scenario(
        "capabilities-lost-after-login",
        logged_in(capabilities=b"503 no more of that\r\n"),
        (Stage.CAPABILITIES, Cause.BAD_REPLY),
    ),
    Scenario(
        "sender-refused",
        logged_in(("MAIL", b"553 5.7.1 not yours\r\n"), ("RSET", b"250 ok\r\n")),
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        reply="553 5.7.1 not yours",
    ),
    Scenario(
        "sender-later",
        logged_in(("MAIL", b"451 4.3.0 later\r\n"), ("RSET", b"250 ok\r\n")),
        (Stage.ENVELOPE, Cause.NOT_AVAILABLE),
    ),
    Scenario(
        "sender-refused-for-good",
        logged_in(("MAIL", b"550 5.7.1 not from here\r\n")),
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        reply="550 5.7.1 not from here",
    ),
    Scenario(
        "sender-refused-in-a-group",
        logged_in(("MAIL", b"421 4.7.0 Too many messages\r\n"), capabilities=b"250-mail.test\r\n250 PIPELINING\r\n"),
        (Stage.ENVELOPE, Cause.NOT_AVAILABLE),
        reply="421 4.7.0 Too many messages",
    ),
    Scenario(
        "sender-nonsense",
        logged_in(("MAIL", b"354 go on\r\n"), ("RSET", b"250 ok\r\n")),
        (Stage.ENVELOPE, Cause.BAD_REPLY),
    ),
    Scenario(
        "not-taken-back",
        logged_in(("MAIL", b"250 ok\r\n"), ("RSET", b"500 what?\r\n")),
        (Stage.ENVELOPE, Cause.BAD_REPLY),
    ),
    Scenario(
        "sender-answered-thrice",
        logged_in(("MAIL", b"250 ok\r\n250 ok\r\n250 ok\r\n")),
        (Stage.ENVELOPE, Cause.BAD_REPLY),
    ),
    Scenario(
        "secret-in-a-control-character",
        offering(b"PLAIN"),
        (Stage.AUTH, Cause.SECRET_UNAVAILABLE),
        Way(login=Login(secret=SECRET + "\r\nRSET")),
    ),
    Scenario(
        "sender-needs-smtputf8",
        logged_in(),
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        Way(email="ädä@example.org"),
    ),
]


@params(SCENARIOS)
async def test_the_fault_has_its_name(authority: Authority, scenario: Scenario) -> None:
    await enact(authority, Protocol.SMTP, scenario)
