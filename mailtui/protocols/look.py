"""A look at a port: an ordinary session that has no credentials, to learn what is spoken there."""

from mailtui.model.account import CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, Leg, LegReport, Stage, Status
from mailtui.model.server import Found, Service
from mailtui.protocols import session_class
from mailtui.protocols.dial import Network
from mailtui.protocols.faults import StageFailed, WireError
from mailtui.protocols.lines import is_tls, service_of
from mailtui.protocols.trace import Trace

SILENCE = 3.0
"""Seconds after which a greeting that has not come may never come: a server of TLS waits for us to begin."""

PATIENCE = 3.0
"""Seconds that a look may take. No longer than SILENCE: a look must not lead to another."""


# Port 25 never begins by TLS (RFC 8314 section 3), and relays shut those out who talk before the greeting.
_RELAY_PORT = 25


async def look(network: Network, protocol: Protocol, host: str, port: int, *, tls: bool) -> Found | None:
    """What answers at `port` of the ASCII name `host` to a client of `protocol`; None where nothing does.

    With `tls` the connection begins by TLS, whatever the certificate says. One look a run, however many ask.
    """
    if tls and port == _RELAY_PORT:
        return None
    return await network.looks.get((host, port, protocol, tls), lambda: _look(network, protocol, host, port, tls))


async def expect_tls(trace: Trace, network: Network) -> None:
    """End the running stage of `trace`, which waits for a greeting in clear, if its port answers to TLS."""
    endpoint = trace.endpoint
    found = await look(network, trace.protocol, endpoint.ascii_host, endpoint.port, tls=True)
    if found is not None and found.security is Security.IMPLICIT_TLS:
        hint = f"{endpoint.label} says nothing in clear and speaks TLS; the account says {endpoint.security.label}"
        trace.watch.end_early(WireError(Cause.NOT_PLAIN, hint))


async def _look(network: Network, protocol: Protocol, host: str, port: int, tls: bool) -> Found | None:
    # The certificate counts when the account's own check judges it; nothing is sent here that it would protect.
    policy = CertificatePolicy(Trust.ANYTHING)
    trace = Trace(
        account="",
        leg=Leg.OUTBOUND if protocol is Protocol.SMTP else Leg.INBOUND,
        protocol=protocol,
        endpoint=Endpoint(host, port, Security.IMPLICIT_TLS if tls else Security.NONE, policy),
        plan=(),
        on_event=None,
        stage_timeout=PATIENCE,
        leg_timeout=PATIENCE,
        keep_transcript=False,
    )
    session = session_class(protocol)(None, network)
    try:
        await session.open(trace)
    except StageFailed:
        # How far it came is the answer.
        pass
    finally:
        session.close()
        trace.stop()
    return _found(trace)


def _found(trace: Trace) -> Found | None:
    report = trace.report()
    port, security = report.endpoint.port, Security.NONE if trace.tls is None else Security.IMPLICIT_TLS
    greeting = _greeting(report)
    if greeting is not None:
        if trace.offered is not None and trace.offered.starttls:
            security = Security.STARTTLS
        return Found(port, _service(trace.protocol, greeting), security, greeting)
    if is_tls(trace.heard):
        return Found(port, Service.OTHER, Security.IMPLICIT_TLS)
    if trace.heard:
        return Found(port, service_of(trace.heard) or Service.OTHER, security, first_line(trace.heard))
    return Found(port, Service.OTHER, security) if trace.tls is not None else None


def _greeting(report: LegReport) -> str | None:
    """What the server said first, where it was a greeting of the protocol that was asked for."""
    for result in report.stages:
        if result.stage is Stage.GREETING and _is_greeting(result.status, report):
            return f"* {result.reply}" if report.protocol is Protocol.IMAP else result.reply
    return None


def _is_greeting(status: Status, report: LegReport) -> bool:
    # A server that lets nobody in now says so in its protocol.
    return status is Status.OK or (report.failure is not None and report.failure.cause is Cause.NOT_AVAILABLE)


def _service(protocol: Protocol, greeting: str) -> Service:
    service = Service(protocol.value)
    is_ftp = service is Service.SMTP and service_of(greeting.encode()) is Service.OTHER
    return Service.OTHER if is_ftp else service


def first_line(octets: bytes) -> str:
    """The first line of what was heard, as text; not yet cleaned."""
    return octets.partition(b"\n")[0].decode("utf-8", "backslashreplace").strip()
