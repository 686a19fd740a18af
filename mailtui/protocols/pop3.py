"""POP3 (RFC 1939, 2449, 5034) without I/O: commands go in, bytes come out, replies are read back in order.

The rules, all in one place. The server speaks first. Every command gets one reply; a reply is one status line, and for
some commands that succeeded, lines up to a single dot. The state decides which commands are allowed:

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
from mailtui.protocols.lines import LineBuffer, foreign_banner

# RFC 2449 section 4 allows 512 octets; servers that put a sentence or a URL in an error send more.
STATUS_LIMIT = 4_096
# RFC 5322 allows 998 in a message; broken mailers write whole attachments in one line.
LINE_LIMIT = 1 << 20


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
class Line:
    """One line of a multi-line reply, its dot-stuffing undone."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """The dot that ends a multi-line reply to `command`."""

    command: str


Event = Status | Challenge | Line | End


class Pop3:
    """The conversation's state. `send` and `receive_data` raise WireError; after that only the close is left."""

    def __init__(self) -> None:
        self.state = State.GREETING
        self.timestamp = ""
        self._lines = LineBuffer(LINE_LIMIT)
        self._pending: deque[tuple[str, bool]] = deque([("", False)])
        self._in_lines = False
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
        try:
            for line in self._lines.feed(data):
                self._take(line)
        except WireError:
            self.state = State.BROKEN
            raise

    def next_event(self) -> Event | None:
        """What came next, or None when more has to be received first."""
        return self._events.popleft() if self._events else None

    def unread(self) -> bool:
        """Whether something came that `next_event` has not told, or that makes no sense."""
        return bool(self._events or len(self._lines) or self.state is State.BROKEN)

    def _take(self, line: bytes) -> None:
        if self._in_lines:
            self._take_line(line)
            return
        text = line.decode("utf-8", "backslashreplace")
        if len(line) > STATUS_LIMIT:
            raise WireError(Cause.TOO_LARGE, f"the server sent a status line of more than {STATUS_LIMIT} octets")
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
        self._pending.popleft()
        status = Status(command, word.upper() == "+OK", rest)
        self._events.append(status)
        self._in_lines = is_multiline and status.ok
        if self._in_lines:
            self._pending.appendleft((command, is_multiline))
        self._advance(status)

    def _take_line(self, line: bytes) -> None:
        if line == b".":
            command, _ = self._pending.popleft()
            self._in_lines = False
            self._events.append(End(command))
        else:
            self._events.append(Line(line[1:] if line.startswith(b".") else line))

    def _advance(self, status: Status) -> None:
        if self.state is State.GREETING:
            self.state = State.AUTHORIZATION if status.ok else State.UPDATE
            start = status.text.find("<")
            end = status.text.find(">", start)
            if 0 <= start < end:
                self.timestamp = status.text[start : end + 1]
        elif self.state is State.AUTHORIZATION and status.ok and status.command in _LOGS_IN:
            self.state = State.TRANSACTION
