"""LMTP against servers that do what a script says."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtui.model.check import Cause
from mailtui.protocols.faults import WireError
from mailtui.protocols.lmtp import LmtpClient, Refused
from mailtui.protocols.stuffing import Stuffing
from tests.scripted import Peer, Script, ScriptedServer, Step, silence

OFFERS = b"250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"
LETTER = b"Subject: one\r\n\r\n.hidden\r\n..\r\ntext\r\n"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def deliver(client: LmtpClient, letter: bytes = LETTER, sender: str = "bob@example.org") -> None:
    await client.deliver(sender, len(letter), pieces(letter))


def client_of(server: ScriptedServer, recipient: str = "ada@example.org", patience: float = 20.0) -> LmtpClient:
    return LmtpClient(f"{server.host}:{server.port}", recipient, patience=patience)


async def read_data(peer: Peer) -> bytes:
    """A message as the server takes it: up to its end, the stuffing undone."""
    lines = []
    while (line := await peer.reader.readuntil(b"\r\n")) != b".\r\n":
        lines.append(line.removeprefix(b"."))
    return b"".join(lines)


class Takes:
    """A server that takes all mail, with these offers; `verdicts` are its answers to messages."""

    def __init__(self, offers: bytes = OFFERS, *verdicts: bytes, leaves_after: int = 0) -> None:
        self.offers = offers
        self.verdicts = iter(verdicts)
        self.letters: list[bytes] = []
        self.envelopes: list[tuple[str, str]] = []
        self.quits = 0
        self._leaves_after = leaves_after

    async def __call__(self, peer: Peer) -> None:
        await peer.send(b"220 mx.example.org LMTP\r\n")
        await peer.expect("LHLO [127.0.0.1]")
        await peer.send(self.offers)
        while True:
            mail = await peer.line()
            if mail == "QUIT":
                self.quits += 1
                await peer.send(b"221 bye\r\n")
                return
            await peer.send(b"250 2.1.0 ok\r\n")
            self.envelopes.append((mail, await peer.expect("RCPT TO:")))
            await peer.send(b"250 2.1.5 ok\r\n")
            await peer.expect("DATA")
            await peer.send(b"354 go on\r\n")
            self.letters.append(await read_data(peer))
            await peer.send(next(self.verdicts, b"250 2.0.0 <ada@example.org> kept\r\n"))
            if len(self.letters) == self._leaves_after:
                return


@pytest.mark.parametrize("offers", [OFFERS, b"250 mx.example.org\r\n"])
async def test_messages_go_one_after_another_over_one_connection(offers: bytes) -> None:
    takes = Takes(offers)
    async with ScriptedServer(takes) as server:
        client = client_of(server)
        await deliver(client)
        await client.deliver("", 5, pieces(b"a", b"", b"\r", b"\nb\r\n"))
        await client.close()
        await server.all_closed()
        assert server.connections == 1
    assert takes.letters == [LETTER, b"a\r\nb\r\n"]
    assert takes.quits == 1
    parameters = (" SIZE=35 BODY=8BITMIME", " SIZE=5 BODY=8BITMIME") if b"SIZE" in offers else ("", "")
    assert takes.envelopes == [
        (f"MAIL FROM:<bob@example.org>{parameters[0]}", "RCPT TO:<ada@example.org>"),
        (f"MAIL FROM:<>{parameters[1]}", "RCPT TO:<ada@example.org>"),
    ]


async def test_a_socket_of_this_machine_will_do(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 x\r\n")
        for answer in (b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            heard.append(await reader.readuntil(b"\n"))
            writer.write(answer)
        heard.append(await reader.readuntil(b"\r\n.\r\n"))
        writer.write(b"250 ok\r\n")
        await reader.read()
        writer.close()

    path = str(tmp_path / "lmtp")
    async with await asyncio.start_unix_server(serve, path):
        client = LmtpClient(path, "ada@example.org")
        await deliver(client)
        client.abort()
    assert heard[0] == b"LHLO localhost\r\n"
    assert heard[-1] == b"Subject: one\r\n\r\n..hidden\r\n...\r\ntext\r\n.\r\n"


@pytest.mark.parametrize(
    "sender",
    ["bob@example.org> SIZE=1", "a\r\nRCPT TO:<eve@example.org>", "grüße@example.org", "nobody", "-oQ/tmp@example.org"],
)
async def test_a_sender_that_is_no_plain_address_is_left_empty(sender: str) -> None:
    takes = Takes(b"250 x\r\n")
    async with ScriptedServer(takes) as server:
        client = client_of(server)
        await deliver(client, sender=sender)
        await client.close()
    assert takes.envelopes == [("MAIL FROM:<>", "RCPT TO:<ada@example.org>")]


async def test_an_address_of_another_script_needs_smtputf8_only_before_the_at() -> None:
    takes = Takes(b"250-x\r\n250 SMTPUTF8\r\n")
    async with ScriptedServer(takes) as server:
        for recipient in ("ada@bücher.example", "grüße@bücher.example"):
            client = client_of(server, recipient)
            await deliver(client, sender="")
            await client.close()
    assert takes.envelopes == [
        ("MAIL FROM:<>", "RCPT TO:<ada@xn--bcher-kva.example>"),
        ("MAIL FROM:<> SMTPUTF8", "RCPT TO:<grüße@xn--bcher-kva.example>"),
    ]


async def test_one_message_is_refused_and_the_next_is_taken() -> None:
    takes = Takes(OFFERS, b"554 5.6.0 it holds a virus\r\n")
    async with ScriptedServer(takes) as server:
        client = client_of(server)
        with pytest.raises(Refused) as refused:
            await deliver(client)
        assert refused.value.reply == "554 5.6.0 it holds a virus"
        assert refused.value.cause is Cause.NOT_DELIVERED
        await deliver(client, b"two\r\n")
        with pytest.raises(Refused, match="takes no message of 1001 octets, at most 1000"):
            await deliver(client, b"x" * 1_001)
        await client.close()
        assert server.connections == 1
    assert takes.letters == [LETTER, b"two\r\n"]


def after_lhlo(*steps: Step) -> Script:
    return [b"220 x\r\n", "LHLO", OFFERS, "MAIL", "RCPT", "DATA", *steps]


async def message(peer: Peer) -> None:
    await read_data(peer)


@pytest.mark.parametrize(
    ("script", "hint", "reply"),
    [
        (
            after_lhlo(b"250 ok\r\n550 5.1.1 no such user\r\n503 5.5.1 no\r\n"),
            "refuses mail for ada@",
            "550 5.1.1 no such",
        ),
        (after_lhlo(b"250 ok\r\n450 4.2.0 busy\r\n503 no\r\n"), "does not take mail for now", "450 4.2.0 busy"),
        (after_lhlo(b"250 ok\r\n250 ok\r\n451 4.3.0 disk\r\n"), "does not take mail for now", "451 4.3.0 disk"),
        (after_lhlo(b"250 ok\r\n250 ok\r\n354 go\r\n", message, b"421 4.3.2 bye\r\n"), "for now", "421 4.3.2"),
        (after_lhlo(b"250 ok\r\n250 ok\r\n250 odd\r\n"), "refuses mail for", "250 odd"),
        (after_lhlo(b"250 ok\r\n550 no\r\n354 go on\r\n", silence), "refuses mail for", "550 no"),
        ([b"220 x\r\n", "LHLO", b"250 x\r\n", "MAIL", b"421 bye\r\n"], "does not take mail for now", "421 bye"),
        ([b"421 4.3.2 too busy\r\n"], "does not take mail for now", "421 4.3.2 too busy"),
        ([b"554 go away\r\n"], "refuses mail for", "554 go away"),
        ([b"220 x ESMTP\r\n", "LHLO", b"502 5.5.2 what\r\n"], "speaks no LMTP", "502 5.5.2 what"),
        ([b"* OK IMAP\r\n"], "speaks no LMTP", "* OK IMAP"),
        ([b"220-x\r\n250 y\r\n"], "speaks no LMTP", "250 y"),
        ([b"220-x\r\n" * 300], "more than 256 lines", ""),
        ([b"2" * 20_000], "a line of more than 4096 octets", ""),
        ([b"220 x\r\n", "LHLO"], "closed the connection instead of answering", ""),
        ([], "closed the connection", ""),
    ],
)
async def test_what_ends_the_delivery(script: Script, hint: str, reply: str) -> None:
    async with ScriptedServer(script) as server:
        client = client_of(server)
        with pytest.raises(WireError, match=re.escape(hint)) as failed:
            await deliver(client)
        assert not isinstance(failed.value, Refused)
        assert failed.value.cause is Cause.NOT_DELIVERED
        assert failed.value.hint.startswith(f"lmtp {server.host}:{server.port} ")
        assert failed.value.reply.startswith(reply)
        await server.all_closed()


@pytest.mark.parametrize("verdict", [b"452 4.2.2 full\r\n", b"552 5.2.2 <ada@example.org> Quota exceeded\r\n"])
async def test_a_full_mailbox_is_not_a_matter_of_one_message(verdict: bytes) -> None:
    async with ScriptedServer(Takes(OFFERS, verdict)) as server:
        with pytest.raises(WireError) as failed:
            await deliver(client_of(server))
        assert not isinstance(failed.value, Refused)


async def test_a_connection_that_was_closed_between_two_messages_is_made_again() -> None:
    takes = Takes(leaves_after=1)
    async with ScriptedServer(takes) as server:
        client = client_of(server)
        await deliver(client)
        await server.all_closed()
        await deliver(client, b"two\r\n")
        await client.close()
        assert server.connections == 2
    assert takes.letters == [LETTER, b"two\r\n"]


async def test_one_message_may_be_put_off() -> None:
    takes = Takes(OFFERS, b"451 4.3.0 the filter has stumbled\r\n")
    async with ScriptedServer(takes) as server:
        client = client_of(server)
        with pytest.raises(Refused, match="does not take this message for now") as refused:
            await deliver(client)
        assert refused.value.reply == "451 4.3.0 the filter has stumbled"
        await deliver(client, b"two\r\n")
        await client.close()
        assert server.connections == 1


async def test_a_message_whose_verdict_is_lost_is_not_sent_again_and_others_may_go() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"220 x\r\n")
        await peer.expect("LHLO")
        await peer.send(OFFERS)
        for _ in range(3):
            await peer.line()
        await peer.send(b"250 ok\r\n250 ok\r\n354 go\r\n")
        await read_data(peer)

    async with ScriptedServer(script) as server:
        client = client_of(server)
        for connections in (1, 2):
            with pytest.raises(Refused, match="closed the connection instead of answering"):
                await deliver(client)
            assert server.connections == connections


@pytest.mark.parametrize("script", [[silence], [b"220 x\r\n", silence], after_lhlo(silence)])
async def test_silence_has_an_end(script: Script) -> None:
    async with ScriptedServer(script) as server:
        with pytest.raises(WireError, match=r"did not answer within 0\.05 seconds"):
            await deliver(client_of(server, patience=0.05))
        await server.all_closed()


async def test_cancelling_lets_go_of_the_connection() -> None:
    asked = asyncio.Event()

    async def told(peer: Peer) -> None:
        asked.set()
        await peer.silence()

    async with ScriptedServer(after_lhlo(told)) as server:
        task = asyncio.ensure_future(deliver(client_of(server)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.all_closed()


async def test_what_cannot_be_read_ends_the_connection_before_the_end_of_the_message() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"half a mess"
        raise OSError(5, "Input/output error")

    takes = Takes()
    async with ScriptedServer(takes) as server:
        with pytest.raises(OSError, match="Input/output error"):
            await client_of(server).deliver("", 100, broken())
        await server.all_closed()
    assert takes.letters == []


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        ("/nowhere/lmtp", "lmtp /nowhere/lmtp cannot be reached: No such file or directory"),
        ("a..b:24", "lmtp a..b:24 cannot be reached: not a host name"),
    ],
)
async def test_a_place_that_is_not_there(place: str, hint: str) -> None:
    with pytest.raises(WireError, match=re.escape(hint)):
        await deliver(LmtpClient(place, "ada@example.org"))


async def test_a_port_where_nobody_listens() -> None:
    async with ScriptedServer([]) as server:
        client = client_of(server)
    with pytest.raises(WireError, match="cannot be reached: Connection refused"):
        await deliver(client)


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n", b"\r\n.", b"\0", b"\xff"]), max_size=30).map(b"".join),
    st.lists(st.integers(0, 4), max_size=20),
)
def test_a_message_cannot_end_before_its_end_and_comes_out_as_it_was(message: bytes, sizes: list[int]) -> None:
    stuffing = Stuffing()
    sent = b"".join(stuffing.feed(piece) for piece in cut(message, sizes)) + stuffing.end()
    whole = re.sub(rb"\r\n|\r|\n", b"\r\n", message)
    lines = sent.split(b"\r\n")
    assert lines[-2:] == [b".", b""]
    assert b"." not in lines[:-2]
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)
    taken = b"\r\n".join(line.removeprefix(b".") for line in lines[:-2])
    assert taken == whole.removesuffix(b"\r\n")
