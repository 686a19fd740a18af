"""The servers themselves, through the standard library's clients: what the matrix relies on is true."""

import imaplib
import poplib
import smtplib
import ssl
from collections.abc import Callable

import pytest

from mailtui.model.account import Protocol, Security
from tests.conftest import unavailable
from tests.servers.certificates import EXPIRED, SELF_SIGNED, UNKNOWN_ISSUER, WRONG_NAME
from tests.servers.dovecot import Dovecot, LoginAttempt, parse_attempts, password_of
from tests.servers.postfix import Postfix, parse_session

TIMEOUT = 60


def strict_context(dovecot: Dovecot) -> ssl.SSLContext:
    """What Python 3.13 makes by default, on every Python."""
    context = ssl.create_default_context(cafile=str(dovecot.certificates.authority))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def imap_login(dovecot: Dovecot, security: Security, user: str, password: str) -> bool:
    context, port = strict_context(dovecot), dovecot.port(Protocol.IMAP, security)
    session: imaplib.IMAP4
    if security is Security.IMPLICIT_TLS:
        session = imaplib.IMAP4_SSL("localhost", port, ssl_context=context, timeout=TIMEOUT)
    else:
        session = imaplib.IMAP4("localhost", port, timeout=TIMEOUT)
    if security is Security.STARTTLS:
        session.starttls(context)
    try:
        session.login(user, password)
    except imaplib.IMAP4.error:
        return False
    finally:
        session.logout()
    return True


def pop3_login(dovecot: Dovecot, security: Security, user: str, password: str) -> bool:
    context, port = strict_context(dovecot), dovecot.port(Protocol.POP3, security)
    session: poplib.POP3
    if security is Security.IMPLICIT_TLS:
        session = poplib.POP3_SSL("localhost", port, context=context, timeout=TIMEOUT)
    else:
        session = poplib.POP3("localhost", port, timeout=TIMEOUT)
    if security is Security.STARTTLS:
        session.stls(context)
    session.user(user)
    try:
        session.pass_(password)
    except poplib.error_proto:
        return False
    finally:
        session.quit()
    return True


def smtp_plain(port: int, context: ssl.SSLContext, security: Security, user: str, password: str) -> bool:
    session: smtplib.SMTP
    if security is Security.IMPLICIT_TLS:
        session = smtplib.SMTP_SSL("localhost", port, context=context, timeout=TIMEOUT)
    else:
        session = smtplib.SMTP("localhost", port, timeout=TIMEOUT)
    with session:
        if security is Security.STARTTLS:
            session.starttls(context=context)
        session.ehlo()
        session.user, session.password = user, password
        try:
            session.auth("PLAIN", session.auth_plain)
        except smtplib.SMTPAuthenticationError:
            return False
        assert session.mail(f"{user}@example.org")[0] == 250
        assert session.rset()[0] == 250
    return True


def smtp_login(dovecot: Dovecot, security: Security, user: str, password: str) -> bool:
    return smtp_plain(dovecot.port(Protocol.SMTP, security), strict_context(dovecot), security, user, password)


LOGINS: dict[str, Callable[[Dovecot, Security, str, str], bool]] = {
    "imap": imap_login,
    "pop3": pop3_login,
    "submission": smtp_login,
}


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("service", LOGINS)
def test_dovecot_counts_each_login(dovecot: Dovecot, service: str, security: Security, right: bool) -> None:
    user, mark = dovecot.new_user(), dovecot.mark()
    assert LOGINS[service](dovecot, security, user, password_of(user) if right else "no") is right
    assert dovecot.login_attempts(mark) == [LoginAttempt(service, "PLAIN", user, right)]


def test_dovecot_counts_every_attempt_of_one_session(dovecot: Dovecot) -> None:
    user, mark = dovecot.new_user(), dovecot.mark()
    session = imaplib.IMAP4("localhost", dovecot.port(Protocol.IMAP, Security.NONE), timeout=TIMEOUT)
    for password in ("no", "nor", password_of(user)):
        try:
            session.login(user, password)
        except imaplib.IMAP4.error:
            continue
    session.logout()
    assert [attempt.ok for attempt in dovecot.login_attempts(mark, user)] == [False, False, True]


