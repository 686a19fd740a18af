"""What the tests of storage share: a data folder of their own, and a machine without a desktop."""

from pathlib import Path

import pytest

from mailtui.storage.desktop import BACKEND_VARIABLE, Desktop
from mailtui.storage.paths import DataPaths
from mailtui.storage.sources import CREDENTIALS_VARIABLE
from mailtui.storage.vault import Argon2


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, no chosen keyring, whatever the machine that runs the tests has."""
    monkeypatch.delenv(CREDENTIALS_VARIABLE, raising=False)
    monkeypatch.delenv(BACKEND_VARIABLE, raising=False)


@pytest.fixture
def paths(tmp_path: Path) -> DataPaths:
    return DataPaths(tmp_path / "data")


@pytest.fixture
def headless() -> Desktop:
    """A desktop keyring that is not there."""
    return Desktop(lambda: ())


@pytest.fixture
def cheap_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real function at its smallest price."""
    monkeypatch.setattr(
        "mailtui.storage.vault_key.Argon2", lambda salt: Argon2(salt, iterations=1, lanes=1, memory=8 * 64)
    )


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv(CREDENTIALS_VARIABLE, str(folder))
    return folder
