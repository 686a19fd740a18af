"""Failures of the wire: raised as WireError by the protocols, and everything else translated once, here."""

import errno
import os
import socket
import ssl

from mailtui.model.account import Security
from mailtui.model.check import Cause, CertificateFacts, Failure, Stage, utc_now

# What has run out is here, not at the server.
_LOCAL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class WireError(Exception):
    """A protocol cannot go on. `hint` is our words, `reply` the server's own, not yet cleaned.

    `heard` is, as it came, what another service than the expected one said first.
    """

    def __init__(self, cause: Cause, hint: str, reply: str = "", heard: bytes = b"") -> None:
        super().__init__(hint)
        self.cause = cause
        self.hint = hint
        self.reply = reply
        self.heard = heard


class StageFailed(Exception):
    """A stage ended badly and said so; nothing after it may run."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.hint)
        self.failure = failure


def closed(what: str) -> WireError:
    """The server hung up while we waited for `what`."""
    return WireError(Cause.CLOSED, f"the server closed the connection instead of {what}")


def translate(error: BaseException, stage: Stage, where: str) -> tuple[Cause, str]:
    """The cause and the one line for an exception that came from below us, at `stage`, talking to `where`."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificate_fault(error, where, None)
    if isinstance(error, ssl.SSLError):
        return tls_fault(error, Security.IMPLICIT_TLS)
    if isinstance(error, TimeoutError):
        return Cause.SILENT, f"{where} did not answer in time"
    if isinstance(error, socket.gaierror):
        return _name_fault(error, where)
    if isinstance(error, ConnectionRefusedError):
        return Cause.PORT_REFUSED, f"nothing listens on {where}, or a firewall refuses it"
    if isinstance(error, (ConnectionError, EOFError)):
        if stage is Stage.TLS:
            return Cause.TLS_FAILED, "the server closed the connection during the TLS handshake"
        return Cause.CLOSED, f"the connection to {where} was reset"
    if isinstance(error, OSError):
        if error.errno == errno.ETIMEDOUT:
            return Cause.SILENT, f"{where} did not answer in time"
        if error.errno in _LOCAL:
            words = system_words(error)
            return Cause.INTERNAL, f"this machine, not the server: {words}; lower --limit or raise what `ulimit` allows"
        return Cause.HOST_UNREACHABLE, f"{where} cannot be reached: {system_words(error)}"
    return Cause.INTERNAL, f"a fault of mailtui's own, please report it: {type(error).__name__}: {error}"


def system_words(error: OSError) -> str:
    """What the system says; asyncio puts "Connect call failed" and the address in its place."""
    return os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__


# The name is there and has no address, or none of a family that this machine knows; not every system tells it apart.
_NO_ADDRESS = frozenset(getattr(socket, name) for name in ("EAI_NODATA", "EAI_ADDRFAMILY") if hasattr(socket, name)) - {
    socket.EAI_NONAME
}


def _name_fault(error: socket.gaierror, where: str) -> tuple[Cause, str]:
    host = where.rsplit(":", 1)[0]
    if error.errno == socket.EAI_NONAME:
        return Cause.NAME_NOT_FOUND, f"there is no server named {host}; check the spelling"
    if error.errno in _NO_ADDRESS:
        return Cause.NAME_NOT_FOUND, f"{host} has neither an IPv4 nor an IPv6 address; check the spelling"
    words = f"whether {host} exists could not be learnt"
    if error.errno == socket.EAI_AGAIN:
        return Cause.DNS_FAILED, f"{words}: no name server gave an answer ({error.strerror}); is this machine online?"
    return Cause.DNS_FAILED, f"{words}: the look-up failed ({error.strerror})"


# X509_V_ERR_* of OpenSSL's x509_vfy.h, as ssl gives them in verify_code.
_CERTIFICATE_CAUSES = {
    9: Cause.CERTIFICATE_NOT_YET_VALID,
    10: Cause.CERTIFICATE_EXPIRED,
    18: Cause.CERTIFICATE_SELF_SIGNED,
    19: Cause.CERTIFICATE_UNKNOWN_ISSUER,
    20: Cause.CERTIFICATE_UNKNOWN_ISSUER,
    21: Cause.CERTIFICATE_UNKNOWN_ISSUER,
    62: Cause.CERTIFICATE_WRONG_NAME,
    64: Cause.CERTIFICATE_WRONG_NAME,
}
# The first holds without the certificate's facts, the second adds what they say.
_CERTIFICATE_WORDS = {
    Cause.CERTIFICATE_NOT_YET_VALID: (
        "is not valid yet",
        "; it begins on {facts.not_before:%Y-%m-%d}, and this machine's clock says {now:%Y-%m-%d %H:%M} UTC",
    ),
    Cause.CERTIFICATE_EXPIRED: ("has expired", " on {facts.not_after:%Y-%m-%d}"),
    Cause.CERTIFICATE_SELF_SIGNED: ("is self-signed", ""),
    Cause.CERTIFICATE_UNKNOWN_ISSUER: ("comes from an issuer that is not trusted", ": {facts.issuer}"),
    Cause.CERTIFICATE_WRONG_NAME: ("is for another name", ": {names}"),
}

_OF_TIME = frozenset({Cause.CERTIFICATE_NOT_YET_VALID, Cause.CERTIFICATE_EXPIRED})


def certificate_fault(
    error: ssl.SSLCertVerificationError, where: str, facts: CertificateFacts | None
) -> tuple[Cause, str]:
    """The cause and the one line for a certificate that was rejected, with its facts where they are known."""
    cause, now = _CERTIFICATE_CAUSES.get(error.verify_code, Cause.CERTIFICATE_INVALID), utc_now()
    words, more = _CERTIFICATE_WORDS.get(cause, (f"is not acceptable: {error.verify_message}", ""))
    if cause in _OF_TIME and facts is not None and facts.not_before <= now <= facts.not_after:
        # The server's own is within its days: what was rejected stands above it.
        return cause, f"the certificate of an issuer of {where}, above its own from {facts.issuer}, {words}"
    hint = f"the certificate of {where} {words}"
    if facts is not None:
        hint += more.format(facts=facts, names=", ".join(facts.names) or facts.subject, now=now)
    # One cause, three reasons: nobody knows the root, or a certificate between it and the server's own is missing.
    return cause, f"{hint} ({error.verify_message})" if cause is Cause.CERTIFICATE_UNKNOWN_ISSUER else hint


# What OpenSSL says, by version, when the first bytes that come are no TLS record.
_NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "RECORD_LAYER_FAILURE",
    "PACKET_LENGTH_TOO_LONG",
    "UNKNOWN_PROTOCOL",
}


def tls_fault(error: ssl.SSLError, security: Security) -> tuple[Cause, str]:
    """The cause and the one line for a handshake that failed for another reason than the certificate."""
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return Cause.TLS_FAILED, "the server closed the connection during the TLS handshake"
    if error.reason in _NOT_TLS:
        if security is Security.STARTTLS:
            return Cause.NOT_TLS, "the server agreed to STARTTLS and then did not speak TLS"
        return Cause.NOT_TLS, "the server does not speak TLS on this port; the account says SSL/TLS"
    reason = (error.reason or "unknown reason").replace("_", " ").lower()
    return Cause.TLS_FAILED, f"TLS could not be agreed: {reason}"
