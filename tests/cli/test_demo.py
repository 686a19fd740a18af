"""`mailtui demo --check`: the demo's verdicts from the shell, without a screen."""

import base64
import json
from pathlib import Path

import pytest

from mailtui.demo.world import DemoWorld, expectations, expected_stages
from mailtui.model.check import Leg
from tests.cli.conftest import Shell


@pytest.fixture
def worlds(monkeypatch: pytest.MonkeyPatch) -> list[DemoWorld]:
    """The worlds that the command makes."""
    made: list[DemoWorld] = []

    class Witnessed(DemoWorld):
        def __init__(self, folder: Path) -> None:
            super().__init__(folder)
            made.append(self)

    monkeypatch.setattr("mailtui.demo.workspace.DemoWorld", Witnessed)
    return made


def test_each_broken_account_fails_as_expected_and_no_password_shows(shell: Shell, worlds: list[DemoWorld]) -> None:
    run = shell("demo", "--check", "--format", "json", "--transcript")
    assert (run.code, run.err) == (2, "")
    found = {account["account"]: account for account in json.loads(run.out)["accounts"]}
    assert set(found) == set(expectations)
    for name, legs in expectations.items():
        for leg, cause in legs.items():
            failure = found[name][leg.value]["failure"]
            told = None if failure is None else (failure["cause"], failure["stage"])
            stage = expected_stages[name][leg]
            expected = None if cause is None or stage is None else (cause.value, stage.value)
            assert told == expected, f"{name} {leg}"
        assert (found[name][Leg.INBOUND.value] is None) is (Leg.INBOUND not in legs)
    (world,) = worlds
    people = {account.email for account in world.accounts}
    for password in world.passwords.values():
        assert password not in run.out
        assert base64.b64encode(password.encode()).decode() not in run.out
        for person in people:
            assert base64.b64encode(f"\0{person}\0{password}".encode()).decode() not in run.out
    assert not world.folder.exists()
    assert not (shell.folder / "data").exists()


def test_the_screen_of_the_demo_is_refused_without_a_terminal(shell: Shell, worlds: list[DemoWorld]) -> None:
    run = shell("demo")
    assert (run.code, run.out) == (3, "")
    assert "mailtui demo --check" in run.err
    assert worlds == []
