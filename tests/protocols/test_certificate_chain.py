"""The certificates above the server's own: the path that was verified, or what was sent, and what they warn of."""

import ssl
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mailtui.model.account import CertificatePolicy, Protocol, Security, Trust
from mailtui.model.check import CertificateFacts, Severity, TlsFacts, certificate_warning
from mailtui.protocols import certificate_facts
from mailtui.protocols.certificate_facts import certificate_chain, encoded_facts
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import Walked, Way, face

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)

every_protocol = pytest.mark.parametrize("protocol", Protocol)
protected = pytest.mark.parametrize("security", [Security.IMPLICIT_TLS, Security.STARTTLS])


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def facts(self) -> CertificateFacts:
        return encoded_facts(self.der)


def issue(name: str, issuer: Issued | None, *, authority: bool = True, days: int = 300) -> Issued:
    """A certificate that passes the strict checks of RFC 5280 which Python 3.13 turns on."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signer = issuer.key if issuer else key
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(now + days * DAY + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    return Issued(builder.sign(signer, hashes.SHA256()), key)


@dataclass(frozen=True)
class Path3:
    """A root, an authority below it, and a server's certificate below that."""

    root: Issued
    middle: Issued
    leaf: Issued

    @classmethod
    def make(cls, middle_name: str = "Example Intermediate", **days: int) -> "Path3":
        root = issue("Example Root", None, days=days.get("root", 900))
        middle = issue(middle_name, root, days=days.get("middle", 600))
        return cls(root, middle, issue("localhost", middle, authority=False, days=days.get("leaf", 300)))

    def server(self, folder: Path, *beside: Issued) -> ssl.SSLContext:
        """A server that sends its own certificate and those `beside` it."""
        file = folder / "server.pem"
        key = self.leaf.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(self.leaf.pem + b"".join(each.pem for each in beside) + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def policy(self, folder: Path) -> CertificatePolicy:
        """Trusts the root."""
        file = folder / "root.pem"
        file.write_bytes(self.root.pem)
        return CertificatePolicy(Trust.CA_FILE, ca_file=str(file))


async def meet(
    context: ssl.SSLContext,
    policy: CertificatePolicy,
    protocol: Protocol = Protocol.IMAP,
    security: Security = Security.IMPLICIT_TLS,
) -> Walked:
    script = play(protocol, dialogue(protocol, security), context=context)
    return await face(protocol, script, Way(security, certificate=policy, host="localhost"))


def seen(walked: Walked) -> tuple[CertificateFacts, ...]:
    assert walked.report.tls is not None
    return walked.report.tls.chain


@protected
@every_protocol
async def test_the_verified_path_goes_up_to_the_root(tmp_path: Path, protocol: Protocol, security: Security) -> None:
    path = Path3.make()
    # A server need not send the root, and what else it sends is no part of the path.
    context = path.server(tmp_path, path.middle, issue("Bystander", None))
    walked = await meet(context, path.policy(tmp_path), protocol, security)
    assert walked.verdict is None
    assert seen(walked) == (path.middle.facts, path.root.facts)
    assert walked.report.severity is Severity.OK


async def test_a_certificate_that_is_trusted_itself_has_nothing_above_it(tmp_path: Path) -> None:
    alone = issue("localhost", None, authority=False)
    path = Path3(alone, alone, alone)
    walked = await meet(path.server(tmp_path), path.policy(tmp_path))
    assert walked.verdict is None
    assert seen(walked) == ()


async def test_what_was_not_verified_is_shown_as_it_was_sent(tmp_path: Path) -> None:
    path, bystander = Path3.make(), issue("Bystander", None)
    context = path.server(tmp_path, path.middle, bystander)
    sent = (path.middle.facts, bystander.facts)
    walked = await meet(context, CertificatePolicy(Trust.ANYTHING))
    assert walked.verdict is None
    assert seen(walked) == sent
    walked = await meet(context, CertificatePolicy(Trust.PIN, pin=path.leaf.facts.pin))
    assert walked.verdict is None
    assert seen(walked) == sent


async def test_a_rejected_certificate_is_shown_with_what_was_sent_beside_it(tmp_path: Path) -> None:
    path = Path3.make()
    walked = await meet(path.server(tmp_path, path.middle), CertificatePolicy())
    assert walked.verdict is not None
    assert walked.report.tls is not None
    assert not walked.report.tls.verified
    assert walked.report.tls.chain == (path.middle.facts,)


async def test_a_flood_of_certificates_is_cut(tmp_path: Path) -> None:
    path = Path3.make()
    walked = await meet(path.server(tmp_path, *[path.middle] * 100), CertificatePolicy(Trust.ANYTHING))
    assert walked.verdict is None
    assert seen(walked) == (path.middle.facts,) * 10


async def test_a_hostile_issuer_steers_no_terminal(tmp_path: Path) -> None:
    path = Path3.make("\x1b[2Jred \u202eesrever")
    # `face` looks for hostile characters in every text of the report.
    walked = await meet(path.server(tmp_path, path.middle), CertificatePolicy(Trust.ANYTHING))
    assert [issuer.subject for issuer in seen(walked)] == ["\\x1b[2Jred \\u202eesrever"]
    walked = await meet(path.server(tmp_path, path.middle), path.policy(tmp_path))
    assert [issuer.subject for issuer in seen(walked)] == ["\\x1b[2Jred \\u202eesrever", "Example Root"]


async def test_one_that_is_no_authority_is_shown_where_it_was_only_sent(tmp_path: Path) -> None:
    path, other = Path3.make(), issue("localhost", None, authority=False)
    walked = await meet(path.server(tmp_path, other), CertificatePolicy(Trust.ANYTHING))
    assert seen(walked) == (other.facts,)


@every_protocol
async def test_an_issuer_that_ends_soon_is_a_warning(tmp_path: Path, protocol: Protocol) -> None:
    path = Path3.make(middle=6)
    context = path.server(tmp_path, path.middle)
    walked = await meet(context, path.policy(tmp_path), protocol)
    assert walked.report.severity is Severity.WARNING
    assert walked.report.warning.startswith("the issuer's certificate, Example Intermediate, ends in 6 days, on ")
    walked = await meet(context, CertificatePolicy(Trust.ANYTHING), protocol)
    assert walked.report.warning == ""


def shake(context: ssl.SSLContext, policy: CertificatePolicy) -> ssl.SSLObject:
    """The client's end of a handshake without a network."""
    trusting = ssl.create_default_context(cafile=policy.ca_file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server, server_hostname="localhost")
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client


def test_each_issuer_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path3.make()
    context, policy = path.server(tmp_path, path.middle), path.policy(tmp_path)
    decoded: list[bytes] = []
    decode = certificate_facts.decoded_facts

    def counted(encoded: bytes, words: dict[str, object]) -> CertificateFacts:
        decoded.append(encoded)
        return decode(encoded, words)

    monkeypatch.setattr(certificate_facts, "decoded_facts", counted)
    chains = [certificate_chain(shake(context, policy), verified=True) for _ in range(3)]
    assert chains == [(path.middle.facts, path.root.facts)] * 3
    assert decoded == [path.middle.der, path.root.der]


@pytest.mark.parametrize("verified", [True, False])
def test_a_python_that_does_not_tell_gives_an_empty_chain(verified: bool) -> None:
    class Silent:
        """Has neither Python 3.13's methods nor the object below."""

    assert certificate_chain(cast(ssl.SSLObject, Silent()), verified=verified) == ()


_WITNESS = """
import ssl, sys
from mailtui.protocols.certificate_facts import certificate_chain, certificate_facts

def handshake(server_file, ca_file):
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(server_file)
    a, b = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(a, b, server_side=True)
    client = ssl.create_default_context(cafile=ca_file).wrap_bio(b, a, server_hostname="localhost")
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return client

client = handshake(*sys.argv[1:])
subjects = [issuer.subject for issuer in certificate_chain(client, verified=True)]
print(certificate_facts(client).subject, *subjects, sep="|")
print("cryptography" in sys.modules)
"""


def test_an_accepted_path_is_read_without_loading_cryptography(tmp_path: Path) -> None:
    path = Path3.make()
    path.server(tmp_path, path.middle)
    path.policy(tmp_path)
    command = [sys.executable, "-c", _WITNESS, str(tmp_path / "server.pem"), str(tmp_path / "root.pem")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == ["localhost|Example Intermediate|Example Root", "False"], done.stderr


def facts_ending(days: int, subject: str = "localhost") -> CertificateFacts:
    return CertificateFacts(subject, (), "", NOW - 90 * DAY, NOW + days * DAY, "", "")


@pytest.mark.parametrize(
    ("leaf", "issuers", "words"),
    [
        (300, (), ""),
        (300, (15, 900), ""),
        (14, (900,), "the certificate ends in 14 days, on 2026-03-15"),
        (300, (14, 900), "the issuer's certificate, CA 0, ends in 14 days, on 2026-03-15"),
        (300, (600, 3), "the issuer's certificate, CA 1, ends in 3 days, on 2026-03-04"),
        (9, (5,), "the issuer's certificate, CA 0, ends in 5 days, on 2026-03-06"),
        (5, (9,), "the certificate ends in 5 days, on 2026-03-06"),
        (5, (5,), "the certificate ends in 5 days, on 2026-03-06"),
        (-2, (9,), "the certificate ended on 2026-02-27"),
    ],
)
def test_the_certificate_that_ends_first_is_named(leaf: int, issuers: tuple[int, ...], words: str) -> None:
    chain = tuple(facts_ending(days, f"CA {number}") for number, days in enumerate(issuers))
    tls = TlsFacts("TLSv1.3", "", facts_ending(leaf), True, chain)
    assert certificate_warning(tls, Trust.SYSTEM, NOW) == words
    assert certificate_warning(tls, Trust.CA_FILE, NOW) == words


@pytest.mark.parametrize(("trust", "verified"), [(Trust.PIN, True), (Trust.ANYTHING, False), (Trust.SYSTEM, False)])
def test_an_issuer_that_was_not_asked_warns_of_nothing(trust: Trust, verified: bool) -> None:
    tls = TlsFacts("TLSv1.3", "", facts_ending(300), verified, (facts_ending(3, "CA"),))
    assert certificate_warning(tls, trust, NOW) == ""
    ending = replace(tls, certificate=facts_ending(3))
    assert certificate_warning(ending, trust, NOW) == "the certificate ends in 3 days, on 2026-03-04"


def test_without_tls_nothing_ends() -> None:
    assert certificate_warning(None, Trust.SYSTEM, NOW) == ""
    assert certificate_warning(TlsFacts("TLSv1.3", "", None, True), Trust.SYSTEM, NOW) == ""
