"""From an endpoint to a protected connection: resolve, connect by both address families, TLS."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from mailtui.model.account import DEFAULT_PORTS, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, Stage, TlsFacts, utc_now
from mailtui.model.server import FamilyFacts, Found
from mailtui.protocols.certificate_facts import certificate_chain, certificate_facts
from mailtui.protocols.certificates import build_context
from mailtui.protocols.faults import WireError, system_words, tls_fault
from mailtui.protocols.resolve import Address, Once, Resolver, WhileWanted
from mailtui.protocols.tls import TlsTransport
from mailtui.protocols.trace import StageBlock, Trace

# RFC 8305 section 5: the recommended delay before the next address is tried as well.
ATTEMPT_DELAY = 0.25


LookKey = tuple[str, int, Protocol, bool]


class Network:
    """What the legs of one run share, each found out once: names, certificate contexts, what else a port may speak.

    `ports` are those where a server is looked for that is not where an account says.
    """

    def __init__(self) -> None:
        self.resolver = Resolver()
        self.contexts = Once(build_context)
        self.looks: WhileWanted[LookKey, Found | None] = WhileWanted()
        self.families: WhileWanted[tuple[str, int], tuple[FamilyFacts, ...]] = WhileWanted()
        self.ports: Mapping[tuple[Protocol, Security], int] = DEFAULT_PORTS


async def connect(trace: Trace, network: Network, wire: asyncio.BaseProtocol) -> tuple[asyncio.Transport, Address]:
    """Walk RESOLVE and CONNECT; the transport is plain, and `wire` is attached to it."""
    endpoint = trace.endpoint
    async with trace.stage(Stage.RESOLVE) as block:
        addresses = await network.resolver.addresses(endpoint.ascii_host, endpoint.port)
        if not addresses:
            raise WireError(Cause.NAME_NOT_FOUND, f"{endpoint.host} has neither an IPv4 nor an IPv6 address")
        trace.addresses = tuple(address.host for address in addresses)
        block.detail = ", ".join(trace.addresses)
    async with trace.stage(Stage.CONNECT) as block:
        connected, address, attempts = await _connect_first(interleave(addresses), block)
        trace.round_trips += 1
        trace.address = address.host
        if trace.on_connected is not None:
            trace.on_connected(addresses, attempts)
        transport, _ = await asyncio.get_running_loop().create_connection(lambda: wire, sock=connected)
        return transport, address


def interleave(addresses: list[Address]) -> list[Address]:
    """The addresses with the families taking turns, the first one's first (RFC 8305 section 4)."""
    first = [address for address in addresses if address.family is addresses[0].family]
    other = [address for address in addresses if address.family is not addresses[0].family]
    mixed: list[Address] = []
    while first or other:
        mixed += first[:1] + other[:1]
        first, other = first[1:], other[1:]
    return mixed


@dataclass(frozen=True, slots=True)
class Attempt:
    """One address that was tried: the milliseconds to its connection, or why there is none."""

    address: Address
    ms: float
    error: OSError | None = None


