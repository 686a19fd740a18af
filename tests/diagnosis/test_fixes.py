"""The change that a report calls for: only what was seen to answer, never less protected, a key only with consent."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mailtui.diagnosis.fixes import fix_for
from mailtui.model.account import CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, Failure, Leg, LegReport, Stage, TlsFacts
from mailtui.model.pins import PIN_LIMIT
from mailtui.model.server import Found, Service

TLS, STARTTLS, NONE = Security.IMPLICIT_TLS, Security.STARTTLS, Security.NONE
REMOTE, HERE = "192.0.2.1", "127.0.0.1"
PIN, FINGERPRINT = "a" * 64, "f" * 64
SYSTEM = CertificatePolicy()


def failed(
    cause: Cause,
    *found: Found,
    protocol: Protocol = Protocol.IMAP,
    port: int = 143,
    security: Security = NONE,
    address: str = REMOTE,
) -> LegReport:
    return LegReport(
        leg=Leg.OUTBOUND if protocol is Protocol.SMTP else Leg.INBOUND,
        protocol=protocol,
        endpoint=Endpoint("mail.test", port, security),
        stages=(),
        ms=1.0,
        failure=Failure(cause, Stage.GREETING, "what it was"),
        address=address,
        addresses=(address,),
        found=found,
    )


def proposal(leg: LegReport) -> tuple[Protocol, int, Security] | None:
    fix = fix_for(leg)
    return None if fix is None else (fix.protocol, fix.endpoint.port, fix.endpoint.security)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], None),
        ([Found(143, Service.IMAP, TLS)], (Protocol.IMAP, 143, TLS)),
        ([Found(143, Service.IMAP, STARTTLS)], (Protocol.IMAP, 143, STARTTLS)),
        # What the account says already is no change.
        ([Found(143, Service.IMAP, NONE)], None),
        ([Found(1143, Service.IMAP, NONE)], None),
        ([Found(143, Service.HTTP, NONE)], None),
        ([Found(143, Service.OTHER, TLS)], None),
        ([Found(143, Service.SMTP, TLS)], None),
        ([Found(143, Service.HTTP, NONE), Found(993, Service.IMAP, TLS)], (Protocol.IMAP, 993, TLS)),
        ([Found(143, Service.IMAP, STARTTLS), Found(993, Service.IMAP, TLS)], (Protocol.IMAP, 993, TLS)),
        ([Found(143, Service.IMAP, TLS), Found(993, Service.IMAP, TLS)], (Protocol.IMAP, 143, TLS)),
        # Another way to fetch mail, but the wanted one first, however well the other is protected.
        ([Found(143, Service.POP3, TLS)], (Protocol.POP3, 143, TLS)),
        ([Found(143, Service.POP3, STARTTLS)], (Protocol.POP3, 143, STARTTLS)),
        ([Found(143, Service.POP3, NONE)], None),
        ([Found(143, Service.POP3, TLS), Found(993, Service.IMAP, TLS)], (Protocol.IMAP, 993, TLS)),
        ([Found(143, Service.POP3, TLS), Found(144, Service.IMAP, STARTTLS)], (Protocol.IMAP, 144, STARTTLS)),
    ],
)
def test_what_was_found_is_proposed(found: list[Found], expected: tuple[Protocol, int, Security] | None) -> None:
    leg = failed(Cause.FOREIGN_BANNER, *found)
    assert proposal(leg) == expected
    fix = fix_for(leg)
    if fix is not None:
        assert not fix.needs_consent
        assert fix.leg is Leg.INBOUND
        # All else of the server stays.
        assert replace(fix.endpoint, port=143, security=NONE) == leg.endpoint


@pytest.mark.parametrize("trust", Trust)
def test_a_key_that_is_known_is_not_let_go_of(trust: Trust) -> None:
    """Where anything is accepted, who stands in between could lead the login to where its own key is the first."""
    leg = failed(Cause.NOT_TLS, Found(993, Service.IMAP, STARTTLS), port=993, security=TLS)
    leg = replace(leg, endpoint=replace(leg.endpoint, certificate=CertificatePolicy(trust)))
    assert proposal(leg) == (Protocol.IMAP, 993, STARTTLS)
    seen_before = replace(leg, changed_since=datetime(2026, 1, 1, tzinfo=UTC))
    assert proposal(seen_before) == (None if trust is Trust.ANYTHING else (Protocol.IMAP, 993, STARTTLS))
    # In clear there is no key to let go of.
    in_clear = replace(seen_before, endpoint=replace(leg.endpoint, security=NONE))
    assert proposal(in_clear) == (Protocol.IMAP, 993, STARTTLS)


@pytest.mark.parametrize("service", [Service.IMAP, Service.POP3])
def test_mail_never_leaves_by_a_server_for_fetching(service: Service) -> None:
    assert fix_for(failed(Cause.FOREIGN_BANNER, Found(143, service, TLS), protocol=Protocol.SMTP)) is None


class TestNoEncryption:
    PLAIN = Found(143, Service.IMAP, NONE)

    def test_never_for_another_machine(self) -> None:
        leg = failed(Cause.NOT_TLS, self.PLAIN, security=TLS)
        assert fix_for(leg) is None
        # Nor where it is not known which machine it is, or where one of several is another.
        assert fix_for(replace(leg, address="", addresses=())) is None
        assert fix_for(replace(leg, address="", addresses=(HERE, REMOTE))) is None

    @pytest.mark.parametrize("address", [HERE, "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    def test_with_consent_for_this_machine(self, address: str) -> None:
        fix = fix_for(failed(Cause.NOT_TLS, self.PLAIN, security=TLS, address=address))
        assert fix is not None
        assert fix.needs_consent
        assert fix.endpoint.security is NONE
        assert not fix.endpoint.allow_cleartext
        assert fix.words == "use port 143 without encryption"

    def test_no_consent_where_there_was_none_before(self) -> None:
        fix = fix_for(failed(Cause.FOREIGN_BANNER, Found(1143, Service.IMAP, NONE), address=HERE))
        assert fix is not None
        assert not fix.needs_consent

    def test_last_of_all(self) -> None:
        leg = failed(Cause.NOT_TLS, self.PLAIN, Found(144, Service.IMAP, STARTTLS), security=TLS, address=HERE)
        assert proposal(leg) == (Protocol.IMAP, 144, STARTTLS)


class TestKeys:
    CAUSES = (
        Cause.CERTIFICATE_SELF_SIGNED,
        Cause.CERTIFICATE_UNKNOWN_ISSUER,
        Cause.CERTIFICATE_NOT_PINNED,
    )

    def leg(self, cause: Cause, policy: CertificatePolicy = SYSTEM) -> LegReport:
        day = datetime(2026, 1, 1, tzinfo=UTC)
        certificate = CertificateFacts("mail.test", (), "mail.test", day, day, FINGERPRINT, PIN)
        leg = failed(cause, port=993, security=TLS)
        tls = TlsFacts("TLSv1.3", "cipher", certificate, verified=False)
        return replace(leg, endpoint=replace(leg.endpoint, certificate=policy), tls=tls)

    @pytest.mark.parametrize("cause", CAUSES)
    def test_a_key_is_trusted_with_consent_and_its_fingerprint(self, cause: Cause) -> None:
        fix = fix_for(self.leg(cause))
        assert fix is not None
        assert fix.needs_consent
        assert fix.endpoint == Endpoint("mail.test", 993, TLS, CertificatePolicy(Trust.PIN, pin=PIN))
        assert FINGERPRINT in fix.words
        assert PIN in fix.words

    def test_those_that_are_pinned_stay(self) -> None:
        fix = fix_for(
            self.leg(Cause.CERTIFICATE_NOT_PINNED, CertificatePolicy(Trust.PIN, pin="b" * 64 + " " + "c" * 64))
        )
        assert fix is not None
        assert fix.endpoint.certificate.pins == ("b" * 64, "c" * 64, PIN)

    def test_no_more_than_there_may_be(self) -> None:
        pins = " ".join(f"{number:064x}" for number in range(PIN_LIMIT))
        assert fix_for(self.leg(Cause.CERTIFICATE_NOT_PINNED, CertificatePolicy(Trust.PIN, pin=pins))) is None

    @pytest.mark.parametrize("cause", CAUSES)
    def test_nothing_without_the_facts(self, cause: Cause) -> None:
        assert fix_for(replace(self.leg(cause), tls=None)) is None

    @pytest.mark.parametrize(
        "cause",
        [Cause.CERTIFICATE_EXPIRED, Cause.CERTIFICATE_WRONG_NAME, Cause.CERTIFICATE_INVALID, Cause.KEY_CHANGED],
    )
    def test_other_faults_are_not_waved_through(self, cause: Cause) -> None:
        assert fix_for(self.leg(cause)) is None


def test_a_leg_that_is_good_needs_no_fix() -> None:
    assert fix_for(replace(failed(Cause.CLOSED, Found(143, Service.IMAP, TLS)), failure=None)) is None
