"""One scenario of a retrieval: the mail that a hostile server gives out, and what of it may be stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailtui.model.account import Protocol
from mailtui.model.check import Stage
from tests.hostile.scenario import CLEAR, Scenario
from tests.protocols.dialogue import Turn
from tests.protocols.legs import Way


@dataclass(frozen=True)
class Transfer(Scenario):
    """As a scenario, of a whole retrieval into an empty Maildir. `stored` is the mail that is there in the end."""

    way: Way = CLEAR
    stored: Sequence[bytes] = ()
    told: str = ""
    """Words that the report must have, in a note, a problem or the failure."""
    mailboxes: tuple[str, ...] = ("INBOX",)
    deletes: bool = False
    """Whether the account deletes what was stored."""
    is_untold: bool = False
    """Whether nothing of it has to be told: the mail is all there, and all that was said is harmless."""

    @property
    def id(self) -> str:
        return f"transfer-{super().id}"


LETTER = b"From: eve@example.org\r\nSubject: hello\r\n\r\nfirst\r\n"
LETTERS = [LETTER, LETTER.replace(b"first", b"second"), LETTER.replace(b"first", b"third")]

_OFFER = b"+OK\r\nPIPELINING\r\nUIDL\r\nTOP\r\nSASL PLAIN\r\n.\r\n"
UIDL = b"+OK\r\n1 one\r\n2 two\r\n3 three\r\n.\r\n"
SIZES = b"+OK\r\n1 %d\r\n2 %d\r\n3 %d\r\n.\r\n" % tuple(map(len, LETTERS))


def pop3(*replies: tuple[str, bytes], stat: bytes = b"3 150", uidl: bytes = UIDL, sizes: bytes = SIZES) -> list[Turn]:
    """A POP3 session up to the lists of its mail, and then what is heard and said."""
    return [
        Turn(Stage.GREETING, None, b"+OK ready\r\n"),
        Turn(Stage.CAPABILITIES, "CAPA", _OFFER),
        Turn(Stage.AUTH, "AUTH PLAIN ", b"+OK in\r\n"),
        Turn(Stage.CAPABILITIES, "CAPA", _OFFER),
        Turn(Stage.MAILBOX, "STAT", b"+OK " + stat + b"\r\n"),
        Turn(Stage.TRANSFER, "UIDL", uidl),
        Turn(Stage.TRANSFER, "LIST", sizes),
        *(Turn(Stage.TRANSFER, hears, says) for hears, says in replies),
    ]


def letter(number: int) -> bytes:
    """The reply to RETR."""
    return b"+OK\r\n" + LETTERS[number - 1] + b".\r\n"


LISTED = b'* LIST () "/" INBOX\r\n{tag} OK done\r\n'
STATUS = b"* STATUS INBOX (MESSAGES 3 UIDVALIDITY 7 UIDNEXT 4)\r\n{tag} OK done\r\n"
OPENED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n{tag} OK done\r\n"
FETCHED_SIZES = b"".join(
    b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n" % (number, number, len(content))
    for number, content in enumerate(LETTERS, 1)
)


def logged_in(*replies: tuple[str, bytes]) -> list[Turn]:
    """An IMAP session up to the login, and then what is heard and said."""
    return [
        Turn(Stage.GREETING, None, b"* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n"),
        Turn(Stage.AUTH, "AUTHENTICATE PLAIN ", b"{tag} OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n"),
        *(Turn(Stage.TRANSFER, hears, says) for hears, says in replies),
    ]


def imap(*replies: tuple[str, bytes], opened: bytes = OPENED, sizes: bytes = FETCHED_SIZES) -> list[Turn]:
    """The same up to the listing of INBOX."""
    return logged_in(
        ("LIST ", LISTED),
        ("STATUS ", STATUS),
        ("EXAMINE ", opened),
        ("UID FETCH 1:* ", sizes + b"{tag} OK done\r\n"),
        *replies,
    )


def body(number: int, content: bytes, uid: int | None = None) -> bytes:
    """A FETCH response with a message."""
    return b"* %d FETCH (UID %d FLAGS () BODY[] {%d}\r\n%s)\r\n" % (number, uid or number, len(content), content)


BODIES = b"".join(body(number, content) for number, content in enumerate(LETTERS, 1))

IMAP, POP3 = Protocol.IMAP, Protocol.POP3
