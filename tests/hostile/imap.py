"""What only IMAP servers do wrong, and what each of it is called."""

from functools import partial

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.hostile.scenario import Scenario, asking
from tests.protocols.dialogue import Turn, dialogue

GREETING = Turn(Stage.GREETING, None, b"* OK ready\r\n")


def greeting(line: bytes) -> list[Turn]:
    return [Turn(Stage.GREETING, None, line)]


def capable(reply: bytes) -> list[Turn]:
    return [GREETING, Turn(Stage.CAPABILITIES, "CAPABILITY", reply)]


def offering(capabilities: bytes, *replies: tuple[str, bytes]) -> list[Turn]:
    turns = capable(b"* CAPABILITY IMAP4rev1 " + capabilities + b"\r\n{tag} OK done\r\n")
    return turns + [Turn(Stage.AUTH, hears, says) for hears, says in replies]


def logging_in(reply: bytes) -> list[Turn]:
    return offering(b"SASL-IR AUTH=PLAIN", ("AUTHENTICATE PLAIN ", reply))


def logged_in(*replies: tuple[str, bytes]) -> list[Turn]:
    """After a login that announced the capabilities, so that the group starts with EXAMINE."""
    turns = logging_in(b"{tag} OK [CAPABILITY IMAP4rev1] in\r\n")
    return turns + [Turn(Stage.MAILBOX, hears, says) for hears, says in replies]


SCRAM = asking(AuthMethod.SCRAM_SHA_256)
CRAM = asking(AuthMethod.CRAM_MD5)

NOT_LISTED = (Stage.CAPABILITIES, Cause.BAD_REPLY)
NO_END = (Stage.CAPABILITIES, Cause.SILENT)


def _changed(at: int, says: bytes) -> list[Turn]:
    """The good dialogue with another answer at one turn."""
    turns = dialogue(Protocol.IMAP, Security.NONE)
    return [*turns[:at], Turn(turns[at].stage, turns[at].hears, says), *turns[at + 1 :]]


def _bare_line_feeds() -> list[Turn]:
    turns = dialogue(Protocol.IMAP, Security.NONE)
    return [Turn(turn.stage, turn.hears, turn.says and turn.says.replace(b"\r\n", b"\n")) for turn in turns]


def _counting(messages: bytes) -> list[Turn]:
    return _changed(5, b"* " + messages + b" EXISTS\r\n{tag} OK [READ-ONLY] done\r\n")


def _sized(octets: bytes) -> list[Turn]:
    return _changed(4, b"* STATUS INBOX (SIZE " + octets + b")\r\n{tag} OK done\r\n")


def _with_folders() -> list[Turn]:
    names = (
        b'"\x1b[2J\x1b]0;title\x07"',
        '"\u202eexe.slrig"'.encode(),
        b'"\x00"',
        b'"../../../etc/passwd"',
        b"{12}\r\n\r\na1 OK in\r\n",
        b'"' + b"x" * 60_000 + b'"',
        b"&AAAA-&2D0-",
        b"",
    )
    listed = b"".join(b'* LIST (\\HasNoChildren) "/" ' + name + b"\r\n" for name in names)
    return _changed(5, listed + b"* 3 EXISTS\r\n{tag} OK [READ-ONLY] done\r\n")


imap = partial(Scenario, Protocol.IMAP)

