"""Secrets put, tried and found from the shell; none is ever shown."""

import asyncio
import contextlib
import json
import os
import pty
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.model.account import SecretRef
from mailtui.model.errors import SecretError
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
from tests.cli.conftest import Shell

PASSWORD = "correct horse battery staple"


def test_a_piped_secret_is_kept_and_can_be_read(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    run = shell("secret", "set", "ada", stdin=f"{PASSWORD}\nsecond line\n")
    assert (run.code, run.out, run.err) == (0, "kept in the vault, entry ada\n", "")
    tested = shell("secret", "test", "ada")
    assert tested.code == 0
    assert tested.out.startswith("ada  outbound and inbound  ok  ")
    for path in (shell.folder / "data").rglob("*"):
        assert PASSWORD.encode() not in path.read_bytes()
    assert PASSWORD not in tested.out + tested.err


def test_to_moves_the_account_to_another_source(shell: Shell) -> None:
    shell.add("ada")
    run = shell("secret", "set", "ada", "--to", "vault", stdin=PASSWORD)
    assert run.lines == ["kept in the vault, entry ada", "ada now reads its outbound secret from vault"]
    with shell.database() as database:
        assert str(database.account("ada").submission.secret) == "vault"


def test_a_source_that_is_only_read_stores_nothing(shell: Shell) -> None:
    shell.add("ada")
    run = shell("secret", "set", "ada", "--to", "env:ADA_PASSWORD", stdin="")
    assert (run.code, run.out) == (0, "ada now reads its outbound secret from env:ADA_PASSWORD\n")
    refused = shell("secret", "set", "ada", stdin=PASSWORD)
    assert refused.code == 3
    assert "--to keyring or --to vault" in refused.err


def test_the_legs_never_share_an_entry_by_accident(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    assert shell("secret", "set", "ada", stdin="one").code == 0
    assert shell("secret", "set", "ada", "--leg", "inbound", stdin="two").code == 0
    with shell.database() as database:
        retrieval = database.account("ada").retrieval
        assert retrieval is not None
        assert str(retrieval.secret) == "vault:ada inbound"
    tested = shell("secret", "test", "ada")
    assert [line.split("  ")[1] for line in tested.lines] == ["outbound", "inbound"]
    assert tested.code == 0


def test_an_inbound_secret_for_a_server_that_wants_no_login_to_send(shell: Shell) -> None:
    run = shell(
        "account", "add", "--name", "ada", "--email", "a@b.c", "--smtp-host", "h", "--smtp-no-login",
        "--imap-host", "h", "--retrieval-secret", "vault",
    )  # fmt: skip
    assert run.code == 0
    assert shell("secret", "set", "ada", stdin=PASSWORD).out == "kept in the vault, entry ada\n"


def test_a_secret_that_cannot_be_read_ends_with_2(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add("ada", "--secret", "env:ADA_PASSWORD")
    monkeypatch.delenv("ADA_PASSWORD", raising=False)
    run = shell("secret", "test", "ada")
    assert run.code == 2
    assert run.out.startswith("ada  outbound and inbound  FAILED  the environment variable ADA_PASSWORD is not set")
    monkeypatch.setenv("ADA_PASSWORD", PASSWORD)
    good = shell("secret", "test", "ada")
    assert good.code == 0
    assert PASSWORD not in good.out


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (["ada"], "", "standard input holds no secret"),
        (["ada"], "\n", "standard input holds no secret"),
        (["ada"], "x" * 70_000, "that is no secret"),
        (["ada"], b"\xff\xfe\n", "not UTF-8"),
        (["adda"], PASSWORD, "did you mean 'ada'?"),
        (["ada", "--to", PASSWORD], PASSWORD, "--to: a secret is never written here"),
        (["relay", "--leg", "inbound"], PASSWORD, "send-only account"),
    ],
)
def test_what_cannot_be_done_is_told_without_the_secret(
    shell: Shell, arguments: list[str], stdin: str | bytes, told: str
) -> None:
    shell.add("ada", "--secret", "vault")
    shell.add("relay", "--smtp-no-login")
    run = shell("secret", "set", *arguments, stdin=stdin)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert PASSWORD not in run.err


def test_the_secret_is_not_shown_while_it_is_typed(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    # The vault exists then: on a terminal a new one asks for a passphrase.
    assert shell("secret", "set", "ada", "--to", "vault:other", stdin="another").code == 0
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mailtui", "secret", "set", "ada"],
        cwd=Path(__file__).resolve().parents[2],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        start_new_session=True,
    ) as process:
        os.close(slave)
        seen = b""
        while b"Secret of ada" not in seen or not seen.endswith(b": "):
            seen += os.read(master, 1_000)
        os.write(master, PASSWORD.encode() + b"\n")
        out, _ = process.communicate(timeout=60)
        # Nothing may be left to read once the last writer has closed it.
        with contextlib.suppress(OSError):
            seen += os.read(master, 10_000)
    os.close(master)
    assert (process.returncode, out) == (0, b"kept in the vault, entry other\n")
    assert PASSWORD.encode() not in seen
    assert shell("secret", "test", "ada").code == 0


def test_where_lists_every_source(shell: Shell) -> None:
    run = shell("secret", "where")
    assert run.code == 0
    assert [line.split()[0] for line in run.lines if not line.startswith(" ")] == [
        "keyring",
        "vault",
        "command",
        "env",
        "file",
        "ask",
    ]
    document = json.loads(shell("secret", "where", "--format", "json").out)
    ask = document["sources"][-1]
    assert (ask["source"], ask["usable"]) == ("ask", False)
    assert ask["remedy"]


def test_a_secret_is_not_shown_when_only_the_errors_go_elsewhere(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    # The vault exists then: on a terminal a new one asks for a passphrase.
    assert shell("secret", "set", "ada", "--to", "vault:other", stdin="another").code == 0
    master, slave = pty.openpty()
    with (shell.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL, "secret", "set", "ada"],
            cwd=Path(__file__).resolve().parents[2],
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    os.close(slave)
    try:
        seen = b""
        while not seen.endswith(b": "):
            # Without a question there is nothing to read, ever.
            assert select.select([master], [], [], 30)[0], "no question came"
            seen += os.read(master, 1_000)
        os.write(master, PASSWORD.encode() + b"\n")
        out, _ = process.communicate(timeout=60)
        with contextlib.suppress(OSError):
            seen += os.read(master, 10_000)
    finally:
        os.close(master)
        process.kill()
        process.communicate()
    assert (process.returncode, out) == (0, b"kept in the vault, entry other\n")
    assert b"Secret of ada" in seen
    assert PASSWORD.encode() not in seen
    assert (shell.folder / "log").read_bytes() == b""


TAKE_TERMINAL = """
import fcntl, runpy, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # as a shell does it for what it starts
runpy.run_module("mailtui", run_name="__main__", alter_sys=True)
"""


def test_a_removed_secret_is_gone(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    assert shell("secret", "set", "ada", stdin="one").code == 0
    assert shell("secret", "set", "ada", "--leg", "inbound", stdin="two").code == 0
    inbound = shell("secret", "remove", "ada", "--leg", "inbound")
    assert (inbound.code, inbound.out, inbound.err) == (0, "removed from the vault, entry ada inbound\n", "")
    tested = shell("secret", "test", "ada")
    assert [line.split("  ")[1:3] for line in tested.lines] == [["outbound", "ok"], ["inbound", "FAILED"]]
    again = shell("secret", "remove", "ada", "--leg", "inbound")
    assert (again.code, again.out) == (3, "")
    assert "no entry 'ada inbound'; nothing was removed" in again.err
    assert shell("secret", "remove", "ada", "--leg", "outbound").out == "removed from the vault, entry ada\n"


def test_both_legs_secrets_are_removed_unless_one_is_named(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    shell("secret", "set", "ada", stdin="one")
    shell("secret", "set", "ada", "--leg", "inbound", stdin="two")
    assert shell("secret", "remove", "ada").lines == [
        "removed from the vault, entry ada",
        "removed from the vault, entry ada inbound",
    ]


def test_a_secret_that_another_account_reads_is_kept_without_a_yes(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    shell.add("bob", "--secret", "vault:ada")
    assert shell("secret", "set", "ada", "--yes", stdin=PASSWORD).code == 0
    for arguments in (["ada"], ["bob"], ["nobody", "--from", "vault:ada"]):
        refused = shell("secret", "remove", *arguments)
        assert (refused.code, refused.out) == (3, "")
        assert "the secret in the vault, entry ada, too; add --yes" in refused.err
    assert shell("secret", "test", "ada", "bob").code == 0
    assert shell("secret", "remove", "ada", "--yes").out == "removed from the vault, entry ada\n"
    assert shell("secret", "test", "bob").code == 2


def test_an_account_without_a_login_needs_no_secret(shell: Shell) -> None:
    shell.add("relay", "--smtp-no-login")
    tested = shell("secret", "test", "relay")
    assert (tested.code, tested.lines) == (0, ["relay  no login  it needs no secret: there is none to test"])
    run = shell("secret", "set", "relay", stdin=PASSWORD)
    assert (run.code, run.out) == (3, "")
    assert run.err == (
        "mailtui: relay sends without a login and needs no secret for that; "
        "to let it log in: mailtui account edit relay\n"
    )
    assert not (shell.folder / "data" / "vault.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ada"], "reads its secret from env:ADA; remove it there"),
        (["ada", "--leg", "inbound"], "no inbound secret of its own"),
        (["ada", "--from", "env:ADA"], "from keyring and vault alone"),
        (["ada", "--from", PASSWORD], "--from: a secret is never written here"),
        (["relay", "--leg", "inbound"], "send-only account"),
        (["adda"], "did you mean 'ada'?"),
    ],
)
def test_what_mailtui_does_not_keep_it_does_not_remove(shell: Shell, arguments: list[str], told: str) -> None:
    shell.add("ada", "--secret", "env:ADA")
    shell.add("relay", "--smtp-no-login")
    run = shell("secret", "remove", *arguments)
    assert (run.code, run.out) == (3, "")
    assert told in run.err
    assert PASSWORD not in run.err


def read(shell: Shell, name: str) -> tuple[str | None, str | None]:
    """What the legs of an account are told to read, and what the vault has for the outbound one."""
    with shell.database() as database:
        account = database.account(name)
    ref = account.submission.secret
    assert ref is not None
    store = SecretStore(DataPaths(shell.folder / "data"))
    try:
        return str(ref), asyncio.run(store.reader().read(ref, name))
    except SecretError:
        return str(ref), None


def test_a_secret_is_not_put_over_that_of_another_account_without_a_yes(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    shell.add("bob", "--secret", "vault")
    assert shell("secret", "set", "ada", stdin="hers").code == 0
    for arguments in (["bob", "--to", "vault:ada"], ["bob", "--leg", "inbound", "--to", "vault:ada"]):
        refused = shell("secret", "set", *arguments, stdin="mine")
        assert (refused.code, refused.out) == (3, "")
        assert "ada reads the secret in the vault, entry ada, too; add --yes" in refused.err
        assert "keep this one elsewhere: --to vault:bob" in refused.err
    assert read(shell, "ada") == ("vault", "hers")
    assert read(shell, "bob") == ("vault", None)
    assert shell("secret", "set", "bob", "--to", "vault:ada", "--yes", stdin="ours").code == 0
    assert read(shell, "ada") == ("vault", "ours")
    assert read(shell, "bob") == ("vault:ada", "ours")


def test_to_another_source_finds_an_entry_of_its_own(shell: Shell) -> None:
    """The account's name may be what another one was called before."""
    shell.add("old", "--secret", "vault:ada")
    assert shell("secret", "set", "old", stdin="hers").code == 0
    shell.add("ada", "--secret", "env:ADA")
    run = shell("secret", "set", "ada", "--to", "vault", stdin="mine")
    assert run.lines == ["kept in the vault, entry ada 2", "ada now reads its outbound secret from vault:ada 2"]
    assert read(shell, "old") == ("vault:ada", "hers")
    assert read(shell, "ada") == ("vault:ada 2", "mine")


def test_the_secret_that_nobody_reads_any_more_goes(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    assert shell("secret", "set", "ada", stdin="one").code == 0
    run = shell("secret", "set", "ada", "--to", "vault:mine", stdin="two")
    assert (run.code, run.err) == (0, "")
    assert run.lines == [
        "kept in the vault, entry mine",
        "ada now reads its outbound secret from vault:mine",
        "removed from the vault, entry ada",
    ]
    assert "1 entry;" in shell("secret", "where").out
    shell.add("bob", "--secret", "vault:mine")
    assert shell("secret", "set", "ada", "--to", "vault:other", stdin="three").lines == [
        "kept in the vault, entry other",
        "ada now reads its outbound secret from vault:other",
    ]
    assert read(shell, "bob") == ("vault:mine", "two")


def test_the_secret_stays_when_mailtui_has_not_put_the_new_one_where_it_is_read(shell: Shell) -> None:
    shell.add("ada", "--secret", "vault")
    assert shell("secret", "set", "ada", stdin="one").code == 0
    run = shell("secret", "set", "ada", "--to", "env:ADA_PASSWORD")
    assert (run.code, run.lines) == (0, ["ada now reads its outbound secret from env:ADA_PASSWORD"])
    assert run.err == (
        "mailtui: the secret in the vault, entry ada stays there, unused now; "
        "to remove it: mailtui secret remove ada --from vault:ada\n"
    )
    assert "1 entry;" in shell("secret", "where").out


def test_an_account_that_is_changed_meanwhile_keeps_its_secret_and_the_vault_too(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    shell.add("ada", "--secret", "vault")
    assert shell("secret", "set", "ada", stdin="one").code == 0
    shell.add("bob", "--secret", "vault:team")
    assert shell("secret", "set", "bob", stdin="team's").code == 0
    write = SecretStore.write

    async def meanwhile(self: SecretStore, ref: SecretRef, account_name: str, secret: str) -> None:
        await write(self, ref, account_name, secret)
        with shell.database() as database:
            account = database.account("ada")
            database.update("ada", replace(account, notes=account.notes + "."))

    monkeypatch.setattr(SecretStore, "write", meanwhile)
    for to in (["vault:mine"], ["vault:team", "--yes"]):
        run = shell("secret", "set", "ada", "--to", *to, stdin="two")
        assert (run.code, run.out) == (3, "")
        assert "'ada' was changed meanwhile" in run.err
    assert read(shell, "ada") == ("vault", "one")
    assert read(shell, "bob") == ("vault:team", "team's")
    assert "2 entries;" in shell("secret", "where").out
