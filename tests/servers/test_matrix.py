"""Checks against real servers: the verdict is right, and the server saw exactly one login attempt for each leg."""

import base64
import imaplib
from dataclasses import dataclass, replace

import pytest

from mailtui.actions.check import CheckOptions, check_account, check_many
from mailtui.model.account import (
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Security,
    Trust,
)
from mailtui.model.check import (
    Cause,
    CheckReport,
    FailureKind,
    Leg,
    LegReport,
    Severity,
    Stage,
    Status,
    plan,
)
from tests.servers.accounts import Passwords, account_on, trusting
from tests.servers.certificates import EXPIRED, SELF_SIGNED, UNKNOWN_ISSUER, WRONG_NAME
from tests.servers.dovecot import SERVICES, Dovecot, LoginAttempt, password_of
from tests.servers.postfix import Postfix

WRONG = "Wr0ng-but-secret"
# A shared machine may be slow; no test waits for these to pass.
PATIENT = CheckOptions(stage_timeout=60.0, leg_timeout=120.0)
METHODS = (AuthMethod.PLAIN, AuthMethod.LOGIN, AuthMethod.CRAM_MD5, AuthMethod.SCRAM_SHA_256)
FAULTS = {
    EXPIRED: Cause.CERTIFICATE_EXPIRED,
    SELF_SIGNED: Cause.CERTIFICATE_SELF_SIGNED,
    WRONG_NAME: Cause.CERTIFICATE_WRONG_NAME,
    UNKNOWN_ISSUER: Cause.CERTIFICATE_UNKNOWN_ISSUER,
}

each_security = pytest.mark.parametrize("security", list(Security))
each_password = pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
dovecot_protocol = pytest.mark.parametrize("protocol", list(Protocol))


@dataclass(frozen=True, slots=True)
class Target:
    """One server that accounts are checked against, by the name its logins carry in Dovecot's log."""

    protocol: Protocol
    service: str
    dovecot: Dovecot
    postfix: Postfix | None = None

    @property
    def leg(self) -> Leg:
        return Leg.OUTBOUND if self.protocol is Protocol.SMTP else Leg.INBOUND

    def endpoint(self, security: Security, host: str = "localhost") -> Endpoint:
        port = self.postfix.port(security) if self.postfix else self.dovecot.port(self.protocol, security)
        return trusting(host, port, security, self.dovecot.certificates.authority)

    def account(self, user: str, endpoint: Endpoint, method: AuthMethod = AuthMethod.AUTOMATIC) -> Account:
        if self.protocol is Protocol.SMTP:
            return account_on(user, endpoint, method=method)
        submission = trusting(
            "localhost",
            self.dovecot.port(Protocol.SMTP, endpoint.security),
            endpoint.security,
            self.dovecot.certificates.authority,
        )
        return account_on(user, submission, (self.protocol, endpoint), method)


@pytest.fixture(params=["imap", "pop3", "submission", "postfix"])
def target(request: pytest.FixtureRequest, dovecot: Dovecot) -> Target:
    """Each server in turn."""
    if request.param == "postfix":
        return Target(Protocol.SMTP, "smtp", dovecot, request.getfixturevalue("postfix"))
    return dovecot_target(dovecot, {service: protocol for protocol, service in SERVICES.items()}[request.param])


def dovecot_target(dovecot: Dovecot, protocol: Protocol) -> Target:
    return Target(protocol, SERVICES[protocol], dovecot)


async def check_leg(target: Target, account: Account, password: str) -> LegReport:
    """Check the target's leg of an account alone; nothing in the report may give the password away."""
    options = replace(PATIENT, legs=frozenset({target.leg}))
    report = await check_account(account, Passwords({account.name: password}), options=options)
    assert_no_secret(report, password)
    (leg,) = report.legs
    assert (leg.leg, leg.protocol) == (target.leg, target.protocol)
    return leg


def assert_no_secret(report: CheckReport, password: str) -> None:
    shown = repr(report)
    for form in (password, base64.b64encode(password.encode()).decode().rstrip("=")):
        assert form not in shown


