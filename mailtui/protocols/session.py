"""The walk that all three protocols share: reach the server, protect the connection, log in once, prove it works."""

import asyncio
import ssl
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol as Interface
from typing import cast

from mailtui.model.account import CertificatePolicy, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, Stage, utc_now
from mailtui.model.server import Offered
from mailtui.offloop import off_loop
from mailtui.protocols import sasl
from mailtui.protocols.dial import Network, connect, describe_certificate, protect
from mailtui.protocols.faults import StageFailed, WireError, certificate_fault
from mailtui.protocols.look import SILENCE, expect_tls
from mailtui.protocols.resolve import Address
from mailtui.protocols.sasl import Credentials, Exchange
from mailtui.protocols.trace import StageBlock, Trace

# A login that takes more rounds than this is no login: the longest of ours takes three.
MAX_ROUNDS = 6

# What the logins that are no SASL mechanisms are called beside those.
_COMMANDS = {sasl.IMAP_LOGIN: "LOGIN", sasl.USER_PASS: "USER"}


class Wire(Interface):
    """What a session needs of its asyncio protocol, whatever it speaks."""

    def unread(self) -> bool:
        """Whether bytes have come that no one has read."""
        ...

    def protected(self, transport: asyncio.Transport) -> None:
        """Go on over `transport`; what was said before counts no more."""
        ...


Gate = Callable[[Trace], Awaitable[None]]
"""Asked within AUTH, with all known of the server in the trace, right before a credential would go out.

Raises WireError to hold it back.
"""


class Session(ABC):
    """One connection to one endpoint. `open`, then `probe` or real work, then `close` in any case.

    All methods that talk raise StageFailed, and nothing else but cancellation; after either, only `close` is allowed.
    """

    wire: Wire

    def __init__(self, credentials: Credentials | None, network: Network, gate: Gate | None = None) -> None:
        self.credentials = credentials
        self.network = network
        self._gate = gate
        self.address: Address | None = None
        self._transport: asyncio.Transport | None = None

    async def open(self, trace: Trace) -> None:
        """Walk from RESOLVE to AUTH. Exactly one login attempt, and none without credentials."""
        if self.credentials is not None:
            trace.masker.hide(self.credentials.secret)
        await self._protect(trace)
        if trace.endpoint.security is not Security.STARTTLS:
            await self._greet_in_time(trace)
        await self._read_capabilities(trace)
        trace.offered = self._offer(trace)
        if self.credentials is not None:
            await self._log_in(trace, self.credentials)

    @abstractmethod
    async def probe(self, trace: Trace, email: str) -> None:
        """After `open`: prove that the session is good for mail of `email`, changing nothing, and say goodbye."""

    def close(self) -> None:
        """Drop the connection at once. May be called at any time, any number of times."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    @abstractmethod
    def _make_wire(self, trace: Trace, paused: bool) -> Wire:
        """A new wire; a `paused` one reads nothing before TLS is up."""

    @abstractmethod
    async def _greet(self, trace: Trace) -> None:
        """GREETING."""

    @abstractmethod
    async def _read_capabilities(self, trace: Trace) -> None:
        """CAPABILITIES."""

    @abstractmethod
    async def _request_tls(self, trace: Trace, block: StageBlock) -> None:
        """The protocol's STARTTLS command. Raises WireError when it is not offered or refused."""

    @abstractmethod
    def _offered_logins(self, trace: Trace) -> tuple[str, ...]:
        """What `sasl.choose` may choose from. Raises WireError when the server lets nobody log in."""

    @abstractmethod
    async def _authenticate(self, trace: Trace, block: StageBlock, way: str, credentials: Credentials) -> None:
        """Log in by `way`. Raises WireError when refused."""

    async def _protect(self, trace: Trace) -> None:
        security = trace.endpoint.security
        paused = security is Security.IMPLICIT_TLS
        wire = self._make_wire(trace, paused)
        self._transport, self.address = await connect(trace, self.network, cast(asyncio.BaseProtocol, wire))
        if security is Security.STARTTLS:
            await self._greet_in_time(trace)
            await self._read_capabilities(trace)
            try:
                async with trace.stage(Stage.STARTTLS) as block:
                    await self._request_tls(trace, block)
                    _refuse_injected(wire)
            finally:
                # What was offered in clear may be anyone's word.
                trace.capabilities = ()
        if security is not Security.NONE:
            await self._start_tls(trace, wire)

    async def _greet_in_time(self, trace: Trace) -> None:
        """GREETING; where it stays silent in clear, end it as soon as a second connection learns that TLS is spoken."""
        if trace.tls is not None or trace.stage_timeout <= SILENCE:
            await self._greet(trace)
            return
        looks: list[asyncio.Task[None]] = []

        def look() -> None:
            if not self.wire.unread():
                looks.append(asyncio.create_task(expect_tls(trace, self.network)))

        timer = asyncio.get_running_loop().call_later(SILENCE, look)
        try:
            await self._greet(trace)
        finally:
            timer.cancel()
            for running in looks:
                running.cancel()

    def _offer(self, trace: Trace) -> Offered:
        """What is offered before the login. Where STARTTLS was asked for and we got here, it was offered.

        APOP is offered by the greeting: behind STARTTLS that came in clear, and is nothing to compare with.
        """
        try:
            mechanisms = self._offered_logins(trace)
        except WireError:
            mechanisms = ()
        if trace.endpoint.security is Security.STARTTLS:
            mechanisms = tuple(name for name in mechanisms if name != sasl.APOP)
        starttls = {
            Security.IMPLICIT_TLS: None,
            Security.STARTTLS: True,
            Security.NONE: any(line.upper() in ("STARTTLS", "STLS") for line in trace.capabilities),
        }
        return Offered(
            starttls=starttls[trace.endpoint.security],
            mechanisms=tuple(
                dict.fromkeys(trace.shown_each([_COMMANDS.get(name, name.upper()) for name in mechanisms]))
            ),
            capabilities=trace.shown_each(trace.capabilities),
        )

    async def _start_tls(self, trace: Trace, wire: Wire) -> None:
        async with trace.stage(Stage.TLS) as block:
            assert self._transport is not None
            context = await self.network.contexts.get(trace.endpoint.certificate)
            # Once more: from here to the handshake nothing waits, so nothing can slip in between.
            _refuse_injected(wire)
            try:
                self._transport = await protect(trace, block, context, self._transport)
            except ssl.SSLCertVerificationError as error:
                facts = await self._look_at_certificate(trace)
                if facts is not None:
                    block.detail = describe_certificate(facts, utc_now())
                raise WireError(*certificate_fault(error, trace.endpoint.label, facts)) from error
            wire.protected(self._transport)
            trace.remark(block.detail)

    async def _look_at_certificate(self, trace: Trace) -> CertificateFacts | None:
        """Fetch the facts of a certificate that was just rejected, over a second connection that says nothing else.

        OpenSSL keeps a rejected certificate to itself; a handshake that accepts anything, and then hangs up, shows it.
        """
        # A leg never holds two connections: that is how a run keeps to its limits.
        self.close()
        policy = CertificatePolicy(trust=Trust.ANYTHING)
        quiet = trace.quiet(replace(trace.endpoint, certificate=policy))
        look = type(self)(None, self.network)
        try:
            await look._protect(quiet)
        except StageFailed:
            return None
        finally:
            look.close()
            quiet.stop()
        trace.tls = quiet.tls
        return quiet.tls.certificate if quiet.tls is not None else None

    async def _log_in(self, trace: Trace, credentials: Credentials) -> None:
        async with trace.stage(Stage.AUTH) as block:
            self._require_protection(trace)
            is_protected = trace.endpoint.security is not Security.NONE
            way = sasl.choose(credentials.method, self._offered_logins(trace), is_protected)
            trace.mechanism = way
            block.detail = f"{way} as {credentials.username}"
            if self._gate is not None:
                await self._gate(trace)
            await self._authenticate(trace, block, way, credentials)

    def _require_protection(self, trace: Trace) -> None:
        endpoint = trace.endpoint
        if endpoint.security is not Security.NONE or endpoint.allow_cleartext:
            return
        if self.address is not None and self.address.is_loopback:
            return
        raise WireError(
            Cause.CLEARTEXT_REFUSED,
            f"the password was not sent: {endpoint.label} is not this machine and the account has no encryption;"
            " choose SSL/TLS or STARTTLS, or set allow_cleartext",
        )


