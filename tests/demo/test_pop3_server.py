"""Our POP3 server: RFC 1939 and its extensions, and clients that misbehave."""

import asyncio
import base64
import hashlib
import hmac
import poplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trustme

from mailtui.demo.listener import Listener
from mailtui.demo.pop3_server import LINE_LIMIT, DemoPop3
from mailtui.demo.store import MailStore
from mailtui.offloop import off_loop

USER, PASSWORD = "ada@analytical.example", "pass word with spaces"
LETTERS = [
    b"Subject: one\r\n\r\nfirst\r\n",
    b"Subject: two\r\n\r\n.dot\r\nline\r\nline\r\n",
    b"Subject: three\r\n\r\n..\r\n",
]


class Client:
    """A bare client: one line out, one line in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")

    async def line(self) -> str:
        async with asyncio.timeout(15):
            return (await self.reader.readuntil(b"\n")).decode().removesuffix("\r\n")

    async def ask(self, text: str) -> str:
        self.send(text)
        return await self.line()

    async def listing(self) -> list[str]:
        lines: list[str] = []
        while (line := await self.line()) != ".":
            lines.append(line)
        return lines

    async def login(self) -> None:
        assert await self.ask(f"USER {USER}") == "+OK"
        assert await self.ask(f"PASS {PASSWORD}") == "+OK 3 messages"

    async def ended(self) -> bool:
        async with asyncio.timeout(15):
            return await self.reader.read() == b""


class Place:
    """A store with three messages, and a POP3 server over it."""

    def __init__(self, store: MailStore, port: int, trust: ssl.SSLContext) -> None:
        self.store, self.port, self.trust = store, port, trust

    @asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[Client, str]]:
        reader, writer = await asyncio.open_connection("localhost", self.port)
        client = Client(reader, writer)
        try:
            yield client, await client.line()
        finally:
            writer.close()

    async def stored(self) -> list[bytes]:
        return [message.content for message in await self.store.messages(USER)]


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    authority = trustme.CA()
    served, trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(served)
    authority.configure_trust(trust)
    store, listener = MailStore(), Listener()
    await store.add_user(USER, PASSWORD)
    for letter in LETTERS:
        await store.deliver(USER, letter)
    yield Place(store, await listener.serve(DemoPop3(store, served)), trust)
    await listener.close()


async def test_capabilities_before_and_after_login(place: Place) -> None:
    async with place.client() as (client, _):
        assert await client.ask("capa") == "+OK"
        before = await client.listing()
        assert {"STLS", "PIPELINING", "UIDL", "TOP", "USER", "SASL PLAIN LOGIN CRAM-MD5"} <= set(before)
        await client.login()
        assert await client.ask("CAPA") == "+OK"
        assert set(before) - set(await client.listing()) == {"STLS"}


async def test_reading(place: Place) -> None:
    async with place.client() as (client, _):
        await client.login()
        assert await client.ask("STAT") == f"+OK 3 {sum(map(len, LETTERS))}"
        assert await client.ask("LIST") == "+OK"
        assert await client.listing() == [f"{n} {len(letter)}" for n, letter in enumerate(LETTERS, 1)]
        assert await client.ask("LIST 2") == f"+OK 2 {len(LETTERS[1])}"
        assert await client.ask("UIDL") == "+OK"
        unique = [entry.split()[1] for entry in await client.listing()]
        assert len(set(unique)) == 3
        assert await client.ask("UIDL 3") == f"+OK 3 {unique[2]}"
        assert await client.ask("RETR 2") == f"+OK {len(LETTERS[1])} octets"
        assert await client.listing() == ["Subject: two", "", "..dot", "line", "line"]
        assert await client.ask("TOP 2 1") == "+OK"
        assert await client.listing() == ["Subject: two", "", "..dot"]
        assert await client.ask("TOP 2 0") == "+OK"
        assert await client.listing() == ["Subject: two", ""]


async def test_deletions_are_carried_out_by_quit_alone(place: Place) -> None:
    async with place.client() as (client, _):
        await client.login()
        assert await client.ask("DELE 1") == "+OK"
        assert (await client.ask("DELE 1")).startswith("-ERR")
        assert (await client.ask("RETR 1")).startswith("-ERR")
        assert (await client.ask("STAT")).startswith("+OK 2 ")
    assert await place.stored() == LETTERS
    async with place.client() as (client, _):
        await client.login()
        assert await client.ask("DELE 1") == "+OK"
        assert await client.ask("RSET") == "+OK"
        assert await client.ask("DELE 2") == "+OK"
        assert await client.ask("QUIT") == "+OK bye"
        assert await client.ended()
    assert await place.stored() == [LETTERS[0], LETTERS[2]]


async def test_pipelining(place: Place) -> None:
    commands = [f"USER {USER}", f"PASS {PASSWORD}", "STAT", "RETR 1", "DELE 3", "NOOP", "QUIT"]
    async with place.client() as (client, _):
        client.send("\r\n".join(commands))
        answers = [await client.line() for _ in range(4)]
        assert [answer[:3] for answer in answers] == ["+OK"] * 4
        assert await client.listing() == ["Subject: one", "", "first"]
        assert [await client.line() for _ in range(3)] == ["+OK", "+OK", "+OK bye"]
    assert await place.stored() == LETTERS[:2]


async def test_many_messages_asked_for_in_one_breath_come_in_order(place: Place) -> None:
    wanted = [1 + number % 3 for number in range(300)]
    async with place.client() as (client, _):
        await client.login()
        client.send("\r\n".join(f"RETR {number}" for number in wanted))
        for number in wanted:
            assert (await client.line()).startswith("+OK")
            lines = [line.removeprefix(".") for line in await client.listing()]
            assert "\r\n".join([*lines, ""]).encode() == LETTERS[number - 1]


async def test_one_byte_at_a_time(place: Place) -> None:
    async with place.client() as (client, _):
        for byte in f"USER {USER}\r\nPASS {PASSWORD}\r\n".encode():
            client.writer.write(bytes([byte]))
            await client.writer.drain()
            await asyncio.sleep(0)
        assert [await client.line(), await client.line()] == ["+OK", "+OK 3 messages"]


@pytest.mark.parametrize("junk", [b"A" * 10_000 + b"\r\n", b"A" * 200_000], ids=["10 kB line", "200 kB without end"])
async def test_a_long_line_is_refused_and_the_connection_closed(place: Place, junk: bytes) -> None:
    async with place.client() as (client, _):
        client.writer.write(junk)
        assert await client.line() == f"-ERR line longer than {LINE_LIMIT} octets"
        with suppress(ConnectionResetError):  # closed with our junk unread
            assert await client.ended()
    async with place.client() as (_, greeting):
        assert greeting.startswith("+OK")


@pytest.mark.parametrize("command", ["STAT", "RETR 1", "LIST", "DELE 1", "NOOP", "FOO", "", "PASS x", "\0"])
async def test_nothing_is_allowed_before_login(place: Place, command: str) -> None:
    async with place.client() as (client, _):
        assert (await client.ask(command)).startswith("-ERR")


@pytest.mark.parametrize(
    "command", ["RETR", "RETR 0", "RETR 4", "RETR x", "RETR ²", "TOP 1", "TOP 1 x", "LIST 9999999999"]
)
async def test_bad_arguments_are_refused_and_the_session_goes_on(place: Place, command: str) -> None:
    async with place.client() as (client, _):
        await client.login()
        assert (await client.ask(command)).startswith("-ERR")
        assert await client.ask("NOOP") == "+OK"


def _plain(password: str) -> str:
    return base64.b64encode(f"\0{USER}\0{password}".encode()).decode()


async def test_auth_plain_with_and_without_initial_response(place: Place) -> None:
    async with place.client() as (client, _):
        assert await client.ask(f"AUTH PLAIN {_plain(PASSWORD)}") == "+OK 3 messages"
    async with place.client() as (client, _):
        assert await client.ask("AUTH PLAIN") == "+ "
        assert await client.ask(_plain(PASSWORD)) == "+OK 3 messages"
    async with place.client() as (client, _):
        assert await client.ask("AUTH PLAIN") == "+ "
        assert await client.ask("*") == "-ERR cancelled"
        assert (await client.ask("AUTH PLAIN ====")).startswith("-ERR")
        assert (await client.ask("AUTH PLAIN =")).startswith("-ERR")
        assert (await client.ask("AUTH GSSAPI")).startswith("-ERR")
        assert await client.ask(f"AUTH PLAIN {_plain(PASSWORD)}") == "+OK 3 messages"


async def test_auth_login_and_cram_md5(place: Place) -> None:
    async with place.client() as (client, _):
        assert base64.b64decode((await client.ask("AUTH LOGIN")).removeprefix("+ ")) == b"Username:"
        prompt = await client.ask(base64.b64encode(USER.encode()).decode())
        assert base64.b64decode(prompt.removeprefix("+ ")) == b"Password:"
        assert await client.ask(base64.b64encode(PASSWORD.encode()).decode()) == "+OK 3 messages"
    for password, answer in ((PASSWORD, "+OK 3 messages"), ("wrong", "-ERR [AUTH]")):
        async with place.client() as (client, _):
            challenge = base64.b64decode((await client.ask("AUTH CRAM-MD5")).removeprefix("+ "))
            digest = hmac.new(password.encode(), challenge, "md5").hexdigest()
            reply = await client.ask(base64.b64encode(f"{USER} {digest}".encode()).decode())
            assert reply.startswith(answer)


async def test_apop(place: Place) -> None:
    for password, answer in ((PASSWORD, "+OK 3 messages"), ("wrong", "-ERR [AUTH]")):
        async with place.client() as (client, greeting):
            timestamp = greeting[greeting.index("<") :]
            digest = hashlib.md5((timestamp + password).encode()).hexdigest()
            assert (await client.ask(f"APOP {USER} {digest}")).startswith(answer)
    async with place.client() as (client, _):
        assert (await client.ask("APOP nobody 0123")).startswith("-ERR [AUTH]")
        assert (await client.ask("APOP")).startswith("-ERR [AUTH]")


async def test_apop_can_be_left_out() -> None:
    store, listener = MailStore(), Listener()
    port = await listener.serve(DemoPop3(store, apop=False))
    reader, writer = await asyncio.open_connection("localhost", port)
    client = Client(reader, writer)
    assert "<" not in await client.line()
    assert (await client.ask("APOP x y")).startswith("-ERR")
    assert (await client.ask("STLS")).startswith("-ERR")
    writer.close()
    await listener.close()


async def test_the_third_wrong_password_ends_the_connection(place: Place) -> None:
    async with place.client() as (client, _):
        for _ in range(3):
            await client.ask(f"USER {USER}")
            assert (await client.ask("PASS wrong")).startswith("-ERR [AUTH]")
        assert await client.ended()


async def test_stls_forgets_the_user_and_is_offered_once(place: Place) -> None:
    async with place.client() as (client, _):
        assert await client.ask(f"USER {USER}") == "+OK"
        assert await client.ask("STLS") == "+OK begin TLS"
        await client.writer.start_tls(place.trust, server_hostname="localhost")
        assert (await client.ask(f"PASS {PASSWORD}")).startswith("-ERR")
        assert (await client.ask("STLS")).startswith("-ERR")
        await client.login()


async def test_commands_behind_stls_are_refused(place: Place) -> None:
    async with place.client() as (client, _):
        client.send(f"STLS\r\nUSER {USER}")
        assert await client.line() == "-ERR commands may not be pipelined behind STLS"
        with suppress(ConnectionResetError):
            assert await client.ended()


async def test_the_standard_library_agrees(place: Place) -> None:
    def visit() -> tuple[int, int, bytes]:
        pop3 = poplib.POP3("localhost", place.port, timeout=15)
        pop3.stls(place.trust)
        assert "STLS" not in pop3.capa()
        pop3.apop(USER, PASSWORD)
        count, _ = pop3.stat()
        unique = len({entry.split()[1] for entry in pop3.uidl()[1]})
        content = b"\r\n".join(pop3.retr(2)[1]) + b"\r\n"
        pop3.quit()
        return count, unique, content

    assert await off_loop(visit) == (3, 3, LETTERS[1])
