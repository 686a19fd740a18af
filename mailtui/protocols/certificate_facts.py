"""What a certificate states, from what ssl has decoded or, where it keeps that to itself, from the certificate."""

import hashlib
import re
import ssl
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, cast

from mailtui.model.check import CertificateFacts
from mailtui.model.text import clean

# Accounts share servers: a run of a thousand legs meets a handful of certificates.
_known: dict[bytes, CertificateFacts] = {}
_KNOWN_LIMIT = 1_024

# Longer than any path that serves a purpose; a server that is not verified may send hundreds.
_CHAIN_LIMIT = 10

# RFC 4514 section 3; ssl spells the names of the attributes out.
_SHORT = {
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "stateOrProvinceName": "ST",
    "localityName": "L",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}
_SPECIAL = re.compile(r'[,+"\\<>;]')


def certificate_facts(session: ssl.SSLObject) -> CertificateFacts | None:
    """The facts of the peer's certificate; None when there is none, or only OpenSSL can read it."""
    encoded = session.getpeercert(binary_form=True)
    if encoded is None:
        return None
    facts = _known.get(encoded)
    if facts is None:
        # ssl decodes what it has verified, and nothing else.
        decoded: dict[str, Any] | None = session.getpeercert() or None
        try:
            facts = decoded_facts(encoded, decoded) if decoded else encoded_facts(encoded)
        except Exception:  # noqa: BLE001  # cryptography has many errors for certificates that OpenSSL does not mind
            facts = _bare_facts(encoded)
        if facts is None:
            return None
        if len(_known) >= _KNOWN_LIMIT:
            _known.clear()
        _known[encoded] = facts
    return facts


def certificate_chain(session: ssl.SSLObject, *, verified: bool) -> tuple[CertificateFacts, ...]:
    """The certificates above the peer's own, towards the root: the path that was verified, or what the server sent.

    Empty where this Python does not tell. At most _CHAIN_LIMIT; one that cannot be read at all is left out.
    """
    try:
        encoded = _encoded_chain(session, verified)
    except (ImportError, AttributeError, ssl.SSLError):
        return ()
    issuers = (_issuer(each) for each in encoded[1 : _CHAIN_LIMIT + 1])
    return tuple(issuer for issuer in issuers if issuer is not None)


def _encoded_chain(session: ssl.SSLObject, verified: bool) -> Sequence[bytes]:
    """In DER, the peer's own first."""
    if sys.version_info >= (3, 13):
        return session.get_verified_chain() if verified else session.get_unverified_chain()
    # Before Python 3.13 made these public, they are only on the object below.
    from _ssl import ENCODING_DER

    below = cast(Any, session)._sslobj
    chain = below.get_verified_chain() if verified else below.get_unverified_chain()
    return [each.public_bytes(ENCODING_DER) for each in chain or ()]


@lru_cache(maxsize=256)
def _issuer(encoded: bytes) -> CertificateFacts | None:
    """The facts of an authority's certificate. Most servers share a handful of them, so each is read once."""
    try:
        # A context decodes what it trusts: a third of a millisecond, where loading `cryptography` takes fifty.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=encoded)
        decoded: list[Any] = context.get_ca_certs()
        # Only authorities are listed; one that is none, and vouches all the same, may be sent but is never verified.
        return decoded_facts(encoded, decoded[0]) if decoded else encoded_facts(encoded)
    except Exception:  # noqa: BLE001  # cryptography has many errors for certificates that OpenSSL does not mind
        return _bare_facts(encoded)


def decoded_facts(encoded: bytes, decoded: dict[str, Any]) -> CertificateFacts:
    """From `SSLObject.getpeercert()`, without a library that costs more to load than a check to run."""
    return CertificateFacts(
        subject=_distinguished_name(decoded.get("subject", ())),
        names=tuple(_alternatives(decoded.get("subjectAltName", ()))),
        issuer=_distinguished_name(decoded.get("issuer", ())),
        not_before=_time(decoded["notBefore"]),
        not_after=_time(decoded["notAfter"]),
        fingerprint=hashlib.sha256(encoded).hexdigest(),
        pin=hashlib.sha256(public_key_info(encoded)).hexdigest(),
    )


def _distinguished_name(name: Iterable[Iterable[tuple[str, str]]]) -> str:
    parts = [pair for relative in name for pair in relative]
    for key, value in parts:
        if key == "commonName":
            return clean(value)
    return clean(",".join(f"{_SHORT.get(key, key)}={_SPECIAL.sub(_escape, value)}" for key, value in reversed(parts)))


def _escape(match: re.Match[str]) -> str:
    return "\\" + match[0]


def _alternatives(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    for kind, value in pairs:
        if kind == "DNS":
            yield clean(value)
        elif kind == "IP Address":
            yield str(ip_address(value.strip()))


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def encoded_facts(encoded: bytes) -> CertificateFacts:
    """From the certificate itself, in DER, verified or not. Raises ValueError for one that cannot be parsed."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    def name(of: x509.Name) -> str:
        common = of.get_attributes_for_oid(NameOID.COMMON_NAME)
        return clean(str(common[0].value) if common else of.rfc4514_string())

    certificate = x509.load_der_x509_certificate(encoded)
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names: list[str] = []
    else:
        names = [clean(str(each.value)) for each in alternatives if isinstance(each, (x509.DNSName, x509.IPAddress))]
    return CertificateFacts(
        subject=name(certificate.subject),
        names=tuple(names),
        issuer=name(certificate.issuer),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=hashlib.sha256(encoded).hexdigest(),
        pin=hashlib.sha256(public_key_info(encoded)).hexdigest(),
    )


def _bare_facts(encoded: bytes) -> CertificateFacts | None:
    """What can be said of a certificate that cannot be read: enough to pin its key."""
    try:
        pin = hashlib.sha256(public_key_info(encoded)).hexdigest()
    except ValueError:
        return None
    ever = datetime.max.replace(tzinfo=UTC)
    return CertificateFacts("unreadable", (), "unreadable", ever, ever, hashlib.sha256(encoded).hexdigest(), pin)


def public_key_info(encoded: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, in DER, for a pin (RFC 7469). Raises ValueError.

    RFC 5280 section 4.1: a certificate is SEQUENCE { tbs SEQUENCE { [0] version, serial, signature, issuer, validity,
    subject, subjectPublicKeyInfo, ...}, ...}.
    """
    _, start, end = _element(encoded, 0)
    tag, position, _ = _element(encoded, start)
    for index in range(7):
        tag, _, after = _element(encoded[:end], position)
        if index == 0 and tag != 0xA0:
            # Version 1 leaves the version out.
            continue
        if index == 6:
            return encoded[position:after]
        position = after
    raise ValueError("a certificate without a public key")


def _element(data: bytes, offset: int) -> tuple[int, int, int]:
    """The tag of the element at `offset`, where its content starts and where it ends (X.690 section 8.1)."""
    if offset + 2 > len(data):
        raise ValueError("a certificate that is cut short")
    tag, length, start = data[offset], data[offset + 1], offset + 2
    if length & 0x80:
        octets = length & 0x7F
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
        if not 0 < octets <= 4:
            raise ValueError("a certificate with a length that makes no sense")
    if start + length > len(data):
        raise ValueError("a certificate that is cut short")
    return tag, start, start + length
