"""One mail store behind all the demo's servers: what SMTP accepts, IMAP and POP3 show. It lives in memory."""

import hmac
import ssl
from argparse import Namespace
from dataclasses import dataclass
from datetime import UTC, datetime

from pymap.backend.dict import Config, Identity, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Subsystem
from pymap.exceptions import NotAllowedError
from pymap.parsing.message import AppendMessage
from pymap.parsing.specials import FetchRequirement
from pymap.user import UserMetadata
from pysasl import SASLAuth
from pysasl.hashing import Cleartext
from pysasl.mechanism.crammd5 import CramMD5Mechanism
from pysasl.mechanism.login import LoginMechanism
from pysasl.mechanism.plain import PlainMechanism

_MECHANISMS = SASLAuth([CramMD5Mechanism(b"CRAM-MD5"), PlainMechanism(b"PLAIN"), LoginMechanism(b"LOGIN")])


class MailboxRefused(Exception):
    """The user's mailbox cannot be opened; the message says why, in the server's words."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of an INBOX. `unique_id` never changes and is never used again (RFC 1939, UIDL)."""

    uid: int
    unique_id: str
    content: bytes


class StoreConfig(Config):
    """pymap's settings for a server that starts at once, asks no name server and keeps passwords as they are.

    CRAM-MD5 and APOP need the password itself (RFC 2195, RFC 1939), so nothing would be gained by hashing it.
    """

    def __init__(self, starttls: ssl.SSLContext | None = None) -> None:
        super().__init__(
            Namespace(proxy_protocol=None, passlib_cfg=None),
            host=None,
            port=0,
            demo_data=False,
            demo_user="",
            demo_password="",
            tls_enabled=starttls is not None,
            ssl_context=starttls or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
            invalid_user_sleep=0,
            hash_context=Cleartext(),
            cpu_subsystem=Subsystem.for_asyncio(),
        )

    @property
    def greeting(self) -> bytes:
        return b"mailtui demo IMAP"

    @property
    def tls_auth(self) -> SASLAuth:
        return _MECHANISMS


class MailStore:
    """Users, their passwords and their mail. Use it from one event loop."""

    def __init__(self) -> None:
        self._config = StoreConfig()
        self.login = Login(self._config)
        self._passwords: dict[str, str] = {}

    async def add_user(self, name: str, password: str, *, refused: str = "") -> None:
        """Add a user with an empty INBOX; with `refused`, opening it answers those words instead."""
        self._passwords[name] = password
        await self._identity(name).set(UserMetadata(self._config, name, password=password))
        if refused:
            self._config.set_cache[name] = (_RefusingMailboxes(refused), FilterSet())

    def has_user(self, name: str) -> bool:
        return name in self._passwords

    def password(self, name: str) -> str | None:
        """The password of `name`, for the mechanisms that prove it without sending it; None for a stranger."""
        return self._passwords.get(name)

    def check_password(self, name: str, password: str) -> bool:
        """Whether `name` is a user with this password."""
        known = self._passwords.get(name)
        return known is not None and hmac.compare_digest(known.encode(), password.encode("utf-8", "replace"))

    async def deliver(self, name: str, content: bytes) -> None:
        """Put a message, CRLF line ends, into the INBOX of `name`. Raises MailboxRefused."""
        async with self._identity(name).new_session() as session:
            try:
                await session.append_messages("INBOX", [AppendMessage(content, datetime.now(UTC))])
            except NotAllowedError as error:
                raise MailboxRefused(str(error)) from error

    async def messages(self, name: str) -> list[StoredMessage]:
        """The INBOX of `name`, oldest first. Raises MailboxRefused."""
        inbox = await self._inbox(name)
        found: list[StoredMessage] = []
        async for message in inbox.messages():
            loaded = await message.load_content(FetchRequirement.CONTENT)
            unique_id = f"{inbox.uid_validity}.{message.uid}"
            found.append(StoredMessage(message.uid, unique_id, bytes(loaded.content)))
        return found

    async def delete(self, name: str, uids: list[int]) -> None:
        """Remove messages from the INBOX of `name`; those already gone are no error. Raises MailboxRefused."""
        inbox = await self._inbox(name)
        await inbox.delete(uids)

    async def _inbox(self, name: str) -> MailboxData:
        async with self._identity(name).new_session() as session:
            try:
                return await session.mailbox_set.get_mailbox("INBOX")
            except NotAllowedError as error:
                raise MailboxRefused(str(error)) from error

    def _identity(self, name: str) -> Identity:
        return Identity(name, self.login, None, frozenset())


class _RefusingMailboxes(MailboxSet):
    """Mailboxes that can be listed but not opened."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    async def get_mailbox(self, name: str) -> MailboxData:
        raise NotAllowedError(self._reason)
