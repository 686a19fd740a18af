"""The demo's IMAP server: pymap over the demo's mail store."""

import asyncio
import ssl

from proxyprotocol.result import ProxyResultLocal
from proxyprotocol.sock import SocketInfo
from pymap.imap import IMAPServer

from mailtui.demo.store import MailStore, StoreConfig


class DemoImap:
    """Serves IMAP; with `starttls` it offers STARTTLS with that context, without it the connection is TLS already."""

    def __init__(self, store: MailStore, starttls: ssl.SSLContext | None = None) -> None:
        self._server = IMAPServer(store.login, StoreConfig(starttls))

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        await self._server(reader, writer, SocketInfo.get(writer, ProxyResultLocal()))
