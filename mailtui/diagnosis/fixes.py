"""The change to a leg that its report calls for, where mailtui can make it itself."""

from dataclasses import replace

from mailtui.model.account import CertificatePolicy, Protocol, Security, Trust
from mailtui.model.check import Cause, LegReport
from mailtui.model.diagnosis import Fix
from mailtui.model.pins import PIN_LIMIT
from mailtui.model.server import Found, Service, is_loopback
from mailtui.model.text import clean

_TRUSTABLE = frozenset({Cause.CERTIFICATE_SELF_SIGNED, Cause.CERTIFICATE_UNKNOWN_ISSUER, Cause.CERTIFICATE_NOT_PINNED})
_BEST_FIRST = (Security.IMPLICIT_TLS, Security.STARTTLS, Security.NONE)
_FETCHING = (Protocol.IMAP, Protocol.POP3)


def fix_for(leg: LegReport) -> Fix | None:
    """The change that would let `leg` go on; None where there is none that is safe and was seen to answer.

    A server that was found is proposed: the protocol of the account before another one, implicit TLS before STARTTLS,
    and no encryption only on this machine itself. A key that nobody vouches for can be trusted, with consent.
    Where the key that was seen before is all that protects a login, none leads to a place where it is not known.
    """
    if leg.failure is None:
        return None
    if leg.failure.cause in _TRUSTABLE:
        return _trust_key(leg)
    proposals = [found for found in leg.found if _is_acceptable(leg, found)]
    if not proposals:
        return None
    return _use(leg, min(proposals, key=lambda found: _rank(leg, found)))


def _is_acceptable(leg: LegReport, found: Found) -> bool:
    protocol = _protocol(found)
    if protocol is None or (protocol is not leg.protocol and not {protocol, leg.protocol} <= set(_FETCHING)):
        return False
    if (protocol, found.port, found.security) == (leg.protocol, leg.endpoint.port, leg.endpoint.security):
        return False
    if _is_guarded_by_known_key(leg):
        return False
    addresses = (leg.address,) if leg.address else leg.addresses
    return found.security is not Security.NONE or is_loopback(*addresses)


def _is_guarded_by_known_key(leg: LegReport) -> bool:
    is_encrypted = leg.endpoint.security is not Security.NONE
    return is_encrypted and leg.endpoint.certificate.trust is Trust.ANYTHING and leg.changed_since is not None


def _protocol(found: Found) -> Protocol | None:
    by_service = {Service.SMTP: Protocol.SMTP, Service.IMAP: Protocol.IMAP, Service.POP3: Protocol.POP3}
    return by_service.get(found.service)


def _rank(leg: LegReport, found: Found) -> tuple[bool, int]:
    return _protocol(found) is not leg.protocol, _BEST_FIRST.index(found.security)


def _use(leg: LegReport, found: Found) -> Fix:
    protocol = _protocol(found) or leg.protocol
    mode = "without encryption" if found.security is Security.NONE else f"with {found.security.label}"
    what = "" if protocol is leg.protocol else f"{protocol.label} at "
    return Fix(
        leg.leg,
        protocol,
        replace(leg.endpoint, port=found.port, security=found.security),
        f"use {what}port {found.port} {mode}",
        # Less protection than there was is a person's own choice, even where nobody can listen.
        needs_consent=found.security is Security.NONE is not leg.endpoint.security,
    )


def _trust_key(leg: LegReport) -> Fix | None:
    certificate = leg.tls.certificate if leg.tls is not None else None
    present = leg.endpoint.certificate
    pins = present.pins if present.trust is Trust.PIN else ()
    if certificate is None or certificate.pin in pins or len(pins) >= PIN_LIMIT:
        return None
    policy = CertificatePolicy(Trust.PIN, pin=" ".join((*pins, certificate.pin)))
    return Fix(
        leg.leg,
        leg.protocol,
        replace(leg.endpoint, certificate=policy),
        f"trust the key of {clean(leg.endpoint.host)}: certificate SHA-256 {certificate.fingerprint},"
        f" key pin {certificate.pin}",
        needs_consent=True,
    )