async def _connect_first(
    addresses: list[Address], block: StageBlock
) -> tuple[socket.socket, Address, tuple[Attempt, ...]]:
    """The first connection that stands, the next address joining after a failure or ATTEMPT_DELAY (RFC 8305).

    With it come the attempts that have ended, the successful one last; those given up are none.
    """
    if len(addresses) == 1:
        block.detail = _answered(addresses[0], [])
        return await connect_one(addresses[0]), addresses[0], ()
    waiting = list(addresses)
    running: dict[asyncio.Task[socket.socket], tuple[Address, float]] = {}
    failed: list[Attempt] = []
    try:
        while waiting or running:
            if waiting:
                address = waiting.pop(0)
                running[asyncio.ensure_future(connect_one(address))] = (address, time.perf_counter())
            done, _ = await asyncio.wait(
                running, timeout=ATTEMPT_DELAY if waiting else None, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                address, began = running.pop(task)
                error = task.exception()
                ms = round((time.perf_counter() - began) * 1_000, 3)
                if error is None:
                    block.detail = _answered(address, failed)
                    return task.result(), address, (*failed, Attempt(address, ms))
                if not isinstance(error, OSError):
                    raise error
                failed.append(Attempt(address, ms, error))
    finally:
        for task in running:
            task.cancel()
        for outcome in await asyncio.gather(*running, return_exceptions=True):
            if isinstance(outcome, socket.socket):
                outcome.close()
    block.detail = "; ".join(_words(attempt) for attempt in failed)
    # The families may fail differently; a refusal is the more telling answer, for the host is there.
    raise min(
        (attempt.error for attempt in failed if attempt.error is not None),
        key=lambda error: not isinstance(error, ConnectionRefusedError),
    )


def _answered(address: Address, failed: list[Attempt]) -> str:
    words = f"{address.host} ({address.family_label})"
    return "; ".join([words, *(_words(attempt, " failed") for attempt in failed)])


def _words(attempt: Attempt, verdict: str = "") -> str:
    assert attempt.error is not None
    return f"{attempt.address.host} ({attempt.address.family_label}){verdict}: {system_words(attempt.error)}"


async def connect_one(address: Address) -> socket.socket:
    """A connection to one address. Raises OSError."""
    connection = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, address.sockaddr)
    except BaseException:
        connection.close()
        raise
    return connection


async def protect(
    trace: Trace, block: StageBlock, context: ssl.SSLContext, transport: asyncio.Transport
) -> TlsTransport:
    """TLS over `transport` within the running stage. Raises SSLCertVerificationError, OSError, EOFError or WireError.

    Where the endpoint pins a key, the pin is compared here, before any byte of ours goes over the connection.
    """
    endpoint = trace.endpoint
    protected = TlsTransport(transport, context, endpoint.ascii_host)
    try:
        await protected.handshake()
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        cause, hint = tls_fault(error, endpoint.security)
        # The greeting; what may follow complains of our handshake.
        greeting = protected.first_octets.strip().partition(b"\n")[0].rstrip() if cause is Cause.NOT_TLS else b""
        words = greeting.decode("utf-8", "backslashreplace")
        raise WireError(cause, hint, words, protected.first_octets) from error
    except BaseException:
        # A hang-up, a reset or the deadline: what came before it is all there is to tell by.
        trace.heard = protected.first_octets
        raise
    facts = tls_facts(protected.session, endpoint)
    trace.tls = facts
    trace.round_trips += 1 if facts.version == "TLSv1.3" else 2
    block.detail = describe_tls(facts, utc_now())
    if endpoint.certificate.trust is Trust.PIN and (
        facts.certificate is None or facts.certificate.pin not in endpoint.certificate.pins
    ):
        raise WireError(Cause.CERTIFICATE_NOT_PINNED, f"the key of {endpoint.label} is not the one that is pinned")
    return protected


def tls_facts(session: ssl.SSLObject, endpoint: Endpoint) -> TlsFacts:
    """What was agreed on `session`."""
    cipher = session.cipher()
    trust = endpoint.certificate.trust
    return TlsFacts(
        version=session.version() or "",
        cipher=cipher[0] if cipher else "",
        certificate=certificate_facts(session),
        verified=trust is not Trust.ANYTHING,
        chain=certificate_chain(session, verified=trust in (Trust.SYSTEM, Trust.CA_FILE)),
    )


def describe_tls(facts: TlsFacts, now: datetime) -> str:
    """One line: version and cipher, then whose certificate, from whom, for how long."""
    words = f"{facts.version} {facts.cipher}"
    if facts.certificate is not None:
        words += f"; {describe_certificate(facts.certificate, now)}"
    return words if facts.verified else f"{words}; NOT VERIFIED"


def describe_certificate(certificate: CertificateFacts, now: datetime) -> str:
    """One line: subject, names, issuer, days left."""
    names = ", ".join(certificate.names[:4]) + (", …" if len(certificate.names) > 4 else "")
    subject = certificate.subject or "no subject"
    whose = subject if names in ("", subject) else f"{subject} for {names}"
    days = certificate.days_left(now)
    left = f"{days} days left" if days >= 0 else f"ended {-days} days ago"
    return f"certificate of {whose}, from {certificate.issuer}, {left}"
