"""What only POP3 servers do wrong, and what each of it is called."""

from functools import partial

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import CLEAR, STARTTLS, Scenario, asking
from tests.protocols.dialogue import Turn, dialogue

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


def _bare_line_feeds() -> list[Turn]:
    turns = dialogue(Protocol.POP3, Security.NONE)
    return [Turn(turn.stage, turn.hears, turn.says and turn.says.replace(b"\r\n", b"\n")) for turn in turns]


pop3 = partial(Scenario, Protocol.POP3)

SCENARIOS = [
    pop3(
        "greeting-of-pages",
        greeting(b"+OK " + b"x" * 5_000 + b"\r\n"),
        (Stage.GREETING, Cause.TOO_LARGE),
        does="greets with a line of 5 kB",
    ),
    pop3("challenge-not-due", capable(b"+ go on\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    pop3("greeting-that-begins-like-one", greeting(b"+OKAY go on\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    pop3("nul-in-a-status", capable(b"+OK\x00\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    pop3("nul-in-a-mechanism", offering(b"SASL PLAIN\x00"), (Stage.AUTH, Cause.NO_MECHANISM)),
    pop3("bare-line-feeds", _bare_line_feeds(), None, does="ends its lines by LF alone"),
    pop3(
        "list-without-a-dot",
        capable(b"+OK\r\nSASL PLAIN\r\n..\r\n. \r\n"),
        (Stage.CAPABILITIES, Cause.SILENT),
    ),
    pop3(
        "stat-beyond-63-bits",
        logged_in(("STAT", b"+OK 1 9999999999999999999\r\n")),
        (Stage.MAILBOX, Cause.BAD_REPLY),
    ),
    pop3(
        "stat-in-lines",
        logged_in(("STAT", b"+OK\r\n1 2\r\n.\r\n")),
        (Stage.MAILBOX, Cause.BAD_REPLY),
    ),
    pop3("no-status", capable(b"OK\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="OK"),
    pop3(
        "starttls-unknown-to-a-server-without-capa",
        [*capable(b"-ERR what?\r\n"), Turn(Stage.STARTTLS, "STLS", b"-ERR what?\r\n")],
        (Stage.STARTTLS, Cause.STARTTLS_REFUSED),
        STARTTLS,
    ),
    pop3(
        "login-after-starttls-only",
        offering(b"STLS\r\nUIDL"),
        (Stage.AUTH, Cause.LOGIN_DISABLED),
        CLEAR,
        does="offers STLS and no login before it",
    ),
    pop3("only-unknown-mechanisms", offering(b"SASL GSSAPI NTLM"), (Stage.AUTH, Cause.NO_MECHANISM)),
    pop3(
        "no-timestamp-for-apop",
        offering(b"USER"),
        (Stage.AUTH, Cause.NO_MECHANISM),
        asking(AuthMethod.APOP),
        does="gives no timestamp, which APOP needs",
    ),
    pop3(
        "wrong-name",
        offering(b"USER", ("USER", b"-ERR who?\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="-ERR who?",
    ),
    pop3(
        "wrong-password",
        offering(b"USER", ("USER", b"+OK\r\n"), ("PASS", b"-ERR [AUTH] wrong\r\n")),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="-ERR [AUTH] wrong",
    ),
    pop3(
        "login-later",
        offering(b"SASL PLAIN", ("AUTH PLAIN ", b"-ERR [SYS/TEMP] the database is down\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="-ERR [SYS/TEMP] the database is down",
    ),
    pop3(
        "account-not-served",
        offering(b"USER", ("USER", b"+OK\r\n"), ("PASS", b"-ERR [SYS/PERM] not enabled for POP access\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="-ERR [SYS/PERM] not enabled for POP access",
    ),
    pop3("mailbox-later", logged_in(("STAT", b"-ERR [SYS/TEMP] try later\r\n")), (Stage.MAILBOX, Cause.NOT_AVAILABLE)),
    pop3(
        "mailbox-in-use",
        offering(b"USER", ("USER", b"+OK\r\n"), ("PASS", b"-ERR [IN-USE] another session has it\r\n")),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
    ),
    pop3("plain-asked-for-more", offering(b"SASL PLAIN", ("AUTH PLAIN ", b"+ \r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    pop3(
        "challenges-without-end",
        offering(b"SASL LOGIN", ("AUTH LOGIN", b"+ \r\n" * 1_000)),
        (Stage.AUTH, Cause.BAD_REPLY),
        does="answers LOGIN by 1,000 challenges",
    ),
    pop3(
        "challenge-not-base64",
        offering(b"SASL CRAM-MD5", ("AUTH CRAM-MD5", b"+ <what is this>\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    pop3(
        "success-without-server-signature",
        offering(b"SASL SCRAM-SHA-256", ("AUTH SCRAM-SHA-256 ", b"+OK in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
    ),
    pop3("challenge-to-pass", offering(b"USER", ("USER", b"+ go on\r\n")), (Stage.AUTH, Cause.BAD_REPLY)),
    pop3(
        "mailbox-refused",
        logged_in(("STAT", b"-ERR [SYS/PERM] your mailbox is gone\r\n")),
        (Stage.MAILBOX, Cause.NO_INBOX),
        reply="-ERR [SYS/PERM] your mailbox is gone",
    ),
    pop3("stat-nonsense", logged_in(("STAT", b"+OK lots of mail\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)),
    pop3("stat-negative", logged_in(("STAT", b"+OK -3 900\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)),
    pop3("stat-in-other-digits", logged_in(("STAT", "+OK ٣ ٩\r\n".encode())), (Stage.MAILBOX, Cause.BAD_REPLY)),
    pop3(
        "stat-beyond-measure", logged_in(("STAT", b"+OK 1 " + b"9" * 4_000 + b"\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)
    ),
    pop3(
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
        messages=0,
        does="knows no CAPA, as RFC 1939 allows",
    ),
]
