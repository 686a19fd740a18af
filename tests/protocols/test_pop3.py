"""POP3 without I/O: the state table, framing that does not care about pieces, and a client against a server."""

import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.pop3 import STATUS_LIMIT, Body, Challenge, End, Event, Pop3, State, Status


def events_of(conversation: Pop3) -> list[Event]:
    """What has come and was not told yet, each body in one piece."""
    found: list[Event] = []
    while (event := conversation.next_event()) is not None:
        if isinstance(event, Body) and found and isinstance(found[-1], Body):
            found[-1] = Body(found[-1].data + event.data)
        else:
            found.append(event)
    return found


def hear(conversation: Pop3, pieces: Iterable[bytes]) -> list[Event]:
    for piece in pieces:
        conversation.receive_data(piece)
    return events_of(conversation)


def greeted() -> Pop3:
    conversation = Pop3()
    assert hear(conversation, [b"+OK ready\r\n"]) == [Status("", True, "ready")]
    return conversation


def logged_in() -> Pop3:
    conversation = greeted()
    conversation.send("PASS secret")
    hear(conversation, [b"+OK\r\n"])
    assert conversation.state is State.TRANSACTION
    return conversation


COMMANDS = (
    "CAPA",
    "STLS",
    "USER",
    "PASS",
    "APOP",
    "AUTH",
    "STAT",
    "LIST",
    "UIDL",
    "RETR",
    "TOP",
    "DELE",
    "NOOP",
    "RSET",
)
ANYWHERE = {"CAPA", "QUIT"}
BEFORE_LOGIN = {"STLS", "USER", "PASS", "APOP", "AUTH"}


class TestStates:
    @pytest.mark.parametrize("command", [*COMMANDS, "QUIT"])
    def test_nothing_is_said_before_the_greeting(self, command: str) -> None:
        with pytest.raises(ValueError, match="not allowed in the greeting state"):
            Pop3().send(command)

    @pytest.mark.parametrize("command", [*COMMANDS, "QUIT"])
    def test_before_the_login(self, command: str) -> None:
        conversation = greeted()
        if command in BEFORE_LOGIN | ANYWHERE:
            assert conversation.send(command) == command.encode() + b"\r\n"
        else:
            with pytest.raises(ValueError, match="not allowed in the authorization state"):
                conversation.send(command)

    @pytest.mark.parametrize("command", [*COMMANDS, "QUIT"])
    def test_after_the_login(self, command: str) -> None:
        conversation = logged_in()
        if command in BEFORE_LOGIN:
            with pytest.raises(ValueError, match="not allowed in the transaction state"):
                conversation.send(command)
        else:
            assert conversation.send(command) == command.encode() + b"\r\n"

    def test_after_quit_nothing_is_said(self) -> None:
        conversation = logged_in()
        conversation.send("QUIT")
        assert conversation.state is State.UPDATE
        with pytest.raises(ValueError, match="not allowed in the update state"):
            conversation.send("NOOP")
        assert hear(conversation, [b"+OK bye\r\n"]) == [Status("QUIT", True, "bye")]

    @pytest.mark.parametrize("login", ["PASS x", "APOP ada x", "AUTH PLAIN x"])
    def test_only_a_login_that_succeeds_goes_on(self, login: str) -> None:
        conversation = greeted()
        conversation.send(login)
        hear(conversation, [b"-ERR no\r\n"])
        with pytest.raises(ValueError, match="not allowed in the authorization state"):
            conversation.send("STAT")
        conversation.send(login)
        hear(conversation, [b"+OK\r\n"])
        assert conversation.send("STAT") == b"STAT\r\n"

    def test_a_name_alone_is_no_login(self) -> None:
        conversation = greeted()
        conversation.send("USER ada")
        hear(conversation, [b"+OK\r\n"])
        assert conversation.state is State.AUTHORIZATION

    def test_a_server_that_lets_nobody_in_is_at_its_end(self) -> None:
        conversation = Pop3()
        assert hear(conversation, [b"-ERR [SYS/TEMP] full\r\n"]) == [Status("", False, "[SYS/TEMP] full")]
        assert conversation.state is State.UPDATE

    @pytest.mark.parametrize("command", ["LIST\r\nDELE 1", "LIST\nDELE 1", "LIST \0"])
    def test_a_command_is_one_line(self, command: str) -> None:
        with pytest.raises(ValueError, match="one line"):
            logged_in().send(command)

    def test_what_makes_no_sense_breaks_it_for_good(self) -> None:
        conversation = logged_in()
        with pytest.raises(WireError):
            conversation.receive_data(b"+OK nobody asked\r\n")
        assert conversation.state is State.BROKEN
        assert conversation.unread()
        with pytest.raises(ValueError, match="not allowed in the broken state"):
            conversation.send("NOOP")


