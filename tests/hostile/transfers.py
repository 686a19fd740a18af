"""Servers that mean harm with the mail they give out, or by the way they do: nothing else is stored, or deleted."""

import asyncio
from functools import partial

from mailtui.model.check import Cause, Stage
from tests.hostile.floods import MIB, flood
from tests.hostile.scenario import TLS, Verdict
from tests.hostile.transfer import (
    BODIES,
    IMAP,
    LETTER,
    LETTERS,
    LISTED,
    POP3,
    SIZES,
    STATUS,
    UIDL,
    Transfer,
    body,
    imap,
    letter,
    logged_in,
    pop3,
)
from tests.protocols.dialogue import Turn, hear
from tests.scripted import Action, Peer

TOO_LARGE: Verdict = (Stage.TRANSFER, Cause.TOO_LARGE)
BAD_REPLY: Verdict = (Stage.TRANSFER, Cause.BAD_REPLY)
CLOSED: Verdict = (Stage.TRANSFER, Cause.CLOSED)
SILENT: Verdict = (Stage.TRANSFER, Cause.SILENT)
NOT_AVAILABLE: Verdict = (Stage.TRANSFER, Cause.NOT_AVAILABLE)

# More than any mistake about the size of a message of some octets explains.
_ENDLESS = 100 * MIB
_PIECE = (b"x" * 998 + b"\r\n") * 256

NAMES = (
    b'"\x1b[2J\x1b]0;title\x07"',
    '"\u202eexe.slrig"'.encode(),
    b'"../../../etc/cron.d"',
    b'"/etc/passwd"',
    b'".."',
    b'"~root"',
    b'"a/../../b"',
    b'"new"',
    b'"cur/../tmp"',
    b"{5}\r\na\r\nb\r",
    b'"&AAAALwAv-"',
    b'"' + b"x" * 600 + b'"',
    b'"nul\x00"',
)


async def hang_up(peer: Peer) -> None:
    """End the connection."""


def endless(first: bytes) -> Action:
    """A body that never ends."""

    async def pour(peer: Peer) -> None:
        await peer.send(first)
        for _ in range(0, _ENDLESS, len(_PIECE)):
            await peer.send(_PIECE)
            await asyncio.sleep(0)
        raise AssertionError("the client takes whatever it is sent")

    return pour


async def every_name(peer: Peer) -> None:
    """Answer for each of NAMES: one message in each."""
    while True:
        line = (await peer.line()).encode("utf-8", "backslashreplace")
        tag, _, command = line.partition(b" ")
        said = b""
        if command.startswith((b"EXAMINE", b"SELECT")):
            said = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"
        elif b"RFC822.SIZE" in command:
            said = b"* 1 FETCH (UID 1 RFC822.SIZE %d)\r\n" % len(LETTER)
        elif b"BODY.PEEK" in command:
            said = body(1, LETTER)
        verdict = b"NO \x1b[31mno\r\n" if command.startswith(b"STATUS") else b"OK done\r\n"
        await peer.send(said + tag + b" " + verdict)


async def in_drops(peer: Peer) -> None:
    """The answer to UID FETCH, octet by octet."""
    tag = await hear(IMAP, peer, "UID FETCH 1:3 ")
    await peer.drip(BODIES, 0.0)
    await peer.send(tag.encode() + b" OK done\r\n")
    tag = await hear(IMAP, peer, "LOGOUT")
    await peer.send(b"* BYE\r\n" + tag.encode() + b" OK done\r\n")


FETCH, LOGOUT = "UID FETCH 1:3 ", ("LOGOUT", b"* BYE\r\n{tag} OK done\r\n")
DONE = b"{tag} OK done\r\n"
over_imap = partial(Transfer, IMAP)