def assert_healthy(leg: LegReport) -> None:
    """Every stage of the plan was walked and went well."""
    assert leg.failure is None, leg.failure
    assert tuple(stage.stage for stage in leg.stages) == plan(leg.protocol, leg.endpoint.security, True)
    assert {stage.status for stage in leg.stages} == {Status.OK}
    assert leg.severity is Severity.OK
    if leg.endpoint.security is Security.NONE:
        assert leg.tls is None
    else:
        assert leg.tls is not None
        assert leg.tls.verified
        assert leg.tls.certificate is not None
        assert "localhost" in leg.tls.certificate.names
        # The server sends the intermediate; the root is ours.
        intermediate, root = leg.tls.chain
        assert leg.tls.certificate.issuer == intermediate.subject
        assert intermediate.issuer == root.subject == root.issuer


def assert_failed(leg: LegReport, cause: Cause, stage: Stage) -> None:
    """It failed there and for that; nothing came after."""
    assert leg.failure is not None
    assert (leg.failure.cause, leg.failure.stage) == (cause, stage)
    assert leg.failure.hint
    assert leg.severity is Severity.FAILED
    statuses = [result.status for result in leg.stages]
    failed = statuses.index(Status.FAILED)
    assert leg.stages[failed].stage is stage
    assert set(statuses[:failed]) <= {Status.OK}
    assert set(statuses[failed + 1 :]) <= {Status.SKIPPED}
    assert tuple(result.stage for result in leg.stages) == plan(leg.protocol, leg.endpoint.security, True)


@each_password
@each_security
async def test_verdict_and_one_login(target: Target, security: Security, right: bool) -> None:
    dovecot = target.dovecot
    user, mark = dovecot.new_user(), dovecot.mark()
    sessions_mark = target.postfix.mark() if target.postfix else 0
    account = target.account(user, target.endpoint(security))
    leg = await check_leg(target, account, password_of(user) if right else WRONG)
    if right:
        assert_healthy(leg)
    else:
        assert_failed(leg, Cause.BAD_CREDENTIALS, Stage.AUTH)
        assert leg.failure is not None
        assert leg.failure.kind is FailureKind.AUTH
        assert "authentication failed" in leg.failure.reply.lower()
    (attempt,) = dovecot.login_attempts(mark)
    assert (attempt.service, attempt.user, attempt.ok) == (target.service, user, right)
    if target.postfix:
        (session,) = target.postfix.sessions(sessions_mark)
        assert (session.commands["auth"], session.accepted["auth"]) == (1, int(right))
        # The envelope is opened and put back: nothing is sent.
        assert session.accepted.get("mail", 0) == int(right)
        assert not {"rcpt", "data", "bdat"} & set(session.commands)


@each_password
@pytest.mark.parametrize("method", METHODS)
async def test_each_method(target: Target, method: AuthMethod, right: bool) -> None:
    user, mark = target.dovecot.new_user(), target.dovecot.mark()
    account = target.account(user, target.endpoint(Security.IMPLICIT_TLS), method)
    leg = await check_leg(target, account, password_of(user) if right else WRONG)
    if right:
        assert_healthy(leg)
    else:
        assert_failed(leg, Cause.BAD_CREDENTIALS, Stage.AUTH)
    (attempt,) = target.dovecot.login_attempts(mark)
    assert (attempt.service, attempt.user, attempt.ok) == (target.service, user, right)
    # Dovecot logs IMAP's LOGIN and POP3's USER and PASS as PLAIN.
    plain_command = method is AuthMethod.LOGIN and target.protocol is not Protocol.SMTP
    assert attempt.mechanism in ({"LOGIN", "PLAIN"} if plain_command else {method.label})


@each_password
@each_security
async def test_apop(dovecot: Dovecot, security: Security, right: bool) -> None:
    target = dovecot_target(dovecot, Protocol.POP3)
    user, mark = dovecot.new_user(), dovecot.mark()
    account = target.account(user, target.endpoint(security), AuthMethod.APOP)
    leg = await check_leg(target, account, password_of(user) if right else WRONG)
    if right:
        assert_healthy(leg)
    else:
        assert_failed(leg, Cause.BAD_CREDENTIALS, Stage.AUTH)
    assert dovecot.login_attempts(mark) == [LoginAttempt("pop3", "APOP", user, right)]


