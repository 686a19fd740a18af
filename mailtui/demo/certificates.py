"""The demo's certificates: an authority, one leaf that is sound and one for each common fault.

Keys are ECDSA P-256: made in well under a millisecond. The extensions satisfy the strict checks of RFC 5280 that
Python 3.13 turns on (critical basicConstraints and keyUsage, subject and authority key identifiers).
"""

import os
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
OTHER_NAMES = ("mail.elsewhere.example",)

_DAY = timedelta(days=1)
_LIFE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The authority's PEM file, to be trusted, and a ready server context for each leaf."""

    ca_file: Path
    good: ssl.SSLContext
    expired: ssl.SSLContext
    self_signed: ssl.SSLContext
    wrong_name: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class _Pair:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_certificates(folder: Path) -> Certificates:
    """Make all of them in `folder`, which is created 0700 where it is missing; files are 0600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    authority = _authority(now)
    ca_file = folder / "ca.pem"
    _write(ca_file, authority.certificate.public_bytes(serialization.Encoding.PEM))

    def context(name: str, pair: _Pair) -> ssl.SSLContext:
        path = folder / f"{name}.pem"
        _write(path, _pem(pair))
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(path)
        return server_context

    return Certificates(
        ca_file=ca_file,
        good=context("good", _leaf(LOOPBACK_NAMES, now + _LIFE, authority)),
        expired=context("expired", _leaf(LOOPBACK_NAMES, now - _DAY, authority)),
        self_signed=context("self-signed", _leaf(LOOPBACK_NAMES, now + _LIFE, None)),
        wrong_name=context("wrong-name", _leaf(OTHER_NAMES, now + _LIFE, authority)),
    )


def _authority(now: datetime) -> _Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("mailtui demo authority")
    builder = (
        _builder(name, name, key, now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    return _Pair(builder.sign(key, hashes.SHA256()), key)


def _leaf(names: tuple[str, ...], not_after: datetime, authority: _Pair | None) -> _Pair:
    """A server certificate for `names`; without an `authority` it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(names[0])
    issuer, signer = (authority.certificate.subject, authority.key) if authority else (subject, key)
    builder = (
        _builder(subject, issuer, key, not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return _Pair(builder.sign(signer, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_after - _LIFE - _DAY)
        .not_valid_after(not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(pair: _Pair) -> bytes:
    return pair.certificate.public_bytes(serialization.Encoding.PEM) + pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