def test_dovecot_counts_an_attempt_that_was_given_up(dovecot: Dovecot) -> None:
    mark = dovecot.mark()
    session = smtplib.SMTP("localhost", dovecot.port(Protocol.SMTP, Security.NONE), timeout=TIMEOUT)
    session.ehlo()
    assert session.docmd("AUTH", "CRAM-MD5")[0] == 334
    session.close()
    (attempt,) = dovecot.login_attempts(mark)
    assert (attempt.service, attempt.mechanism) == ("submission", "CRAM-MD5")
    assert attempt.ok is not True


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        (EXPIRED, "certificate has expired"),
        (SELF_SIGNED, "self.signed certificate"),
        (WRONG_NAME, "mismatch"),
        (UNKNOWN_ISSUER, "unable to get local issuer"),
    ],
)
def test_each_faulty_certificate_has_its_one_fault(dovecot: Dovecot, address: str, fault: str) -> None:
    port = dovecot.port(Protocol.IMAP, Security.IMPLICIT_TLS)
    with pytest.raises(ssl.SSLCertVerificationError, match=fault):
        imaplib.IMAP4_SSL(address, port, ssl_context=strict_context(dovecot), timeout=TIMEOUT)


def test_delivered_messages_are_there(dovecot: Dovecot) -> None:
    user = dovecot.new_user()
    dovecot.deliver(user, b"Subject: one\n\nHello\n", b"Subject: two\n\nAgain\n")
    session = poplib.POP3("localhost", dovecot.port(Protocol.POP3, Security.NONE), timeout=TIMEOUT)
    session.user(user)
    session.pass_(password_of(user))
    assert session.stat() == (2, 2 * len(b"Subject: one\r\n\r\nHello\r\n"))
    session.quit()


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("security", list(Security))
def test_postfix_counts_each_login(dovecot: Dovecot, postfix: Postfix, security: Security, right: bool) -> None:
    user, mark, sessions_mark = dovecot.new_user(), dovecot.mark(), postfix.mark()
    password = password_of(user) if right else "no"
    assert smtp_plain(postfix.port(security), strict_context(dovecot), security, user, password) is right
    assert dovecot.login_attempts(mark) == [LoginAttempt("smtp", "PLAIN", user, right)]
    (session,) = postfix.sessions(sessions_mark)
    assert (session.commands["auth"], session.accepted["auth"]) == (1, int(right))


def test_parse_attempts_tells_two_login_processes_with_the_same_request_number_apart() -> None:
    log = "\n".join(
        [
            "auth: Debug: client in: AUTH\t1\tPLAIN\tservice=imap\tsession=AA\tresp=<hidden>",
            "auth: Debug: client in: AUTH\t1\tLOGIN\tservice=pop3\tsession=BB\tresp=<hidden>",
            "auth: Debug: auth(eve,127.0.0.1,<BB>): Auth request finished",
            "auth: Debug: client passdb out: FAIL\t1\tuser=eve",
            "auth: Debug: auth(ada,127.0.0.1,<AA>): Auth request finished",
            "auth: Debug: client passdb out: OK\t1\tuser=ada\t",
        ]
    )
    assert parse_attempts(log) == [
        LoginAttempt("imap", "PLAIN", "ada", True),
        LoginAttempt("pop3", "LOGIN", "eve", False),
    ]


def test_parse_session_counts_refused_commands() -> None:
    session = parse_session("localhost[127.0.0.1] ehlo=2 auth=1/3 quit=1 commands=4/6")
    assert session.commands == {"ehlo": 2, "auth": 3, "quit": 1, "commands": 6}
    assert session.accepted["auth"] == 1


@pytest.mark.parametrize(
    ("environment", "outcome"),
    [
        ({}, pytest.skip.Exception),
        ({"CI": "false", "MAILTUI_REQUIRE_SERVERS": "0"}, pytest.skip.Exception),
        ({"CI": "true"}, pytest.fail.Exception),
        ({"MAILTUI_REQUIRE_SERVERS": "1"}, pytest.fail.Exception),
    ],
)
def test_a_missing_server_fails_only_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], outcome: type[BaseException]
) -> None:
    for name in ("CI", "MAILTUI_REQUIRE_SERVERS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(outcome, match="Dovecot is not installed"):
        unavailable("Dovecot is not installed")