_IMAP = [
    over_imap(
        "endless-literal",
        imap((FETCH, b"")),
        TOO_LARGE,
        does="announces a message of 49 octets as a literal of 63 bits, and sends it",
        then=endless(b"* 1 FETCH (UID 1 FLAGS () BODY[] {9223372036854775807}\r\n"),
    ),
    over_imap(
        "literal-cut",
        imap((FETCH, body(1, LETTERS[0]) + b"* 2 FETCH (UID 2 BODY[] {900}\r\nand then")),
        CLOSED,
        does="hangs up in the middle of the second message",
        then=hang_up,
        stored=LETTERS[:1],
    ),
    over_imap(
        "silence-in-mid-message",
        imap((FETCH, body(1, LETTERS[0]) + b"* 2 FETCH (UID 2 BODY[] {900}\r\nand then")),
        SILENT,
        does="falls silent in the middle of the second message",
        stored=LETTERS[:1],
    ),
    over_imap(
        "bye-in-mid-fetch",
        imap((FETCH, body(1, LETTERS[0]) + b"* BYE \x1b[31mshutting down\r\n")),
        NOT_AVAILABLE,
        does="says `* BYE` after the first message, and hangs up",
        then=hang_up,
        reply="BYE \\x1b[31mshutting down",
        stored=LETTERS[:1],
    ),
    over_imap(
        "dribble", imap(), None, does="sends its mail octet by octet", then=in_drops, stored=LETTERS, is_untold=True
    ),
    over_imap(
        "wrong-uid",
        imap((FETCH, body(1, LETTER, uid=99) * 3 + DONE), LOGOUT),
        None,
        does="sends message 99 where 1, 2 and 3 were asked for",
        told="not there any more",
    ),
    over_imap(
        "uid-that-changes",
        imap(
            (FETCH, b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s UID 2)\r\n" % (len(LETTER), LETTER) + DONE),
            LOGOUT,
        ),
        None,
        does="calls a message 1 before its octets, and 2 after them",
        told="not there any more",
    ),
    over_imap(
        "unasked-messages",
        imap((FETCH, body(9, LETTER, uid=99) * 999 + BODIES + body(1, b"another", uid=1) + DONE), LOGOUT),
        None,
        does="sends 999 messages that nobody asked for, and one of those that came once more",
        stored=LETTERS,
        is_untold=True,
    ),
    over_imap(
        "verdict-before-the-mail",
        imap((FETCH, DONE), (LOGOUT[0], BODIES + LOGOUT[1])),
        None,
        does="says that all has been sent, and sends it then",
        told="not there any more",
    ),
    over_imap(
        "refusal-with-escapes",
        imap(
            ("UID FETCH 1:3 ", b"{tag} NO \x1b]0;x\x07 \xe2\x80\xae no\r\n"),
            ("UID FETCH 1:2 ", BODIES[: len(body(1, LETTERS[0]))] + b"{tag} NO \x1b[2J no\r\n"),
            ("UID FETCH 3 ", b"{tag} NO \x1b[2J no\r\n"),
            ("UID FETCH 2 ", b"{tag} NO \x1b[2J no\r\n"),
            LOGOUT,
        ),
        None,
        does="refuses two of three messages, in words with control and bidi characters",
        stored=LETTERS[:1],
        told="no",
    ),
    over_imap(
        "exists-lies",
        [
            *imap(
                opened=b"* 4294967295 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 9223372036854775807] x\r\n"
                + DONE,
                sizes=b"* 1 FETCH (UID 4294967296 RFC822.SIZE 9)\r\n* 2 FETCH (UID 0 RFC822.SIZE 9)\r\n",
            ),
            Turn(Stage.QUIT, *LOGOUT),
        ],
        None,
        does="says `* 4294967295 EXISTS`, and lists two UIDs that none can be",
        told="4294967295",
    ),
    over_imap(
        "endless-listing",
        imap(sizes=b"")[:-1],
        TOO_LARGE,
        does="has 3 messages, and lists 64 MB of them",
        then=lambda peer: _list_without_end(peer),
    ),
    over_imap(
        "endless-untagged",
        imap((FETCH, b"")),
        TOO_LARGE,
        does="answers UID FETCH by 64 MB of `* OK`",
        then=flood(b"* OK and on\r\n" * 1_000),
    ),
    over_imap(
        "deeply-nested",
        imap((FETCH, b"* 1 FETCH (X " + b"(" * 60_000 + b"\r\n" + BODIES + DONE), LOGOUT),
        None,
        does="opens 60,000 parentheses before its mail",
        stored=LETTERS,
        is_untold=True,
    ),
    over_imap(
        "empty-literals",
        logged_in(("LIST ", b'* LIST () "/" {0}\r\n')),
        (Stage.MAILBOX, Cause.TOO_LARGE),
        does="names a mailbox by empty literals without end",
        then=flood(b"{0}\r\n" * 10_000),
    ),
    over_imap(
        "names-without-end",
        logged_in(("LIST ", b"")),
        (Stage.MAILBOX, Cause.TOO_LARGE),
        does="lists 64 MB of mailboxes",
        then=lambda peer: _name_without_end(peer),
        mailboxes=("*",),
    ),
    over_imap(
        "100000-mailboxes",
        logged_in(
            ("LIST ", b"".join(b'* LIST () "/" another/%d\r\n' % number for number in range(100_000)) + LISTED),
            ("STATUS ", STATUS.replace(b"MESSAGES 3", b"MESSAGES 0")),
            ("EXAMINE ", b"* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" + DONE),
            LOGOUT,
        ),
        None,
        does="lists 100,000 mailboxes where INBOX was asked for",
        is_untold=True,
    ),
    over_imap(
        "names-that-leave-the-root",
        logged_in(("LIST ", b"".join(b'* LIST () "/" ' + name + b"\r\n" for name in NAMES) + DONE)),
        None,
        does="lists mailboxes with ESC, bidi, NUL, `..`, `/etc/passwd`, `~root`, `new`, and has mail in each",
        then=every_name,
        mailboxes=("*",),
        stored=[LETTER] * 11,
        is_untold=True,
    ),
]