SCENARIOS = [
    imap("greeting-that-begins-like-one", greeting(b"* OKAY go on\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    imap("greeting-with-a-tag", greeting(b"a1 OK ready\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    imap(
        "preauth-under-tls",
        [
            Turn(Stage.GREETING, None, b"* PREAUTH you are ada\r\n"),
            *dialogue(Protocol.IMAP, Security.NONE)[1:2],
            *dialogue(Protocol.IMAP, Security.NONE)[3:],
        ],
        None,
        does="lets us in without a login, under TLS: no password is sent, and the report says that none is proven",
    ),
    imap("literal-shifted", capable(b"* CAPABILITY {5}\r\nIMAP4rev1 AUTH=PLAIN\r\n{tag} OK done\r\n"), NOT_LISTED),
    imap(
        "literal-longer-than-what-comes",
        capable(b"* CAPABILITY {100}\r\nIMAP4rev1 AUTH=PLAIN\r\n{tag} OK done\r\n"),
        (Stage.CAPABILITIES, Cause.SILENT),
    ),
    imap("literal-that-swallows-the-verdict", capable(b"* CAPABILITY {17}\r\n{tag} OK done\r\n"), NO_END),
    imap("literal-negative", capable(b"* CAPABILITY {-1}\r\n{tag} OK done\r\n"), NOT_LISTED),
    imap("literal-of-32-bits", capable(b"* CAPABILITY {4294967296}\r\n"), (Stage.CAPABILITIES, Cause.TOO_LARGE)),
    imap(
        "literal-of-64-bits",
        capable(b"* CAPABILITY {9223372036854775807}\r\n"),
        (Stage.CAPABILITIES, Cause.TOO_LARGE),
    ),
    imap("literal-of-many-digits", capable(b"* CAPABILITY {" + b"9" * 5_000 + b"}\r\n{tag} OK\r\n"), NOT_LISTED),
    imap("bare-line-feeds", _bare_line_feeds(), None, does="ends its lines by LF alone"),
    imap("nul-in-a-tag", capable(b"{tag}\x00 OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    imap("nul-in-a-mechanism", offering(b"LOGINDISABLED AUTH=PLAIN\x00"), (Stage.AUTH, Cause.NO_MECHANISM)),
    imap(
        "hostile-folder-names", _with_folders(), None, does="tells of folders named in ESC, bidi, NUL, ../ and literals"
    ),
    imap("most-messages", _counting(b"4294967295"), None, does="says `* 4294967295 EXISTS`", messages=(1 << 32) - 1),
    imap(
        "more-messages-than-32-bits",
        _counting(b"4294967296"),
        (Stage.MAILBOX, Cause.BAD_REPLY),
        does="says `* 4294967296 EXISTS`",
    ),
    imap(
        "more-octets-than-63-bits",
        _sized(b"9999999999999999999"),
        None,
        does="says that INBOX has 9999999999999999999 octets",
    ),
    imap("capability-refused", capable(b"{tag} NO later\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    imap("capability-not-listed", capable(b"{tag} OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    imap("wrong-tag", capable(b"zz9 OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="zz9 OK done"),
    imap("no-tag", capable(b"OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    imap("no-such-verdict", capable(b"{tag} YES done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    imap(
        "empty-line", capable(b"\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), does="answers CAPABILITY: an empty line"
    ),
    imap("continuation-not-due", capable(b"+ go on\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    imap(
        "gigabyte-literal-announced",
        capable(b"* CAPABILITY {1073741824}\r\n"),
        (Stage.CAPABILITIES, Cause.TOO_LARGE),
        reply="* CAPABILITY {1073741824}",
    ),
    imap("literal-in-the-greeting", greeting(b"* OK {1073741824}\r\n"), (Stage.GREETING, Cause.TOO_LARGE)),
    imap(
        "bye-in-the-middle",
        capable(b"* BYE shutting down\r\n{tag} NO sorry\r\n"),
        (Stage.CAPABILITIES, Cause.BAD_REPLY),
    ),
    imap(
        "verdict-between-commands",
        offering(b"AUTH=PLAIN\r\na999 OK unasked"),
        (Stage.CAPABILITIES, Cause.BAD_REPLY),
        reply="a999 OK unasked",
    ),
    imap("login-disabled", offering(b"LOGINDISABLED"), (Stage.AUTH, Cause.LOGIN_DISABLED)),
    imap(
        "only-unknown-mechanisms",
        offering(b"LOGINDISABLED AUTH=GSSAPI AUTH=NTLM"),
        (Stage.AUTH, Cause.NO_MECHANISM),
    ),
    imap(
        "no-such-mechanism",
        offering(b"AUTH=PLAIN"),
        (Stage.AUTH, Cause.NO_MECHANISM),
        CRAM,
        does="does not offer the mechanism that the account asks for",
    ),
    imap(
        "wrong-password",
        logging_in(b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n"),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="NO [AUTHENTICATIONFAILED] wrong",
    ),
    imap(
        "login-later",
        logging_in(b"{tag} NO [UNAVAILABLE] the database is down\r\n"),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="NO [UNAVAILABLE] the database is down",
    ),
    imap(
        "login-wants-encryption",
        logging_in(b"{tag} NO [PRIVACYREQUIRED] use TLS\r\n"),
        (Stage.AUTH, Cause.LOGIN_DISABLED),
    ),
    imap("login-bad", logging_in(b"{tag} BAD what?\r\n"), (Stage.AUTH, Cause.BAD_REPLY)),
    imap("plain-asked-for-more", logging_in(b"+ \r\n"), (Stage.AUTH, Cause.BAD_REPLY)),
    imap(
        "challenges-without-end",
        logging_in(b"+ \r\n" * 1_000),
        (Stage.AUTH, Cause.BAD_REPLY),
        does="answers PLAIN by 1,000 challenges",
    ),
    imap(
        "challenge-not-base64",
        offering(b"AUTH=CRAM-MD5", ("AUTHENTICATE CRAM-MD5", b"+ <what is this>\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        CRAM,
    ),
    imap(
        "success-before-the-challenge",
        offering(b"AUTH=CRAM-MD5", ("AUTHENTICATE CRAM-MD5", b"{tag} OK in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        CRAM,
    ),
    imap(
        "success-without-server-signature",
        offering(b"SASL-IR AUTH=SCRAM-SHA-256", ("AUTHENTICATE SCRAM-SHA-256", b"{tag} OK in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        SCRAM,
    ),
    imap(
        "no-inbox",
        logged_in(("EXAMINE", b"{tag} NO [NONEXISTENT] no such mailbox\r\n")),
        (Stage.MAILBOX, Cause.NO_INBOX),
        reply="NO [NONEXISTENT] no such mailbox",
    ),
    imap(
        "inbox-later",
        logged_in(("EXAMINE", b"{tag} NO [INUSE] someone else has it\r\n")),
        (Stage.MAILBOX, Cause.NOT_AVAILABLE),
    ),
    imap("inbox-without-count", logged_in(("EXAMINE", b"{tag} OK done\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)),
    imap(
        "inbox-with-an-absurd-count",
        logged_in(("EXAMINE", b"* 99999999999999999999999 EXISTS\r\n{tag} OK done\r\n")),
        (Stage.MAILBOX, Cause.BAD_REPLY),
    ),
    imap(
        "answers-in-the-wrong-order",
        logged_in(("EXAMINE", b""), ("LOGOUT", b"* BYE\r\n{tag} OK done\r\n")),
        (Stage.MAILBOX, Cause.BAD_REPLY),
        does="answers LOGOUT before EXAMINE",
    ),
    imap(
        "logout-without-bye",
        logged_in(("EXAMINE", b"* 0 EXISTS\r\n{tag} OK done\r\n"), ("LOGOUT", b"{tag} OK done\r\n")),
        None,
        messages=0,
    ),
]
