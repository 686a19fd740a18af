"""Secrets from the environment and from files."""

import os
from pathlib import Path

import pytest

from mailtui.model.errors import SecretError
from mailtui.storage import sources
from mailtui.storage.sources import CREDENTIALS_VARIABLE, SECRET_LIMIT, read_environment, read_secret_file


def put(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"pw", "pw"),
        (b"pw\n", "pw"),
        (b"pw\r\n", "pw"),
        (b"pw\n\n", "pw\n"),
        (b" p w \n", " p w "),
        (b"two\nlines\n", "two\nlines"),
        ("pässwörd\n".encode(), "pässwörd"),
    ],
)
def test_a_file_gives_its_content_without_one_newline(tmp_path: Path, content: bytes, secret: str) -> None:
    assert read_secret_file(str(put(tmp_path / "secret", content))).value == secret


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = put(tmp_path / "secret", b"hunter2\n", mode)
    with pytest.raises(SecretError, match=f"{path}.*mode {mode:04o}.*chmod 600 {path}") as told:
        read_secret_file(str(path))
    assert "hunter2" not in str(told.value)


def test_a_systemd_credential_comes_before_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(folder))
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "mail", b"local\n")
    assert read_secret_file("mail").value == "local"
    # systemd gives a credential of a service that does not run as root the mode 0440 or an access list.
    put(folder / "mail", b"credential\n", 0o440)
    assert read_secret_file("mail").value == "credential"
    assert read_secret_file(str(folder / "mail")).value == "credential"


def test_a_link_out_of_the_credentials_is_judged_by_its_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(folder))
    (folder / "mail").symlink_to(put(tmp_path / "open", b"pw", 0o644))
    with pytest.raises(SecretError, match="mode 0644"):
        read_secret_file("mail")


def test_a_secret_of_the_container_runtime_may_be_readable_by_all_if_root_owns_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_CONTAINER_SECRETS", (tmp_path / "run-secrets",))
    (tmp_path / "run-secrets").mkdir()
    path = put(tmp_path / "run-secrets" / "mail", b"pw\n", 0o444)
    if os.geteuid() == 0:
        assert read_secret_file(str(path)).value == "pw"
    else:
        with pytest.raises(SecretError, match="chmod 600"):
            read_secret_file(str(path))
    with pytest.raises(SecretError, match="chmod 600"):
        read_secret_file(str(put(tmp_path / "elsewhere", b"pw\n", 0o444)))


def test_the_home_folder_can_be_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put(tmp_path / "secret", b"pw")
    assert read_secret_file("~/secret").value == "pw"


def test_a_missing_file_is_told_with_the_places_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SecretError, match=f"{tmp_path}/mail does not exist.*CREDENTIALS_DIRECTORY is not set"):
        read_secret_file("mail")
    monkeypatch.setenv(CREDENTIALS_VARIABLE, "/run/credentials/x.service")
    with pytest.raises(SecretError, match=r"nor is it a systemd credential in /run/credentials/x\.service"):
        read_secret_file("mail")
    with pytest.raises(SecretError, match=r"does not exist$"):
        read_secret_file("/no/such/file")


def test_what_cannot_be_a_secret_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    refusals = {
        str(tmp_path / "pipe"): "not a regular file",
        str(tmp_path): "not a regular file|cannot be read",
        str(put(tmp_path / "empty", b"")): "is empty",
        str(put(tmp_path / "newline", b"\n")): "is empty",
        str(put(tmp_path / "binary", b"\xff\xfe")): "not UTF-8",
        str(put(tmp_path / "long", b"x" * (SECRET_LIMIT + 1))): "longer than 64 KiB",
    }
    for path, words in refusals.items():
        with pytest.raises(SecretError, match=words):
            read_secret_file(path)


def test_the_environment_gives_a_variable_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", " pw\n")
    assert read_environment("MAIL_PASSWORD").value == " pw\n"
    monkeypatch.setenv("MAIL_PASSWORD", "")
    with pytest.raises(SecretError, match="MAIL_PASSWORD is empty"):
        read_environment("MAIL_PASSWORD")
    monkeypatch.setenv("MAIL_PASSWORD", "\udcff")
    with pytest.raises(SecretError, match="not UTF-8"):
        read_environment("MAIL_PASSWORD")
    monkeypatch.delenv("MAIL_PASSWORD")
    with pytest.raises(SecretError, match="MAIL_PASSWORD is not set"):
        read_environment("MAIL_PASSWORD")