async def _list_without_end(peer: Peer) -> None:
    await hear(IMAP, peer, "UID FETCH 1:* ")
    for start in range(1, 1_000_000, 1_000):
        assert start < 500_000, "the client takes whatever it is sent"
        lines = (b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (uid, uid) for uid in range(start, start + 1_000))
        await peer.send(b"".join(lines))
        await asyncio.sleep(0)


async def _name_without_end(peer: Peer) -> None:
    for start in range(0, 64_000, 100):
        assert start < 32_000, "the client takes whatever it is sent"
        await peer.send(b"".join(b'* LIST () "/" "%0990d"\r\n' % number for number in range(start, start + 100)))
        await asyncio.sleep(0)


QUIT = ("QUIT", b"+OK bye\r\n")
over_pop3 = partial(Transfer, POP3)

_POP3 = [
    over_pop3(
        "body-without-end",
        pop3(("RETR 1", b"")),
        TOO_LARGE,
        TLS,
        does="sends a message of 49 octets without end",
        then=endless(b"+OK\r\n"),
    ),
    over_pop3(
        "body-cut",
        pop3(("RETR 1", letter(1)), ("RETR 2", b"+OK\r\nand then")),
        CLOSED,
        does="hangs up in the middle of the second message",
        then=hang_up,
        stored=LETTERS[:1],
    ),
    over_pop3(
        "silence-in-mid-message",
        pop3(("RETR 1", letter(1)), ("RETR 2", b"+OK\r\nand then\r\n.")),
        SILENT,
        does="falls silent between the dot and its line end",
        stored=LETTERS[:1],
    ),
    over_pop3(
        "dribble",
        pop3(("RETR 1", b""))[:-1],
        None,
        does="sends its mail octet by octet",
        then=lambda peer: _pop3_in_drops(peer),
        stored=LETTERS,
        is_untold=True,
    ),
    over_pop3(
        "another-message-unasked",
        pop3(("RETR 1", letter(1) + letter(2))),
        BAD_REPLY,
        does="answers `RETR 1` by two messages",
        stored=LETTERS[:1],
    ),
    over_pop3(
        "surplus-message-in-a-window",
        pop3(("RETR 1", letter(1)), ("RETR 2", letter(2) + letter(1)), ("RETR 3", letter(3))),
        BAD_REPLY,
        does="answers `RETR 2` by two messages, so that there is one too many in the end, and would have all deleted",
        deletes=True,
        stored=[LETTERS[0], LETTERS[1], LETTERS[0]],
    ),
    over_pop3(
        "dubious-end",
        pop3(("RETR 1", letter(1)), ("RETR 2", b""), ("RETR 3", b"+OK\r\nnow\n.\r\n+OK\r\nwhose?\r\n.\r\n")),
        BAD_REPLY,
        does="ends a message by a dot after a bare LF, with the next one on its way",
        stored=LETTERS[:1],
    ),
    over_pop3(
        "refusal-with-escapes",
        pop3(("RETR 1", b"-ERR \x1b]0;x\x07 \xe2\x80\xae no\r\n"), ("RETR 2", letter(2)), ("RETR 3", letter(3)), QUIT),
        None,
        does="refuses one of three messages, in words with control and bidi characters",
        stored=LETTERS[1:],
        told="no",
    ),
    over_pop3(
        "later",
        pop3(("RETR 1", letter(1)), ("RETR 2", b"-ERR [SYS/TEMP] the disk is gone\r\n")),
        NOT_AVAILABLE,
        stored=LETTERS[:1],
    ),
    over_pop3(
        "endless-list",
        pop3(uidl=b"+OK\r\n")[:-1],
        TOO_LARGE,
        does="has 3 messages, and lists 64 MB of names",
        then=flood(b"1 one\r\n" * 1_000),
    ),
    over_pop3(
        "endless-name",
        pop3(uidl=b"+OK\r\n1 ")[:-1],
        TOO_LARGE,
        does="gives a message a name of 64 MB",
        then=flood(b"x" * 65_000),
    ),
    over_pop3(
        "hostile-names",
        pop3(
            ("RETR 1", letter(1)),
            ("RETR 2", letter(2)),
            ("RETR 3", letter(3)),
            QUIT,
            uidl=b"+OK\r\n1 \x1b[2J\x07\r\n2 ../../../etc/passwd\r\n3 \xff\x00'; DROP TABLE message; --\r\n.\r\n",
        ),
        None,
        does="names its messages by ESC, `../` and SQL",
        stored=LETTERS,
        is_untold=True,
    ),
    over_pop3(
        "names-that-are-one",
        pop3(
            ("RETR 1", letter(1)),
            ("RETR 2", letter(2)),
            ("RETR 3", letter(3)),
            QUIT,
            uidl=b"+OK\r\n1 same\r\n2 same\r\n3 same\r\n.\r\n",
        ),
        None,
        does="gives three messages one name",
        stored=LETTERS,
        told="share their names",
    ),
    over_pop3(
        "listed-twice",
        pop3(uidl=UIDL.replace(b"2 two", b"1 two")),
        BAD_REPLY,
        does="tells of one message twice in UIDL",
    ),
    over_pop3("message-zero", pop3(sizes=SIZES.replace(b"1 ", b"0 ", 1)), BAD_REPLY, does="lists a message 0"),
    over_pop3(
        "counts-that-lie",
        pop3(
            ("RETR 1", letter(1)),
            QUIT,
            stat=b"9223372036854775807 9",
            uidl=b"+OK\r\n1 one\r\n.\r\n",
            sizes=b"+OK\r\n1 99999999999999999999\r\n.\r\n",
        ),
        None,
        does="counts 9223372036854775807 messages, and lists one of 99999999999999999999 octets",
        stored=LETTERS[:1],
        told="9223372036854775807",
    ),
    over_pop3(
        "deletion-unconfirmed",
        pop3(
            ("RETR 1", letter(1)),
            ("RETR 2", letter(2)),
            ("RETR 3", letter(3)),
            ("DELE 1", b"+OK\r\n"),
            ("DELE 2", b"+OK\r\n"),
            ("DELE 3", b"+OK\r\n"),
            ("QUIT", b""),
        ),
        (Stage.QUIT, Cause.CLOSED),
        does="takes the deletions, and hangs up without an answer to QUIT",
        then=hang_up,
        deletes=True,
        stored=LETTERS,
    ),
]


async def _pop3_in_drops(peer: Peer) -> None:
    for number in range(1, 4):
        await peer.expect(f"RETR {number}")
        await peer.drip(letter(number), 0.0)
    await peer.expect("QUIT")
    await peer.send(b"+OK bye\r\n")


SCENARIOS = [*_IMAP, *_POP3]
