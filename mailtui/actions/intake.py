"""Messages as they stream in, gathered into batches on the event loop; whoever stores them takes those."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mailtui.protocols.deadlines import Watch
from mailtui.protocols.source import Listed

BATCH_MESSAGES = 128
BATCH_OCTETS = 4 << 20
BATCH_SECONDS = 1.0
"""A batch is stored once it has so much, or its first message has waited so long: durability is paid once for each."""

SPILL_OCTETS = 1 << 20
"""Octets of one message that may wait in memory; what comes then goes to disk before the message is whole."""

ROOM_OCTETS = 8 << 20
"""Octets in memory, in all, from which on the source stops reading."""

_MESSAGE_COST = 1_024


@dataclass(slots=True)
class Incoming:
    """A message on its way: `chunks` are the octets in memory. `kept` is the storing side's own, of a spilled one."""

    message: Listed
    chunks: list[bytes] = field(default_factory=list)
    loose: int = 0
    """Octets of `chunks`."""
    octets: int = 0
    flags: tuple[str, ...] = ()
    is_spilled: bool = False
    kept: Any = None


@dataclass(slots=True)
class Spill:
    """The first octets of a message that is not whole yet."""

    incoming: Incoming
    chunks: list[bytes]
    octets: int


class BatchIntake:
    """See `protocols.source.Intake`. `job` waits for what is to be stored, `done` tells that it was."""

    def __init__(
        self,
        watch: Watch,
        on_refused: Callable[[Listed, str], None],
        on_too_large: Callable[[Listed, int], None],
        limit: float = math.inf,
    ) -> None:
        """A message of more than `limit` octets, whatever the server says of its size, is not taken.

        Once it has come to its end `on_too_large` is called with how many it has.
        """
        self.on_room: Callable[[], None] | None = None
        self._watch = watch
        self._on_refused = on_refused
        self._on_too_large = on_too_large
        self._limit = limit
        self._current: Incoming | None = None
        self._dropped: list[Incoming] = []
        self._batch: list[Incoming] = []
        self._batch_octets = 0
        self._held = 0
        self._is_due = False
        self._has_ended = False
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        return self._held >= ROOM_OCTETS

    def begin(self, message: Listed) -> None:
        self._drop()
        self._current = Incoming(message)

    def feed(self, data: bytes) -> None:
        current = self._current
        assert current is not None
        octets = len(data)
        current.octets += octets
        if current.octets > self._limit:
            self._let_go(current)
            return
        current.chunks.append(data)
        current.loose += octets
        self._held += octets
        if current.loose >= SPILL_OCTETS:
            self._wake.set()
        if self._held >= ROOM_OCTETS:
            # From here on the server waits for us.
            self._watch.hold()

    def complete(self, flags: tuple[str, ...] = ()) -> None:
        current, self._current = self._current, None
        assert current is not None
        if current.octets > self._limit:
            self._on_too_large(current.message, current.octets)
            return
        current.flags = flags
        self._held += _MESSAGE_COST
        if not self._batch:
            self._timer = asyncio.get_running_loop().call_later(BATCH_SECONDS, self._is_waiting_long)
        self._batch.append(current)
        # What is on disk already counts too: it may have a file open.
        self._batch_octets += current.octets
        if self._is_batch_full:
            self._wake.set()
        if self.is_full:
            self._watch.hold()

    def refused(self, message: Listed, reply: str) -> None:
        self._on_refused(message, reply)

    def end(self) -> None:
        """Nothing more comes; what is whole is still to be stored."""
        self._has_ended = True
        self._drop()
        self._watch.hold()
        self._wake.set()

    async def job(self) -> Spill | list[Incoming] | None:
        """What is to be stored next, as soon as it is worth it; None at the end."""
        while True:
            if self._batch and (self._is_batch_full or self._is_due or self._has_ended):
                return self._take_batch()
            current = self._current
            if current is not None and current.loose >= SPILL_OCTETS:
                spill = Spill(current, current.chunks, current.loose)
                current.chunks, current.loose, current.is_spilled = [], 0, True
                return spill
            if self._has_ended:
                return None
            self._wake.clear()
            await self._wake.wait()

    def take_dropped(self) -> list[Incoming]:
        """Messages that were spilled, and will not become whole. To be asked between two jobs."""
        dropped, self._dropped = self._dropped, []
        return dropped

    def done(self, job: Spill | list[Incoming]) -> None:
        """`job` is on disk: there is room again."""
        was_full = self.is_full
        if isinstance(job, Spill):
            self._held -= job.octets
        else:
            self._held -= sum(incoming.loose + _MESSAGE_COST for incoming in job)
        self._watch.progress()
        if self._has_ended:
            # What is left is this machine's work alone.
            self._watch.hold()
        elif was_full and not self.is_full:
            self._make_room()

    @property
    def _is_batch_full(self) -> bool:
        return len(self._batch) >= BATCH_MESSAGES or self._batch_octets >= BATCH_OCTETS or self.is_full

    def _take_batch(self) -> list[Incoming]:
        # Never more than a batch's messages: while one is stored, thousands of small ones may come.
        taken, self._batch = self._batch[:BATCH_MESSAGES], self._batch[BATCH_MESSAGES:]
        self._batch_octets = sum(incoming.octets for incoming in self._batch)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # What is left has waited for this one already.
        self._is_due = bool(self._batch)
        return taken

    def _is_waiting_long(self) -> None:
        self._timer = None
        self._is_due = True
        self._wake.set()

    def _drop(self) -> None:
        current, self._current = self._current, None
        if current is not None:
            self._let_go(current)

    def _let_go(self, incoming: Incoming) -> None:
        """Keep nothing of it."""
        was_full = self.is_full
        self._held -= incoming.loose
        incoming.chunks, incoming.loose = [], 0
        if incoming.is_spilled:
            incoming.is_spilled = False
            self._dropped.append(incoming)
            self._wake.set()
        if was_full and not self.is_full:
            self._make_room()

    def _make_room(self) -> None:
        self._watch.progress()
        if self.on_room is not None:
            self.on_room()
