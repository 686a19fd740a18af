"""The demo's submission server (RFC 6409): aiosmtpd over the demo's mail store. It delivers to its own users only."""

import asyncio
import ssl
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mailtui.demo.listener import Listener
from mailtui.demo.store import MailboxRefused, MailStore


class DemoSmtp(SMTP):
    """One connection. With `starttls` it wants STARTTLS before AUTH; without it the connection is TLS already.

    An `open` one has neither TLS nor AUTH and takes mail from anybody, as servers inside of an office do.
    It tells `listener` when it opens and when it is gone.
    """

    def __init__(
        self, store: MailStore, listener: Listener, starttls: ssl.SSLContext | None = None, *, open: bool = False
    ) -> None:
        super().__init__(
            _Handler(store, open=open),
            authenticator=_Authenticator(store),
            tls_context=starttls,
            # An open one, which has no TLS, so never offers AUTH.
            auth_require_tls=starttls is not None or open,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="mailtui demo SMTP",
            loop=asyncio.get_running_loop(),
        )
        self._listener = listener

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._listener.opened(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._listener.closed(self)
        super().connection_lost(error)


class _Authenticator:
    def __init__(self, store: MailStore) -> None:
        self._store = store

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        if isinstance(data, LoginPassword):
            name, password = (value.decode("utf-8", "replace") for value in data)
            if self._store.check_password(name, password):
                return AuthResult(success=True, auth_data=data)
        # handled=False makes aiosmtpd answer 535 5.7.8; by default it expects us to have answered.
        return AuthResult(success=False, handled=False)


class _Handler:
    """aiosmtpd's hooks; each returns the reply."""

    def __init__(self, store: MailStore, *, open: bool) -> None:
        self._store = store
        self._open = open

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not (self._open or session.authenticated):
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Sender accepted"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._store.has_user(address):
            return "550 5.1.1 No such user here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient accepted"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)  # decode_data is off
        try:
            for address in envelope.rcpt_tos:
                await self._store.deliver(address, content)
        except MailboxRefused as refused:
            return f"452 4.2.0 {refused}"
        return "250 2.0.0 Message accepted"
