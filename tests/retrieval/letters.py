"""Messages that are hard to carry, each unlike all others."""

import random

BODIES = (
    b"Hello.\r\n",
    b".\r\n..\r\n...dots\r\n.\r\n\r\n.\r\n",
    b"\0 NUL \0\0 and \xff\xfe\x80 8-bit \r\n",
    b"From the start of a line\r\n>From quoted\r\n",
    b"* 1 FETCH (FLAGS ())\r\nA1 OK done\r\n+OK\r\n-ERR\r\n)\r\n{12}\r\n",
    b"bare\nline\nends\rand returns\r\n",
    b"\r\n\r\n\r\n",
    b"long " + b"x" * 9_000 + b"\r\n",
    b"\t \r\n" * 40,
    b"",
)


def letter(number: int, body: bytes = b"Hello.\r\n") -> bytes:
    """Message `number`, CRLF at its end."""
    head = (
        f"Received: from test by test; {number}\r\nFrom: Ada <ada@example.org>\r\nTo: bob@example.org\r\n"
        f"Subject: number {number}\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\n"
        f"Message-ID: <{number}@example.org>\r\n\r\n"
    )
    return head.encode() + body


def letters(count: int, first: int = 1) -> list[bytes]:
    """Messages with all kinds of bodies."""
    return [letter(number, BODIES[number % len(BODIES)]) for number in range(first, first + count)]


def any_letter(number: int, chance: random.Random) -> bytes:
    """A message with a body that `chance` picks; once in a while a long one."""
    if chance.random() < 0.05:
        return letter(number, b"".join(b"%d.%d\r\n" % (number, line) for line in range(20_000)))
    body = b"".join(chance.choice(BODIES) for _ in range(chance.randint(0, 3)))
    return letter(number, body)
