"""A POP3 maildrop that answers what a test says, a session with it, and an intake that keeps what comes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from mailtui.model.account import AuthMethod, Endpoint, Protocol, Security
from mailtui.model.check import Leg, plan
from mailtui.protocols.dial import Network
from mailtui.protocols.pop3_session import Pop3Session
from mailtui.protocols.pop3_source import Pop3Source
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.source import Listed
from mailtui.protocols.trace import Trace
from tests.protocols.legs import SECRET, USERNAME
from tests.scripted import Peer, ScriptedServer

OFFERS = ("TOP", "UIDL", "USER", "PIPELINING")


def stuffed(message: bytes) -> bytes:
    """A message as a multi-line reply ends it: its lines are divided by CRLF."""
    lines = message.removesuffix(b"\r\n").split(b"\r\n") if message else []
    return b"".join(b"." * line.startswith(b".") + line + b"\r\n" for line in lines) + b".\r\n"


class Maildrop:
    """Answers from `messages`, or, where `answers` has the whole line that came, from there; None hangs up.

    `groups` are the lines of each segment that came, `sent` the octets of answers that the system has taken.
    """

    def __init__(
        self,
        messages: Sequence[bytes] = (),
        *,
        offers: Sequence[str] | None = OFFERS,
        answers: Mapping[str, bytes | None] | None = None,
        line_end: bytes = b"\r\n",
        encode: Callable[[bytes], bytes] = stuffed,
    ) -> None:
        self.messages = list(messages)
        self.offers = offers
        self.answers = dict(answers or {})
        self.line_end = line_end
        self.encode = encode
        self.groups: list[list[str]] = []
        self.deleted: list[int] = []
        self.sent = 0

    @property
    def commands(self) -> list[str]:
        return [line for group in self.groups for line in group]

    async def __call__(self, peer: Peer) -> None:
        await peer.send(b"+OK ready" + self.line_end)
        rest = b""
        while chunk := await peer.reader.read(65_536):
            *lines, rest = (rest + chunk).split(b"\r\n")
            self.groups.append([line.decode() for line in lines])
            for line in lines:
                words = line.decode()
                said = self.answers[words] if words in self.answers else self._answer(*words.split(" "))
                if said is None:
                    return
                await peer.send(said)
                self.sent += len(said)
                if line == b"QUIT":
                    return

    def _answer(self, verb: str, *arguments: str) -> bytes:
        end = self.line_end
        numbers = range(1, len(self.messages) + 1)
        match verb:
            case "CAPA":
                if self.offers is None:
                    return b"-ERR what?" + end
                return self._listing(self.offers)
            case "STAT":
                return b"+OK %d %d" % (len(self.messages), sum(map(len, self.messages))) + end
            case "LIST":
                return self._listing(f"{number} {len(self.messages[number - 1])}" for number in numbers)
            case "UIDL":
                return self._listing(f"{number} uid-{number}" for number in numbers)
            case "RETR":
                return b"+OK" + end + self.encode(self.messages[int(arguments[0]) - 1])
            case "TOP":
                header = self.messages[int(arguments[0]) - 1].partition(b"\r\n\r\n")[0]
                return b"+OK" + end + stuffed(header + b"\r\n\r\n")
            case "DELE":
                self.deleted.append(int(arguments[0]))
        return b"+OK" + end

    def _listing(self, lines: Iterable[str]) -> bytes:
        return b"".join(line.encode() + self.line_end for line in ("+OK", *lines, "."))


class Keeper:
    """An intake that keeps the messages by their handles; one that `is_full` is so until `make_room`."""

    def __init__(self, *, is_full: bool = False) -> None:
        self.on_room: Callable[[], None] | None = None
        self.is_full = is_full
        self.came: dict[int, bytes] = {}
        self.refusals: dict[int, str] = {}
        self.octets = 0
        self._begun: Listed | None = None
        self._octets = bytearray()

    @property
    def begun(self) -> bytes | None:
        """What has come of a message that is not whole."""
        return None if self._begun is None else bytes(self._octets)

    def make_room(self) -> None:
        self.is_full = False
        assert self.on_room is not None
        self.on_room()

    def begin(self, message: Listed) -> None:
        self._begun = message
        self._octets.clear()

    def feed(self, data: bytes) -> None:
        self._octets += data
        self.octets += len(data)

    def complete(self, flags: tuple[str, ...] = ()) -> None:
        assert self._begun is not None
        assert self._begun.handle not in self.came
        self.came[self._begun.handle] = bytes(self._octets)
        self._begun = None

    def refused(self, message: Listed, reply: str) -> None:
        self.refusals[message.handle] = reply


@asynccontextmanager
async def source_of(drop: Callable[[Peer], Awaitable[None]]) -> AsyncIterator[tuple[Pop3Source, Trace]]:
    """A source over a session that has logged in and prepared."""
    async with ScriptedServer(drop) as server:
        trace = Trace(
            account="under test",
            leg=Leg.INBOUND,
            protocol=Protocol.POP3,
            endpoint=Endpoint(server.host, server.port, Security.NONE),
            plan=plan(Protocol.POP3, Security.NONE, True),
            on_event=None,
            stage_timeout=10.0,
            leg_timeout=20.0,
        )
        session = Pop3Session(Credentials(USERNAME, SECRET, AuthMethod.AUTOMATIC), Network())
        try:
            await session.open(trace)
            source = Pop3Source(session, trace)
            await source.prepare(trace)
            yield source, trace
        finally:
            session.close()
            trace.stop()
