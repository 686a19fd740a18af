"""POP3 (RFC 1939, 2449, 5034) without I/O: commands go in, bytes come out, replies are read back in order.

The rules, all in one place. The server speaks first. Every command gets one reply; a reply is one status line, and for
some commands that succeeded, octets up to a single dot (`pop3_body`). The state decides which commands are allowed:

    GREETING       nothing may be sent
    AUTHORIZATION  CAPA STLS USER PASS APOP AUTH QUIT   -> TRANSACTION once a login succeeded
    TRANSACTION    CAPA STAT LIST UIDL RETR TOP DELE NOOP RSET QUIT   -> UPDATE once QUIT was sent
    UPDATE         nothing more
    BROKEN         nothing more: the server broke the rules, and what follows cannot be told apart
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.lines import foreign_banner
from mailtui.protocols.pop3_body import BodyReader

# RFC 2449 section 4 allows 512 octets; servers that put a sentence or a URL in an error send more.
STATUS_LIMIT = 4_096


class State(Enum):
    GREETING = "greeting"
    AUTHORIZATION = "authorization"
    TRANSACTION = "transaction"
    UPDATE = "update"
    BROKEN = "broken"


_ALLOWED = {
    State.GREETING: frozenset[str](),
    State.AUTHORIZATION: frozenset({"CAPA", "STLS", "USER", "PASS", "APOP", "AUTH", "QUIT"}),
    State.TRANSACTION: frozenset({"CAPA", "STAT", "LIST", "UIDL", "RETR", "TOP", "DELE", "NOOP", "RSET", "QUIT"}),
    State.UPDATE: frozenset[str](),
    State.BROKEN: frozenset[str](),
}
_LOGS_IN = frozenset({"PASS", "APOP", "AUTH"})
_MAIL = frozenset({"RETR", "TOP"})


@dataclass(frozen=True, slots=True)
class Status:
    """The first line of a reply: whether it is +OK, what follows, and the command that it answers ("" the greeting)."""

    command: str
    ok: bool
    text: str

    @property
    def line(self) -> str:
        return f"{'+OK' if self.ok else '-ERR'} {self.text}".rstrip()

    @property
    def code(self) -> str:
        """The response code, upper case (RFC 2449 section 8, RFC 3206), or empty."""
        if not self.text.startswith("["):
            return ""
        return self.text[1:].partition("]")[0].upper()


@dataclass(frozen=True, slots=True)
class Challenge:
    """The server asks for more in an AUTH; `data` is still base64."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Octets of a multi-line reply, as many as came, dot-stuffing undone; line ends are as the server sent them."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """A multi-line reply to `command` is whole."""

    command: str


Event = Status | Challenge | Body | End


class Pop3:
    """The conversation's state. `send` and `receive_data` raise WireError; after that only the close is left."""

    def __init__(self) -> None:
        self.state = State.GREETING
        self.timestamp = ""
        self._rest = b""
        self._pending: deque[tuple[str, bool]] = deque([("", False)])
        self._body: BodyReader | None = None
        self._has_said_crlf = False
        self._events: deque[Event] = deque()

    def send(self, command: str) -> bytes:
        """The octets of `command`. Raises ValueError for one that is not allowed now or would break out of its line."""
        if any(character in command for character in "\r\n\0"):
            raise ValueError("a POP3 command is one line")
        keyword, _, argument = command.partition(" ")
        if keyword not in _ALLOWED[self.state]:
            raise ValueError(f"{keyword} is not allowed in the {self.state.value} state")
        is_multiline = keyword in ("CAPA", "RETR", "TOP") or (keyword in ("LIST", "UIDL") and not argument)
        self._pending.append((keyword, is_multiline))
        if keyword == "QUIT":
            self.state = State.UPDATE
        return command.encode() + b"\r\n"

    def respond(self, message: bytes) -> bytes:
        """The octets of an answer to a Challenge, already base64."""
        return message + b"\r\n"

    def receive_data(self, data: bytes) -> None:
        """Take what came, in pieces of any size."""
        data = self._rest + data
        at, before = 0, -1
        try:
            while before < at < len(data):
                before, at = (
                    at,
                    self._take_line(data, at) if self._body is None else self._take_body(data, at),
                )
        except WireError:
            self.state = State.BROKEN
            raise
        self._rest = data[at:]

    def next_event(self) -> Event | None:
        """What came next, or None when more has to be received first."""
        return self._events.popleft() if self._events else None

    def unread(self) -> bool:
        """Whether something came that `next_event` has not told, or that makes no sense."""
        return bool(self._events or self._rest or self.state is State.BROKEN)

    @property
    def is_in_doubt(self) -> bool:
        """Whether the reply that is being read had what other servers would have meant as its end."""
        return self._body is not None and self._body.is_dubious

    def _take_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at, at + STATUS_LIMIT + 1)
        if end < 0:
            if len(data) - at > STATUS_LIMIT:
                raise WireError(Cause.TOO_LARGE, f"the server sent a status line of more than {STATUS_LIMIT} octets")
            return at
        line = data[at:end]
        self._has_said_crlf = self._has_said_crlf or line.endswith(b"\r")
        self._take(line.removesuffix(b"\r"))
        return end + 1

    def _take_body(self, data: bytes, at: int) -> int:
        assert self._body is not None
        body = self._body
        octets, at = body.read(data, at)
        if octets:
            self._events.append(Body(octets))
        if body.is_dubious and len(self._pending) > 1:
            # Were it the end, the next reply would be read as mail, and each after it given to the wrong message.
            raise WireError(
                Cause.BAD_REPLY, "the server sent a dot alone on its line, but with a bare LF: an end, or mail?"
            )
        if body.is_whole:
            command, _ = self._pending.popleft()
            self._body = None
            self._events.append(End(command))
        return at

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", "backslashreplace")
        if not self._pending:
            raise WireError(Cause.BAD_REPLY, "the server said something that nobody had asked for", text)
        command, is_multiline = self._pending[0]
        if line == b"+" or line.startswith(b"+ "):
            if command != "AUTH":
                raise WireError(Cause.BAD_REPLY, "the server asks for more where there is no more to say", text)
            self._events.append(Challenge(line[2:]))
            return
        word, _, rest = text.partition(" ")
        if word.upper() not in ("+OK", "-ERR"):
            if self.state is State.GREETING:
                raise foreign_banner("POP3", line)
            raise WireError(Cause.BAD_REPLY, "the server sent a line that is no POP3 reply", text)
        status = Status(command, word.upper() == "+OK", rest)
        self._events.append(status)
        if is_multiline and status.ok:
            # Lists hold nobody's mail, and servers that say no CRLF at all end their lines by LF.
            self._body = BodyReader(is_strict=command in _MAIL and self._has_said_crlf)
        else:
            self._pending.popleft()
        self._advance(status)

    def _advance(self, status: Status) -> None:
        if self.state is State.GREETING:
            self.state = State.AUTHORIZATION if status.ok else State.UPDATE
            start = status.text.find("<")
            end = status.text.find(">", start)
            if 0 <= start < end:
                self.timestamp = status.text[start : end + 1]
        elif self.state is State.AUTHORIZATION and status.ok and status.command in _LOGS_IN:
            self.state = State.TRANSACTION
