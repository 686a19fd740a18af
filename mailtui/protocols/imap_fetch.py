"""What FETCH responses say (RFC 3501 section 7.4.2), read as they come: sizes, headers, whole messages."""

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from mailtui.model.check import Cause
from mailtui.protocols.deadlines import Watch
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import Sink
from mailtui.protocols.source import Intake, Listed

HEADER_LIMIT = 256 << 10
"""Octets of a header that is still of use."""

# What an honest server may have in one mailbox; more would fill this machine's memory. Some of it may have come since
# the mailbox was opened.
_MOST_LISTED = 1_000_000
_COME_SINCE = 10_000

_FETCH = re.compile(rb"\* ([0-9]{1,10}) FETCH \(", re.IGNORECASE)
# An item's name and its value: a flat list, a quoted string, a literal to come, or an atom.
_ITEM = re.compile(
    rb" *([A-Za-z0-9.\-]+(?:\[[^\]]*\])?(?:<[0-9]+>)?) "
    rb'(?:\(([^()]*)\)|"((?:[^"\\]|\\.)*)"|(~?\{[0-9]+\+?\})$|([^ ()"{}]+))'
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_BODY = re.compile(rb"BODY\[(?:HEADER)?\]", re.IGNORECASE)


@dataclass(slots=True)
class Fetched:
    """What one response says; `text` is a body that came as a quoted string, `is_nil` tells of one that is NIL."""

    sequence: int
    uid: int = 0
    octets: int | None = None
    flags: tuple[str, ...] | None = None
    text: bytes | None = None
    is_nil: bool = False

    @classmethod
    def begun(cls, line: bytes) -> "tuple[Fetched, bool] | None":
        """What the first line of a response says, and whether a body's literal follows; None for another response."""
        start = _FETCH.match(line)
        if start is None:
            return None
        fetched = cls(int(start[1]))
        return fetched, fetched.read(line, start.end())

    def read(self, line: bytes, place: int = 0) -> bool:
        """Add what a line says from `place` on; whether it ends with the announcement of a body's literal."""
        while item := _ITEM.match(line, place):
            place = item.end()
            name, listed, text, literal, atom = item.groups()
            if literal is not None:
                return _BODY.fullmatch(name) is not None
            name = name.upper()
            if name == b"UID" and atom is not None:
                self.uid = _number(atom, 32)
            elif name == b"RFC822.SIZE" and atom is not None and atom.isdigit():
                self.octets = _number(atom, 63)
            elif name == b"FLAGS" and listed is not None:
                self.flags = tuple(listed.decode("utf-8", "backslashreplace").split())
            elif _BODY.fullmatch(name):
                self.text = None if text is None else _ESCAPED.sub(rb"\1", text)
                self.is_nil = atom is not None
        return False


def _number(digits: bytes, bits: int) -> int:
    """A number of at most so many bits; 0, which is none, for anything else."""
    if not digits.isdigit() or len(digits) > 19:
        return 0
    number = int(digits)
    return number if number < 1 << bits else 0


class FetchReader(ABC):
    """Takes the FETCH responses that some commands are answered by."""

    def body(self, fetched: Fetched) -> Sink:
        """Where a body goes; `fetched` is what was said before it."""
        return discard

    @abstractmethod
    def end(self, fetched: Fetched) -> None:
        """A response has ended."""


def discard(data: bytes) -> None:
    """For what nobody asked for."""


class Sizes(FetchReader):
    """Which messages there are, and how large. What names a UID tells of a message, whatever it tells."""

    def __init__(self, since: int, exists: int, on_progress: Callable[[], None]) -> None:
        self._since = since
        self._most = min(exists + _COME_SINCE, _MOST_LISTED)
        self._heard = 0
        self._on_progress = on_progress
        self._found: dict[int, tuple[int, int | None]] = {}
        self._again: list[tuple[int, int | None]] = []
        self.are_numbers_moving = False
        """Set once a message was expunged meanwhile: the same message may then come under two numbers."""

    def end(self, fetched: Fetched) -> None:
        uid = fetched.uid
        # Flags that others change meanwhile come as well.
        self._heard += 1
        if len(self._found) > self._most or self._heard > 4 * self._most:
            raise WireError(Cause.TOO_LARGE, f"the server lists more than {self._most} messages, more than there are")
        # `n:*` names the last message even where its UID is below n.
        if uid < max(self._since, 1):
            return
        known = self._found.get(uid)
        if known is None:
            self._found[uid] = (fetched.sequence, fetched.octets)
            self._on_progress()
        elif known[1] is None and fetched.octets is not None:
            self._found[uid] = (fetched.sequence, fetched.octets)
        elif known[0] != fetched.sequence and not self.are_numbers_moving and len(self._again) < self._most:
            self._again.append((uid, fetched.octets))

    def listed(self, has_uids: bool) -> list[Listed]:
        """All, oldest first; two messages that the server gives one UID are both there."""
        found = [(uid, octets) for uid, (_, octets) in self._found.items()]
        found += self._again
        found.sort(key=lambda entry: entry[0])
        return [Listed(uid, str(uid) if has_uids else "", octets) for uid, octets in found]


class Headers(FetchReader):
    """Headers that were asked for, and are not too long."""

    def __init__(self, uids: Iterable[int], on_progress: Callable[[], None]) -> None:
        self._missing = set(uids)
        self._on_progress = on_progress
        self._pieces: list[bytes] = []
        self._held = 0
        self.found: dict[int, bytes] = {}

    def body(self, fetched: Fetched) -> Sink:
        self._pieces, self._held = [], 0
        return self._keep

    def _keep(self, data: bytes) -> None:
        self._held += len(data)
        if self._held <= HEADER_LIMIT:
            self._pieces.append(data)
        self._on_progress()

    def end(self, fetched: Fetched) -> None:
        header = b"".join(self._pieces) if fetched.text is None else fetched.text
        if header and self._held <= HEADER_LIMIT and fetched.uid in self._missing:
            self._missing.discard(fetched.uid)
            self.found[fetched.uid] = header
        self._pieces, self._held = [], 0


class Bodies(FetchReader):
    """Whole messages on their way to an intake."""

    def __init__(self, wanted: Sequence[Listed], intake: Intake, on_data: Callable[[], None]) -> None:
        self._intake = intake
        self._on_data = on_data
        self._waiting: dict[int, list[Listed]] = {}
        for message in wanted:
            self._waiting.setdefault(message.handle, []).append(message)
        self._flags: dict[int, tuple[str, ...]] = {}
        self._current: Listed | None = None
        self._came = 0
        self._is_over = False
        self.only = 0
        """The one UID that is asked for now; 0 where there may be several."""
        self.are_uids_late = False
        """Whether the server names a message only after its body: then they have to be asked for one by one."""

    def missing(self, uids: Iterable[int]) -> list[int]:
        """Which of `uids` have neither come nor been refused."""
        return [uid for uid in uids if uid in self._waiting]

    def refuse(self, uid: int, reply: str) -> None:
        """The server does not give this one."""
        for message in self._waiting.pop(uid, ()):
            self._intake.refused(message, reply)

    def body(self, fetched: Fetched) -> Sink:
        if self._current is not None:
            return discard
        uid = fetched.uid
        if not uid:
            uid = self.only
            self.are_uids_late = self.are_uids_late or not uid
        if uid not in self._waiting:
            return discard
        self._current = self._waiting[uid][0]
        self._came = 0
        self._intake.begin(self._current)
        return self._feed

    def close(self) -> None:
        """Nothing more goes to the intake, though a message may still be on its way."""
        self._is_over = True

    def _feed(self, data: bytes) -> None:
        if not self._is_over and self._current is not None:
            self._came += len(data)
            self._current.require_end(self._came)
            self._intake.feed(data)
            self._on_data()

    def end(self, fetched: Fetched) -> None:
        message, self._current = self._current, None
        uid = fetched.uid
        if uid not in self._waiting or (message is not None and message.handle != uid):
            return
        if message is None:
            if fetched.text is None:
                self._without_body(fetched)
                return
            message = self._waiting[uid][0]
            self._intake.begin(message)
            self._intake.feed(fetched.text)
        flags = fetched.flags if fetched.flags is not None else self._flags.pop(uid, ())
        rest = self._waiting[uid]
        rest.pop(0)
        if not rest:
            del self._waiting[uid]
        self._intake.complete(flags)
        self._on_data()

    def _without_body(self, fetched: Fetched) -> None:
        if fetched.is_nil:
            self.refuse(fetched.uid, "NIL")
        elif fetched.flags is not None:
            self._flags[fetched.uid] = fetched.flags


class Flow:
    """Lets a server send only as fast as its mail can be stored."""

    def __init__(self, transport: asyncio.Transport, intake: Intake, watch: Watch) -> None:
        self._transport = transport
        self._intake = intake
        self._watch = watch
        self._is_paused = False
        intake.on_room = self._go_on

    def came(self) -> None:
        """Something came and was taken."""
        if self._is_paused:
            # What had been read already; the server has to wait all the same.
            return
        self._watch.progress()
        if self._intake.is_full:
            self._is_paused = True
            self._transport.pause_reading()
            self._watch.hold()

    def _go_on(self) -> None:
        if self._is_paused:
            self._is_paused = False
            self._watch.progress()
            self._transport.resume_reading()

    def end(self) -> None:
        """Nothing more comes."""
        self._intake.on_room = None
        self._go_on()


def sets(uids: Sequence[int], *, most: int, octets: int) -> Iterator[tuple[str, list[int]]]:
    """Sequence sets (RFC 3501 section 9) that name exactly `uids`, ascending: each of at most so many, and so long."""
    group: list[int] = []
    ranges: list[str] = []
    length = 0
    for first, last in _ranges(uids, most):
        text = str(first) if first == last else f"{first}:{last}"
        if group and (len(group) + last - first + 1 > most or length + 1 + len(text) > octets):
            yield ",".join(ranges), group
            group, ranges, length = [], [], 0
        group.extend(range(first, last + 1))
        ranges.append(text)
        length += 1 + len(text)
    if group:
        yield ",".join(ranges), group


def _ranges(uids: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    first = last = 0
    for uid in sorted(set(uids)):
        if first and uid == last + 1 and uid - first < most:
            last = uid
            continue
        if first:
            yield first, last
        first = last = uid
    if first:
        yield first, last
