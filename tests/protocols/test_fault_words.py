"""What is said of a name that cannot be looked up, or of a certificate that was rejected: whose fault it is."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from mailtui.model.check import Cause, CertificateFacts, Stage, utc_now
from mailtui.protocols.faults import certificate_fault, translate

NOW = utc_now()
DAY = timedelta(days=1)


def rejected(code: int, message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


def facts(not_before: datetime = NOW - 9 * DAY, not_after: datetime = NOW + 9 * DAY) -> CertificateFacts:
    return CertificateFacts(
        "mail.test", ("mail.test",), "Corporate Proxy CA", not_before, not_after, "f" * 64, "a" * 64
    )


@pytest.mark.parametrize(
    ("code", "cause", "words"),
    [
        (socket.EAI_NONAME, Cause.NAME_NOT_FOUND, "there is no server named mail.test"),
        (socket.EAI_NODATA, Cause.NAME_NOT_FOUND, "mail.test has neither an IPv4 nor an IPv6 address"),
        (socket.EAI_ADDRFAMILY, Cause.NAME_NOT_FOUND, "mail.test has neither an IPv4 nor an IPv6 address"),
        (socket.EAI_AGAIN, Cause.DNS_FAILED, "no name server gave an answer"),
        (socket.EAI_FAIL, Cause.DNS_FAILED, "the look-up failed"),
        (socket.EAI_MEMORY, Cause.DNS_FAILED, "the look-up failed"),
        (socket.EAI_SYSTEM, Cause.DNS_FAILED, "the look-up failed"),
    ],
)
def test_a_broken_name_server_is_no_missing_name(code: int, cause: Cause, words: str) -> None:
    said = "the system's own words"
    found, hint = translate(socket.gaierror(code, said), Stage.RESOLVE, "mail.test:993")
    assert found is cause
    assert words in hint
    assert (said in hint) == (cause is Cause.DNS_FAILED)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (92, "CA cert does not include key usage extension"),
        (89, "Basic Constraints of CA cert not marked critical"),
        (85, "Missing Authority Key Identifier"),
        (86, "Missing Subject Key Identifier"),
        (66, "EE certificate key too weak"),
        (23, "certificate revoked"),
    ],
)
def test_the_words_of_openssl_are_kept_where_we_have_none(code: int, message: str) -> None:
    cause, hint = certificate_fault(rejected(code, message), "mail.test:993", facts())
    assert cause is Cause.CERTIFICATE_INVALID
    assert hint == f"the certificate of mail.test:993 is not acceptable: {message}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (19, "self-signed certificate in certificate chain"),
        (20, "unable to get local issuer certificate"),
        (21, "unable to verify the first certificate"),
    ],
)
def test_an_unknown_issuer_is_named(code: int, message: str) -> None:
    cause, hint = certificate_fault(rejected(code, message), "mail.test:993", facts())
    assert cause is Cause.CERTIFICATE_UNKNOWN_ISSUER
    assert hint.endswith(f": Corporate Proxy CA ({message})")
    _, without_facts = certificate_fault(rejected(code, message), "mail.test:993", None)
    assert without_facts.endswith(f"not trusted ({message})")


def test_a_certificate_of_the_future_comes_with_both_dates() -> None:
    begins = NOW + 3 * DAY
    cause, hint = certificate_fault(
        rejected(9, "certificate is not yet valid"), "mail.test:993", facts(begins, NOW + 9 * DAY)
    )
    assert cause is Cause.CERTIFICATE_NOT_YET_VALID
    assert f"begins on {begins:%Y-%m-%d}" in hint
    assert f"clock says {datetime.now(UTC):%Y-%m-%d}" in hint


@pytest.mark.parametrize(("code", "words"), [(9, "is not valid yet"), (10, "has expired")])
def test_an_issuer_out_of_its_time_is_not_the_servers_own_certificate(code: int, words: str) -> None:
    _, own = certificate_fault(rejected(code, ""), "mail.test:993", facts(NOW - 9 * DAY, NOW - 2 * DAY))
    assert own.startswith("the certificate of mail.test:993 ")
    _, above = certificate_fault(rejected(code, ""), "mail.test:993", facts())
    assert above.startswith("the certificate of an issuer of mail.test:993")
    assert above.endswith(words)
    assert "Corporate Proxy CA" in above
