"""A certificate says the same, whether ssl has decoded it or it is read from its own octets."""

import contextlib
import datetime
import hashlib
import ipaddress
import ssl
from collections.abc import Sequence
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from mailtui.protocols.certificate_facts import certificate_facts, decoded_facts, encoded_facts, public_key_info

KEY = ec.generate_private_key(ec.SECP256R1())
BEGIN = datetime.datetime(2026, 1, 5, 9, 34, 43, tzinfo=datetime.UTC)

PLAIN = [(NameOID.COMMON_NAME, "mail.example.org")]
NAMELESS = [(NameOID.COUNTRY_NAME, "DE"), (NameOID.ORGANIZATION_NAME, "Müller, Söhne + Co; <x>")]
NAMES = [x509.DNSName("mail.example.org"), x509.IPAddress(ipaddress.ip_address("2001:db8::1"))]


def certificate(subject: Sequence[tuple[x509.ObjectIdentifier, str]], names: Sequence[x509.GeneralName]) -> bytes:
    """A self-signed certificate, in DER."""
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(4711)
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def decoded_by_ssl(encoded: bytes) -> dict[str, Any]:
    """What `getpeercert()` would give: ssl decodes trusted certificates as it decodes a verified peer's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=encoded)
    (decoded,) = context.get_ca_certs()
    return dict(decoded)


@pytest.mark.parametrize("subject", [PLAIN, NAMELESS, [*NAMELESS, *PLAIN]])
@pytest.mark.parametrize("names", [[], NAMES])
def test_both_ways_of_reading_agree(
    subject: Sequence[tuple[x509.ObjectIdentifier, str]], names: Sequence[x509.GeneralName]
) -> None:
    encoded = certificate(subject, names)
    facts = encoded_facts(encoded)
    assert decoded_facts(encoded, decoded_by_ssl(encoded)) == facts
    assert facts.not_before == BEGIN
    assert facts.names == (("mail.example.org", "2001:db8::1") if names else ())
    key = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert facts.pin == hashlib.sha256(key).hexdigest()
    assert facts.fingerprint == hashlib.sha256(encoded).hexdigest()


@given(st.binary(max_size=200))
def test_octets_that_are_no_certificate_are_an_error_and_nothing_worse(octets: bytes) -> None:
    with pytest.raises(ValueError, match="a certificate"):
        public_key_info(octets)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_a_damaged_certificate_is_read_or_refused(position: int, damage: bytes) -> None:
    encoded = certificate(PLAIN, NAMES)
    damaged = encoded[:position] + damage + encoded[position + len(damage) :]
    with contextlib.suppress(ValueError):
        assert len(public_key_info(damaged)) <= len(damaged)


def test_a_certificate_that_only_openssl_can_read_can_still_be_pinned() -> None:
    """Version 9 is no version: cryptography has an error of its own for it, and no ValueError."""
    encoded = certificate(PLAIN, NAMES)
    odd = encoded.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x08", 1)
    assert odd != encoded

    class Session:
        def getpeercert(self, binary_form: bool = False) -> object:
            return odd if binary_form else {}

    facts = certificate_facts(cast(ssl.SSLObject, Session()))
    assert facts is not None
    assert facts.pin == encoded_facts(encoded).pin
    assert facts.subject == "unreadable"
