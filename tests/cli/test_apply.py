"""Accounts as files: applied again and again, compared, exported."""

from pathlib import Path

import pytest

from mailtui.interop.accounts_toml import read_accounts
from mailtui.storage.database import Database
from tests.cli.conftest import Shell
from tests.cli.reports import good_report

TWO = """\
[[account]]
name = "ada"
email = "ada@example.org"
[account.submission]
host = "mail.example.org"
secret = "vault"

[[account]]
name = "bob"
email = "bob@example.org"
active = false
[account.submission]
host = "mail.example.org"
secret = "env:BOB"
certificate = "accept-anything"
"""


def test_apply_creates_updates_and_leaves_alone(shell: Shell, tmp_path: Path) -> None:
    shell.add("carol")
    file = tmp_path / "accounts.toml"
    file.write_text(TWO)
    first = shell("account", "apply", str(file))
    assert (first.code, first.err) == (0, "")
    assert first.lines == [
        "created    ada",
        "created    bob",
        "bob: outbound certificates: ACCEPT ANYTHING (unsafe)",
    ]
    assert [line for line in shell("account", "apply", str(file)).lines if "bob:" not in line] == [
        "unchanged  ada",
        "unchanged  bob",
    ]
    file.write_text(TWO.replace("ada@", "countess@"))
    assert shell("account", "apply", str(file)).lines[:2] == ["updated    ada", "unchanged  bob"]
    with shell.database() as database:
        assert [account.name for account in database.accounts()] == ["ada", "bob", "carol"]
        assert database.account("ada").email == "countess@example.org"


def test_an_update_keeps_history_and_times(shell: Shell) -> None:
    shell("account", "apply", "-", stdin=TWO)
    with shell.database() as database:
        before = database.account("ada")
        database.record(good_report(before))
    assert shell("account", "apply", "-", stdin=TWO.replace("ada@", "countess@")).code == 0
    with shell.database() as database:
        assert len(database.history("ada")) == 1
        assert database.account("ada").created == before.created


def test_a_dry_run_shows_the_differences_and_changes_nothing(shell: Shell) -> None:
    shell("account", "apply", "-", stdin=TWO)
    changed = TWO.replace("ada@", "countess@").replace('"bob"', '"rob"')
    run = shell("account", "apply", "-", "--dry-run", stdin=changed)
    assert run.code == 0
    assert "--- stored" in run.lines
    assert "+++ ada as in the file" in run.lines
    assert '-email = "ada@example.org"' in run.lines
    assert '+email = "countess@example.org"' in run.lines
    assert "--- nothing" in run.lines
    assert '+name = "rob"' in run.lines
    with shell.database() as database:
        assert [account.name for account in database.accounts()] == ["ada", "bob"]
        assert database.account("ada").email == "ada@example.org"


def test_a_file_with_a_problem_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "accounts.toml"
    file.write_text(TWO + "port = 70000\nprot = 1\n")
    run = shell("account", "apply", str(file))
    assert (run.code, run.out) == (3, "")
    assert [line.removeprefix(f"mailtui: {file}:")[:22] for line in run.err.splitlines()] == [
        "16: account bob: submi",
        "17: account bob: submi",
    ]
    with shell.database() as database:
        assert database.accounts() == []


def test_an_account_that_cannot_be_stored_keeps_the_others_out(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add("bob")
    with shell.database() as database:
        before = database.accounts()
    # As if somebody had added bob after we looked.
    monkeypatch.setattr("mailtui.storage.database.Database.accounts", lambda database: [])
    run = shell("account", "apply", "-", stdin=TWO)
    assert (run.code, run.out) == (3, "")
    assert "an account named 'bob' already" in run.err
    monkeypatch.undo()
    with Database.open(shell.folder / "data" / "mailtui.db") as database:
        assert database.accounts() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no [[account]]"),
        (b"x = \n", "standard input:1: not TOML: Invalid value"),
        (b'[[account]]\nname = "\xff"\n', "standard input:2: is not UTF-8"),
        (b"x = 1\ny = " + b"9" * 5_000, "standard input:2: holds a number of thousands of digits"),
    ],
)
def test_what_is_no_file_of_accounts(shell: Shell, content: bytes, told: str) -> None:
    run = shell("account", "apply", "-", stdin=content)
    assert run.code == 3
    assert told in run.err


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read(shell: Shell, tmp_path: Path, name: str) -> None:
    run = shell("account", "apply", str(tmp_path / name))
    assert run.code == 3
    assert "cannot be read" in run.err


def test_export_can_be_applied_elsewhere(shell: Shell, tmp_path: Path) -> None:
    shell("account", "apply", "-", stdin=TWO)
    exported = shell("account", "export")
    assert read_accounts(exported.out, "export") == read_accounts(TWO, "two")
    elsewhere = ("--data", str(tmp_path / "elsewhere"))
    assert shell(*elsewhere, "account", "apply", "-", stdin=exported.out).code == 0
    assert shell(*elsewhere, "account", "export").out == exported.out


def test_export_of_some(shell: Shell) -> None:
    shell("account", "apply", "-", stdin=TWO)
    assert [account.name for account in read_accounts(shell("account", "export", "bob").out, "x")] == ["bob"]
    assert shell("account", "export", "bbo").code == 3


def references(shell: Shell) -> dict[str, str]:
    with shell.database() as database:
        return {account.name: str(account.submission.secret) for account in database.accounts()}


def test_a_new_account_gets_no_entry_of_one_that_had_its_name(shell: Shell) -> None:
    shell.add("lovelace", "--secret", "vault:ada")
    assert shell("account", "apply", "-", stdin=TWO).lines[0] == "created    ada"
    assert references(shell)["ada"] == "vault:ada 2"
    assert shell("account", "apply", "-", stdin=TWO).lines[0] == "unchanged  ada"
    assert references(shell)["ada"] == "vault:ada 2"


def test_accounts_of_one_file_share_what_it_says(shell: Shell) -> None:
    text = TWO.replace('"env:BOB"', '"vault"').replace('secret = "vault"', 'secret = "vault:bob"', 1)
    assert shell("account", "apply", "-", stdin=text).code == 0
    assert references(shell) == {"ada": "vault:bob", "bob": "vault"}
    exported = shell("account", "export").out
    assert shell("account", "apply", "-", stdin=exported).lines[:2] == ["unchanged  ada", "unchanged  bob"]
