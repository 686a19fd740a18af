"""A certificate authority for the tests, and the certificates that each fail in one way."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

GOOD, EXPIRED, SELF_SIGNED, WRONG_NAME, UNKNOWN_ISSUER = (f"127.0.0.{n}" for n in range(1, 6))
"""The loopback addresses that each serve one certificate; `localhost` is the good one."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """PEM files of a certificate (with its chain) and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Certificates:
    """The authority's PEM file, and what each loopback address serves."""

    authority: Path
    served: dict[str, KeyPair]


def make_certificates(folder: Path) -> Certificates:
    """Write an authority, a good certificate and one for each fault below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, stranger = trustme.CA(), trustme.CA()
    now = datetime.now(UTC)
    authority.cert_pem.write_to_path(folder / "authority.pem")
    leaves = {
        # As on the net: an authority of its own stands between the server's certificate and the root.
        GOOD: authority.create_child_ca().issue_cert("localhost", GOOD),
        EXPIRED: authority.issue_cert(
            EXPIRED, not_before=now - timedelta(days=90), not_after=now - timedelta(days=3, hours=1)
        ),
        WRONG_NAME: authority.issue_cert("mail.example.org"),
        UNKNOWN_ISSUER: stranger.issue_cert(UNKNOWN_ISSUER),
    }
    served = {address: _write(folder / address, leaf) for address, leaf in leaves.items()}
    served[SELF_SIGNED] = _self_signed(folder / SELF_SIGNED, SELF_SIGNED)
    return Certificates(folder / "authority.pem", served)


def _write(stem: Path, leaf: trustme.LeafCert) -> KeyPair:
    pair = KeyPair(stem.with_name(f"{stem.name}.pem"), stem.with_name(f"{stem.name}.key"))
    pair.certificate.write_bytes(b"".join(part.bytes() for part in leaf.cert_chain_pems))
    pair.key.write_bytes(leaf.private_key_pem.bytes())
    return pair


def _self_signed(stem: Path, address: str) -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pair = KeyPair(stem.with_name(f"{stem.name}.pem"), stem.with_name(f"{stem.name}.key"))
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pair.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pair
