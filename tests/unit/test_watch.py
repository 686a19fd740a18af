"""What changed between two checks: told in words, and alarming only where credentials may be at stake."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.account import CertificatePolicy, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, Failure, Leg, LegReport, Stage, TlsFacts
from mailtui.model.server import Change, ChangeKind, Offered
from mailtui.model.text import has_hostile
from mailtui.model.watch import KEYS, Baseline, baseline_of, changes_line, changes_since, is_tls_lower

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OFFERED = Offered(None, ("PLAIN", "LOGIN"), ("SIZE 1000", "AUTH PLAIN LOGIN", "8BITMIME"))


def certificate(pin: str = "aa" * 32, issuer: str = "R10", begun: int = 10, left: int = 80) -> CertificateFacts:
    """A certificate that began so many days before NOW and has so many left."""
    return CertificateFacts("mail.test", ("mail.test",), issuer, NOW - begun * DAY, NOW + left * DAY, "ff" * 32, pin)


def tls(
    found: CertificateFacts | None = None, version: str = "TLSv1.3", root: str = "Root X1", verified: bool = True
) -> TlsFacts:
    above = (certificate("cc" * 32, root), replace(certificate("dd" * 32, root), subject=root))
    return TlsFacts(version, "AES", found or certificate(), verified, above if root else ())


def leg(
    facts: TlsFacts | None = None,
    offered: Offered | None = OFFERED,
    trust: Trust = Trust.SYSTEM,
    addresses: tuple[str, ...] = ("192.0.2.1",),
    port: int = 465,
) -> LegReport:
    endpoint = Endpoint("mail.test", port, certificate=CertificatePolicy(trust))
    return LegReport(Leg.OUTBOUND, Protocol.SMTP, endpoint, (), 1.0, tls=facts, offered=offered, addresses=addresses)


def compared(before: Baseline, now: LegReport, trust: Trust | None = Trust.SYSTEM) -> tuple[Change, ...]:
    return changes_since(before, tls=now.tls, offered=now.offered, addresses=now.addresses, trust=trust)


def told(changes: tuple[Change, ...]) -> list[tuple[ChangeKind, bool]]:
    return [(change.kind, change.is_alarming) for change in changes]


BEFORE = baseline_of(leg(tls()), NOW - DAY)


class TestKeys:
    @pytest.mark.parametrize(
        ("found", "trust", "expected"),
        [
            pytest.param(certificate("bb" * 32), Trust.SYSTEM, [(ChangeKind.KEY, True)], id="no newer certificate"),
            pytest.param(certificate("bb" * 32), Trust.ANYTHING, [(ChangeKind.KEY, True)], id="nobody asked"),
            pytest.param(certificate("bb" * 32), None, [(ChangeKind.KEY, True)], id="rejected"),
            pytest.param(certificate("bb" * 32), Trust.PIN, [(ChangeKind.KEY, False)], id="pinned by the account"),
            pytest.param(certificate(), Trust.SYSTEM, [], id="the same"),
            pytest.param(
                certificate(left=170), Trust.SYSTEM, [(ChangeKind.RENEWED, False)], id="the same key for longer"
            ),
            pytest.param(certificate(issuer="E5"), Trust.SYSTEM, [(ChangeKind.ISSUER, False)], id="another issuer"),
            pytest.param(
                certificate("bb" * 32, "E5"),
                Trust.SYSTEM,
                [(ChangeKind.KEY, True), (ChangeKind.ISSUER, False)],
                id="another issuer's other key",
            ),
        ],
    )
    def test_a_certificate_that_begins_when_the_old_one_did(
        self, found: CertificateFacts, trust: Trust | None, expected: list[tuple[ChangeKind, bool]]
    ) -> None:
        assert told(compared(BEFORE, leg(tls(found)), trust)) == expected

    @pytest.mark.parametrize(
        ("begun", "is_alarming"), [(31, True), (30, True), (29, False), (28, False), (0, False), (-1, False)]
    )
    def test_one_that_was_issued_later_is_a_renewal(self, begun: int, is_alarming: bool) -> None:
        before = baseline_of(leg(tls(certificate(begun=30, left=60))), NOW - DAY)
        renewed = compared(before, leg(tls(certificate("bb" * 32, begun=begun, left=90))))
        assert told(renewed) == [(ChangeKind.KEY if is_alarming else ChangeKind.RENEWED, is_alarming)]

    @pytest.mark.parametrize("trust", [Trust.ANYTHING, None])
    def test_it_is_none_where_no_authority_vouches(self, trust: Trust | None) -> None:
        before = baseline_of(leg(tls(certificate(begun=89, left=1)), trust=Trust.ANYTHING), NOW - DAY)
        assert told(compared(before, leg(tls(certificate("bb" * 32))), trust)) == [(ChangeKind.KEY, True)]

    def test_an_authority_may_issue_by_another_of_its_intermediates(self) -> None:
        before = baseline_of(leg(tls(certificate(begun=80, left=10))), NOW - DAY)
        same_root = compared(before, leg(tls(certificate("bb" * 32, "E5"))))
        assert told(same_root) == [(ChangeKind.RENEWED, False), (ChangeKind.ISSUER, False)]
        for root in ("Root of a proxy", ""):
            other = compared(before, leg(tls(certificate("bb" * 32, "E5"), root=root)))
            assert told(other)[0] == (ChangeKind.KEY, True)

    def test_what_was_sent_and_not_verified_names_no_authority(self) -> None:
        assert baseline_of(leg(tls(), trust=Trust.ANYTHING), NOW).authority == ""
        assert baseline_of(leg(tls(), trust=Trust.CA_FILE), NOW).authority == "Root X1"

    def test_every_key_that_was_accepted_stays_known(self) -> None:
        before = BEFORE
        for number in range(1, KEYS + 4):
            pin = f"{number:02x}" * 32
            before = baseline_of(leg(tls(certificate(pin))), NOW, before)
            assert before.keys[0] == pin
            assert len(before.keys) == min(number + 1, KEYS)
            for known in before.keys:
                assert compared(before, leg(tls(certificate(known)))) == ()
        assert told(compared(before, leg(tls()))) == [(ChangeKind.KEY, True)]

    def test_the_words_show_both_keys(self) -> None:
        (change,) = compared(BEFORE, leg(tls(certificate("bb" * 32))))
        assert change.words == f"the key is {'b' * 16}… instead of {'a' * 16}…"

    def test_one_that_cannot_be_read_is_none_of_those_that_are_known(self) -> None:
        unseen = replace(tls(), certificate=None)
        found = compared(BEFORE, leg(unseen, trust=Trust.ANYTHING), Trust.ANYTHING)
        assert told(found) == [(ChangeKind.KEY, True)]
        # A person may accept it; then there is no key to compare with.
        accepted = baseline_of(leg(unseen, trust=Trust.ANYTHING), NOW, BEFORE)
        assert compared(accepted, leg(unseen, trust=Trust.ANYTHING), Trust.ANYTHING) == ()


class TestOffers:
    @pytest.mark.parametrize(
        ("had", "has", "expected"),
        [
            (True, False, [(ChangeKind.STARTTLS_LOST, True)]),
            (True, True, []),
            (False, False, []),
            (False, True, []),
            (None, False, []),
            (True, None, []),
        ],
    )
    def test_starttls(self, had: bool | None, has: bool | None, expected: list[tuple[ChangeKind, bool]]) -> None:
        before = baseline_of(leg(offered=replace(OFFERED, starttls=had)), NOW)
        assert told(compared(before, leg(offered=replace(OFFERED, starttls=has)))) == expected

    def test_mechanisms(self) -> None:
        now = leg(tls(), replace(OFFERED, mechanisms=("PLAIN", "SCRAM-SHA-256")))
        lost, new = compared(BEFORE, now)
        assert lost == Change(ChangeKind.MECHANISM_LOST, "login by LOGIN is offered no more", True)
        assert new == Change(ChangeKind.MECHANISM_NEW, "login by SCRAM-SHA-256 is offered now")

    def test_no_login_at_all(self) -> None:
        (lost,) = compared(BEFORE, leg(tls(), replace(OFFERED, mechanisms=())))
        assert lost == Change(ChangeKind.MECHANISM_LOST, "login by LOGIN, PLAIN is offered no more", True)

    def test_capabilities_without_what_is_told_as_mechanisms(self) -> None:
        capabilities = ("8bitmime", "SIZE 2000", "AUTH PLAIN", "AUTH=PLAIN", "SASL PLAIN", "STARTTLS", "STLS", "USER")
        (change,) = compared(BEFORE, leg(tls(), replace(OFFERED, capabilities=capabilities)))
        assert change == Change(ChangeKind.CAPABILITIES, "capabilities: SIZE 2000 new, SIZE 1000 gone")

    @pytest.mark.parametrize("name", ["SASL-IR", "AUTH-RESP-CODE", "USERS"])
    def test_names_that_only_begin_alike(self, name: str) -> None:
        (change,) = compared(BEFORE, leg(tls(), replace(OFFERED, capabilities=(*OFFERED.capabilities, name))))
        assert change.words == f"capabilities: {name} new"

    def test_what_the_check_before_did_not_see_is_not_new(self) -> None:
        before = baseline_of(leg(tls(), None), NOW)
        assert compared(before, leg(tls())) == ()

    def test_many_are_counted(self) -> None:
        many = tuple(f"X{number}" for number in range(9))
        (change,) = compared(BEFORE, leg(tls(), replace(OFFERED, capabilities=(*OFFERED.capabilities, *many))))
        assert change.words == "capabilities: X0, X1, X2, X3 and 5 more new"


class TestTlsVersions:
    @pytest.mark.parametrize(
        ("had", "has", "is_lower", "words"),
        [
            ("TLSv1.3", "TLSv1.2", True, "TLSv1.2, which is older than TLSv1.3"),
            ("TLSv1.2", "TLSv1", True, "TLSv1, which is older than TLSv1.2"),
            ("TLSv1.2", "TLSv1.3", False, "TLSv1.3 instead of TLSv1.2"),
            ("TLSv1.3", "TLSv9", False, "TLSv9 instead of TLSv1.3"),
        ],
    )
    def test_a_change_is_told_and_does_not_alarm(self, had: str, has: str, is_lower: bool, words: str) -> None:
        before = baseline_of(leg(tls(version=had)), NOW)
        now = leg(tls(version=has))
        assert compared(before, now) == (Change(ChangeKind.TLS_VERSION, words),)
        assert is_tls_lower(before, now.tls) is is_lower

    def test_what_is_not_known_is_no_change(self) -> None:
        assert not is_tls_lower(BEFORE, None)
        assert not is_tls_lower(replace(BEFORE, tls_version=""), tls())
        assert compared(replace(BEFORE, tls_version=""), leg(tls())) == ()


class TestAddresses:
    @pytest.mark.parametrize(
        ("has", "is_told"),
        [
            (("192.0.2.200",), False),
            (("203.0.113.9", "192.0.2.7"), False),
            (("203.0.113.9",), True),
            (("2001:db8:1::1",), True),
            ((), False),
        ],
    )
    def test_another_network_is_told(self, has: tuple[str, ...], is_told: bool) -> None:
        expected = [(ChangeKind.ADDRESSES, False)] if is_told else []
        assert told(compared(BEFORE, leg(tls(), addresses=has))) == expected

    @pytest.mark.parametrize(
        ("has", "is_told"), [("2001:db8:1:ffff::9", False), ("2001:db8:2::1", True), ("fe80::1%eth0", True)]
    )
    def test_six_bits_of_forty_eight(self, has: str, is_told: bool) -> None:
        before = baseline_of(leg(tls(), addresses=("2001:db8:1::1",)), NOW)
        assert bool(compared(before, leg(tls(), addresses=(has,)))) is is_told


class TestBaseline:
    def test_it_counts_for_one_server_only(self) -> None:
        endpoint = Endpoint("MAIL.test", 465, certificate=CertificatePolicy(Trust.ANYTHING))
        assert BEFORE.counts_for(Protocol.SMTP, endpoint)
        for protocol, other in (
            (Protocol.IMAP, endpoint),
            (Protocol.SMTP, replace(endpoint, port=587)),
            (Protocol.SMTP, replace(endpoint, host="mail.example")),
            (Protocol.SMTP, replace(endpoint, security=Security.STARTTLS)),
        ):
            assert not BEFORE.counts_for(protocol, other)

    def test_another_server_s_keys_do_not_stay_known(self) -> None:
        assert baseline_of(leg(tls(certificate("bb" * 32)), port=587), NOW, BEFORE).keys == ("bb" * 32,)

    def test_what_the_leg_did_not_come_to_see_stays(self) -> None:
        later = baseline_of(leg(None, None, addresses=()), NOW, BEFORE)
        assert later == replace(BEFORE, since=NOW)

    def test_a_rejected_certificate_teaches_nothing(self) -> None:
        failure = Failure(Cause.CERTIFICATE_SELF_SIGNED, Stage.TLS, "nobody vouches for it")
        found = tls(certificate("bb" * 32, "somebody else", begun=-1), "TLSv1.2", verified=False)
        rejected = replace(leg(found, None), failure=failure)
        assert baseline_of(rejected, NOW, BEFORE) == replace(BEFORE, since=NOW)

    def test_a_flood_is_not_kept(self) -> None:
        flood = tuple(f"X{number} {'y' * 1_000}" for number in range(10_000))
        kept = baseline_of(leg(offered=Offered(None, flood, flood), addresses=flood), NOW)
        assert len(kept.capabilities) == len(kept.mechanisms) == 200
        assert max(map(len, kept.capabilities)) <= 80
        assert len(kept.addresses) <= 64


class TestLine:
    def test_alarming_changes_come_first_on_one_line(self) -> None:
        now = leg(tls(certificate("bb" * 32), "TLSv1.2"), replace(OFFERED, mechanisms=("PLAIN",)))
        changes = compared(BEFORE, now)
        assert [change.is_alarming for change in changes] == [True, True, False]
        line = changes_line(changes, BEFORE.since)
        assert line.startswith("changed since 2026-05-31 12:00 UTC: login by LOGIN is offered no more; the key is bbbb")
        assert line.endswith("; TLSv1.2, which is older than TLSv1.3")

    def test_without_changes_there_is_none(self) -> None:
        assert changes_line((), NOW) == ""

    def test_without_a_time(self) -> None:
        assert changes_line((Change(ChangeKind.KEY, "x"),), None) == "changed: x"


NAMES = st.lists(st.text(max_size=100) | st.just("ß" * 80), max_size=12).map(tuple)
OFFERS = st.builds(Offered, st.none() | st.booleans(), NAMES, NAMES)
CERTIFICATES = st.builds(
    certificate,
    st.sampled_from(["aa" * 32, "bb" * 32]),
    st.text(max_size=30),
    st.integers(0, 999),
    st.integers(-99, 999),
)
FACTS = st.none() | st.builds(
    tls, CERTIFICATES, st.sampled_from(["TLSv1", "TLSv1.2", "TLSv1.3", "", "x"]), st.text(max_size=9), st.booleans()
)
ADDRESSES = st.lists(st.ip_addresses().map(str) | st.text(max_size=20), max_size=5).map(tuple)
LEGS = st.builds(leg, FACTS, st.none() | OFFERS, st.sampled_from(Trust), ADDRESSES)


class TestProperties:
    @given(LEGS, st.none() | LEGS)
    def test_a_leg_compared_with_its_own_baseline_has_no_change(
        self, checked: LegReport, earlier: LegReport | None
    ) -> None:
        before = None if earlier is None else baseline_of(earlier, NOW - DAY)
        kept = baseline_of(checked, NOW, before)
        assert compared(kept, checked, checked.endpoint.certificate.trust) == ()
        assert not is_tls_lower(kept, checked.tls)

    @given(st.data(), LEGS, LEGS)
    def test_order_and_case_do_not_matter(self, data: st.DataObject, earlier: LegReport, checked: LegReport) -> None:
        def shuffled(checked: LegReport) -> LegReport:
            if checked.offered is None:
                return checked
            mixed = replace(
                checked.offered,
                mechanisms=tuple(data.draw(st.permutations(checked.offered.mechanisms))),
                capabilities=tuple(data.draw(st.permutations(checked.offered.capabilities))),
            )
            return replace(checked, offered=mixed)

        before, other = baseline_of(earlier, NOW), baseline_of(shuffled(earlier), NOW)
        assert before == other
        assert compared(before, checked) == compared(other, shuffled(checked))

    @given(st.lists(LEGS, min_size=1, max_size=20))
    def test_known_keys_are_at_most_eight_and_the_last_is_among_them(self, legs: list[LegReport]) -> None:
        before = None
        for checked in legs:
            before = baseline_of(checked, NOW, before)
            assert len(before.keys) == len(set(before.keys)) <= KEYS
            if checked.tls is not None and checked.tls.certificate is not None:
                assert before.keys[0] == checked.tls.certificate.pin

    @given(LEGS, LEGS)
    def test_the_line_is_one_clean_line(self, earlier: LegReport, checked: LegReport) -> None:
        changes = compared(baseline_of(earlier, NOW), checked)
        line = changes_line(changes, NOW)
        assert not has_hostile(line)
        assert len(line) <= 500
        assert bool(line) is bool(changes)
        assert [change.is_alarming for change in changes] == sorted(
            (change.is_alarming for change in changes), reverse=True
        )
