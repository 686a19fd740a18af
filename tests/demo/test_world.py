"""The demo's world, seen by the standard library's own clients."""

import base64
import gc
import imaplib
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from mailtui.demo.accounts import PEOPLE
from mailtui.demo.world import DemoWorld, expectations, expected_stages
from mailtui.model.account import Account, Protocol, Security
from mailtui.model.check import Cause, Leg
from mailtui.model.errors import UsageError
from mailtui.model.validation import problems
from tests.demo.conftest import Visitor

_TIMEOUT = 15.0


def _submission(visitor: Visitor, account: Account) -> smtplib.SMTP:
    endpoint = account.submission.endpoint
    if endpoint.security is Security.IMPLICIT_TLS:
        return smtplib.SMTP_SSL(endpoint.host, endpoint.port, context=visitor.trust, timeout=_TIMEOUT)
    smtp = smtplib.SMTP(endpoint.host, endpoint.port, timeout=_TIMEOUT)
    smtp.starttls(context=visitor.trust)
    return smtp


def _imap(visitor: Visitor, account: Account) -> imaplib.IMAP4:
    assert account.retrieval is not None
    endpoint = account.retrieval.endpoint
    if endpoint.security is Security.IMPLICIT_TLS:
        return imaplib.IMAP4_SSL(endpoint.host, endpoint.port, ssl_context=visitor.trust, timeout=_TIMEOUT)
    imap = imaplib.IMAP4(endpoint.host, endpoint.port, timeout=_TIMEOUT)
    imap.starttls(visitor.trust)
    return imap


def _pop3(visitor: Visitor, account: Account) -> poplib.POP3:
    assert account.retrieval is not None
    endpoint = account.retrieval.endpoint
    if endpoint.security is Security.IMPLICIT_TLS:
        return poplib.POP3_SSL(endpoint.host, endpoint.port, context=visitor.trust, timeout=_TIMEOUT)
    pop3 = poplib.POP3(endpoint.host, endpoint.port, timeout=_TIMEOUT)
    pop3.stls(visitor.trust)
    return pop3


HEALTHY_OUTBOUND = [name for name, legs in expectations.items() if legs[Leg.OUTBOUND] is None]
HEALTHY_INBOUND = [name for name, legs in expectations.items() if Leg.INBOUND in legs and legs[Leg.INBOUND] is None]


def test_every_account_is_sound_and_has_its_password(visitor: Visitor) -> None:
    accounts = visitor.world.accounts
    assert [account.name for account in accounts] == list(expectations)
    assert {account.name: problems(account) for account in accounts} == dict.fromkeys(expectations, ())
    assert set(visitor.world.passwords) == set(expectations)
    assert len(set(visitor.world.passwords.values())) == len(accounts)


def test_every_leg_has_an_expectation_and_every_failure_a_stage(visitor: Visitor) -> None:
    for account in visitor.world.accounts:
        legs = {Leg.OUTBOUND} if account.retrieval is None else set(Leg)
        assert set(expectations[account.name]) == legs
        for leg, cause in expectations[account.name].items():
            assert (cause is None) == (expected_stages[account.name][leg] is None)


@pytest.mark.parametrize("name", HEALTHY_OUTBOUND)
def test_a_healthy_outbound_leg_works(visitor: Visitor, name: str) -> None:
    account = visitor.account(name)
    with _submission(visitor, account) as smtp:
        assert smtp.login(account.email, visitor.password(account))[0] == 235
        assert smtp.mail(account.email)[0] == 250
        assert smtp.rset()[0] == 250


@pytest.mark.parametrize("name", HEALTHY_INBOUND)
def test_a_healthy_inbound_leg_works_and_mail_waits(visitor: Visitor, name: str) -> None:
    account = visitor.account(name)
    assert account.retrieval is not None
    if account.retrieval.protocol is Protocol.IMAP:
        with _imap(visitor, account) as imap:
            imap.login(account.email, visitor.password(account))
            kind, data = imap.select("INBOX", readonly=True)
            assert kind == "OK"
            assert int(data[0] or b"0") >= 3
    else:
        pop3 = _pop3(visitor, account)
        pop3.user(account.email)
        pop3.pass_(visitor.password(account))
        assert pop3.stat()[0] >= 3
        pop3.quit()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_smtp_mechanisms_and_a_wrong_password(visitor: Visitor, mechanism: str) -> None:
    account = visitor.account("Ada")
    with _submission(visitor, account) as smtp:
        smtp.ehlo()
        assert set(smtp.esmtp_features["auth"].split()) == {"PLAIN", "LOGIN"}
        assert smtp.mail(account.email)[0] == 530
        smtp.user, smtp.password = account.email, "not the password"
        authenticate = smtp.auth_plain if mechanism == "PLAIN" else smtp.auth_login
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            smtp.auth(mechanism, authenticate)
        assert (refused.value.smtp_code, str(refused.value.smtp_error)[:8]) == (535, "b'5.7.8 ")
        smtp.password = visitor.password(account)
        assert smtp.auth(mechanism, authenticate)[0] == 235


