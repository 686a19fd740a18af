"""What only SMTP servers do wrong, and what each of it is called."""

from base64 import b64encode
from dataclasses import replace
from functools import partial

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import TLS, Scenario, asking
from tests.protocols.dialogue import Turn, dialogue
from tests.protocols.legs import SECRET, Login

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


smtp = partial(Scenario, Protocol.SMTP)

SCENARIOS = [
    smtp(
        "greeting-in-two-codes",
        [Turn(Stage.GREETING, None, b"220-hello\r\n250 hello\r\n")],
        (Stage.GREETING, Cause.BAD_REPLY),
        reply="250 hello",
    ),
    smtp("greeted-with-a-success", [Turn(Stage.GREETING, None, b"235 in\r\n")], (Stage.GREETING, Cause.NOT_AVAILABLE)),
    smtp("code-of-four-digits", greeted(b"2500 mail.test\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("code-of-two-digits", greeted(b"25 mail.test\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("code-zero", greeted(b"000 mail.test\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("code-999", greeted(b"999 mail.test\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("code-in-other-digits", greeted("٢٥٠ mail.test\r\n".encode()), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("nul-before-the-code", greeted(b"\x00250 mail.test\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp(
        "nul-in-a-mechanism",
        greeted(b"250-mail.test\r\n250 AUTH PLAIN\x00\r\n"),
        (Stage.AUTH, Cause.NO_MECHANISM),
    ),
    smtp(
        "carriage-return-for-a-line-end",
        greeted(b"250-mail.test\r250 AUTH PLAIN\r\n250 OK\r\n"),
        (Stage.AUTH, Cause.AUTH_NOT_OFFERED),
    ),
    smtp(
        "bare-line-feeds",
        [
            Turn(turn.stage, turn.hears, turn.says and turn.says.replace(b"\r\n", b"\n"))
            for turn in dialogue(Protocol.SMTP, Security.NONE)
        ],
        None,
        does="ends its lines by LF alone",
    ),
    smtp(
        "line-of-4-kilobytes",
        greeted(b"250 " + b"x" * 5_000 + b"\r\n"),
        (Stage.CAPABILITIES, Cause.TOO_LARGE),
        does="answers EHLO with a line of 5 kB",
    ),
    smtp("no-auth-then-success", greeted(b"250-mail.test\r\n250 STARTTLS\r\n"), (Stage.AUTH, Cause.AUTH_NOT_OFFERED)),
    smtp(
        "success-to-mail-before-a-login",
        greeted(b"250 mail.test\r\n250 sender ok\r\n250 ok\r\n"),
        (Stage.AUTH, Cause.AUTH_NOT_OFFERED),
    ),
    smtp(
        "rounds-without-end-one-by-one",
        offering(b"LOGIN", ("AUTH LOGIN", b"334 \r\n"), *(("", b"334 \r\n") for _ in range(2))),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.LOGIN),
        does="answers each message of LOGIN by another challenge",
    ),
    smtp("ehlo-unknown", greeted(b"502 what?\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="502 what?"),
    smtp("ehlo-later", greeted(b"450 not now\r\n"), (Stage.CAPABILITIES, Cause.NOT_AVAILABLE)),
    smtp("ehlo-nonsense-code", greeted(b"354 go on\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("ehlo-mixed-codes", greeted(b"250-a\r\n220 b\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp("ehlo-no-code", greeted(b"hello\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="hello"),
    smtp("ehlo-no-space", greeted(b"250hello\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    smtp(
        "ehlo-answered-twice",
        [GREETING, Turn(Stage.CAPABILITIES, "EHLO", b"250 AUTH PLAIN\r\n250 again\r\n")],
        (Stage.AUTH, Cause.AUTH_NOT_OFFERED),
    ),
    smtp(
        "shut-down-between-commands",
        greeted(b"250-mail.test\r\n250 AUTH PLAIN\r\n421 4.3.2 shutting down\r\n"),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="421 4.3.2 shutting down",
    ),
    smtp("auth-not-offered", greeted(b"250 mail.test\r\n"), (Stage.AUTH, Cause.AUTH_NOT_OFFERED)),
    smtp(
        "sender-refused-without-a-login",
        [*greeted(b"250 mail.test\r\n"), Turn(Stage.ENVELOPE, "MAIL", b"530 5.7.0 Authentication required\r\n")],
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        replace(TLS, login=Login(wanted=False)),
        reply="530 5.7.0 Authentication required",
    ),
    smtp("only-unknown-mechanisms", greeted(WRONG_MECHANISMS), (Stage.AUTH, Cause.NO_MECHANISM)),
    smtp(
        "no-such-mechanism",
        offering(b"PLAIN"),
        (Stage.AUTH, Cause.NO_MECHANISM),
        asking(AuthMethod.CRAM_MD5),
        does="does not offer the mechanism that the account asks for",
    ),
    smtp(
        "wrong-password",
        offering(b"PLAIN", ("AUTH PLAIN", b"535 5.7.8 wrong\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="535 5.7.8 wrong",
    ),
    smtp(
        "login-later",
        offering(b"PLAIN", ("AUTH PLAIN", b"454 4.7.0 the database is down\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="454 4.7.0 the database is down",
    ),
    smtp(
        "login-not-understood",
        offering(b"PLAIN", ("AUTH PLAIN", b"501 5.5.2 cannot decode\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    smtp(
        "password-refused-by-501",
        offering(b"PLAIN", ("AUTH PLAIN", b"501 5.7.0 Authentication failed\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
    ),
    smtp(
        "login-method-unknown-after-all",
        offering(b"PLAIN", ("AUTH PLAIN", b"504 5.5.4 unrecognized authentication type\r\n")),
        (Stage.AUTH, Cause.NO_MECHANISM),
    ),
    smtp(
        "login-wants-encryption",
        offering(b"PLAIN", ("AUTH PLAIN", b"530 5.7.0 Must issue a STARTTLS command first\r\n")),
        (Stage.AUTH, Cause.LOGIN_DISABLED),
    ),
    smtp(
        "login-method-too-weak",
        offering(b"PLAIN", ("AUTH PLAIN", b"534 5.7.9 Application-specific password required\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
    ),
    smtp("login-250", offering(b"PLAIN", ("AUTH PLAIN", b"250 fine\r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    smtp("plain-asked-for-more", offering(b"PLAIN", ("AUTH PLAIN", b"334 \r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    smtp(
        "login-rounds-without-end",
        offering(b"XOAUTH2", ("AUTH XOAUTH2", b"334 e30=\r\n"), ("", b"334 e30=\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.XOAUTH2),
        does="answers each message of XOAUTH2 by another challenge",
    ),
    smtp(
        "xoauth2-refused",
        offering(b"XOAUTH2", ("AUTH XOAUTH2", b"334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"), ("", b"535 no\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        asking(AuthMethod.XOAUTH2),
        reply="535 no",
    ),
    smtp(
        "challenge-not-base64",
        offering(b"CRAM-MD5", ("AUTH CRAM-MD5", b"334 <what is this>\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.CRAM_MD5),
    ),
    smtp(
        "success-before-the-password",
        offering(b"LOGIN", ("AUTH LOGIN", b"334 VXNlcm5hbWU6\r\n"), ("", b"235 in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.LOGIN),
    ),
    smtp(
        "success-without-server-signature",
        offering(b"SCRAM-SHA-256", ("AUTH SCRAM-SHA-256", b"235 in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.SCRAM_SHA_256),
    ),
    smtp(
        "foreign-nonce",
        offering(b"SCRAM-SHA-256", ("AUTH SCRAM-SHA-256", b"334 " + b64encode(b"r=x,s=AAAA,i=4096") + b"\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        asking(AuthMethod.SCRAM_SHA_256),
        does="answers SCRAM with a nonce that is not ours",
    ),
    smtp(
        "capabilities-lost-after-login",
        logged_in(capabilities=b"503 no more of that\r\n"),
        (Stage.CAPABILITIES, Cause.BAD_REPLY),
    ),
    smtp(
        "sender-refused",
        logged_in(("MAIL", b"553 5.7.1 not yours\r\n"), ("RSET", b"250 ok\r\n")),
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        reply="553 5.7.1 not yours",
        does="answers MAIL: `553 5.7.1 not yours`",
    ),
    smtp(
        "sender-later",
        logged_in(("MAIL", b"451 4.3.0 later\r\n"), ("RSET", b"250 ok\r\n")),
        (Stage.ENVELOPE, Cause.NOT_AVAILABLE),
        does="answers MAIL: `451 4.3.0 later`",
    ),
    smtp(
        "sender-refused-for-good",
        logged_in(("MAIL", b"550 5.7.1 not from here\r\n")),
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        reply="550 5.7.1 not from here",
    ),
    smtp(
        "sender-refused-in-a-group",
        logged_in(("MAIL", b"421 4.7.0 Too many messages\r\n"), capabilities=b"250-mail.test\r\n250 PIPELINING\r\n"),
        (Stage.ENVELOPE, Cause.NOT_AVAILABLE),
        reply="421 4.7.0 Too many messages",
    ),
    smtp(
        "sender-nonsense",
        logged_in(("MAIL", b"354 go on\r\n"), ("RSET", b"250 ok\r\n")),
        (Stage.ENVELOPE, Cause.BAD_REPLY),
        does="answers MAIL: `354 go on`",
    ),
    smtp(
        "not-taken-back",
        logged_in(("MAIL", b"250 ok\r\n"), ("RSET", b"500 what?\r\n")),
        (Stage.ENVELOPE, Cause.BAD_REPLY),
    ),
    smtp(
        "sender-answered-thrice",
        logged_in(("MAIL", b"250 ok\r\n250 ok\r\n250 ok\r\n")),
        (Stage.ENVELOPE, Cause.BAD_REPLY),
    ),
    smtp(
        "secret-in-a-control-character",
        offering(b"PLAIN"),
        (Stage.AUTH, Cause.SECRET_UNAVAILABLE),
        replace(TLS, login=Login(secret=SECRET + "\r\nRSET")),
        does="means well: it is the password that holds a line break and a command",
    ),
    smtp(
        "sender-needs-smtputf8",
        logged_in(),
        (Stage.ENVELOPE, Cause.SENDER_REFUSED),
        replace(TLS, email="ädä@example.org"),
        does="knows no SMTPUTF8, which the address of the account needs",
    ),
]
