"""What only IMAP servers do wrong, and what each of it is called."""

from base64 import b64encode

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Cause, Stage
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn
from tests.protocols.legs import Login, Way
from tests.protocols.scenarios import Scenario, enact, params

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


def asking(method: AuthMethod) -> Way:
    return Way(login=Login(method=method))


STARTTLS = Way(Security.STARTTLS)
SCRAM = asking(AuthMethod.SCRAM_SHA_256)
CRAM = asking(AuthMethod.CRAM_MD5)

SCENARIOS = [
    Scenario(
        "greeted-bye",
        greeting(b"* BYE too many connections\r\n"),
        (Stage.GREETING, Cause.NOT_AVAILABLE),
        reply="BYE too many connections",
    ),
    Scenario("banner-ssh", greeting(b"SSH-2.0-dropbear\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("banner-http", greeting(b"HTTP/1.0 404 Not Found\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("banner-smtp", greeting(b"220 mail.test ESMTP\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario("banner-pop3", greeting(b"+OK POP3\r\n"), (Stage.GREETING, Cause.FOREIGN_BANNER)),
    Scenario(
        "preauth-before-tls",
        greeting(b"* PREAUTH you are root\r\n"),
        (Stage.GREETING, Cause.PREAUTH_BEFORE_TLS),
        STARTTLS,
        reply="PREAUTH you are root",
    ),
    Scenario("capability-refused", capable(b"{tag} NO later\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("capability-not-listed", capable(b"{tag} OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("wrong-tag", capable(b"zz9 OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY), reply="zz9 OK done"),
    Scenario("no-tag", capable(b"OK done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("no-such-verdict", capable(b"{tag} YES done\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("empty-line", capable(b"\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario("continuation-not-due", capable(b"+ go on\r\n"), (Stage.CAPABILITIES, Cause.BAD_REPLY)),
    Scenario(
        "gigabyte-literal",
        capable(b"* CAPABILITY {1073741824}\r\n"),
        (Stage.CAPABILITIES, Cause.TOO_LARGE),
        reply="* CAPABILITY {1073741824}",
    ),
    Scenario("literal-in-the-greeting", greeting(b"* OK {1073741824}\r\n"), (Stage.GREETING, Cause.TOO_LARGE)),
    Scenario(
        "literals-without-end",
        capable((b"* 1 FETCH {60000}\r\n" + b"x" * 60_000 + b")\r\n") * 80),
        (Stage.CAPABILITIES, Cause.TOO_LARGE),
    ),
    Scenario("untagged-without-end", capable(b"* 1 EXISTS\r\n" * 65_536), (Stage.CAPABILITIES, Cause.TOO_LARGE)),
    Scenario(
        "bye-in-the-middle",
        capable(b"* BYE shutting down\r\n{tag} NO sorry\r\n"),
        (Stage.CAPABILITIES, Cause.BAD_REPLY),
    ),
    Scenario(
        "verdict-between-commands",
        offering(b"AUTH=PLAIN\r\na999 OK unasked"),
        (Stage.CAPABILITIES, Cause.BAD_REPLY),
        reply="a999 OK unasked",
    ),
    Scenario("starttls-not-offered", offering(b"AUTH=PLAIN"), (Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED), STARTTLS),
    Scenario(
        "starttls-refused",
        [*offering(b"STARTTLS"), Turn(Stage.STARTTLS, "STARTTLS", b"{tag} NO no certificate here\r\n")],
        (Stage.STARTTLS, Cause.STARTTLS_REFUSED),
        STARTTLS,
        reply="NO no certificate here",
    ),
    Scenario("login-disabled", offering(b"LOGINDISABLED"), (Stage.AUTH, Cause.LOGIN_DISABLED)),
    Scenario(
        "only-unknown-mechanisms",
        offering(b"LOGINDISABLED AUTH=GSSAPI AUTH=NTLM"),
        (Stage.AUTH, Cause.NO_MECHANISM),
    ),
    Scenario("no-such-mechanism", offering(b"AUTH=PLAIN"), (Stage.AUTH, Cause.NO_MECHANISM), CRAM),
    Scenario(
        "wrong-password",
        logging_in(b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n"),
        (Stage.AUTH, Cause.BAD_CREDENTIALS),
        reply="NO [AUTHENTICATIONFAILED] wrong",
    ),
    Scenario(
        "login-later",
        logging_in(b"{tag} NO [UNAVAILABLE] the database is down\r\n"),
        (Stage.AUTH, Cause.NOT_AVAILABLE),
        reply="NO [UNAVAILABLE] the database is down",
    ),
    Scenario(
        "login-wants-encryption",
        logging_in(b"{tag} NO [PRIVACYREQUIRED] use TLS\r\n"),
        (Stage.AUTH, Cause.LOGIN_DISABLED),
    ),
    Scenario("login-bad", logging_in(b"{tag} BAD what?\r\n"), (Stage.AUTH, Cause.BAD_REPLY)),
    Scenario("plain-asked-for-more", logging_in(b"+ \r\n"), (Stage.AUTH, Cause.BAD_REPLY)),
    Scenario("challenges-without-end", logging_in(b"+ \r\n" * 1_000), (Stage.AUTH, Cause.BAD_REPLY)),
    Scenario(
        "challenge-not-base64",
        offering(b"AUTH=CRAM-MD5", ("AUTHENTICATE CRAM-MD5", b"+ <what is this>\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        CRAM,
    ),
    Scenario(
        "success-before-the-challenge",
        offering(b"AUTH=CRAM-MD5", ("AUTHENTICATE CRAM-MD5", b"{tag} OK in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        CRAM,
    ),
    Scenario(
        "success-without-server-signature",
        offering(b"SASL-IR AUTH=SCRAM-SHA-256", ("AUTHENTICATE SCRAM-SHA-256", b"{tag} OK in\r\n")),
        (Stage.AUTH, Cause.BAD_REPLY),
        SCRAM,
    ),
    Scenario(
        "scram-rounds-beyond-measure",
        offering(
            b"SASL-IR AUTH=SCRAM-SHA-256",
            ("AUTHENTICATE SCRAM-SHA-256", b"+ " + b64encode(b"r=rest,s=AAAA,i=2000000000") + b"\r\n"),
        ),
        (Stage.AUTH, Cause.BAD_REPLY),
        SCRAM,
    ),
    Scenario(
        "no-inbox",
        logged_in(("EXAMINE", b"{tag} NO [NONEXISTENT] no such mailbox\r\n")),
        (Stage.MAILBOX, Cause.NO_INBOX),
        reply="NO [NONEXISTENT] no such mailbox",
    ),
    Scenario(
        "inbox-later",
        logged_in(("EXAMINE", b"{tag} NO [INUSE] someone else has it\r\n")),
        (Stage.MAILBOX, Cause.NOT_AVAILABLE),
    ),
    Scenario("inbox-without-count", logged_in(("EXAMINE", b"{tag} OK done\r\n")), (Stage.MAILBOX, Cause.BAD_REPLY)),
    Scenario(
        "inbox-with-an-absurd-count",
        logged_in(("EXAMINE", b"* 99999999999999999999999 EXISTS\r\n{tag} OK done\r\n")),
        (Stage.MAILBOX, Cause.BAD_REPLY),
    ),
    Scenario(
        "answers-in-the-wrong-order",
        logged_in(("EXAMINE", b""), ("LOGOUT", b"* BYE\r\n{tag} OK done\r\n")),
        (Stage.MAILBOX, Cause.BAD_REPLY),
    ),
    Scenario(
        "logout-without-bye",
        logged_in(("EXAMINE", b"* 0 EXISTS\r\n{tag} OK done\r\n"), ("LOGOUT", b"{tag} OK done\r\n")),
        None,
    ),
]


@params(SCENARIOS)
async def test_the_fault_has_its_name(authority: Authority, scenario: Scenario) -> None:
    await enact(authority, Protocol.IMAP, scenario)