def test_smtp_offers_auth_only_under_tls(visitor: Visitor) -> None:
    with smtplib.SMTP("localhost", visitor.world.ports["smtp"], timeout=_TIMEOUT) as smtp:
        smtp.ehlo()
        assert "starttls" in smtp.esmtp_features
        assert "auth" not in smtp.esmtp_features
        smtp.starttls(context=visitor.trust)
        smtp.ehlo()
        assert "starttls" not in smtp.esmtp_features
        assert "auth" in smtp.esmtp_features


def test_imap_offers_starttls_only_where_it_makes_sense(visitor: Visitor) -> None:
    with imaplib.IMAP4("localhost", visitor.world.ports["imap"], timeout=_TIMEOUT) as imap:
        assert "STARTTLS" in imap.capabilities
        imap.starttls(visitor.trust)
        assert "STARTTLS" not in imap.capabilities
    with _imap(visitor, visitor.account("Ada")) as imap:
        assert "STARTTLS" not in imap.capabilities
        assert {"AUTH=PLAIN", "AUTH=LOGIN", "AUTH=CRAM-MD5"} <= set(imap.capabilities)


def test_imap_cram_md5(visitor: Visitor) -> None:
    account = visitor.account("Ada")
    with _imap(visitor, account) as imap:
        assert imap.login_cram_md5(account.email, visitor.password(account))[0] == "OK"


def test_the_wrong_password_is_refused_by_both_servers(visitor: Visitor) -> None:
    account = visitor.account("Alan")
    with _submission(visitor, account) as smtp, pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login(account.email, visitor.password(account))
    with _imap(visitor, account) as imap, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        imap.login(account.email, visitor.password(account))


def test_the_mailbox_that_refuses_does_so_after_login(visitor: Visitor) -> None:
    account = visitor.account("Sofia")
    with _imap(visitor, account) as imap:
        imap.login(account.email, visitor.password(account))
        kind, data = imap.select("INBOX", readonly=True)
        assert (kind, data) == ("NO", [b"[NOPERM] Permission denied on mailbox INBOX"])
    pop3 = poplib.POP3_SSL("localhost", visitor.world.ports["pop3s"], context=visitor.trust, timeout=_TIMEOUT)
    pop3.user(account.email)
    with pytest.raises(poplib.error_proto, match="SYS/PERM"):
        pop3.pass_(visitor.password(account))
    pop3.close()
    sender = visitor.account("Ada")
    with _submission(visitor, sender) as smtp:
        smtp.login(sender.email, visitor.password(sender))
        with pytest.raises(smtplib.SMTPDataError, match="Permission denied"):
            smtp.sendmail(sender.email, [account.email], "Subject: hello\r\n\r\nhello\r\n")


@pytest.mark.parametrize(
    ("name", "connect", "verify_code"),
    [("Grace", _imap, 10), ("Emmy", _submission, 18), ("Katherine", _pop3, 62)],
)
def test_a_bad_certificate_is_refused(
    visitor: Visitor, name: str, connect: Callable[[Visitor, Account], object], verify_code: int
) -> None:
    account = visitor.account(name)
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        connect(visitor, account)
    assert refused.value.verify_code == verify_code


def test_tls_on_a_starttls_port_is_answered_without_tls(visitor: Visitor) -> None:
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        _submission(visitor, visitor.account("Hedy"))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_closed_port_refuses(visitor: Visitor, host: str) -> None:
    if host == "::1" and not _machine_has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, visitor.world.ports["closed"]), timeout=_TIMEOUT)


def test_servers_answer_on_both_families(visitor: Visitor) -> None:
    for host in ["127.0.0.1", "::1"] if _machine_has_ipv6() else ["127.0.0.1"]:
        with imaplib.IMAP4(host, visitor.world.ports["imap"], timeout=_TIMEOUT) as imap:
            assert imap.noop()[0] == "OK"


def test_the_silent_server_says_nothing_and_ssh_says_ssh(visitor: Visitor) -> None:
    with socket.create_connection(("localhost", visitor.world.ports["silent"]), timeout=_TIMEOUT) as silent:
        silent.sendall(b"a1 NOOP\r\n")
        silent.shutdown(socket.SHUT_WR)
        assert silent.recv(100) == b""
    with socket.create_connection(("localhost", visitor.world.ports["ssh"]), timeout=_TIMEOUT) as ssh:
        assert ssh.recv(100).startswith(b"SSH-2.0-")


