"""An ImapSource on an open session, or on a wire by itself, and an intake that keeps what it is given."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mailtui.model.account import AuthMethod, Endpoint, Protocol
from mailtui.model.check import Leg, Stage
from mailtui.protocols.deadlines import Watch
from mailtui.protocols.dial import Network
from mailtui.protocols.imap_session import ImapSession
from mailtui.protocols.imap_source import ImapSource
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.source import Listed, RemoteMailbox
from mailtui.protocols.trace import Trace
from tests.fuzz.feeding import cut
from tests.protocols.wires import Pipe, make_trace

T = TypeVar("T")

USER = "ada@example.org"
SECRET = "right"


@dataclass
class Kept:
    """An intake in memory. It is full from `room` octets on, until `drain`, which comes by itself if it `drains`."""

    room: int | None = None
    drains: bool = True
    came: list[tuple[Listed, bytes, tuple[str, ...]]] = field(default_factory=list)
    refusals: list[tuple[Listed, str]] = field(default_factory=list)
    begun: list[Listed] = field(default_factory=list)
    on_room: Callable[[], None] | None = None
    held: int = 0
    most_held: int = 0
    times_full: int = 0
    _data: bytearray = field(default_factory=bytearray)

    @property
    def is_full(self) -> bool:
        if self.room is None or self.held < self.room:
            return False
        self.times_full += 1
        if self.drains:
            # Room comes once the loop had its turn, as it does when a thread has stored a batch.
            asyncio.get_running_loop().call_soon(self.drain)
        return True

    def drain(self) -> None:
        self.held = 0
        if self.on_room is not None:
            self.on_room()

    def begin(self, message: Listed) -> None:
        self.begun.append(message)
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        self._data += data
        self.held += len(data)
        self.most_held = max(self.most_held, self.held)

    def complete(self, flags: tuple[str, ...] = ()) -> None:
        self.came.append((self.begun[-1], bytes(self._data), flags))

    def refused(self, message: Listed, reply: str) -> None:
        self.refusals.append((message, reply))

    @property
    def messages(self) -> dict[int, bytes]:
        """Octets by handle; fails where one came twice."""
        assert len({message.handle for message, _, _ in self.came}) == len(self.came)
        return {message.handle: data for message, data, _ in self.came}

    @property
    def flags(self) -> dict[int, tuple[str, ...]]:
        return {message.handle: flags for message, _, flags in self.came}


@asynccontextmanager
async def opened(
    endpoint: Endpoint, user: str = USER, secret: str = SECRET, stage_timeout: float = 10.0
) -> AsyncIterator[tuple[ImapSource, Trace]]:
    """A source after `prepare`."""
    trace = Trace(
        account="under test",
        leg=Leg.INBOUND,
        protocol=Protocol.IMAP,
        endpoint=endpoint,
        plan=(),
        on_event=None,
        stage_timeout=stage_timeout,
        leg_timeout=float("inf"),
    )
    session = ImapSession(Credentials(user, secret, AuthMethod.AUTOMATIC), Network())
    try:
        await session.open(trace)
        source = ImapSource(session, trace)
        await source.prepare(trace)
        yield source, trace
    finally:
        session.close()
        trace.stop()


@asynccontextmanager
async def transferring(endpoint: Endpoint, user: str = USER, secret: str = SECRET) -> AsyncIterator[ImapSource]:
    """A source within TRANSFER."""
    async with opened(endpoint, user, secret) as (source, trace), trace.stage(Stage.TRANSFER):
        yield source


class QuietPipe(Pipe):
    """A pipe that can be stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.is_paused = False
        self.times_paused = 0

    def pause_reading(self) -> None:
        self.is_paused = True
        self.times_paused += 1

    def resume_reading(self) -> None:
        self.is_paused = False


Answer = bytes | Callable[[str], bytes]
"""What a server says to a command; `{tag}` stands for its tag."""


class Talk:
    """A source over a wire by itself: the test is the server, and says what it says in pieces of its own."""

    def __init__(self, capabilities: str = "UIDPLUS CONDSTORE IDLE", seed: int = 0) -> None:
        self.trace = make_trace(Protocol.IMAP)
        self.trace.watch = Watch(float("inf"))
        self.trace.capabilities = tuple(capabilities.split())
        self.pipe = QuietPipe()
        self.session = ImapSession(None, Network())
        self.wire = self.session._make_wire(self.trace, paused=False)
        self.wire.connection_made(self.pipe)
        self.wire.data_received(b"* OK ready\r\n")
        self.source = ImapSource(self.session, self.trace)
        self.heard: list[str] = []
        """Commands without their tags, in their order."""
        self.writes: list[int] = []
        """How many commands came in each write that was answered."""
        self._seed = seed

    def say(self, data: bytes) -> None:
        """Feed the wire, in pieces."""
        for piece in cut(data, self._seed):
            self.wire.data_received(piece)

    async def do(self, work: Coroutine[Any, Any, T], *answers: Answer) -> T:
        """What comes of `work`, whose commands are answered by `answers` in their order; all have to be used."""
        task = asyncio.ensure_future(work)
        waiting = deque(answers)
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            lines = self.new_commands()
            if not lines:
                break
            for tag, command in lines:
                assert waiting, f"nobody expected {command!r}"
                answer = waiting.popleft()
                said = answer if isinstance(answer, bytes) else answer(command)
                self.say(said.replace(b"{tag}", tag.encode()))
        assert task.done(), "it still waits"
        result = task.result()
        assert not waiting, f"never asked for {waiting}"
        return result

    def new_commands(self) -> list[tuple[str, str]]:
        """What was written since the last call: tags and commands."""
        lines = bytes(self.pipe.written).decode("utf-8", "surrogateescape").split("\r\n")[:-1]
        self.pipe.written.clear()
        commands = [(tag, command) for tag, _, command in (line.partition(" ") for line in lines)]
        self.heard += [command for _, command in commands]
        if commands:
            self.writes.append(len(commands))
        return commands

    async def select(self, messages: int = 9, codes: bytes = b"* OK [UIDVALIDITY 7] x\r\n") -> None:
        """INBOX is open."""
        answer = b"* %d EXISTS\r\n%s{tag} OK done\r\n" % (messages, codes)
        await self.do(self.source.select(RemoteMailbox("INBOX", "INBOX"), writable=True), answer)
        self.heard.clear()
        self.writes.clear()


def listed(*uids: int) -> list[Listed]:
    """Messages of a listing."""
    return [Listed(uid, str(uid), None) for uid in uids]


def body(number: int, uid: int, data: bytes, before: bytes = b"FLAGS (\\Seen) ", after: bytes = b"") -> bytes:
    """A FETCH response with a message."""
    return b"* %d FETCH (UID %d %sBODY[] {%d}\r\n%s%s)\r\n" % (number, uid, before, len(data), data, after)


def uids_of(command: str) -> list[int]:
    """The UIDs that a command names."""
    ranges = (part.partition(":") for part in command.split()[2].split(","))
    return [uid for first, _, last in ranges for uid in range(int(first), int(last or first) + 1)]
