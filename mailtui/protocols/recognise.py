"""What really answers where a leg failed: told by what came, or by one more connection that says no secret."""

import asyncio
from dataclasses import replace

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Failure, LegReport, Stage, Status
from mailtui.model.server import Found, Service, is_loopback
from mailtui.protocols.dial import Network
from mailtui.protocols.lines import is_tls, service_of
from mailtui.protocols.look import first_line, look
from mailtui.protocols.trace import Trace

# The greeting in clear did not come, or it was another's: the server may be waiting for TLS.
_NO_GREETING = frozenset({Cause.SILENT, Cause.NOT_PLAIN, Cause.CLOSED, Cause.FOREIGN_BANNER})
# No login is possible in the mode that the account says, whatever its password is.
_NO_LOGIN_HERE = frozenset({Cause.LOGIN_DISABLED, Cause.AUTH_NOT_OFFERED, Cause.CLEARTEXT_REFUSED})
# More may be offered once TLS protects it.
_AFTER_STARTTLS = _NO_LOGIN_HERE | {Cause.NO_MECHANISM}


async def recognise(trace: Trace, network: Network) -> None:
    """After a leg has failed, note in `trace.found` what its port speaks, and where what it wanted is spoken.

    Only failures that another mode would explain are looked into. Never raises but for cancellation, and takes at most
    half of the time that the leg has left.
    """
    if trace.failure is None:
        return
    try:
        async with asyncio.timeout(trace.watch.remaining() / 2):
            own = await _own_port(trace, trace.failure, network)
            if own is not None:
                _note(trace, own)
            if _is_elsewhere(trace, trace.failure, own, network):
                for found in await _registered_ports(trace, network):
                    _note(trace, found)
    except TimeoutError:
        # What was found until then is told.
        pass


async def _own_port(trace: Trace, failure: Failure, network: Network) -> Found | None:
    """What the account's own port speaks, where that is not what the account says."""
    in_clear = trace.endpoint.security is not Security.IMPLICIT_TLS
    match failure.stage:
        case Stage.TLS if not in_clear:
            if failure.cause not in (Cause.NOT_TLS, Cause.TLS_FAILED, Cause.SILENT) or is_tls(trace.heard):
                return None
            return await _heard_in_clear(trace, network) if trace.heard else await _look(trace, network, tls=False)
        case Stage.GREETING if in_clear and failure.cause in _NO_GREETING:
            if trace.heard and not is_tls(trace.heard):
                return await _heard_in_clear(trace, network)
            found = await _look(trace, network, tls=True)
            # One that greets late is what the account says it is.
            is_late = found is not None and found.security is Security.NONE and _is_wanted(trace, found)
            return None if is_late else found
        case Stage.GREETING if failure.cause is Cause.FOREIGN_BANNER:
            return _heard(trace, Security.IMPLICIT_TLS)
        case Stage.STARTTLS if failure.cause is Cause.STARTTLS_NOT_OFFERED:
            return _as_wanted(trace, Security.NONE)
        case Stage.AUTH if failure.cause in _AFTER_STARTTLS and _could_start_tls(trace):
            return _as_wanted(trace, Security.STARTTLS)
        case Stage.AUTH if failure.cause in _NO_LOGIN_HERE:
            return _as_wanted(trace, trace.endpoint.security)
    return None


def _could_start_tls(trace: Trace) -> bool:
    is_clear = trace.endpoint.security is Security.NONE
    return is_clear and trace.offered is not None and trace.offered.starttls is True


async def _look(
    trace: Trace, network: Network, *, tls: bool, port: int | None = None, protocol: Protocol | None = None
) -> Found | None:
    endpoint = trace.endpoint
    return await look(
        network, protocol or trace.protocol, endpoint.ascii_host, endpoint.port if port is None else port, tls=tls
    )


def _heard(trace: Trace, security: Security) -> Found:
    service = service_of(trace.heard) or Service.OTHER
    return Found(trace.endpoint.port, service, security, first_line(trace.heard))


async def _heard_in_clear(trace: Trace, network: Network) -> Found:
    """What was heard; where the leg could go on with it, a second connection learns whether it offers STARTTLS."""
    heard = _heard(trace, Security.NONE)
    if not _is_usable(trace, heard):
        return heard
    found = await _look(trace, network, tls=False, protocol=Protocol(heard.service.value))
    return found if found is not None and found.service is heard.service else heard


def _is_wanted(trace: Trace, found: Found) -> bool:
    return found.service.value == trace.protocol.value


def _is_usable(trace: Trace, found: Found) -> bool:
    """Whether the leg could speak with it: mail is fetched by IMAP or POP3, and leaves by SMTP alone."""
    fetching = (Service.IMAP, Service.POP3)
    return found.service in (fetching if trace.protocol is not Protocol.SMTP else (Service.SMTP,))


def _as_wanted(trace: Trace, security: Security) -> Found:
    """The account's own protocol at its own port; its greeting is in the report."""
    return Found(trace.endpoint.port, Service(trace.protocol.value), security, _greeting(trace.report()))


def _greeting(report: LegReport) -> str:
    replies = (stage.reply for stage in report.stages if stage.stage is Stage.GREETING and stage.status is Status.OK)
    greeting = next(replies, "")
    return f"* {greeting}" if greeting and report.protocol is Protocol.IMAP else greeting


def _is_elsewhere(trace: Trace, failure: Failure, own: Found | None, network: Network) -> bool:
    """Whether the registered ports are worth a look: the own one speaks something else, or does not answer at all."""
    if own is not None:
        is_good = _is_wanted(trace, own) and own.security is not Security.NONE
        return not is_good or own.security is trace.endpoint.security
    if failure.stage is not Stage.CONNECT:
        return False
    # A host that refuses is there. One that is silent, also at a port where it should answer, is not.
    is_odd = trace.endpoint.port not in _ports(trace, network).values()
    return failure.cause is Cause.PORT_REFUSED or (failure.cause is Cause.SILENT and is_odd)


def _ports(trace: Trace, network: Network) -> dict[Security, int]:
    """The registered ports of the protocol: the best protected first."""
    return {
        security: network.ports[trace.protocol, security] for security in (Security.IMPLICIT_TLS, Security.STARTTLS)
    }


async def _registered_ports(trace: Trace, network: Network) -> list[Found]:
    """Where on the account's host the wanted protocol is spoken; in clear only on this machine itself."""
    looks = [
        _look(trace, network, tls=security is Security.IMPLICIT_TLS, port=port)
        for security, port in _ports(trace, network).items()
        if port != trace.endpoint.port
    ]
    answers = await asyncio.gather(*looks)
    is_here = is_loopback(*((trace.address,) if trace.address else trace.addresses))
    return [
        found
        for found in answers
        if found is not None and _is_wanted(trace, found) and (found.security is not Security.NONE or is_here)
    ]


def _note(trace: Trace, found: Found) -> None:
    found = replace(found, words=trace.shown(found.words))
    trace.found += (found,)
    mode = {
        Security.IMPLICIT_TLS: "inside TLS",
        Security.STARTTLS: "in clear, and offers STARTTLS",
        Security.NONE: "in clear",
    }[found.security]
    what = "something else" if found.service is Service.OTHER else found.service.value.upper()
    remark = f"port {found.port} speaks {what} {mode}"
    trace.remark(f"{remark}: {found.words}" if found.words else remark)
