"""The scripted server does what its script says, and sees what clients do."""

import asyncio
import contextlib
import ssl

import pytest
import trustme

from tests.scripted import Peer, ScriptedServer, Step, drip, half_close, reset, silence, start_tls


async def _everything(server: ScriptedServer, sent: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(sent)
    try:
        return await reader.read()
    finally:
        writer.close()


async def test_a_list_of_steps_is_played_and_the_connection_closed() -> None:
    async with ScriptedServer([b"+OK hello\r\n", "CAPA", b"-ERR ", drip(b"no\r\n", 0)]) as server:
        assert await _everything(server, b"capa\r\n") == b"+OK hello\r\n-ERR no\r\n"
        await server.all_closed()
        assert (server.connections, server.open_connections) == (1, 0)
        assert server.received == b"capa\r\n"


async def test_a_line_that_was_not_expected_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="expected 'QUIT', the client sent 'NOOP'"):
        async with ScriptedServer(["QUIT"]) as server:
            assert await _everything(server, b"NOOP\r\n") == b""


async def test_a_client_that_leaves_early_fails_nothing() -> None:
    async with ScriptedServer([b"* OK\r\n", "a1 LOGIN"]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        await reader.readline()
        writer.close()
        await server.all_closed()
        assert server.received == b""


async def test_silence_holds_the_connection_until_the_client_leaves() -> None:
    async with ScriptedServer(["EHLO", b"250\r\n", silence]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(b"EHLO here\r\n")
        assert await reader.readline() == b"250\r\n"
        assert server.open_connections == 1
        writer.close()
        await server.all_closed()


async def test_bytes_that_the_script_never_reads_are_recorded() -> None:
    async with ScriptedServer(["first", b"enough\r\n"]) as server:
        assert await _everything(server, b"first\r\nnever read\r\n") == b"enough\r\n"
        assert server.received == b"first\r\nnever read\r\n"


async def test_reset_is_seen_as_a_reset() -> None:
    async with ScriptedServer([reset]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_half_close_ends_one_direction_only() -> None:
    async with ScriptedServer([b"bye\r\n", half_close, "still here"]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert await reader.read() == b"bye\r\n"
        writer.write(b"still here\r\n")
        await server.all_closed()
        writer.close()
        assert server.received == b"still here\r\n"


async def test_a_handler_tells_connections_apart() -> None:
    async def number(peer: Peer) -> None:
        await peer.send(f"{peer.number}".encode())

    async with ScriptedServer(number) as server:
        assert [await _everything(server) for _ in range(3)] == [b"1", b"2", b"3"]
        assert server.connections == 3


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "starttls"])
async def test_tls(implicit: bool) -> None:
    authority = trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    opening: list[Step] = [] if implicit else [b"220\r\n", "STARTTLS", b"220 go\r\n", start_tls(served)]
    async with ScriptedServer([*opening, "EHLO", b"250\r\n"], tls=served if implicit else None) as server:
        reader, writer = await asyncio.open_connection(
            server.host, server.port, ssl=trust if implicit else None, server_hostname="localhost" if implicit else None
        )
        if not implicit:
            await reader.readline()
            writer.write(b"STARTTLS\r\n")
            await reader.readline()
            await writer.start_tls(trust, server_hostname="localhost")
        writer.write(b"EHLO under tls\r\n")
        assert await reader.readline() == b"250\r\n"
        assert server.received.endswith(b"EHLO under tls\r\n")
        writer.close()


async def test_leaving_the_server_closes_what_is_open() -> None:
    async with ScriptedServer([b"hello\r\n", silence]) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        assert await reader.readline() == b"hello\r\n"
    assert server.open_connections == 0
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
