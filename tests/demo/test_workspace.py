"""The demo's workspace: complete, private, and gone without a trace."""

import asyncio
import base64
import os
import stat
import threading
from pathlib import Path

import pytest

from mailtui.actions.check import CheckOptions, check_many
from mailtui.demo.workspace import demo_workspace, furnished_workspace
from mailtui.demo.world import expectations
from mailtui.model.account import SecretScheme
from mailtui.model.check import CheckReport
from mailtui.storage.desktop import Desktop
from tests.demo.conftest import Visitor


def test_every_account_is_there_and_its_password_can_be_read(visitor: Visitor, tmp_path: Path) -> None:
    with furnished_workspace(visitor.world, tmp_path / "data") as workspace:
        accounts = workspace.database.accounts()
        assert {account.name for account in accounts} == set(expectations)

        async def read_all() -> dict[str, str]:
            reader = workspace.secrets.reader()
            return {
                account.name: await reader.read(account.submission.secret, account.name)
                for account in accounts
                if account.submission.secret is not None
            }

        assert asyncio.run(read_all()) == visitor.world.passwords


def test_no_password_is_in_any_file_even_after_a_check(visitor: Visitor, tmp_path: Path) -> None:
    with furnished_workspace(visitor.world, tmp_path / "data") as workspace:
        reports: list[CheckReport] = []
        asyncio.run(
            check_many(
                workspace.database.accounts(),
                workspace.secrets.reader(),
                on_report=reports.append,
                options=CheckOptions(stage_timeout=5.0),
            )
        )
        workspace.database.record_many(reports)
        assert all(leg.transcript for report in reports for leg in report.legs)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        modes = {stat.S_IMODE(path.stat().st_mode) for path in files}
        everything = repr(reports).encode() + b"".join(path.read_bytes() for path in files)
    assert {"mailtui.db", "vault.json", "vault.key"} <= {path.name for path in files}
    addresses = {account.name: account.email for account in visitor.world.accounts}
    for name, password in visitor.world.passwords.items():
        for form in (password, f"\0{addresses[name]}\0{password}"):
            assert form.encode() not in everything
            assert base64.b64encode(form.encode()) not in everything
    assert modes == {0o600}


def test_the_keyring_of_the_desktop_is_left_alone(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def ask(desktop: Desktop, entry: str, *rest: object, **more: object) -> None:
        asked.append(entry)
        raise AssertionError(f"the keyring was asked for {entry}")

    monkeypatch.setattr(Desktop, "get", ask)
    monkeypatch.setattr(Desktop, "set", ask)
    with furnished_workspace(visitor.world, tmp_path / "data") as workspace:
        account = workspace.database.accounts()[0]
        assert account.submission.secret is not None
        assert account.submission.secret.scheme is SecretScheme.VAULT
        asyncio.run(workspace.secrets.reader().read(account.submission.secret, account.name))
    assert asked == []


def test_the_folder_and_the_servers_are_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "user"
    for variable in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "MAILTUI_DATA"):
        monkeypatch.setenv(variable, str(elsewhere))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    with demo_workspace() as workspace:
        assert len(workspace.database.accounts()) == len(expectations)
        (folder,) = tmp_path.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert os.listdir(tmp_path) == []
    assert {thread for thread in threading.enumerate() if thread.name == "mailtui-demo"} <= threads
