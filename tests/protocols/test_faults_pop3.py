"""What only POP3 servers do wrong, and what each of it is called."""

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn
from tests.protocols.legs import Login, Way
from tests.protocols.scenarios import Scenario, enact, params

GREETING = Turn(Stage.GREETING, None, b"+OK ready\r\n")


def greeting(line: bytes) -> list[Turn]:
    return [Turn(Stage.GREETING, None, line)]


def capable(reply: bytes) -> list[Turn]:
    return [GREETING, Turn(Stage.CAPABILITIES, "CAPA", reply)]


def offering(capabilities: bytes, *replies: tuple[str, bytes]) -> list[Turn]:
    turns = capable(b"+OK\r\n" + capabilities + b"\r\n.\r\n")
    return turns + [Turn(Stage.AUTH, hears, says) for hears, says in replies]


def logged_in(*replies: tuple[str, bytes]) -> list[Turn]:
    """After a login; commands are taken one by one."""
    turns = offering(b"SASL PLAIN", ("AUTH PLAIN ", b"+OK in\r\n"))
    turns.append(Turn(Stage.CAPABILITIES, "CAPA", b"+OK\r\nUIDL\r\n.\r\n"))
    return turns + [Turn(Stage.MAILBOX, hears, says) for hears, says in replies]


def asking(method: AuthMethod) -> Way:
    return Way(login=Login(method=method))


STARTTLS = Way(Security.STARTTLS)

SCENARIOS = [
    Scenario(
        "greeted-err",
        greeting(b"-ERR [SYS/TEMP] come back later\r\n"),
        (Stage.GREETING, Cause.NOT_AVAILABLE),
        reply="-ERR [SYS/TEMP] come back later",
    ),
    Scenario("banner-ssh", greeting(b"SSH-2.0-OpenSSH_9.2\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("banner-http", greeting(b"HTTP/1.1 400 Bad Request\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("banner-smtp", greeting(b"220 mail.test ESMTP\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("banner-imap", greeting(b"* OK ready\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("greeting-of-pages", greeting(b"+OK " + b"x" * 5_000 + b"\r\n"), (Stage.GREETING, Cause.TOO_LARGE)),
    Scenario("greeted-twice", greeting(b"+OK ready\r\n+OK ready\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("list-without-end", capable(b"+OK\r\n" + b"X-MORE\r\n" * 65_536), (Stage.CAPABILITIES, Cause.TOO_LARGE)),
    Scenario("challenge-not-due", capable(b"+ go on\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("no-status", capable(b"OK\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="OK"),
    Scenario("starttls-not-offered", offering(b"USER"), (Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED), STARTTLS),
    Scenario(
        "starttls-refused",
        [*offering(b"STLS"), Turn(Stage.STARTTLS, "STLS", b"-ERR no certificate here\r\n")],
        (Stage.STARTTLS, Cause.STARTTLS_REFUSED),
        STARTTLS,
        reply="-ERR no certificate here",
    ),
    Scenario(
        "starttls-unknown-to-a-server-without-capa",
        [*capable(b"-ERR what?\r\n"), Turn(Stage.STARTTLS, "STLS", b"-ERR what?\r\n")],
        (Stage.STARTTLS, Cause.STARTTLS_REFUSED),
        STARTTLS,
    ),
    Scenario("only-unknown-mechanisms", offering(b"SASL GSSAPI NTLM"), (Stage.AUTH, Cause.NO_MECHANISM)),
    Scenario("no-timestamp-for-apop", offering(b"USER"), (Stage.AUTH, Cause.NO_MECHANISM), asking(AuthMethod.APOP)),
    Scenario(
        "wrong-name",
        offering(b"USER", ("USER", b"-ERR who?\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="-ERR who?",
    ),
    Scenario(
        "wrong-password",
        offering(b"USER", ("USER", b"+OK\r\n"), ("PASS", b"-ERR [AUTH] wrong\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="-ERR [AUTH] wrong",
    ),
    Scenario(
        "login-later",
        offering(b"SASL PLAIN", ("AUTH PLAIN ", b"-ERR [SYS/TEMP] the database is down\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="-ERR [SYS/TEMP] the database is down",
    ),
    Scenario(
        "account-not-served",
        offering(b"USER", ("USER", b"+OK\r\n"), ("PASS", b"-ERR [SYS/PERM] not enabled for POP access\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="-ERR [SYS/PERM] not enabled for POP access",
    ),
    Scenario(
        "mailbox-later", logged_in(("STAT", b"-ERR [SYS/TEMP] try later\r\n")), (Stage.MAILBOX, Cause.NOT_AVAILABLE)
    ),
    Scenario(
        "mailbox-in-use",
        offering(b"USER", ("USER", b"+OK\r\n"), ("PASS", b"-ERR [IN-USE] another session has it\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
    ),
    Scenario(
        "plain-asked-for-more", offering(b"SASL PLAIN", ("AUTH PLAIN ", b"+ \r\n")), (Stage.AUTH, Cause.BAD_REPLY)
    ),
    Scenario(
        "challenges-without-end",
        offering(b"SASL LOGIN", ("AUTH LOGIN", b"+ \r\n" * 1_000)),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    Scenario(
        "challenge-not-base64",
        offering(b"SASL CRAM-MD5", ("AUTH CRAM-MD5", b"+ <what is this>\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    Scenario(
        "success-without-server-signature",
        offering(b"SASL SCRAM-SHA-256", ("AUTH SCRAM-SHA-256 ", b"+OK in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    Scenario("challenge-to-pass", offering(b"USER", ("USER", b"+ go on\r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    Scenario(
        "mailbox-refused",
        logged_in(("STAT", b"-ERR [SYS/PERM] your mailbox is gone\r\n")),
        (Stage.MAILBOX, Cause.NO_INBOX),
        reply="-ERR [SYS/PERM] your mailbox is gone",
    ),
    Scenario("stat-nonsense", logged_in(("STAT", b"+OK lots of mail\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)),
    Scenario("stat-negative", logged_in(("STAT", b"+OK -3 900\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)),
    Scenario("stat-in-other-digits", logged_in(("STAT", "+OK ٣ ٩\r\n".encode())), (Stage.MAILBOX, Cause.BAD_REPLY)),
    Scenario(
        "stat-beyond-measure", logged_in(("STAT", b"+OK 1 " + b"9" * 4_000 + b"\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)
    ),
    Scenario(
        "no-capa-at-all",
        [
            *capable(b"-ERR what?\r\n"),
            Turn(Stage.AUTH, "USER ", b"+OK\r\n"),
            Turn(Stage.AUTH, "PASS ", b"+OK in\r\n"),
            Turn(Stage.CAPABILITIES, "CAPA", b"-ERR what?\r\n"),
            Turn(Stage.MAILBOX, "STAT", b"+OK 0 0 and some words\r\n"),
            Turn(Stage.QUIT, "QUIT", b"+OK\r\n"),
        ],
        None,
    ),
]


@params(SCENARIOS)
async def test_the_fault_has_its_name(authority: Authority, scenario: Scenario) -> None:
    await enact(authority, Protocol.POP3, scenario)
