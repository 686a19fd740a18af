"""Servers on loopback whose every word is up to no good, and the accounts that use them."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import trustme

from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
    Trust,
)
from tests.scripted import Action, Peer, ScriptedServer

PASSWORD = "MAILTUI_TEST_PASSWORD"
"""The environment variable from which the accounts take their password."""

EVIL = (
    b"\x1b]52;c;ZXZpbA==\x07 \x1b[2J \xc2\x9b2J \x9b2J \xe2\x80\xaetfel \xe2\x80\x8b \xff\x00\x08"
    b" [/] [@click=app.quit]x[/] \xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9 \xf0\x9f\x87\xa9"
)
EVIL_SHOWN = "\\x1b]52;c;"
LONG = EVIL + b"x" * 3_000

Says = Callable[[str], bytes]


def conversation(greeting: bytes, says: Says) -> Action:
    """A server that answers every line by itself."""

    async def script(peer: Peer) -> None:
        await peer.send(greeting + b"\r\n")
        while True:
            await peer.send(says(await peer.line()))

    return script


def _smtp(login: bytes, sender: bytes = b"250 " + EVIL) -> Says:
    def says(line: str) -> bytes:
        match line.split(" ", 1)[0].upper():
            case "EHLO":
                return b"250-" + EVIL + b"\r\n250-AUTH PLAIN " + EVIL + b"\r\n250 X" + EVIL + b"\r\n"
            case "AUTH":
                return login + b"\r\n"
            case "MAIL":
                return sender + b"\r\n"
            case "QUIT":
                return b"221 " + EVIL + b"\r\n"
        return b"250 " + EVIL + b"\r\n"

    return says


def _imap(login: bytes) -> Says:
    def says(line: str) -> bytes:
        tag, _, command = line.partition(" ")
        answer = tag.encode() + b" OK " + EVIL + b"\r\n"
        if command == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR X" + EVIL + b"\r\n" + answer
        if command.startswith("AUTHENTICATE"):
            return tag.encode() + login + b"\r\n"
        if command.startswith("EXAMINE"):
            return b"* 3 EXISTS\r\n* OK [ALERT] " + EVIL + b"\r\n" + answer
        return b"* OK " + EVIL + b"\r\n" + answer

    return says


def _pop3(login: bytes) -> Says:
    def says(line: str) -> bytes:
        match line.split(" ", 1)[0].upper():
            case "CAPA":
                return b"+OK " + EVIL + b"\r\nSASL PLAIN\r\nUSER\r\nX-" + EVIL + b"\r\n.\r\n"
            case "AUTH" | "PASS":
                return login + b"\r\n"
            case "STAT":
                return b"+OK 3 900 " + EVIL + b"\r\n"
        return b"+OK " + EVIL + b"\r\n"

    return says


def _certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    name = "\x1b[2J\x9b2J\u202e[/]\u200b"
    trustme.CA(organization_name=name).issue_cert("localhost", common_name=name).configure_cert(context)
    return context


@asynccontextmanager
async def hostile_servers() -> AsyncIterator[list[Account]]:
    """Accounts with harmless settings, in their order in the list, whose servers run while this is open."""
    async with AsyncExitStack() as stack:

        async def serve(script: Action, tls: ssl.SSLContext | None = None) -> int:
            return (await stack.enter_async_context(ScriptedServer(script, tls=tls))).port

        def account(name: str, out: int, into: int, protocol: Protocol, trust: Trust | None = None) -> Account:
            security = Security.NONE if trust is None else Security.IMPLICIT_TLS
            policy = CertificatePolicy(trust or Trust.SYSTEM)
            return Account(
                name,
                "ada@analytical.example",
                Submission(Endpoint("localhost", out, security, policy), secret=SecretRef(SecretScheme.ENV, PASSWORD)),
                Retrieval(protocol, Endpoint("localhost", into, security, policy)),
            )

        tls = _certificate()
        out = await serve(conversation(b"220 " + EVIL, _smtp(b"235 " + EVIL)))
        into = await serve(conversation(b"* OK " + EVIL, _imap(b" OK " + EVIL)))
        return_path = await serve(conversation(b"220 " + EVIL, _smtp(b"235 " + EVIL, b"550 5.7.1 " + EVIL)))
        refused_out = await serve(
            conversation(b"220-" + EVIL + b"\r\n220 " + LONG, _smtp(b"535-" + EVIL + b"\r\n535 " + EVIL))
        )
        refused_in = await serve(conversation(b"* OK " + LONG, _imap(b" NO [AUTHENTICATIONFAILED] " + LONG)))
        refused_pop = await serve(conversation(b"+OK " + EVIL, _pop3(b"-ERR [AUTH] " + EVIL)))
        stranger = await serve(conversation(EVIL, lambda line: EVIL + b"\r\n"))
        away = await serve(conversation(b"554 " + EVIL, lambda line: b"503 " + EVIL + b"\r\n"))
        bye = await serve(conversation(b"* BYE " + EVIL, lambda line: b"* BAD " + EVIL + b"\r\n"))
        endless = await serve(conversation(b"220 " + b"\x1b[31m" * 20_000, lambda line: b""))
        tls_out = await serve(conversation(b"220 " + EVIL, _smtp(b"235 " + EVIL)), tls)
        tls_in = await serve(conversation(b"* OK " + EVIL, _imap(b" OK " + EVIL)), tls)
        yield [
            account("1 accepted", out, into, Protocol.IMAP),
            account("2 refused", refused_out, refused_in, Protocol.IMAP),
            account("3 refused by POP3", return_path, refused_pop, Protocol.POP3),
            account("4 strangers", stranger, stranger, Protocol.POP3),
            account("5 away", away, bye, Protocol.IMAP),
            account("6 endless", endless, endless, Protocol.IMAP),
            account("7 certificate", tls_out, tls_in, Protocol.IMAP, Trust.SYSTEM),
            account("8 any certificate", tls_out, tls_in, Protocol.IMAP, Trust.ANYTHING),
        ]
