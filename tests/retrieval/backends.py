"""Real servers with one user each, and what tests do behind a retrieval's back."""

import asyncio
import contextlib
import imaplib
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator

from mailtui.demo.imap_server import DemoImap
from mailtui.demo.listener import Listener
from mailtui.demo.pop3_server import DemoPop3
from mailtui.demo.store import MailStore
from mailtui.model.account import Protocol, Security
from tests.servers.dovecot import Dovecot, password_of

_TIMEOUT = 60


class Backend(ABC):
    """One user on a server that speaks `protocol`."""

    def __init__(self, protocol: Protocol, user: str, secret: str) -> None:
        self.protocol, self.user, self.secret = protocol, user, secret
        self.port = 0

    @abstractmethod
    async def add(self, *messages: bytes) -> None:
        """Put messages, CRLF line ends, into INBOX."""

    @abstractmethod
    async def renumber(self) -> None:
        """Give all messages other names: a new UIDVALIDITY, and with it other UIDLs."""

    async def append(self, mailbox: str, message: bytes, flags: str) -> None:
        """Put a message with its flags into a mailbox, which is made where it is missing."""
        await asyncio.to_thread(self._append, mailbox, message, flags)

    async def count(self) -> int:
        """How many messages INBOX holds."""
        return await asyncio.to_thread(self._count)

    async def unseen(self) -> int:
        """How many of them were not read."""
        return await asyncio.to_thread(self._unseen)

    @property
    @abstractmethod
    def imap_port(self) -> int:
        """Where the same mail can be seen by IMAP."""

    @contextlib.contextmanager
    def _session(self):  # type: ignore[no-untyped-def]  # imaplib's own types say less
        session = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=_TIMEOUT)
        session.login(self.user, self.secret)
        yield session
        session.logout()

    def _append(self, mailbox: str, message: bytes, flags: str) -> None:
        with self._session() as session:
            session.create(f'"{mailbox}"')
            assert session.append(f'"{mailbox}"', flags, None, message)[0] == "OK"

    def _count(self) -> int:
        with self._session() as session:
            return int(session.select("INBOX", readonly=True)[1][0])

    def _unseen(self) -> int:
        with self._session() as session:
            session.select("INBOX", readonly=True)
            return len(session.uid("SEARCH", "UNSEEN")[1][0].split())


class OnDovecot(Backend):
    """A user whose Maildir lies beside Dovecot."""

    def __init__(self, protocol: Protocol, dovecot: Dovecot) -> None:
        user = dovecot.new_user()
        super().__init__(protocol, user, password_of(user))
        self._dovecot = dovecot
        self.port = dovecot.port(protocol, Security.NONE)

    @property
    def imap_port(self) -> int:
        return self._dovecot.port(Protocol.IMAP, Security.NONE)

    async def add(self, *messages: bytes) -> None:
        await asyncio.to_thread(
            lambda: self._dovecot.deliver(self.user, *(message.replace(b"\r\n", b"\n") for message in messages))
        )

    async def renumber(self) -> None:
        await asyncio.to_thread(self._forget_names)

    def _forget_names(self) -> None:
        maildir = self._dovecot.folder / "mail" / self.user
        listed = maildir / "dovecot-uidlist"
        head, _, rest = listed.read_text().partition("\n")
        listed.write_text(re.sub(r" V(\d+)", lambda old: f" V{int(old[1]) + 7}", head) + "\n" + rest)
        for index in maildir.glob("dovecot.index*"):
            index.unlink()


class OnPymap(Backend):
    """A user of the demo's servers, in this process."""

    def __init__(self, protocol: Protocol) -> None:
        super().__init__(protocol, "ada@example.org", "secret")
        self._messages: list[bytes] = []
        self._imap_port = 0

    @property
    def imap_port(self) -> int:
        return self._imap_port

    async def serve(self, listener: Listener) -> None:
        await self._begin()

        async def imap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await DemoImap(self._store)(reader, writer)

        async def pop3(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await DemoPop3(self._store)(reader, writer)

        self._imap_port = await listener.serve(imap)
        self.port = self._imap_port if self.protocol is Protocol.IMAP else await listener.serve(pop3)

    async def _begin(self) -> None:
        self._store = MailStore()
        await self._store.add_user(self.user, self.secret)

    async def add(self, *messages: bytes) -> None:
        self._messages += messages
        for message in messages:
            await self._store.deliver(self.user, message)

    async def renumber(self) -> None:
        await self._begin()
        for message in self._messages:
            await self._store.deliver(self.user, message)


@contextlib.asynccontextmanager
async def on_pymap(protocol: Protocol) -> AsyncIterator[OnPymap]:
    """The demo's servers for one test."""
    listener, backend = Listener(), OnPymap(protocol)
    await backend.serve(listener)
    try:
        yield backend
    finally:
        await listener.close()
