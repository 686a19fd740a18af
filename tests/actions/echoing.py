"""A server that lets its client log in by one mechanism, and says again, disguised, all that it heard on the way."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from mailtui.model.account import Protocol
from tests.scripted import Peer

Disguise = Callable[[bytes], list[bytes]]
"""What the server makes of a line that it heard: one line or more."""


def decoded(line: bytes) -> bytes:
    """The last word out of its base64; the line itself where it is none."""
    try:
        return b64decode(line.rpartition(b" ")[2], validate=True) or line
    except ValueError:
        return line


def _folded(line: bytes, size: int) -> list[bytes]:
    return [line[at : at + size] for at in range(0, len(line), size)] or [b""]


def _escaped(line: bytes) -> bytes:
    return line.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


DISGUISES: dict[str, Disguise] = {
    "as it is": lambda line: [line],
    "decoded": lambda line: [decoded(line)],
    "encoded": lambda line: [b64encode(line)],
    "decoded and encoded, shifted by one": lambda line: [b64encode(b"x" + decoded(line) + b"yz")],
    "decoded and encoded, shifted by two": lambda line: [b64encode(b"xy" + decoded(line) + b"z")],
    "encoded twice": lambda line: [b64encode(b64encode(decoded(line)))],
    "in capitals": lambda line: [line.upper()],
    "decoded, in capitals": lambda line: [decoded(line).upper()],
    "decoded, in small letters": lambda line: [decoded(line).lower()],
    "percent-escaped": lambda line: [quote_from_bytes(decoded(line), safe="").encode()],
    "each octet percent-escaped": lambda line: ["".join(f"%{octet:02x}" for octet in decoded(line)).encode()],
    "quoted": lambda line: [b'"' + _escaped(decoded(line)) + b'"'],
    "quoted, in capitals": lambda line: [b'"' + _escaped(decoded(line).upper()) + b'"'],
    "each octet in hex": lambda line: ["".join(f"\\x{octet:02x}" for octet in decoded(line)).encode()],
    "each octet in octal": lambda line: ["".join(f"\\{octet:03o}" for octet in decoded(line)).encode()],
    "a dump": lambda line: [decoded(line).hex(" ").encode()],
    "encoded, with blanks": lambda line: [b" ".join(_folded(b64encode(decoded(line)), 16))],
    "split": lambda line: _folded(line, 11),
    "decoded and split": lambda line: _folded(decoded(line), 7),
    "encoded and split": lambda line: _folded(b64encode(decoded(line)), 76),
}


@dataclass
class EchoingServer:
    """Speaks `protocol` and offers `mechanism`; `script` is for tests.scripted.ScriptedServer.

    `secret` is what the server knows of its own, as one that verifies a password does. With `literals` IMAP's echoes
    are literals; without `initial` no initial response is taken where the client asks first.
    """

    protocol: Protocol
    mechanism: str
    disguise: Disguise
    accepts: bool
    secret: bytes
    initial: bool = True
    literals: bool = False
    heard: list[bytes] = field(default_factory=list)

    async def script(self, peer: Peer) -> None:
        await {Protocol.SMTP: self._smtp, Protocol.IMAP: self._imap, Protocol.POP3: self._pop3}[self.protocol](peer)

    def _echo(self) -> list[bytes]:
        lines = [part for line in (*self.heard, self.secret) for part in self.disguise(line)]
        return [re.sub(rb"[\r\n]", b" ", line)[:2_000] for line in lines] or [b"nothing"]

    async def _hear(self, peer: Peer) -> bytes:
        line = (await peer.reader.readuntil(b"\n")).rstrip(b"\r\n")
        self.heard.append(line)
        return line

    async def _converse(self, peer: Peer, prompt: bytes, first: bytes | None) -> None:
        """The rounds of a SASL mechanism; `first` is the initial response, if it came."""

        async def ask(challenge: bytes) -> bytes:
            await peer.send(prompt + challenge + b"\r\n")
            return await self._hear(peer)

        message = first
        if self.mechanism in ("PLAIN", "XOAUTH2", "SCRAM-SHA-256") and message is None:
            message = await ask(b"")
        match self.mechanism:
            case "LOGIN":
                await ask(b"VXNlcm5hbWU6")
                # The prompt is for people: it may hold anything.
                await ask(self._echo()[-1])
            case "CRAM-MD5":
                await ask(b64encode(b"<1896.697170952@mail.test>"))
            case "XOAUTH2" if not self.accepts:
                await ask(self._echo()[0])
            case "SCRAM-SHA-256":
                nonce = decoded(message or b"").rpartition(b"r=")[2]
                await ask(b64encode(b"r=" + nonce + b"more,s=c2FsdA==,i=16"))

    async def _smtp(self, peer: Peer) -> None:
        await peer.send(b"220 mail.test ready\r\n")
        while True:
            line = (await peer.reader.readuntil(b"\n")).rstrip(b"\r\n")
            verb, _, rest = line.partition(b" ")
            if verb == b"EHLO":
                await self._say(peer, 250, [b"mail.test", b"AUTH " + self.mechanism.encode(), *self._after()])
            elif verb == b"AUTH":
                self.heard.append(line)
                _, has_first, first = rest.partition(b" ")
                await self._converse(peer, b"334 ", first if has_first else None)
                await self._say(peer, 235 if self.accepts else 535, self._echo())
            else:
                await self._say(peer, 221 if verb == b"QUIT" else 250, self._after() or [b"fine"])

    async def _say(self, peer: Peer, code: int, lines: list[bytes]) -> None:
        *some, last = lines[:200]
        text = b"".join(b"%d-%b\r\n" % (code, line) for line in some) + b"%d %b\r\n" % (code, last)
        await peer.send(text)

    def _after(self) -> list[bytes]:
        return self._echo() if self.heard else []

    async def _imap(self, peer: Peer) -> None:
        await peer.send(b"* OK mail.test ready\r\n")
        offer = b"* CAPABILITY IMAP4rev1" + (b" SASL-IR" if self.initial else b"")
        if self.mechanism != "IMAP LOGIN":
            offer += b" LOGINDISABLED AUTH=" + self.mechanism.encode()
        while True:
            line = (await peer.reader.readuntil(b"\n")).rstrip(b"\r\n")
            tag, _, rest = line.partition(b" ")
            verb, _, rest = rest.partition(b" ")
            verdict = b"OK"
            if verb in (b"AUTHENTICATE", b"LOGIN"):
                self.heard.append(line)
                if verb == b"AUTHENTICATE":
                    _, has_first, first = rest.partition(b" ")
                    await self._converse(peer, b"+ ", first if has_first else None)
                verdict = b"OK" if self.accepts else b"NO"
            if verb == b"CAPABILITY":
                await peer.send(offer + b"\r\n")
            if verb == b"EXAMINE":
                await peer.send(b"* 3 EXISTS\r\n")
            *some, last = self._after() or [b"fine"]
            for told in (*some, last) if self.literals else some:
                body = b"{%d}\r\n%b" % (len(told), told) if self.literals else told
                await peer.send(b"* NO " + body + b"\r\n")
            await peer.send(tag + b" " + verdict + b" " + (b"see above" if self.literals else last) + b"\r\n")

    async def _pop3(self, peer: Peer) -> None:
        await peer.send(b"+OK mail.test <1896.697170952@mail.test>\r\n")
        while True:
            line = (await peer.reader.readuntil(b"\n")).rstrip(b"\r\n")
            verb, _, rest = line.partition(b" ")
            told = b" ".join(self._after()) or b"fine"
            refusal = b"+OK " if self.accepts else b"-ERR "
            if verb == b"CAPA":
                offer = {"USER/PASS": b"USER", "APOP": b"UIDL"}.get(self.mechanism, b"SASL " + self.mechanism.encode())
                await peer.send(b"+OK\r\n" + b"\r\n".join([offer, *self._after()]))
                await peer.send(b"\r\n.\r\n")
            elif verb in (b"AUTH", b"PASS", b"APOP"):
                self.heard.append(line)
                if verb == b"AUTH":
                    _, has_first, first = rest.partition(b" ")
                    await self._converse(peer, b"+ ", first if has_first else None)
                await peer.send(refusal + b" ".join(self._echo())[:4_000] + b"\r\n")
            elif verb == b"STAT":
                await peer.send(b"+OK 3 900 " + told[:4_000] + b"\r\n")
            else:
                if verb == b"USER":
                    self.heard.append(line)
                await peer.send(b"+OK " + told[:4_000] + b"\r\n")


def bodies(texts: Iterable[str]) -> str:
    """What a server's lines say after their codes, in one piece."""
    lead = r"(?:[0-9]{3}[ -]|\* NO |A[0-9]+ (?:NO|OK) |\+ |\+OK ?|-ERR ?)?"
    return "".join(re.sub(f"^{lead}", "", text) for text in texts)
