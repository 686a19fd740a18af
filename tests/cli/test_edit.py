"""One account changed in an editor."""

import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.reports import good_report


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that are kept are kept here."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


Editor = Callable[[Sequence[str]], Path]
ROOT = Path(__file__).resolve().parents[2]


def test_a_change_is_saved(shell: Shell, editor: Editor, tmp_path: Path) -> None:
    shell.add("ada")
    seen = editor(["-e 's/ada@example.org/countess@example.org/'"])
    run = shell("account", "edit", "ada")
    assert (run.code, run.err) == (0, "")
    assert run.lines == ["saved ada"]
    with shell.database() as database:
        assert database.account("ada").email == "countess@example.org"
    assert "# unique among your accounts" in (seen / "0").read_text()


def test_the_file_is_private_and_gone_afterwards(shell: Shell, editor: Editor, tmp_path: Path) -> None:
    shell.add("ada")
    editor(["-e 's/x/x/'"])
    assert shell("account", "edit", "ada").code == 0
    assert (tmp_path / "modes").read_text().split() == ["600", "700"]
    path = Path((tmp_path / "path").read_text().strip())
    assert not path.parent.exists()


def test_no_change_saves_nothing(shell: Shell, editor: Editor) -> None:
    shell.add("ada")
    editor(["-e 's/x/x/'"])
    with shell.database() as database:
        before = database.account("ada")
    assert shell("account", "edit", "ada").lines == ["nothing was changed"]
    with shell.database() as database:
        assert database.account("ada") == before


def test_a_rename_keeps_history_and_secret(shell: Shell, editor: Editor) -> None:
    shell.add("ada", "--secret", "vault", "--retrieval-secret", "keyring")
    with shell.database() as database:
        database.record(good_report(database.account("ada")))
    editor(['-e \'s/^name = "ada"/name = "countess"/\''])
    assert shell("account", "edit", "ada").lines == ["saved countess"]
    with shell.database() as database:
        account = database.account("countess")
        assert len(database.history("countess")) == 1
    assert str(account.submission.secret) == "vault:ada"
    assert account.retrieval is not None
    assert str(account.retrieval.secret) == "keyring:ada"


def test_a_mistake_without_a_terminal_changes_nothing(shell: Shell, editor: Editor) -> None:
    shell.add("ada")
    editor(["-e 's/^port = 465/port = 70000/' -e 's/^security/sekurity/'"])
    run = shell("account", "edit", "ada")
    assert (run.code, run.out) == (3, "")
    assert "submission.port" in run.err
    assert "sekurity" in run.err
    kept = Path(run.err.splitlines()[-1].partition("nothing was saved; your text is kept in ")[2])
    assert "port = 70000" in kept.read_text()


def test_a_mistake_given_up_on_a_terminal_keeps_the_text(shell: Shell, editor: Editor) -> None:
    shell.add("ada")
    editor(["-e 's/^port = 465/port = 70000/'"])
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mailtui", "account", "edit", "ada"],
        cwd=ROOT,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
    ) as process:
        os.close(slave)
        said = b""
        while b"Edit again?" not in said:
            said += os.read(master, 1_000)
        os.write(master, b"n\n")
        while b".toml" not in said.partition(b"kept in ")[2]:
            said += os.read(master, 1_000)
        process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == 3
    kept = Path(said.partition(b"your text is kept in ")[2].split()[0].decode())
    assert "port = 70000" in kept.read_text()


def test_a_mistake_on_a_terminal_can_be_corrected(shell: Shell, editor: Editor) -> None:
    shell.add("ada")
    seen = editor(["-e 's/^port = 465/port = 70000/'", "-e 's/^port = 70000/port = 2465/'"])
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "mailtui", "account", "edit", "ada"],
        cwd=ROOT,
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    ) as process:
        os.close(slave)
        asked = b""
        while b"Edit again?" not in asked:
            asked += os.read(master, 1_000)
        os.write(master, b"y\n")
        out, _ = process.communicate(timeout=60)
    os.close(master)
    assert (process.returncode, out) == (0, "saved ada\n")
    reopened = (seen / "1").read_text().splitlines()
    (problem,) = [line for line in reopened if line.startswith("#!") and "submission.port" in line]
    # The line that is named is the line that the person sees.
    number = int(problem.split("account:")[1].split(":")[0])
    assert reopened[number - 1].startswith("port = 70000")
    with shell.database() as database:
        assert database.account("ada").submission.endpoint.port == 2465


def test_a_change_made_meanwhile_is_noticed(shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell.add("ada")
    other = f"{sys.executable} -m mailtui account disable ada"
    script = tmp_path / "meanwhile"
    script.write_text(f'#!/bin/sh\ncd {ROOT} && {other} > {tmp_path}/out 2>&1\nsed -i s/ada@/countess@/ "$1"\n')
    script.chmod(0o700)
    monkeypatch.setenv("EDITOR", str(script))
    run = shell("account", "edit", "ada")
    assert (tmp_path / "out").read_text() == "ada is inactive\n"
    assert run.code == 3
    assert "was changed meanwhile" in run.err
    with shell.database() as database:
        assert database.account("ada").email == "ada@example.org"


def test_an_editor_that_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add("ada")
    monkeypatch.setenv("EDITOR", "/nonexistent/editor --flag")
    missing = shell("account", "edit", "ada")
    assert missing.code == 3
    assert "the editor /nonexistent/editor cannot be started" in missing.err
    monkeypatch.setenv("EDITOR", "false")
    failed = shell("account", "edit", "ada")
    assert failed.code == 3
    assert failed.err == "mailtui: the editor ended with status 1; nothing was saved\n"


def test_visual_comes_before_editor(shell: Shell, editor: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    shell.add("ada")
    editor(["-e s/ada@/countess@/"])
    monkeypatch.setenv("VISUAL", os.environ["EDITOR"])
    monkeypatch.setenv("EDITOR", "false")
    assert shell("account", "edit", "ada").lines == ["saved ada"]


def test_a_reference_without_an_entry_gets_one_that_no_other_account_uses(shell: Shell, editor: Editor) -> None:
    shell.add("lovelace", "--secret", "vault:ada")
    shell.add("ada", "--secret", "env:ADA")
    editor(["-e 's/env:ADA/vault/'"])
    assert shell("account", "edit", "ada").lines == ["saved ada"]
    with shell.database() as database:
        assert str(database.account("ada").submission.secret) == "vault:ada 2"
