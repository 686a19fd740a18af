"""What `mailtui check` finds, changes and holds back, against real servers: those of the demo."""

import base64
import json
import os
import signal
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mailtui.actions.memory import Memory
from mailtui.demo.trust import trusted
from mailtui.demo.workspace import furnished_workspace
from mailtui.demo.world import DemoWorld
from mailtui.model.account import Endpoint, Security, Trust
from mailtui.model.check import Leg
from mailtui.model.watch import Learnt, baseline_of
from tests.cli.conftest import Run, Shell

ADA = "Ada Lovelace – newsletter"
SELF_SIGNED = "Emmy Noether – self-signed"
WRONG_PASSWORD = "Alan Turing – wrong password"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoWorld]:
    with DemoWorld(tmp_path_factory.mktemp("world")) as world, trusted(world.ca_file):
        yield world


@dataclass(frozen=True, slots=True)
class House:
    """The command line on a data folder that holds the demo's accounts; no password may show in what it says."""

    shell: Shell
    world: DemoWorld

    def __call__(self, *arguments: str) -> Run:
        run = self.shell(*arguments)
        for password in self.world.passwords.values():
            assert password not in run.out + run.err
            assert base64.b64encode(password.encode()).decode() not in run.out
        return run

    def causes(self, name: str, *options: str) -> dict[str, str | None]:
        """The cause of each leg's failure, of a check with `options`."""
        (report,) = json.loads(self("check", name, "--format", "json", *options).out)["accounts"]
        return {leg.value: report[leg] and report[leg]["failure"] and report[leg]["failure"]["cause"] for leg in Leg}

    def endpoint(self, name: str, leg: Leg) -> Endpoint:
        with self.shell.database() as database:
            account = database.account(name)
        if leg is Leg.OUTBOUND:
            return account.submission.endpoint
        assert account.retrieval is not None
        return account.retrieval.endpoint

    def misconfigure(self, name: str, port: str, security: Security) -> None:
        """Let the account retrieve from one of the world's ports in a mode that is not the server's."""
        with self.shell.database() as database:
            account = database.account(name)
            assert account.retrieval is not None
            endpoint = replace(account.retrieval.endpoint, port=self.world.ports[port], security=security)
            database.update(name, replace(account, retrieval=replace(account.retrieval, endpoint=endpoint)))


@pytest.fixture
def house(shell: Shell, world: DemoWorld) -> House:
    folder: Path = shell.folder / "data"
    with furnished_workspace(world, folder):
        return House(shell, world)


@pytest.mark.parametrize(
    ("port", "wrong", "right"),
    [
        ("imap", Security.IMPLICIT_TLS, Security.STARTTLS),
        ("imaps", Security.STARTTLS, Security.IMPLICIT_TLS),
        ("pop3s", Security.IMPLICIT_TLS, Security.IMPLICIT_TLS),
        ("pop3", Security.STARTTLS, Security.STARTTLS),
    ],
)
def test_a_wrong_mode_is_recognised_and_mended(house: House, port: str, wrong: Security, right: Security) -> None:
    house.misconfigure(ADA, port, wrong)
    suggested = house("check", ADA, "--suggest")
    assert suggested.code == 2
    assert any(line.startswith("# ") and "no change" not in line for line in suggested.lines), suggested.out
    fixed = house("check", ADA, "--fix")
    assert (fixed.code, fixed.err) == (0, ""), fixed.out
    endpoint = house.endpoint(ADA, Leg.INBOUND)
    assert (endpoint.port, endpoint.security) == (house.world.ports[port], right)
    assert house("check", ADA).code == 0


