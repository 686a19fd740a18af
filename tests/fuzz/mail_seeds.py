"""Good input of the targets that read mail."""

import json

from tests.fuzz.seeds import REPORT

BODIES = (
    b"\x01* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {3}\r\nabc)\r\n* 2 FETCH (BODY[] ~{2}\r\nde UID 2 FLAGS ())\r\n"
    b'* 3 FETCH (UID 70000 BODY[] "q\\"x" FLAGS (\\Deleted $F))\r\nT0 OK done\r\n',
    b"\x05* 4 EXISTS\r\n* 1 FETCH (UID 9 BODY[] {0}\r\n)\r\n* 1 FETCH (UID 1 BODY[] NIL)\r\n* 2 EXPUNGE\r\nT0 NO x\r\n",
    b"\x03* 1 FETCH (UID 1 BODY[] {3}\r\nabc BODY[] {1}\r\nx UID 2)\r\n* BYE [ALERT] x\r\n",
    b"\x02* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\nabc",
)
HEADERS = (
    b"\x01* 1 FETCH (UID 1 BODY[HEADER] {5}\r\nA: b\n)\r\n* 2 FETCH (BODY[HEADER] {2}\r\n\r\n UID 2)\r\nT0 OK done\r\n",
    b'\x07* 3 FETCH (UID 70000 BODY[HEADER] "")\r\n* 1 FETCH (UID 1 BODY[HEADER.FIELDS (X)] {1}\r\nx)\r\nT0 BAD x\r\n',
)
SIZES = (
    b"\x01* 1 FETCH (UID 2 RFC822.SIZE 9)\r\n* 2 FETCH (RFC822.SIZE 18446744073709551616 UID 3)\r\nT0 OK done\r\n",
    b"\x04* 1 FETCH (UID 4294967296 RFC822.SIZE 9)\r\n* 7 FETCH (UID 2)\r\n* 8 FETCH (UID 2 MODSEQ (5))\r\nT0 OK x\r\n",
)
MAILBOXES = (
    b'\x01* LIST (\\HasNoChildren) "/" "a/&AOk-"\r\n* LIST () NIL {3}\r\na\\b\r\n* LIST () "." inbox\r\nT0 OK done\r\n',
    b'\x09* LIST (\\NoSelect) "/" a\r\n* LIST () "\\\\" "a\\"b"\r\n* LIST () "/" "\xff/b"\r\n* LIST () "" x\r\n',
    b'\x03* LIST () "/" {0}\r\n\r\n* LIST () "/" "../../a"\r\n* LIST () "/" &AGE-\r\n* LIST () "/" a\r\nT0 OK x\r\n',
)
NAMES = (b"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "台北/é&é".encode(), b"&2D3eAA-", b"&-&AAAA-", b"inbox", b"\xff&")
POP3_BODIES = (
    b"\x02a\r\n..b\r\n.\r\n+OK\r\n",
    b"\x03a\n..\n.\n",
    b"\x04.\r\n",
    b"\x06a\n.\n\r\n.x\r\n.\r\n.\r\n",
    b"\x08a\r.\r\n.\r\r\n.\r\n",
)
POP3_LISTS = (b"1 a\r\n2 b\r\n\x001 9\r\n2 99999999999999999999\r\n", b"1 1\n2 2\n\x002 x", b"0 a\n", b"1 a\n1 b\n")
LMTP = (
    b"eve@example.org\x00220 x\r\n250-x\r\n250-PIPELINING\r\n250 SIZE 9999\r\n250 a\r\n250 b\r\n354 c\r\n250 d\r\n",
    b"<e>\r\nRCPT TO:<x>\x00220 x\r\n250 x\r\n250 a\r\n250 b\r\n354 c\r\n550-5.7.1 no\r\n550 5.7.1 no\r\n",
    b"\x00220 x\r\n250-x\r\n250 8BITMIME\r\n421 bye\r\n",
    b"\x00220 x\r\n500 EHLO\r\n",
)
STUFFING = (b"\x02a\r\n.b\r\n", b"\x03.\r\r\n.\n.", b"\x01", b"\x05x\r\n.\r\nMAIL FROM:<>\r\n")
RETRIEVAL = json.dumps(
    {
        "version": 1,
        "account": "ada",
        "started": "2025-06-01T12:00:00Z",
        "ms": 1.5,
        "leg": json.loads(REPORT)["outbound"],
        "dry_run": False,
        "stable": None,
        "mailboxes": [
            {
                "name": "INBOX",
                "folder": "",
                "stored": 1,
                "octets": 2,
                "recognised": 3,
                "kept": 4,
                "deleted": 5,
                "on_server": 6,
                "problem": "",
                "notes": ["x"],
            }
        ],
        "candidates": [
            {
                "mailbox": "INBOX",
                "uid": "1",
                "verdict": "too-large",
                "octets": None,
                "sender": "",
                "subject": "x",
                "date": "",
                "reply": "",
            }
        ],
    }
).encode()