@each_password
@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3])
async def test_both_legs_log_in_once_each(dovecot: Dovecot, protocol: Protocol, right: bool) -> None:
    target = dovecot_target(dovecot, protocol)
    user, mark = dovecot.new_user(), dovecot.mark()
    account = target.account(user, target.endpoint(Security.STARTTLS))
    passwords = Passwords({user: password_of(user) if right else WRONG})
    report = await check_account(account, passwords, options=PATIENT)
    assert [leg.leg for leg in report.legs] == [Leg.OUTBOUND, Leg.INBOUND]
    for leg in report.legs:
        if right:
            assert_healthy(leg)
        else:
            assert_failed(leg, Cause.BAD_CREDENTIALS, Stage.AUTH)
    seen = sorted((attempt.service, attempt.user, attempt.ok) for attempt in dovecot.login_attempts(mark))
    assert seen == sorted((service, user, right) for service in ("submission", target.service))


async def test_one_leg_fails_alone(dovecot: Dovecot) -> None:
    target = dovecot_target(dovecot, Protocol.IMAP)
    user, mark = dovecot.new_user(), dovecot.mark()
    account = target.account(user, target.endpoint(Security.IMPLICIT_TLS))
    assert account.retrieval is not None
    stranger = replace(account, retrieval=replace(account.retrieval, username="nobody-here"))
    report = await check_account(stranger, Passwords({user: password_of(user)}), options=PATIENT)
    assert report.outbound is not None
    assert report.inbound is not None
    assert_healthy(report.outbound)
    assert_failed(report.inbound, Cause.BAD_CREDENTIALS, Stage.AUTH)
    seen = {(attempt.service, attempt.user, attempt.ok) for attempt in dovecot.login_attempts(mark)}
    assert seen == {("submission", user, True), ("imap", "nobody-here", False)}


async def test_send_only_account_has_no_inbound_leg(dovecot: Dovecot) -> None:
    target = dovecot_target(dovecot, Protocol.SMTP)
    user, mark = dovecot.new_user(), dovecot.mark()
    account = target.account(user, target.endpoint(Security.STARTTLS))
    report = await check_account(account, Passwords({user: password_of(user)}), options=PATIENT)
    assert report.inbound is None
    assert report.outbound is not None
    assert_healthy(report.outbound)
    assert [attempt.service for attempt in dovecot.login_attempts(mark)] == ["submission"]


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3])
async def test_messages_are_counted(dovecot: Dovecot, protocol: Protocol) -> None:
    target = dovecot_target(dovecot, protocol)
    user = dovecot.new_user()
    messages = [f"Subject: {number}\n\n{'text ' * number}\n".encode() for number in range(1, 4)]
    dovecot.deliver(user, *messages)
    leg = await check_leg(target, target.account(user, target.endpoint(Security.IMPLICIT_TLS)), password_of(user))
    assert_healthy(leg)
    assert leg.messages == 3
    if protocol is Protocol.POP3:
        assert leg.octets == sum(len(message.replace(b"\n", b"\r\n")) for message in messages)


async def test_imap_check_leaves_messages_recent(dovecot: Dovecot) -> None:
    target = dovecot_target(dovecot, Protocol.IMAP)
    user = dovecot.new_user()
    dovecot.deliver(user, b"Subject: new\n\nUnseen\n")
    leg = await check_leg(target, target.account(user, target.endpoint(Security.NONE)), password_of(user))
    assert_healthy(leg)
    session = imaplib.IMAP4("localhost", dovecot.port(Protocol.IMAP, Security.NONE), timeout=60)
    session.login(user, password_of(user))
    session.select()
    assert session.response("RECENT") == ("RECENT", [b"1"])
    session.logout()