class TestGreeting:
    @pytest.mark.parametrize(
        ("greeting", "timestamp"),
        [
            (b"+OK ready <1896.697170952@mail.test>\r\n", "<1896.697170952@mail.test>"),
            (b"+OK <a@b> <c@d>\r\n", "<a@b>"),
            (b"+OK no stamp\r\n", ""),
            (b"+OK 1 < 2\r\n", ""),
            (b"+OK 2 > 1\r\n", ""),
        ],
    )
    def test_the_timestamp_for_apop(self, greeting: bytes, timestamp: str) -> None:
        conversation = Pop3()
        hear(conversation, [greeting])
        assert conversation.timestamp == timestamp


class TestReplies:
    def test_dots_are_unstuffed(self) -> None:
        conversation = logged_in()
        conversation.send("RETR 1")
        assert hear(conversation, [b"+OK 9 octets\r\n..\r\n...\r\n..a.\r\n\r\nb\r\n.\r\n"]) == [
            Status("RETR", True, "9 octets"),
            Body(b".\r\n..\r\n.a.\r\n\r\nb\r\n"),
            End("RETR"),
        ]

    @pytest.mark.parametrize(
        ("command", "is_multiline"),
        [
            ("CAPA", True),
            ("RETR 1", True),
            ("TOP 1 0", True),
            ("LIST", True),
            ("LIST 1", False),
            ("UIDL", True),
            ("UIDL 1", False),
            ("STAT", False),
            ("DELE 1", False),
        ],
    )
    def test_which_replies_have_lines(self, command: str, is_multiline: bool) -> None:
        conversation = logged_in()
        keyword = command.split(" ", maxsplit=1)[0]
        conversation.send(command)
        conversation.send("NOOP")
        lines = [Body(b"+OK not a status\r\n"), End(keyword)] if is_multiline else []
        data = b"+OK\r\n" + (b"+OK not a status\r\n.\r\n" if is_multiline else b"") + b"+OK\r\n"
        assert hear(conversation, [data]) == [Status(keyword, True, ""), *lines, Status("NOOP", True, "")]

    def test_a_refusal_has_no_lines(self) -> None:
        conversation = logged_in()
        conversation.send("RETR 1")
        conversation.send("STAT")
        assert hear(conversation, [b"-ERR no such message\r\n+OK 0 0\r\n"]) == [
            Status("RETR", False, "no such message"),
            Status("STAT", True, "0 0"),
        ]

    def test_challenges_belong_to_auth(self) -> None:
        conversation = greeted()
        conversation.send("AUTH SCRAM-SHA-256")
        assert hear(conversation, [b"+ \r\n", b"+ cmVhbG0=\r\n", b"+\r\n", b"+OK\r\n"]) == [
            Challenge(b""),
            Challenge(b"cmVhbG0="),
            Challenge(b""),
            Status("AUTH", True, ""),
        ]
        assert conversation.respond(b"YQ==") == b"YQ==\r\n"

    @pytest.mark.parametrize(
        ("text", "code"),
        [("[AUTH] no", "AUTH"), ("[sys/temp] no", "SYS/TEMP"), ("no [AUTH]", ""), ("", ""), ("[open", "OPEN")],
    )
    def test_response_codes(self, text: str, code: str) -> None:
        assert Status("PASS", False, text).code == code

    def test_case_and_a_bare_line_feed_do_not_matter(self) -> None:
        conversation = logged_in()
        conversation.send("STAT")
        assert hear(conversation, [b"+ok 1 2\n"]) == [Status("STAT", True, "1 2")]

    @pytest.mark.parametrize(
        ("data", "cause"),
        [
            (b"+OK " + b"x" * STATUS_LIMIT + b"\r\n", Cause.TOO_LARGE),
            (b"x" * (STATUS_LIMIT + 1), Cause.TOO_LARGE),
            (b"* OK IMAP\r\n", Cause.BAD_REPLY),
            (b"+ more\r\n", Cause.BAD_REPLY),
            (b"\r\n", Cause.BAD_REPLY),
        ],
    )
    def test_what_is_no_reply(self, data: bytes, cause: Cause) -> None:
        conversation = logged_in()
        conversation.send("STAT")
        with pytest.raises(WireError) as caught:
            conversation.receive_data(data)
        assert caught.value.cause is cause


