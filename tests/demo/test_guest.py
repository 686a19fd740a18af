"""The demo's guest: an account that a person sets up by hand meets servers that welcome it."""

import asyncio
import imaplib
import shutil
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.actions.check import CheckOptions, check_account
from mailtui.demo import guest
from mailtui.demo.listener import Listener
from mailtui.demo.trust import trusted
from mailtui.demo.world import DemoWorld
from mailtui.model.account import (
    Account,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
)
from mailtui.model.check import CheckReport, Leg, Stage
from mailtui.protocols import certificates
from tests.demo.conftest import Visitor

_KEYRING = SecretRef(SecretScheme.KEYRING)


class _Known:
    async def read(self, ref: SecretRef, account_name: str) -> str:
        return guest.PASSWORD


def _account(world: DemoWorld, smtp: str, security: Security, inbound: tuple[str, Protocol] | None = None) -> Account:
    submission = Submission(Endpoint("localhost", world.ports[smtp], security), secret=_KEYRING)
    retrieval = None
    if inbound is not None:
        port, protocol = inbound
        retrieval = Retrieval(protocol, Endpoint("localhost", world.ports[port], security))
    return Account("guest", guest.ADDRESS, submission, retrieval)


def _check(world: DemoWorld, account: Account) -> CheckReport:
    # The store is read once in a process: it may have been before the demo's authority was in it.
    certificates._unextended_context.cache_clear()
    try:
        with trusted(world.ca_file):
            return asyncio.run(check_account(account, _Known(), options=CheckOptions(stage_timeout=20.0)))
    finally:
        certificates._unextended_context.cache_clear()


@pytest.fixture
def fresh(visitor: Visitor) -> DemoWorld:
    return visitor.world


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3])
@pytest.mark.parametrize("security", [Security.IMPLICIT_TLS, Security.STARTTLS])
def test_guest_is_welcome_everywhere(fresh: DemoWorld, protocol: Protocol, security: Security) -> None:
    s = "s" if security is Security.IMPLICIT_TLS else ""
    report = _check(fresh, _account(fresh, f"smtp{s}", security, (f"{protocol.value}{s}", protocol)))
    assert [leg.failure for leg in report.legs] == [None, None]
    assert report.inbound is not None
    assert report.inbound.messages


def test_open_server_wants_no_login(fresh: DemoWorld) -> None:
    account = _account(fresh, "smtp-open", Security.NONE)
    account = replace(account, submission=replace(account.submission, authentication=False, secret=None))
    report = _check(fresh, account)
    assert report.outbound is not None
    assert report.outbound.failure is None
    assert Stage.AUTH not in {stage.stage for stage in report.outbound.stages}
    assert not any(word.startswith("AUTH") for word in report.outbound.capabilities)


def test_authority_is_trusted_for_the_block_alone(
    fresh: DemoWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = tmp_path / "usual.pem"
    store.write_bytes(fresh.ca_file.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    import os

    with trusted(fresh.ca_file):
        bundle = Path(os.environ["SSL_CERT_FILE"]).read_bytes()
        assert store.read_bytes() in bundle, "what was trusted before still is"
    assert os.environ["SSL_CERT_FILE"] == str(store)


def test_invitation_names_every_way(fresh: DemoWorld) -> None:
    words = guest.invitation(fresh.ports)
    for name in guest.PORTS:
        assert str(fresh.ports[name]) in words
    assert guest.ADDRESS in words
    assert guest.PASSWORD in words
    assert max(map(len, words.splitlines())) < 80


def test_mail_that_the_invitation_tells_how_to_send_arrives(fresh: DemoWorld) -> None:
    account = next(account for account in fresh.accounts if account.email == guest.CORRESPONDENT)
    assert account.retrieval is not None
    before = _waiting(fresh, account)
    if (curl := shutil.which("curl")) is None:
        pytest.skip("curl is not installed")
    _, _, command = guest.invitation(fresh.ports).partition("echo hi | curl ")
    subprocess.run([curl, "-sS", *command.replace("\\\n", "").split()], input=b"hi\n", check=True, timeout=30)
    assert _waiting(fresh, account) == before + 1


def _waiting(world: DemoWorld, account: Account) -> int:
    assert account.retrieval is not None
    trust = ssl.create_default_context(cafile=str(world.ca_file))
    with imaplib.IMAP4_SSL("localhost", account.retrieval.endpoint.port, ssl_context=trust, timeout=30) as imap:
        imap.login(account.email, world.passwords[account.name])
        return int(imap.select("INBOX", readonly=True)[1][0] or b"0")


def test_taken_port_is_no_trouble() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async def scenario() -> None:
        first, second = Listener(), Listener()
        try:
            port = await first.serve(handler)
            assert await second.serve(handler, port=port) != port
        finally:
            await first.close()
            await second.close()

    asyncio.run(scenario())


def test_legs_are_those_of_the_account(fresh: DemoWorld) -> None:
    report = _check(fresh, _account(fresh, "smtps", Security.IMPLICIT_TLS))
    assert [leg.leg for leg in report.legs] == [Leg.OUTBOUND]