def test_what_smtp_accepts_is_seen_by_imap_and_pop3(visitor: Visitor) -> None:
    sender, reader, downloader = visitor.account("Charles"), visitor.account("Ada"), visitor.account("Mary")
    content = b"From: x\r\nSubject: round trip\r\n\r\n.a dot\r\n..two dots\r\n\r\nlast line\r\n"
    with _submission(visitor, sender) as smtp:
        smtp.login(sender.email, visitor.password(sender))
        assert smtp.sendmail(sender.email, [reader.email, downloader.email], content) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.sendmail(sender.email, ["nobody@nowhere.example"], content)
    with _imap(visitor, reader) as imap:
        imap.login(reader.email, visitor.password(reader))
        count = int(imap.select("INBOX", readonly=True)[1][0] or b"0")
        part = imap.fetch(str(count), "(BODY.PEEK[])")[1][0]
        assert isinstance(part, tuple)
        assert part[1] == content
    pop3 = _pop3(visitor, downloader)
    pop3.user(downloader.email)
    pop3.pass_(visitor.password(downloader))
    lines = pop3.retr(pop3.stat()[0])[1]
    pop3.quit()
    assert b"\r\n".join(lines) + b"\r\n" == content


def test_imap_idle_outlives_garbage_collection(visitor: Visitor) -> None:
    sender, reader = visitor.account("Ada"), visitor.account("渡辺")
    with _imap(visitor, reader) as imap:
        imap.login(reader.email, visitor.password(reader))
        imap.select("INBOX")
        imap.send(b"i1 IDLE\r\n")
        assert imap.readline().startswith(b"+")
        gc.collect()
        with _submission(visitor, sender) as smtp:
            smtp.login(sender.email, visitor.password(sender))
            smtp.sendmail(sender.email, [reader.email], "Subject: wake up\r\n\r\n")
        assert b"EXISTS" in imap.readline()
        imap.send(b"DONE\r\n")
        while not imap.readline().startswith(b"i1 OK"):
            pass


def test_stopping_leaves_nothing_behind(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        world = DemoWorld(tmp_path)
        world.start()
        ports = dict(world.ports)
        # One connection in each state: plain, silent, and in the middle of a TLS handshake.
        clients = [socket.create_connection(("localhost", ports[name])) for name in ("imap", "silent", "smtps")]
        assert clients[0].recv(100).startswith(b"* OK")
        world.stop()
        world.stop()
        assert set(threading.enumerate()) == threads
        for client in clients:
            client.settimeout(_TIMEOUT)
            while _receive(client):
                pass
            client.close()
        for port in ports.values():
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_servers_end_with_whoever_started_them(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from mailtui.demo.world import DemoWorld;"
        "world = DemoWorld(pathlib.Path(sys.argv[1])); world.start();"
        "print(world.ports['imap'], flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT) as client:
            assert client.recv(100).startswith(b"* OK")
            owner.kill()
            while _receive(client):
                pass
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)


def test_a_world_that_cannot_start_says_so(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    (tmp_path / "certificates").write_text("in the way")
    world = DemoWorld(tmp_path)
    with pytest.raises(UsageError, match="cannot start on loopback"):
        world.start()
    world.stop()
    assert set(threading.enumerate()) == threads


def test_nothing_in_the_folder_holds_a_password(visitor: Visitor) -> None:
    everything = b"".join(path.read_bytes() for path in visitor.world.folder.rglob("*") if path.is_file())
    for password in visitor.world.passwords.values():
        assert password.encode() not in everything
        assert base64.b64encode(password.encode()) not in everything


def test_the_demo_shows_every_fault_it_promises() -> None:
    causes = [way.cause for person in PEOPLE for way in person.ways.values() if way.cause is not None]
    assert set(causes) == {
        Cause.BAD_CREDENTIALS,
        Cause.CERTIFICATE_EXPIRED,
        Cause.CERTIFICATE_SELF_SIGNED,
        Cause.CERTIFICATE_WRONG_NAME,
        Cause.NOT_TLS,
        Cause.PORT_REFUSED,
        Cause.SILENT,
        Cause.FOREIGN_BANNER,
        Cause.NO_INBOX,
    }


def _receive(client: socket.socket) -> bytes:
    try:
        return client.recv(4_096)
    except ConnectionResetError:
        return b""


def _machine_has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