def test_a_self_signed_key_is_trusted_by_its_fingerprint_alone(house: House) -> None:
    run = house("check", SELF_SIGNED, "--format", "json", "--leg", "outbound")
    (report,) = json.loads(run.out)["accounts"]
    change = report["outbound"]["diagnosis"]["change"]
    assert change["needs_consent"]
    assert change["pin"] == report["outbound"]["tls"]["certificate"]["pin"]
    assert house("check", SELF_SIGNED, "--fix").code == 2
    assert house("check", SELF_SIGNED, "--trust-key", "ab" * 32).code == 2
    assert house.endpoint(SELF_SIGNED, Leg.OUTBOUND).certificate.trust is not Trust.PIN
    assert house("check", SELF_SIGNED, "--trust-key", change["pin"]).code == 0
    assert house.endpoint(SELF_SIGNED, Leg.OUTBOUND).certificate.pins == (change["pin"],)


def test_a_refused_login_is_held_until_somebody_insists(house: House) -> None:
    refused = {"outbound": "bad-credentials", "inbound": "bad-credentials"}
    held = {"outbound": "login-held", "inbound": "login-held"}
    assert house.causes(WRONG_PASSWORD) == refused
    assert house.causes(WRONG_PASSWORD) == held
    told = house("check", WRONG_PASSWORD)
    assert sum(line.endswith(f"mailtui check '{WRONG_PASSWORD}' --insist") for line in told.lines) == 2
    assert house.causes(WRONG_PASSWORD, "--insist") == refused


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_forgets_no_refused_login(
    house: House, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, number: signal.Signals
) -> None:
    refused = Memory.refused
    if number is not signal.SIGINT:
        # Whatever ran before in this process may have taken it.
        request.addfinalizer(partial(signal.signal, number, signal.signal(number, signal.SIG_DFL)))

    def interrupted(memory: Memory, *arguments: Any) -> None:
        refused(memory, *arguments)
        os.kill(os.getpid(), number)

    with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as patched:
        with house.shell.database() as database:
            account = database.account(WRONG_PASSWORD)
            assert account.retrieval is not None
            endpoint = replace(account.retrieval.endpoint, port=silent.getsockname()[1])
            database.update(WRONG_PASSWORD, replace(account, retrieval=replace(account.retrieval, endpoint=endpoint)))
        patched.setattr(Memory, "refused", interrupted)
        # The other leg has not ended, so that there is no report of the account.
        assert house("check", WRONG_PASSWORD).code == 130
    assert house.causes(WRONG_PASSWORD, "--leg", "outbound")["outbound"] == "login-held"


def logs_in(run: Run) -> bool:
    """Whether mailtui sent a login to the IMAP server, as the transcript tells."""
    said = [line for line in run.lines if line.startswith(f"{ADA}  inbound ") and "  C: " in line]
    return any(" AUTHENTICATE " in line or " LOGIN " in line for line in said)


@pytest.mark.parametrize("accepting", [("check", ADA, "--accept-changes"), ("account", "accept", ADA)])
def test_a_changed_key_gets_no_password_until_it_is_accepted(house: House, accepting: tuple[str, ...]) -> None:
    assert house("check", ADA).code == 0
    with house.shell.database() as database:
        (last,) = database.history(ADA)
        assert last.inbound is not None
        assert last.inbound.tls is not None
        assert last.inbound.tls.certificate is not None
        other = replace(last.inbound.tls, certificate=replace(last.inbound.tls.certificate, pin="12" * 32))
        before = baseline_of(replace(last.inbound, tls=other), last.started)
        database.record_many((), learnt=[Learnt(ADA, Leg.INBOUND, baseline=before)])
    assert house.causes(ADA) == {"outbound": None, "inbound": "key-changed"}
    told = house("check", ADA, "--transcript")
    assert told.code == 2
    assert any(f"mailtui check '{ADA}' --accept-changes" in line for line in told.lines)
    assert sum("changed since " in line and "  *: " not in line for line in told.lines) == 1
    assert not logs_in(told)
    assert house(*accepting).code == 0
    good = house("check", ADA, "--transcript")
    assert good.code == 0
    assert logs_in(good)
