"""Minimal servers that follow their RFC, and note what they are told: in what groups, how often, how well protected."""

import base64
import ssl
from abc import ABC, abstractmethod
from dataclasses import dataclass

from mailtui.model.account import Security
from tests.protocols.dialogue import secure
from tests.protocols.legs import SECRET, USERNAME
from tests.scripted import Peer

PLAIN_MESSAGE = base64.b64encode(f"\0{USERNAME}\0{SECRET}".encode()).decode()


@dataclass(frozen=True)
class Manners:
    """What a server offers. `grouped` is whether it says that it takes commands in groups."""

    security: Security = Security.NONE
    context: ssl.SSLContext | None = None
    grouped: bool = True
    lets_in: bool = True


class Honest(ABC):
    """A script for one connection. `groups` holds the lines of each segment that came, `clear` what came before TLS."""

    starttls: str
    greeting: bytes

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.groups: list[list[str]] = []
        self.clear = b""
        self.login_attempts = 0
        self.is_protected = False
        self.is_logged_in = False
        self.saw_end = False

    async def __call__(self, peer: Peer) -> None:
        if self.manners.security is Security.IMPLICIT_TLS:
            await self._protect(peer)
        await peer.send(self.greeting)
        while chunk := await peer.reader.read(65_536):
            if not self.is_protected:
                self.clear += chunk
            lines = chunk.decode().split("\r\n")
            assert lines.pop() == "", f"a segment ends within a line: {chunk!r}"
            self.groups.append(lines)
            for line in lines:
                await peer.send(self.answer(line))
                if line.endswith(self.starttls):
                    await self._protect(peer)
        self.saw_end = True

    async def _protect(self, peer: Peer) -> None:
        assert self.manners.context is not None
        await secure(peer, self.manners.context)
        self.is_protected = True

    @abstractmethod
    def answer(self, line: str) -> bytes:
        """The reply to one line."""

    @property
    def offer(self) -> str:
        """The capability that says where in the dialogue the server thinks it is."""
        if self.is_logged_in:
            return "X-LOGGED-IN"
        return "X-PROTECTED" if self.is_protected else "X-CLEAR"

    @property
    def offers_starttls(self) -> bool:
        return self.manners.security is Security.STARTTLS and not self.is_protected

    def log_in(self, message: str) -> bool:
        """Count a login attempt; whether it is let in."""
        self.login_attempts += 1
        self.is_logged_in = self.manners.lets_in and message == PLAIN_MESSAGE
        return self.is_logged_in

    @property
    def last_line(self) -> str:
        return self.groups[-1][-1]


class HonestSmtp(Honest):
    """RFC 5321, 4954, 3207, 2920."""

    starttls = "STARTTLS"
    greeting = b"220 mail.test ESMTP ready\r\n"

    def answer(self, line: str) -> bytes:
        match line.split(" ", 1)[0]:
            case "EHLO":
                lines = ["mail.test", self.offer]
                lines += ["STARTTLS"] if self.offers_starttls else ["AUTH LOGIN PLAIN"]
                lines += ["PIPELINING"] if self.manners.grouped else []
                return "".join(f"250-{line}\r\n" for line in lines).encode() + b"250 8BITMIME\r\n"
            case "STARTTLS":
                return b"220 2.0.0 go ahead\r\n"
            case "AUTH":
                is_good = self.log_in(line.removeprefix("AUTH PLAIN "))
                return b"235 2.7.0 welcome\r\n" if is_good else b"535 5.7.8 wrong name or password\r\n"
            case "MAIL" | "RSET":
                return b"250 2.0.0 fine\r\n"
            case "QUIT":
                return b"221 2.0.0 bye\r\n"
        raise AssertionError(f"the client sent {line!r}")


class HonestImap(Honest):
    """RFC 3501, 4959, 8438."""

    starttls = " STARTTLS"
    greeting = b"* OK mail.test ready\r\n"

    def answer(self, line: str) -> bytes:
        tag, _, command = line.partition(" ")
        return self.untagged(command) + f"{tag} {self.verdict(command)}\r\n".encode()

    def untagged(self, command: str) -> bytes:
        if command == "CAPABILITY":
            offers = ["IMAP4rev1", "STATUS=SIZE", self.offer]
            offers += ["STARTTLS", "LOGINDISABLED"] if self.offers_starttls else ["SASL-IR", "AUTH=PLAIN"]
            return f"* CAPABILITY {' '.join(offers)}\r\n".encode()
        return {
            "STATUS INBOX (SIZE)": b"* STATUS INBOX (SIZE 900)\r\n",
            "EXAMINE INBOX": b"* FLAGS (\\Seen)\r\n* 3 EXISTS\r\n* 0 RECENT\r\n",
            "LOGOUT": b"* BYE see you\r\n",
        }.get(command, b"")

    def verdict(self, command: str) -> str:
        if command.startswith("AUTHENTICATE"):
            is_good = self.log_in(command.removeprefix("AUTHENTICATE PLAIN "))
            return "OK welcome" if is_good else "NO [AUTHENTICATIONFAILED] wrong name or password"
        known = ("CAPABILITY", "STARTTLS", "STATUS INBOX (SIZE)", "EXAMINE INBOX", "LOGOUT")
        assert command in known, f"the client sent {command!r}"
        return "OK done"


class HonestPop3(Honest):
    """RFC 1939, 2449, 2595, 5034."""

    starttls = "STLS"
    greeting = b"+OK mail.test ready\r\n"

    def answer(self, line: str) -> bytes:
        match line.split(" ", 1)[0]:
            case "CAPA":
                lines = [self.offer]
                lines += ["STLS"] if self.offers_starttls else ["SASL PLAIN"]
                lines += ["PIPELINING"] if self.manners.grouped else []
                return b"+OK listed\r\n" + "".join(f"{line}\r\n" for line in lines).encode() + b".\r\n"
            case "STLS":
                return b"+OK go ahead\r\n"
            case "AUTH":
                is_good = self.log_in(line.removeprefix("AUTH PLAIN "))
                return b"+OK welcome\r\n" if is_good else b"-ERR [AUTH] wrong name or password\r\n"
            case "STAT":
                return b"+OK 3 900\r\n"
            case "QUIT":
                return b"+OK bye\r\n"
        raise AssertionError(f"the client sent {line!r}")
