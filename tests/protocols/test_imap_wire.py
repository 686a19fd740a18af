"""What we lean on in aioimaplib: private names that an update may move, and base class commands over our framing."""

import asyncio
import inspect
from typing import Any

import pytest
from aioimaplib import aioimaplib

from mailtui.model.account import Protocol
from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import SELECTED, ImapWire, response_code
from tests.protocols.wires import Pipe, make_trace


@pytest.fixture
async def pipe() -> Pipe:
    return Pipe()


@pytest.fixture
async def wire(pipe: Pipe) -> ImapWire:
    """A wire whose server has greeted."""
    wire = ImapWire(make_trace(Protocol.IMAP), paused=False)
    wire.connection_made(pipe)
    wire.data_received(b"* OK ready\r\n")
    return wire


def fed_whole(wire: ImapWire, data: bytes) -> None:
    wire.data_received(data)


def fed_by_the_byte(wire: ImapWire, data: bytes) -> None:
    for place in range(len(data)):
        wire.data_received(data[place : place + 1])


feeding = pytest.mark.parametrize("feed", [fed_whole, fed_by_the_byte])


class TestPin:
    """The names of aioimaplib 2.0 that ImapWire uses; if one of these fails, read imap.py beside the new version."""

    async def test_a_command_has_the_parts_that_we_touch(self) -> None:
        command = aioimaplib.Command("NOOP", "A1", "argument", loop=asyncio.get_running_loop())
        assert (command.name, command.tag, str(command)) == ("NOOP", "A1", "A1 NOOP argument")
        assert isinstance(command._event, asyncio.Event)
        assert not command._event.is_set()
        command.append_to_resp(b"untagged")
        command.flush()
        command.close(b"done", result="OK")
        assert command._event.is_set()
        assert (command.response.result, command.response.lines) == ("OK", [b"untagged", b"done"])

    @pytest.mark.parametrize("argument", ["a\r\nb", "a\nb", "a\0b"])
    async def test_an_argument_cannot_break_out_of_its_line(self, argument: str) -> None:
        with pytest.raises(ValueError, match="not allowed"):
            aioimaplib.Command("NOOP", "A1", argument, loop=asyncio.get_running_loop())

    def test_the_table_of_commands_knows_states(self) -> None:
        assert aioimaplib.NONAUTH in aioimaplib.Commands["LOGIN"].valid_states
        assert aioimaplib.SELECTED not in aioimaplib.Commands["LOGIN"].valid_states
        assert {"CAPABILITY", "EXAMINE", "STATUS", "LOGOUT", "APPEND", "IDLE"} <= set(aioimaplib.Commands)

    async def test_the_protocol_has_the_parts_that_we_touch(self, wire: ImapWire) -> None:
        first, second = wire.new_tag(), wire.new_tag()
        assert first != second
        assert first.isalnum()
        assert hasattr(wire, "pending_sync_command")
        assert isinstance(wire._idle_event, asyncio.Event)
        assert hasattr(wire, "state")
        assert list(inspect.signature(aioimaplib.IMAP4ClientProtocol._continuation).parameters) == ["self", "line"]
        assert "scrub" in inspect.signature(aioimaplib.IMAP4ClientProtocol.execute).parameters

    def test_our_overrides_override(self) -> None:
        for name in ("data_received", "connection_made", "connection_lost", "execute"):
            assert hasattr(aioimaplib.IMAP4ClientProtocol, name)
            assert name in vars(ImapWire)

    async def test_a_command_in_the_wrong_state_is_refused_before_it_is_sent(self, wire: ImapWire, pipe: Pipe) -> None:
        wire.state = aioimaplib.NONAUTH
        with pytest.raises(aioimaplib.Abort, match="not allowed"):
            await wire.execute(wire.command("EXAMINE", "INBOX"))
        assert pipe.written == b""


