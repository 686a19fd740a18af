"""Where mail goes in a fuzzer: an intake that trusts nobody, and a server of LMTP in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from mailtui.protocols.faults import WireError
from mailtui.protocols.lmtp import LmtpClient
from mailtui.protocols.source import Listed

LETTER = (b"a\n.", b".\r", b"\nb\r\n..")
"""The pieces of a message that is full of traps."""


class Wanted:
    """An intake: what was begun and completed was wanted, each once, and fed in between."""

    is_full = False

    def __init__(self, wanted: Iterable[Listed]) -> None:
        self.on_room: Callable[[], None] | None = None
        self.came: list[tuple[int, bytes, tuple[str, ...]]] = []
        self.refusals: list[tuple[int, str]] = []
        self._wanted = list(wanted)
        self._begun: Listed | None = None
        self._octets = bytearray()

    def begin(self, message: Listed) -> None:
        assert message in self._wanted
        self._begun = message
        self._octets.clear()

    def feed(self, data: bytes) -> None:
        assert self._begun is not None
        self._octets += data

    def complete(self, flags: tuple[str, ...] = ()) -> None:
        assert self._begun is not None
        self._wanted.remove(self._begun)
        self.came.append((self._begun.handle, bytes(self._octets), flags))
        self._begun = None

    def refused(self, message: Listed, reply: str) -> None:
        self._wanted.remove(message)
        self.refusals.append((message.handle, reply))


class Letterbox:
    """A server of LMTP that says `replies`, whatever it hears; `said` is what it has heard."""

    def __init__(self, replies: bytes) -> None:
        self.said = bytearray()
        self._replies = replies

    async def deliver(self, client: LmtpClient, sender: str) -> bool:
        """Whether a message is taken."""
        with patch.object(client, "_connect", self._connect):
            try:
                await client.deliver(sender, sum(map(len, LETTER)), self._letter())
            except WireError:
                return False
            finally:
                client.abort()
        return True

    async def _letter(self) -> AsyncIterator[bytes]:
        for piece in LETTER:
            yield piece

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader = asyncio.StreamReader(limit=4_096)
        reader.feed_data(self._replies)
        reader.feed_eof()
        self._replies = b""
        writer: Any = SimpleNamespace(
            write=self.said.extend,
            drain=self._drain,
            get_extra_info=lambda name: ("127.0.0.1", 1),
            transport=SimpleNamespace(abort=lambda: None),
        )
        return reader, cast(asyncio.StreamWriter, writer)

    async def _drain(self) -> None:
        pass