def _refuse_injected(wire: Wire) -> None:
    if wire.unread():
        raise WireError(
            Cause.STARTTLS_INJECTED,
            "bytes came in clear after the answer to STARTTLS: someone on the way may be injecting them",
        )


async def answer(trace: Trace, exchange: Exchange, challenge: bytes) -> bytes:
    """What `exchange` says to `challenge`, both in base64, away from the loop where it takes long.

    What it proves the secret by is hidden from now on. Raises WireError for a challenge that makes no sense.
    """
    question = decode(challenge) if exchange.reads_challenges else b""
    said = await off_loop(lambda: exchange.respond(question)) if exchange.is_slow else exchange.respond(question)
    for proof in exchange.proofs:
        trace.masker.hide(proof)
    return encode(said)


def first_message(exchange: Exchange, command: str, limit: int) -> tuple[str, bytes | None]:
    """The command that begins a login, and the first message that is still to be sent when the server asks.

    It goes with the command where both stay within `limit` octets (RFC 4954 and RFC 5034, section 4); an empty one
    is written `=`.
    """
    if exchange.initial is None:
        return command, None
    initial = encode(exchange.initial) or b"="
    if len(command) + 1 + len(initial) > limit:
        return command, initial
    return f"{command} {initial.decode('ascii')}", None


def encode(message: bytes) -> bytes:
    """SASL's base64 for the wire."""
    return b64encode(message)


def decode(challenge: bytes) -> bytes:
    """A challenge out of its base64. Raises WireError for anything else."""
    try:
        return b64decode(challenge.strip(), validate=True)
    except ValueError as error:
        words = challenge.decode("utf-8", "backslashreplace")
        raise WireError(Cause.BAD_REPLY, "the server's challenge is not base64", words) from error


def starttls_not_offered() -> WireError:
    """The account asks for STARTTLS and the server does not know it; going on in clear is not an option."""
    return WireError(Cause.STARTTLS_NOT_OFFERED, "the server does not offer the STARTTLS that the account requires")


def starttls_refused(reply: str) -> WireError:
    """The server offers STARTTLS and then refuses it."""
    return WireError(Cause.STARTTLS_REFUSED, "the server refuses the STARTTLS that the account requires", reply)