DIALOGUE = (
    b"+OK ready <1@mail.test>\r\n"
    b"+OK\r\nUIDL\r\nSASL PLAIN\r\n.\r\n"
    b"+ \r\n"
    b"+OK in\r\n"
    b"-ERR no such message\r\n"
    b"+OK 2 octets\r\n..\r\n.\r\n"
    b"+OK 1 2\r\n"
)


def dialogue_events(pieces: Iterable[bytes]) -> list[Event]:
    """The same dialogue out of any pieces: commands go ahead of the replies, as in a group."""
    conversation = Pop3()
    # A test may send before the greeting; a client may not.
    conversation.state = State.AUTHORIZATION
    for command in ("CAPA", "AUTH PLAIN"):
        conversation.send(command)
    conversation.state = State.TRANSACTION
    for command in ("RETR 9", "RETR 1", "STAT"):
        conversation.send(command)
    conversation.state = State.GREETING
    events = hear(conversation, pieces)
    assert not conversation.unread()
    assert conversation.state is State.TRANSACTION
    return events


def test_byte_by_byte_and_all_at_once_are_the_same() -> None:
    whole = dialogue_events([DIALOGUE])
    assert len(whole) == 11
    assert dialogue_events([DIALOGUE[place : place + 1] for place in range(len(DIALOGUE))]) == whole


@given(st.lists(st.integers(0, len(DIALOGUE)), max_size=20))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(DIALOGUE)]
    pieces = [DIALOGUE[start:end] for start, end in itertools.pairwise(places)]
    assert dialogue_events(pieces) == dialogue_events([DIALOGUE])


class Server:
    """The other side, just as pure: bytes in, bytes out."""

    def __init__(self, messages: list[bytes]) -> None:
        self._messages = messages
        self._rest = b""
        self.greeting = b"+OK ready\r\n"

    def receive_data(self, data: bytes) -> bytes:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        return b"".join(self._answer(*line.split(b" ")) for line in lines)

    def _answer(self, keyword: bytes, *arguments: bytes) -> bytes:
        match keyword:
            case b"STAT":
                return b"+OK %d %d\r\n" % (len(self._messages), sum(map(len, self._messages)))
            case b"RETR":
                number = int(arguments[0])
                if number > len(self._messages):
                    return b"-ERR no such message\r\n"
                lines = self._messages[number - 1].split(b"\r\n")
                stuffed = (b"." + line if line.startswith(b".") else line for line in lines)
                return b"+OK\r\n" + b"\r\n".join(stuffed) + b"\r\n.\r\n"
        return b"+OK\r\n"


message_lines = st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line and not line.endswith(b"\r")))


@given(st.lists(message_lines, max_size=4), st.integers(1, 7))
def test_a_client_reads_what_a_server_wrote(messages: list[list[bytes]], size: int) -> None:
    """All messages in one group of commands, and the answers in pieces of `size` octets."""
    server, client = Server([b"\r\n".join(lines) for lines in messages]), Pop3()
    hear(client, [server.greeting])
    group = b"".join([client.send("USER ada"), client.send("PASS x")])
    hear(client, [server.receive_data(group)])
    numbers = range(1, len(messages) + 2)
    group = client.send("STAT") + b"".join(client.send(f"RETR {number}") for number in numbers) + client.send("QUIT")
    answers = server.receive_data(group)
    events = hear(client, [answers[place : place + size] for place in range(0, len(answers), size)])
    found: list[bytes] = []
    for event in events:
        if isinstance(event, Status) and event.command == "RETR" and event.ok:
            found.append(b"")
        elif isinstance(event, Body):
            found[-1] = event.data
    # No line at all and one empty line are the same message.
    assert found == [b"\r\n".join(lines) + b"\r\n" for lines in messages]
    statuses = [event for event in events if isinstance(event, Status)]
    assert [status.ok for status in statuses] == [True] * (len(messages) + 1) + [False, True]
    assert client.state is State.UPDATE


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_arbitrary_bytes_raise_nothing_but_wire_errors(pieces: list[bytes]) -> None:
    conversation = greeted()
    conversation.send("AUTH PLAIN")
    conversation.send("CAPA")
    try:
        hear(conversation, pieces)
    except WireError:
        assert conversation.state is State.BROKEN
