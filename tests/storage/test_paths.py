"""Where things are kept, and how privately."""

import os
import stat
import threading
from pathlib import Path

import pytest

from mailtui.model.errors import StorageError
from mailtui.storage.files import Busy, FileLock, NotAFile, NotPrivate, TooLong, read_file, replace_file, sweep
from mailtui.storage.paths import DATA_VARIABLE, DataPaths, default_paths, private_folder


def test_the_variable_names_another_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg-data"))
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    usual = default_paths()
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "elsewhere"))
    assert default_paths() == DataPaths(tmp_path / "elsewhere")
    assert usual.folder != tmp_path / "elsewhere"
    monkeypatch.setenv(DATA_VARIABLE, "")
    assert default_paths() == usual
    assert not (tmp_path / "elsewhere").exists()


def test_a_private_folder_is_made_0700_and_an_existing_one_left_alone(tmp_path: Path) -> None:
    made = private_folder(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    made.chmod(0o750)
    assert stat.S_IMODE(private_folder(made).stat().st_mode) == 0o750


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(mode)
    with pytest.raises(StorageError, match="chmod 700"):
        private_folder(tmp_path / "shared")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == mode


def test_a_replaced_file_is_private_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        replace_file(tmp_path / "file", b"one")
        replace_file(tmp_path / "file", b"two")
    finally:
        os.umask(before)
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"two"
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_a_replacement_that_fails_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_file(tmp_path / "file", b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(tmp_path / "file", b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "file")
    replace_file(tmp_path / "link", b"content")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "file").read_bytes() == b"content"


def test_sweeping_removes_only_what_replacing_left(tmp_path: Path) -> None:
    for name in (".vault.json.abc.tmp", ".vault.key.abc.tmp", "vault.json", "vault.json.tmp"):
        (tmp_path / name).touch()
    sweep(tmp_path / "vault.json")
    assert {file.name for file in tmp_path.iterdir()} == {".vault.key.abc.tmp", "vault.json", "vault.json.tmp"}


def test_a_file_is_judged_before_it_is_read(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", b"12345")
    assert read_file(tmp_path / "file", 5, private=True) == b"12345"
    with pytest.raises(TooLong):
        read_file(tmp_path / "file", 4, private=True)
    (tmp_path / "file").chmod(0o640)
    assert read_file(tmp_path / "file", 5, private=False) == b"12345"
    with pytest.raises(NotPrivate, match="0640"):
        read_file(tmp_path / "file", 5, private=True)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises((NotAFile, IsADirectoryError)):
            read_file(path, 5, private=True)


def test_a_lock_is_held_once_until_it_is_released(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = FileLock(path)
    held.acquire()
    with pytest.raises(Busy):
        FileLock(path, 0.05).acquire()
    held.release()
    held.release()
    with FileLock(path, 0.05):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with FileLock(path, 0.05):
        pass


def test_a_lock_that_was_given_up_is_never_taken(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    given_up = FileLock(path)
    given_up.release()
    with pytest.raises(Busy):
        given_up.acquire()
    with FileLock(path, 0.05):
        pass


def test_giving_up_ends_the_wait_of_another_thread(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    waiting = FileLock(path, 600)
    ends: list[BaseException] = []

    def wait() -> None:
        try:
            waiting.acquire()
        except Busy as busy:
            ends.append(busy)

    with FileLock(path):
        thread = threading.Thread(target=wait)
        thread.start()
        waiting.release()
        thread.join(30)
    assert len(ends) == 1
    with FileLock(path, 0.05):
        pass
