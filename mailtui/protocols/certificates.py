"""Certificates: the contexts that judge them, built once and shared, and the facts they state."""

import hashlib
import os
import ssl
from functools import lru_cache

from mailtui.model.account import CertificatePolicy, Trust
from mailtui.model.check import Cause, CertificateFacts
from mailtui.offloop import off_loop
from mailtui.protocols.faults import WireError


async def build_context(policy: CertificatePolicy) -> ssl.SSLContext:
    """The context for `policy`, shared by the whole process: building one parses the system's store, some 20 ms.

    A CA file that has changed is read again. Raises WireError when it cannot be used.
    """
    return await off_loop(lambda: _context(policy))


def _context(policy: CertificatePolicy) -> ssl.SSLContext:
    if policy.trust is not Trust.CA_FILE:
        return _unextended_context(verify=policy.trust is Trust.SYSTEM)
    try:
        return _extended_context(policy.ca_file, os.stat(policy.ca_file).st_mtime_ns)
    except ssl.SSLError as error:
        raise _unusable(policy.ca_file, "it holds no PEM certificate") from error
    except OSError as error:
        raise _unusable(policy.ca_file, error.strerror or "it cannot be read") from error


def _unusable(path: str, why: str) -> WireError:
    return WireError(Cause.CERTIFICATE_INVALID, f"ca_file {path} cannot be used: {why}")


@lru_cache(maxsize=2)
def _unextended_context(*, verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        # A pinned key is compared after the handshake; "accept anything" is the account's own choice, shown in red.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=64)
def _extended_context(path: str, modified_ns: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=path)
    return context


@lru_cache(maxsize=1_024)
def certificate_facts(encoded: bytes) -> CertificateFacts:
    """What a certificate in DER states. Many accounts share a server, so each is parsed once.

    Raises ValueError for one that cannot be parsed.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    certificate = x509.load_der_x509_certificate(encoded)
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names: list[str] = []
    else:
        names = [str(name.value) for name in alternatives if isinstance(name, (x509.DNSName, x509.IPAddress))]
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return CertificateFacts(
        subject=_short_name(certificate.subject),
        names=tuple(names),
        issuer=_short_name(certificate.issuer),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=hashlib.sha256(encoded).hexdigest(),
        pin=hashlib.sha256(key).hexdigest(),
    )


def _short_name(name: object) -> str:
    """The common name, or the whole distinguished name (RFC 4514) where there is none."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    if not isinstance(name, x509.Name):
        return ""
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()
