"""A mailbox to be fetched: many small messages, some large ones, the same every time."""

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

MEDIAN = 8_000
"""Octets of the message in the middle."""
_SPREAD = 1.55
_LARGEST = 6_000_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What a mailbox holds: messages and, as they lie on the server's disk with LF line ends, their octets."""

    messages: int
    octets: int


def fill(maildir: Path, count: int, owner: str | None) -> Filled:
    """Put `count` messages into the Maildir; `owner` is the user (and group) that it shall belong to.

    Sizes are log-normal: 10,000 messages are about 300 MB, a few of several MB.
    """
    chance, octets = random.Random(2033), 0
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    lines = [chance.randbytes(27).hex().encode() + b"\n" for _ in range(5_000)]
    for number in range(1, count + 1):
        size = min(_LARGEST, int(chance.lognormvariate(0, _SPREAD) * MEDIAN) + 400)
        message = _message(number, size, lines, chance)
        octets += len(message)
        # In cur and with its size in its name, as a Dovecot leaves a mailbox that was looked at before.
        (maildir / "cur" / f"{1_700_000_000 + number}.M{number}P1.bench,S={len(message)}:2,").write_bytes(message)
    if owner is not None:
        for path in (maildir.parent, *maildir.parent.rglob("*")):
            shutil.chown(path, owner, owner)
    os.sync()
    return Filled(count, octets)


def _message(number: int, size: int, lines: list[bytes], chance: random.Random) -> bytes:
    head = (
        f"Received: from relay.example.net by mail.example.org; Sat, 21 Nov 2026 10:00:00 +0000\n"
        f"From: Sender {number % 97} <sender{number % 97}@example.net>\nTo: u0001@localhost\n"
        f"Subject: message {number}\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nMessage-ID: <{number}@example.net>\n"
        "MIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n"
    ).encode()
    rest = max(0, size - len(head))
    start = chance.randrange(len(lines))
    whole = b"".join(lines[(start + step) % len(lines)] for step in range(rest // len(lines[0]) + 1))
    return head + whole[:rest].rstrip(b"\n") + b"\n"
