"""Accounts removed and copied with the secrets that belong to them."""

import asyncio
import os
import pty
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.storage.ledger import Ledger
from mailtui.storage.reader import Reader
from mailtui.storage.secrets import SecretStore
from tests.cli.conftest import Shell
from tests.cli.reports import good_report

PASSWORD = "correct horse"


def test_remove_needs_a_yes(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault:mine")
    refused = shell("account", "remove", "ada", stdin="y\n")
    assert refused.code == 3
    assert "--yes" in refused.err
    removed = shell("account", "remove", "ada", "--yes")
    assert (removed.lines, removed.err) == (["removed ada"], "")
    assert shell("account", "show", "ada").code == 3


def test_the_secret_goes_with_the_account(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    shell("secret", "set", "ada", stdin=PASSWORD)
    shell("secret", "set", "ada", "--leg", "inbound", stdin="two")
    run = shell("account", "remove", "ada", "--yes")
    assert (run.code, run.err) == (0, "")
    assert run.lines == [
        "removed ada",
        "removed the secret in the vault, entry ada",
        "removed the secret in the vault, entry ada inbound",
    ]
    assert "0 entries" in shell("secret", "where").out


def test_the_mail_of_an_account_stays_and_a_line_says_where(shell: Shell) -> None:
    given = shell.folder / "given"
    for name, *destination in (["ada"], ["bob"], ["cyd", "--destination", f"maildir:{given}"], ["dan"]):
        shell.add(name, "--secret", "env:SECRET", *destination)
    with shell.database() as database:
        own = shell.folder / "data" / "mail" / Ledger(database, "ada").folder("ada")
        # Nothing has been put there.
        Ledger(database, "dan").folder("dan")
    for tree in (own, given):
        tree.mkdir(parents=True)
    run = shell("account", "remove", "ada", "bob", "cyd", "dan", "--yes")
    assert (run.code, run.err) == (0, "")
    assert run.lines[4:] == [f"the mail of ada stays in {own}", f"the mail of cyd stays in {given}"]
    assert own.is_dir()


def test_a_secret_that_others_read_stays(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    shell.add("bob", "--secret", "vault:ada")
    shell("secret", "set", "ada", "--yes", stdin=PASSWORD)
    assert shell("account", "remove", "ada", "--yes").lines == [
        "removed ada",
        "the secret in the vault, entry ada stays: bob reads it",
    ]
    assert shell("secret", "test", "bob").code == 0
    assert shell("account", "remove", "bob", "--yes").lines[1:] == ["removed the secret in the vault, entry ada"]


def test_a_secret_can_be_kept(shell: Shell) -> None:
    shell.add("ada l", "--secret", "vault")
    shell("secret", "set", "ada l", stdin=PASSWORD)
    told = shell("account", "remove", "ada l", "--yes", "--keep-secret").lines
    assert told[0] == "removed ada l"
    assert "the secret stays in the vault, entry ada l; to remove it: " in told[1]
    command = told[1].partition("to remove it: mailtui ")[2]
    assert shell(*shlex.split(command)).out == "removed from the vault, entry ada l\n"


def test_a_secret_that_cannot_be_read_is_told_and_the_account_is_gone(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    (shell.folder / "data" / "vault.json").write_text("no vault")
    vaults = [path.name for path in (shell.folder / "data").iterdir()]
    run = shell("account", "remove", "ada", "--yes")
    assert (run.code, run.out) == (1, "removed ada\n")
    assert "a password may be left in the vault, entry ada" in run.err, vaults
    assert run.err.count("\n") == 1


def test_removal_is_all_or_nothing(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    shell("secret", "set", "ada", stdin=PASSWORD)
    run = shell("account", "remove", "ada", "nobody", "--yes")
    assert (run.code, run.out) == (3, "")
    assert shell("secret", "test", "ada").code == 0


@pytest.mark.parametrize(("answer", "gone"), [(b"y\n", True), (b"n\n", False), (b"\n", False), (b"\x04", False)])
def test_remove_asks_on_a_terminal(shell: Shell, answer: bytes, gone: bool) -> None:
    shell.add("ada")
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mailtui", "account", "remove", "ada"],
        cwd=Path(__file__).resolve().parents[2],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
    ) as process:
        os.close(slave)
        asked = b""
        while b"[y/N]" not in asked:
            asked += os.read(master, 1_000)
        os.write(master, answer)
        process.communicate(timeout=60)
    os.close(master)
    assert b"Remove ada, the check history and the secret in the desktop keyring, entry ada?" in asked
    with shell.database() as database:
        assert [account.name for account in database.accounts()] == ([] if gone else ["ada"])


def test_a_copy_has_the_settings_and_the_secret(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault", "--type", "sales")
    shell("secret", "set", "ada", stdin=PASSWORD)
    shell("secret", "set", "ada", "--leg", "inbound", stdin="two")
    with shell.database() as database:
        database.record(good_report(database.account("ada")))
    run = shell("account", "copy", "ada", "bob")
    assert (run.code, run.lines, run.err) == (0, ["added bob, a copy of ada"], "")
    with shell.database() as database:
        ada, bob = database.accounts()
        assert database.history("bob") == []
    assert (bob.type, bob.submission.endpoint, bob.last_verified) == ("sales", ada.submission.endpoint, None)
    assert shell("account", "remove", "ada", "--yes").code == 0
    assert shell("secret", "test", "bob").lines == [
        "bob  outbound  ok  the secret can be read from the vault, entry 'bob'",
        "bob  inbound  ok  the secret can be read from the vault, entry 'bob inbound'",
    ]


def test_a_copy_of_an_account_that_was_renamed_has_its_own_secret(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault:old name")
    shell("secret", "set", "ada", stdin=PASSWORD)
    assert shell("account", "copy", "ada", "bob").code == 0
    with shell.database() as database:
        assert database.account("bob").submission.secret == SecretRef(SecretScheme.VAULT)
    assert shell("secret", "test", "bob").code == 0


def test_a_copy_goes_on_sharing_a_shared_secret(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault:team")
    shell.add("eve", "--secret", "vault:team")
    assert shell("account", "copy", "ada", "bob").err == ""
    with shell.database() as database:
        assert database.account("bob").submission.secret == SecretRef(SecretScheme.VAULT, "team")


def test_a_copy_without_a_secret_says_so(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    run = shell("account", "copy", "ada", "bob")
    assert (run.code, run.out) == (1, "added bob, a copy of ada\n")
    assert "no outbound password was put into the vault, entry bob" in run.err
    assert "mailtui secret set bob" in run.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ada", "ada"], "'ada' already"),
        (["adda", "bob"], "did you mean 'ada'"),
        (["ada", " bob"], "name: starts or ends with a space"),
    ],
)
def test_what_cannot_be_copied(shell: Shell, arguments: list[str], told: str) -> None:
    shell.add("ada", "--secret", "vault")
    run = shell("account", "copy", *arguments)
    assert (run.code, run.out) == (3, "")
    assert told in run.err


def several(shell: Shell) -> None:
    for name in ("ada", "bob"):
        shell.add(name, "--secret", "vault")
        shell("secret", "set", name, stdin=PASSWORD)


def test_an_interrupted_removal_is_done_to_its_end_and_told(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    several(shell)
    delete_many = SecretStore.delete_many

    async def interrupted(self: SecretStore, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)
        return await delete_many(self, entries)

    monkeypatch.setattr(SecretStore, "delete_many", interrupted)
    run = shell("account", "remove", "ada", "bob", "--yes")
    assert (run.code, run.err) == (130, "mailtui: interrupted\n")
    assert run.lines == [
        "removed ada",
        "removed bob",
        "removed the secret in the vault, entry ada",
        "removed the secret in the vault, entry bob",
    ]
    assert shell("account", "list", "--names").out == ""
    assert "0 entries" in shell("secret", "where").out


def test_a_removal_that_is_stopped_half_way_says_what_is_left(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    several(shell)

    async def stuck(self: SecretStore, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0)
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(SecretStore, "delete_many", stuck)
    run = shell("account", "remove", "ada", "bob", "--yes")
    assert (run.code, run.out) == (130, "")
    assert run.err.splitlines() == [
        "mailtui: removed ada, bob",
        "mailtui: a password may be left in the vault, entry ada and 1 more: the removal was interrupted; "
        "to remove it: mailtui secret remove ada --from vault:ada, and so on",
        "mailtui: interrupted",
    ]
    assert shell("account", "list", "--names").out == ""


def test_a_removal_that_is_interrupted_before_it_begins_removes_nothing(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(shell)

    async def interrupted(self: Reader, ref: SecretRef, account_name: str) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(Reader, "read", interrupted)
        run = shell("account", "remove", "ada", "bob", "--yes")
    assert (run.code, run.out, run.err) == (130, "", "mailtui: interrupted\n")
    assert shell("secret", "test", "ada", "bob").code == 0


def test_an_interrupted_copy_has_its_password(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    several(shell)
    write = SecretStore.write

    async def interrupted(self: SecretStore, ref: SecretRef, account_name: str, secret: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)
        await write(self, ref, account_name, secret)

    monkeypatch.setattr(SecretStore, "write", interrupted)
    run = shell("account", "copy", "ada", "eve")
    assert (run.code, run.lines, run.err) == (130, ["added eve, a copy of ada"], "mailtui: interrupted\n")
    assert shell("secret", "test", "eve").code == 0


def test_an_account_that_was_changed_since_the_question_is_not_removed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(shell)
    read = Reader.read

    async def meanwhile(self: Reader, ref: SecretRef, account_name: str) -> str:
        with shell.database() as database:
            database.set_active(["bob"], False)
        return await read(self, ref, account_name)

    with monkeypatch.context() as patched:
        patched.setattr(Reader, "read", meanwhile)
        run = shell("account", "remove", "ada", "bob", "--yes")
    assert (run.code, run.out) == (3, "")
    assert run.err == (
        "mailtui: bob was changed meanwhile by someone else; nothing was removed: look at the accounts, then repeat\n"
    )
    assert shell("secret", "test", "ada", "bob").code == 0
