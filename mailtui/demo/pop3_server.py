"""The demo's POP3 server (RFC 1939, 2449, 2595, 5034), with PIPELINING, over the demo's mail store."""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import secrets
import ssl
from collections.abc import Awaitable, Callable

from mailtui.demo.store import MailboxRefused, MailStore, StoredMessage

LINE_LIMIT = 1_000
"""Octets of one line from a client: RFC 2449 asks for 255, RFC 5034 for more where AUTH carries a response."""

_LOGIN_ATTEMPTS = 3


class DemoPop3:
    """Serves POP3; with `starttls` it offers STLS with that context, with `apop` it offers APOP."""

    def __init__(self, store: MailStore, starttls: ssl.SSLContext | None = None, *, apop: bool = True) -> None:
        self._store = store
        self._starttls = starttls
        self._apop = apop

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        challenge = f"<{secrets.token_hex(8)}@localhost>" if self._apop else ""
        await _Session(self._store, self._starttls, challenge, reader, writer).run()


class _Refusal(Exception):
    """The command fails; the message follows -ERR."""


class _Session:
    def __init__(
        self,
        store: MailStore,
        starttls: ssl.SSLContext | None,
        challenge: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._store = store
        self._starttls = starttls
        self._challenge = challenge
        self._reader = reader
        self._writer = writer
        self._attempts_left = _LOGIN_ATTEMPTS
        self._claimed_user = ""
        self._user = ""
        self._messages: list[StoredMessage] = []
        self._deleted: set[int] = set()
        self._ended = False
        anywhere: dict[str, Callable[[str], Awaitable[None]]] = {"CAPA": self._capa, "QUIT": self._quit}
        self._authorization = anywhere | {
            "STLS": self._stls,
            "USER": self._user_name,
            "PASS": self._password,
            "APOP": self._apop,
            "AUTH": self._auth,
        }
        self._transaction = anywhere | {
            "STAT": self._stat,
            "LIST": self._list,
            "UIDL": self._uidl,
            "RETR": self._retr,
            "TOP": self._top,
            "DELE": self._dele,
            "RSET": self._rset,
            "NOOP": self._noop,
        }

    async def run(self) -> None:
        self._ok(f"mailtui demo POP3 {self._challenge}".rstrip())
        while not self._ended:
            await self._writer.drain()
            try:
                verb, _, argument = (await self._line()).partition(" ")
                command = (self._transaction if self._user else self._authorization).get(verb.upper())
                if command is None:
                    raise _Refusal("unknown command, or not allowed in this state")
                await command(argument)
            except _Refusal as refusal:
                self._send(f"-ERR {refusal}")
        await self._writer.drain()

    def _send(self, line: str) -> None:
        self._writer.write(line.encode() + b"\r\n")

    def _ok(self, text: str = "") -> None:
        self._send(f"+OK {text}".rstrip())

    def _listing(self, lines: list[str]) -> None:
        self._ok()
        for line in [*lines, "."]:
            self._send(line)

    async def _line(self) -> str:
        try:
            line = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError:
            line = b""
        if not 0 < len(line) <= LINE_LIMIT:
            self._ended = True
            raise _Refusal(f"line longer than {LINE_LIMIT} octets")
        return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "replace")

    # AUTHORIZATION state

    async def _capa(self, argument: str) -> None:
        names = ["TOP", "UIDL", "USER", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE", "SASL PLAIN LOGIN CRAM-MD5"]
        if self._starttls and not self._user:
            names.append("STLS")
        self._listing(names)

    async def _stls(self, argument: str) -> None:
        if self._starttls is None:
            raise _Refusal("TLS is not offered here, or already active")
        with contextlib.suppress(TimeoutError):
            # What came in the clear behind STLS would be obeyed as if TLS protected it (RFC 2595, section 2.4).
            async with asyncio.timeout(0):
                await self._reader.read(1)
            self._ended = True
            raise _Refusal("commands may not be pipelined behind STLS")
        self._ok("begin TLS")
        await self._writer.start_tls(self._starttls)
        self._starttls = None
        self._claimed_user = ""

    async def _user_name(self, argument: str) -> None:
        self._claimed_user = argument
        self._ok()

    async def _password(self, argument: str) -> None:
        if not self._claimed_user:
            raise _Refusal("USER comes first")
        await self._login(self._claimed_user, self._store.check_password(self._claimed_user, argument))

    async def _apop(self, argument: str) -> None:
        if not self._challenge:
            raise _Refusal("APOP is not offered here")
        name, _, digest = argument.rpartition(" ")
        password = self._store.password(name) or secrets.token_urlsafe()
        expected = hashlib.md5((self._challenge + password).encode()).hexdigest()
        await self._login(name, _same(expected, digest.lower()))

    async def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        match mechanism.upper():
            case "PLAIN":
                parts = (await self._response("", initial)).split("\0")
                if len(parts) != 3:
                    raise _Refusal("malformed PLAIN response")
                await self._login(parts[1], self._store.check_password(parts[1], parts[2]))
            case "LOGIN":
                name = await self._response("Username:", initial)
                await self._login(name, self._store.check_password(name, await self._response("Password:")))
            case "CRAM-MD5":
                challenge = f"<{secrets.token_hex(8)}@localhost>"
                name, _, digest = (await self._response(challenge)).rpartition(" ")
                password = self._store.password(name) or secrets.token_urlsafe()
                expected = hmac.new(password.encode(), challenge.encode(), "md5").hexdigest()
                await self._login(name, _same(expected, digest.lower()))
            case _:
                raise _Refusal("unknown mechanism")

    async def _response(self, challenge: str, initial: str = "") -> str:
        """The client's answer to `challenge`, or what it sent with AUTH itself, where "=" stands for nothing."""
        encoded = initial
        if not encoded:
            self._send(f"+ {base64.b64encode(challenge.encode()).decode()}")
            await self._writer.drain()
            encoded = await self._line()
        if encoded == "*":
            raise _Refusal("cancelled")
        try:
            return base64.b64decode("" if encoded == "=" else encoded, validate=True).decode()
        except (binascii.Error, ValueError):
            raise _Refusal("not base64 of UTF-8") from None

    async def _login(self, name: str, proved: bool) -> None:
        if not proved:
            self._attempts_left -= 1
            self._ended = self._attempts_left == 0
            raise _Refusal("[AUTH] Authentication failed: wrong user name or password")
        try:
            self._messages = await self._store.messages(name)
        except MailboxRefused as refused:
            raise _Refusal(f"[SYS/PERM] {refused}") from refused
        self._user = name
        self._ok(f"{len(self._messages)} messages")

    # TRANSACTION state

    def _number(self, argument: str) -> int:
        if not (argument.isascii() and argument.isdigit() and len(argument) <= 9):
            raise _Refusal("a message number is needed")
        number = int(argument)
        if not 1 <= number <= len(self._messages) or number in self._deleted:
            raise _Refusal("no such message")
        return number

    def _present(self) -> list[tuple[int, StoredMessage]]:
        return [entry for entry in enumerate(self._messages, 1) if entry[0] not in self._deleted]

    async def _stat(self, argument: str) -> None:
        present = self._present()
        self._ok(f"{len(present)} {sum(len(message.content) for _, message in present)}")

    def _describe(self, argument: str, describe: Callable[[StoredMessage], object]) -> None:
        if argument:
            number = self._number(argument)
            self._ok(f"{number} {describe(self._messages[number - 1])}")
        else:
            self._listing([f"{number} {describe(message)}" for number, message in self._present()])

    async def _list(self, argument: str) -> None:
        self._describe(argument, lambda message: len(message.content))

    async def _uidl(self, argument: str) -> None:
        self._describe(argument, lambda message: message.unique_id)

    async def _retr(self, argument: str) -> None:
        content = self._messages[self._number(argument) - 1].content
        self._ok(f"{len(content)} octets")
        self._writer.write(_multiline(content))

    async def _top(self, argument: str) -> None:
        number, _, count = argument.partition(" ")
        content = self._messages[self._number(number) - 1].content
        if not (count.isascii() and count.isdigit() and len(count) <= 9):
            raise _Refusal("a count of lines is needed")
        header, blank, body = content.partition(b"\r\n\r\n")
        self._ok()
        self._writer.write(_multiline(header + blank + b"\r\n".join(body.split(b"\r\n")[: int(count)])))

    async def _dele(self, argument: str) -> None:
        self._deleted.add(self._number(argument))
        self._ok()

    async def _rset(self, argument: str) -> None:
        self._deleted.clear()
        self._ok()

    async def _noop(self, argument: str) -> None:
        self._ok()

    async def _quit(self, argument: str) -> None:
        """Deletions happen here and nowhere else (RFC 1939, the UPDATE state)."""
        self._ended = True
        if self._deleted:
            await self._store.delete(self._user, [self._messages[number - 1].uid for number in sorted(self._deleted)])
        self._ok("bye")


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _multiline(content: bytes) -> bytes:
    """`content` as the body of a multi-line response: dots stuffed, the last line ended, then the final dot."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"
