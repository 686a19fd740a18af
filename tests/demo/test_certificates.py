"""Each certificate is accepted, or refused for its own reason and no other, under the strictest checks of Python."""

import ssl
import stat
from pathlib import Path

import pytest

from mailtui.demo.certificates import Certificates, make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates") / "made")


def _shake_hands(server_context: ssl.SSLContext, ca_file: Path, name: str) -> None:
    """A handshake in memory; raises what the client's verification raises."""
    trust = ssl.create_default_context(cafile=str(ca_file))
    trust.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trust.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_good_one_is_accepted_by_every_loopback_name(certificates: Certificates, name: str) -> None:
    _shake_hands(certificates.good, certificates.ca_file, name)


@pytest.mark.parametrize(
    ("which", "verify_code"),
    [("expired", 10), ("self_signed", 18), ("wrong_name", 62)],
)
def test_each_fault_is_found_as_itself(certificates: Certificates, which: str, verify_code: int) -> None:
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        _shake_hands(getattr(certificates, which), certificates.ca_file, "localhost")
    assert refused.value.verify_code == verify_code


def test_the_wrong_name_is_right_for_the_other_host(certificates: Certificates) -> None:
    _shake_hands(certificates.wrong_name, certificates.ca_file, "mail.elsewhere.example")


def test_keys_are_private(certificates: Certificates) -> None:
    folder = certificates.ca_file.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