@pytest.mark.parametrize("address", list(FAULTS), ids=[fault.value for fault in FAULTS.values()])
@pytest.mark.parametrize("security", [Security.IMPLICIT_TLS, Security.STARTTLS])
@dovecot_protocol
async def test_faulty_certificate(dovecot: Dovecot, protocol: Protocol, security: Security, address: str) -> None:
    target = dovecot_target(dovecot, protocol)
    user, mark = dovecot.new_user(), dovecot.mark()
    account = target.account(user, target.endpoint(security, address))
    leg = await check_leg(target, account, password_of(user))
    assert_failed(leg, FAULTS[address], Stage.TLS)
    assert leg.tls is not None, "the certificate's facts are shown when it is refused, too"
    assert not leg.tls.verified
    assert leg.tls.certificate is not None
    assert dovecot.login_attempts(mark) == [], "no password goes to a server that is not proved"


@dovecot_protocol
async def test_accept_anything_and_pin(dovecot: Dovecot, protocol: Protocol) -> None:
    target = dovecot_target(dovecot, protocol)
    user, mark = dovecot.new_user(), dovecot.mark()
    endpoint = target.endpoint(Security.IMPLICIT_TLS, SELF_SIGNED)

    async def check_with(policy: CertificatePolicy) -> LegReport:
        account = target.account(user, replace(endpoint, certificate=policy))
        return await check_leg(target, account, password_of(user))

    anything = await check_with(CertificatePolicy(Trust.ANYTHING))
    assert anything.failure is None
    assert anything.tls is not None
    assert not anything.tls.verified
    assert anything.tls.certificate is not None
    pinned = await check_with(CertificatePolicy(Trust.PIN, pin=anything.tls.certificate.pin))
    assert pinned.failure is None
    other = await check_with(CertificatePolicy(Trust.PIN, pin="0" * 64))
    assert_failed(other, Cause.CERTIFICATE_NOT_PINNED, Stage.TLS)
    assert [attempt.ok for attempt in dovecot.login_attempts(mark)] == [True, True]


async def test_tls_spoken_to_a_starttls_port(target: Target) -> None:
    user, mark = target.dovecot.new_user(), target.dovecot.mark()
    endpoint = replace(target.endpoint(Security.STARTTLS), security=Security.IMPLICIT_TLS)
    leg = await check_leg(target, target.account(user, endpoint), password_of(user))
    assert_failed(leg, Cause.NOT_TLS, Stage.TLS)
    assert target.dovecot.login_attempts(mark) == []


async def test_a_method_that_the_server_lacks_is_not_tried(target: Target) -> None:
    user, mark = target.dovecot.new_user(), target.dovecot.mark()
    account = target.account(user, target.endpoint(Security.IMPLICIT_TLS), AuthMethod.XOAUTH2)
    leg = await check_leg(target, account, password_of(user))
    assert_failed(leg, Cause.NO_MECHANISM, Stage.AUTH)
    assert target.dovecot.login_attempts(mark) == []


async def test_many_accounts_log_in_once_for_each_leg(dovecot: Dovecot) -> None:
    protocols = [Protocol.IMAP, Protocol.POP3] * 10
    mark = dovecot.mark()
    accounts = []
    for protocol in protocols:
        target = dovecot_target(dovecot, protocol)
        accounts.append(target.account(dovecot.new_user(), target.endpoint(Security.IMPLICIT_TLS)))
    broken = {account.name for account in accounts[::5]}
    passwords = {account.name: WRONG if account.name in broken else password_of(account.name) for account in accounts}
    reports: list[CheckReport] = []
    await check_many(accounts, Passwords(passwords), on_report=reports.append, options=PATIENT)
    verdicts = {report.account: report.severity for report in reports}
    assert len(reports) == len(accounts)
    assert verdicts == {
        account.name: Severity.FAILED if account.name in broken else Severity.OK for account in accounts
    }
    seen = sorted((attempt.user, attempt.service, attempt.ok) for attempt in dovecot.login_attempts(mark))
    assert seen == sorted(
        (account.name, service, account.name not in broken)
        for account, protocol in zip(accounts, protocols, strict=True)
        for service in ("submission", SERVICES[protocol])
    )