class TestBaseCommands:
    """Commands of the base class that come through our `execute` and our framing."""

    @feeding
    async def test_append(self, wire: ImapWire, pipe: Pipe, feed: Any) -> None:
        wire.state = SELECTED
        message = b"Subject: a {3}\r\n\r\n* BYE is text here\r\n"
        appending = asyncio.ensure_future(wire.append(message, "Sent", flags="\\Seen"))
        await asyncio.sleep(0)
        tag = pipe.written.split(b" ")[0]
        assert pipe.written == tag + b" APPEND Sent (\\Seen) {%d}\r\n" % len(message)
        feed(wire, b"+ go on\r\n")
        assert pipe.written.endswith(b"}\r\n" + message + b"\r\n")
        feed(wire, b"* 4 EXISTS\r\n" + tag + b" OK [APPENDUID 1 4] done\r\n")
        response = await appending
        assert (response.result, response.lines) == ("OK", [b"4 EXISTS", b"[APPENDUID 1 4] done"])

    async def test_append_that_is_refused(self, wire: ImapWire, pipe: Pipe) -> None:
        wire.state = SELECTED
        appending = asyncio.ensure_future(wire.append(b"Subject: x\r\n\r\n", "Nowhere"))
        await asyncio.sleep(0)
        sent = bytes(pipe.written)
        wire.data_received(sent.split(b" ")[0] + b" NO [TRYCREATE] no such mailbox\r\n")
        response = await appending
        assert (response.result, response.lines) == ("NO", [b"[TRYCREATE] no such mailbox"])
        assert pipe.written == sent

    @feeding
    async def test_idle(self, wire: ImapWire, pipe: Pipe, feed: Any) -> None:
        wire.state, wire.capabilities = SELECTED, {"IDLE"}
        idling = asyncio.ensure_future(wire.idle())
        await asyncio.sleep(0)
        tag = pipe.written.split(b" ")[0]
        assert pipe.written == tag + b" IDLE\r\n"
        feed(wire, b"+ idling\r\n")
        await asyncio.wait_for(wire.wait_for_idle_response(), 5)
        assert wire.has_pending_idle_command()
        feed(wire, b"* 4 EXISTS\r\n")
        feed(wire, b"* 1 RECENT\r\n")
        pushed = [await asyncio.wait_for(wire.idle_queue.get(), 5) for _ in range(2)]
        assert pushed == [[b"4 EXISTS"], [b"1 RECENT"]]
        wire.idle_done()
        assert pipe.written.endswith(b"DONE\r\n")
        feed(wire, tag + b" OK done\r\n")
        assert (await idling).result == "OK"
        assert not wire.has_pending_idle_command()


LITERALS = (
    b"* 1 FETCH (BODY[] {12}\r\nA1 OK no!\r\n. FLAGS (\\Seen))\r\n"
    b"* 2 FETCH (BODY[] {0}\r\n BODY[TEXT] {5+}\r\n}{3}\r UID 7)\r\n"
)


@feeding
async def test_literals_are_never_scanned(wire: ImapWire, pipe: Pipe, feed: Any) -> None:
    command = wire.command("NOOP")
    wire.send_commands(command)
    feed(wire, LITERALS + f"{command.tag} OK done\r\n".encode())
    response = await wire.answered(command)
    assert response.result == "OK"
    assert response.lines == [
        b"1 FETCH (BODY[] {12}",
        b"A1 OK no!\r\n.",
        b" FLAGS (\\Seen))",
        b"2 FETCH (BODY[] {0}",
        b"",
        b" BODY[TEXT] {5+}",
        b"}{3}\r",
        b" UID 7)",
        b"done",
    ]
    assert not wire.unread()


@feeding
async def test_answers_to_a_group_stay_apart(wire: ImapWire, feed: Any) -> None:
    first, second = wire.command("NOOP"), wire.command("CAPABILITY")
    wire.send_commands(first, second)
    feed(
        wire,
        f"* 1 EXISTS\r\n{first.tag} NO first\r\n* CAPABILITY IMAP4rev1\r\n{second.tag} OK second\r\n".encode(),
    )
    assert (await wire.answered(first)).lines == [b"1 EXISTS", b"first"]
    assert (await wire.answered(second)).lines == [b"CAPABILITY IMAP4rev1", b"second"]


async def test_all_that_wait_hear_of_a_broken_connection(wire: ImapWire, pipe: Pipe) -> None:
    first, second = wire.command("NOOP"), wire.command("NOOP")
    wire.send_commands(first, second)
    wire.connection_lost(None)
    for command in (first, second):
        with pytest.raises(WireError) as caught:
            await wire.answered(command)
        assert caught.value.cause is Cause.CLOSED
    with pytest.raises(WireError):
        wire.send_commands(wire.command("NOOP"))


async def test_a_farewell_explains_the_end(wire: ImapWire) -> None:
    command = wire.command("NOOP")
    wire.send_commands(command)
    wire.data_received(b"* BYE idle for too long\r\n")
    wire.eof_received()
    with pytest.raises(WireError) as caught:
        await wire.answered(command)
    assert (caught.value.cause, caught.value.reply) == (Cause.NOT_AVAILABLE, "BYE idle for too long")


async def test_a_cancelled_command_poisons_the_connection(wire: ImapWire) -> None:
    """Its answer is still to come, and would be taken for the next one's."""
    wire.state = SELECTED
    waiting = asyncio.ensure_future(wire.execute(wire.command("CAPABILITY")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(WireError):
        await wire.execute(wire.command("CAPABILITY"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("[CAPABILITY IMAP4rev1 IDLE] hello", ("CAPABILITY", "IMAP4rev1 IDLE")),
        ("[unavailable] later", ("UNAVAILABLE", "")),
        ("hello [ALERT]", ("", "")),
        ("[never ends", ("NEVER", "ends")),
        ("", ("", "")),
        ("[] x", ("", "")),
    ],
)
def test_response_codes(words: str, expected: tuple[str, str]) -> None:
    assert response_code(words) == expected
