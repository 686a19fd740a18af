"""Where mailtui keeps its things."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from mailtui.model.errors import StorageError
from mailtui.model.text import clean

DATA_VARIABLE = "MAILTUI_DATA"
"""The environment variable that names another data folder."""

SETTINGS_VARIABLE = "MAILTUI_CONFIG"
"""The environment variable that names another settings file."""


@dataclass(frozen=True, slots=True)
class DataPaths:
    """The data folder, and what lives in it."""

    folder: Path

    @property
    def database(self) -> Path:
        """Accounts and check history."""
        return self.folder / "mailtui.db"

    @property
    def vault(self) -> Path:
        """Encrypted secrets."""
        return self.folder / "vault.json"

    @property
    def vault_key(self) -> Path:
        """The key of the vault, where it is kept in a file."""
        return self.folder / "vault.key"

    @property
    def mail(self) -> Path:
        """Retrieved mail, where an account names no other place: a Maildir tree for each."""
        return self.folder / "mail"

    @property
    def locks(self) -> Path:
        """Locks of what one process at a time may do; the files are empty."""
        return self.folder / "locks"


def default_paths() -> DataPaths:
    """The data folder of this user (XDG base directories); `MAILTUI_DATA` names another data folder."""
    chosen = os.environ.get(DATA_VARIABLE, "")
    if chosen:
        return DataPaths(Path(chosen).expanduser().absolute())
    # Imported here: it loads for longer than --help takes.
    from platformdirs import user_data_path

    return DataPaths(user_data_path("mailtui", appauthor=False))


def settings_path() -> Path:
    """The settings file of this user (XDG base directories); `MAILTUI_CONFIG` names another file."""
    chosen = os.environ.get(SETTINGS_VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    from platformdirs import user_config_path

    return user_config_path("mailtui", appauthor=False) / "config.toml"


def private_folder(path: Path) -> Path:
    """Return `path` as a folder, created with mode 0700 if it is missing.

    An existing folder keeps its mode, for it may be shared on purpose, but one that other users can write to is
    refused: they could replace the files in it. Raises StorageError.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = path.stat().st_mode
    except FileExistsError:
        raise StorageError(
            f"{_shown(path)} is not a folder; remove it, or set {DATA_VARIABLE} to another one"
        ) from None
    except OSError as error:
        raise StorageError(
            f"the folder {_shown(path)} cannot be used: {error.strerror}; "
            f"correct its permissions, or set {DATA_VARIABLE} to another one"
        ) from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StorageError(
            f"other users can write to the folder {_shown(path)}; run: chmod 700 {_shown(path)}, "
            f"or set {DATA_VARIABLE} to a folder of your own"
        )
    return path


def _shown(path: Path) -> str:
    return clean(str(path))
