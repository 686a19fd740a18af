"""Accounts written to a file: private, whole or not at all, never over another file by surprise."""

import os
from pathlib import Path

import pytest

from mailtui.actions.exporting import Exists, default_file, export_accounts, named_file, write_file
from mailtui.interop.accounts_toml import read_accounts
from mailtui.model.account import Account, Endpoint, SecretRef, SecretScheme, Submission
from mailtui.model.errors import StorageError, UsageError


def people() -> list[Account]:
    secret = SecretRef(SecretScheme.VAULT, "shared")
    return [
        Account(name, f"{name.lower()}@example.org", Submission(Endpoint("smtp.example.org", 465), secret=secret))
        for name in ("Ada", "Grace", "渡辺")
    ]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_reads_back_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    export_accounts(people(), path, replace=False)
    assert read_accounts(path.read_text(encoding="utf-8"), "file") == people()
    assert path.stat().st_mode & 0o777 == 0o600
    assert left(tmp_path) == ["accounts.toml"]


def test_a_file_is_not_replaced_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "accounts.toml"
    path.write_text("mine", encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(Exists, match=r"accounts\.toml exists already"):
        export_accounts(people(), path, replace=False)
    assert path.read_text(encoding="utf-8") == "mine"
    export_accounts(people(), path, replace=True)
    assert len(read_accounts(path.read_text(encoding="utf-8"), "file")) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    assert left(tmp_path) == ["accounts.toml"]


def test_a_link_to_nowhere_counts_as_a_file(tmp_path: Path) -> None:
    path = tmp_path / "link"
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Exists):
        write_file(path, "words", replace=False)
    write_file(path, "words", replace=True)
    assert path.is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "words"


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"cannot be written: No space left on device; nothing was written"):
        write_file(tmp_path / "new", "words", replace=False)
    assert left(tmp_path) == []
    old = tmp_path / "old"
    old.write_text("as it was")
    with pytest.raises(StorageError):
        write_file(old, "words", replace=True)
    assert old.read_text() == "as it was"
    assert left(tmp_path) == ["old"]


def test_a_path_is_understood_as_a_shell_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert named_file("~/a.toml") == tmp_path / "a.toml"
    assert named_file("  b.toml ") == tmp_path / "b.toml"
    assert named_file(str(tmp_path / "c d.toml")) == tmp_path / "c d.toml"


def test_each_wrong_path_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for text, words in (
        ("", "give the path"),
        (str(tmp_path), "is a folder"),
        (str(tmp_path / "new") + "/", "is a folder"),
        (str(tmp_path / "none" / "a"), "there is no folder"),
        (str(tmp_path / "file" / "a"), "is not a folder"),
        (str(tmp_path / "pipe"), "a device or a pipe"),
        ("~nobody-of-that-name/a", "is nobody's home folder"),
        ("/dev/null", "a device or a pipe"),
        (f"{tmp_path}/a\x1b[31m", "control, invisible"),
        (f"{tmp_path}/\u202ea", "control, invisible"),
        (str(tmp_path / ("x" * 300)), "cannot be used: File name too long"),
    ):
        with pytest.raises(UsageError, match=words):
            named_file(text)


def test_a_folder_that_may_not_be_written_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Permissions do not bind root, as whom tests may run.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="you may not write in"):
        named_file(str(tmp_path / "a"))


def test_the_device_is_never_replaced() -> None:
    with pytest.raises(UsageError, match="a device or a pipe"):
        write_file(Path("/dev/null"), "words", replace=True)
    assert Path("/dev/null").is_char_device()


def test_the_home_folder_is_proposed_unless_it_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    assert default_file() == home / "mailtui-accounts.toml"
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != home)
    assert default_file() == here / "mailtui-accounts.toml"


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sync = tmp_path / "new", os.fsync

    def late(descriptor: int) -> None:
        sync(descriptor)
        path.write_text("theirs")

    monkeypatch.setattr(os, "fsync", late)
    with pytest.raises(Exists):
        write_file(path, "mine", replace=False)
    assert path.read_text() == "theirs"
    assert left(tmp_path) == ["new"]


def test_nothing_bears_the_name_before_all_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed before the last step leaves no empty file that looks like an export."""
    path, seen = tmp_path / "new", []
    link = os.link

    def watched(source: str, target: Path) -> None:
        seen.append((path.exists(), Path(source).read_text()))
        link(source, target)

    monkeypatch.setattr(os, "link", watched)
    write_file(path, "words", replace=False)
    assert seen == [(False, "words")]
    assert (path.read_text(), left(tmp_path), path.stat().st_nlink) == ("words", ["new"], 1)


def test_a_file_system_without_links_takes_a_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(source: str, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    path = tmp_path / "new"
    write_file(path, "words", replace=False)
    with pytest.raises(Exists):
        write_file(path, "others", replace=False)
    assert (path.read_text(), left(tmp_path)) == ("words", ["new"])
    assert path.stat().st_mode & 0o777 == 0o600
