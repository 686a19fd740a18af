"""mailtui doctor, as a person and a script read it."""

import io
import json
import resource
import sys
from datetime import UTC, datetime

import pytest

from mailtui.actions import doctor_network, doctor_trust
from mailtui.cli.doctor import locale_findings, terminal_findings
from mailtui.cli.output import Output
from mailtui.model.finding import State
from mailtui.protocols.surroundings import Authorities
from tests.cli.conftest import Shell

LIFETIMES = ((datetime(2015, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)),)


@pytest.fixture(autouse=True)
def _good_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine that runs the tests lacks."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 1_024))
    monkeypatch.setattr(doctor_trust, "authorities", lambda: Authorities(1, LIFETIMES, "/etc/ca.pem", "", "", ""))
    monkeypatch.setattr(doctor_network, "look_up", lambda name: 1)
    monkeypatch.setattr(doctor_network, "name_servers", lambda: ["192.0.2.53"])
    monkeypatch.setattr(doctor_network, "routed_families", lambda: ["IPv4", "IPv6"])


def test_each_trouble_has_its_remedy_behind_it(shell: Shell) -> None:
    (shell.folder / "data").mkdir()
    (shell.folder / "data").chmod(0o777)
    run = shell("doctor")
    assert run.code == 2
    at = next(number for number, line in enumerate(run.lines) if line.startswith("folder"))
    assert "failed" in run.lines[at]
    assert f"-> run: chmod 700 {shell.folder}/data" in run.lines[at + 1]
    assert "1 failed" in run.lines[-1]
    assert run.err == ""


def test_json(shell: Shell) -> None:
    run = shell("doctor", "--format", "json")
    document = json.loads(run.out)
    assert (run.code, document["version"], document["severity"]) == (0, 1, "ok")
    areas = [finding["area"] for finding in document["findings"]]
    for area in ("program", "terminal", "locale", "folder", "database", "settings", "secrets/keyring", "secrets/vault"):
        assert area in areas
    for area in ("dns", "network", "trust", "clock"):
        assert area in areas
    assert all(set(finding) == {"area", "state", "words", "remedy"} for finding in document["findings"])


def test_it_makes_nothing(shell: Shell) -> None:
    shell("doctor")
    assert not (shell.folder / "data").exists()


def test_a_locale_that_is_not_installed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "tlh_KX.UTF-8")
    run = shell("doctor")
    assert "LC_ALL=tlh_KX.UTF-8 is not installed" in run.out
    assert run.code == 1


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("terminal", "told"), [("dumb", "TERM is dumb"), ("", "TERM is not set")])
def test_a_terminal_that_cannot_place_text(monkeypatch: pytest.MonkeyPatch, terminal: str, told: str) -> None:
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", Terminal())
    (found,) = terminal_findings(Output())
    assert found.state is State.WARNING
    assert told in found.words
    assert "export TERM=xterm-256color" in found.remedy


@pytest.mark.parametrize(
    ("size", "state"), [((80, 24), State.OK), ((79, 24), State.WARNING), ((80, 23), State.WARNING)]
)
def test_the_size_of_the_terminal(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], state: State) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(Output, "_size", lambda self: size)
    (found,) = terminal_findings(Output())
    assert found.state is state
    assert f"{size[0]}x{size[1]}" in found.words


def test_an_encoding_without_the_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Output, "plain_marks", True)
    (found,) = locale_findings(Output())
    assert (found.state, "LANG=C.UTF-8" in found.remedy) == (State.WARNING, True)
