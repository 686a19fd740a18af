"""What a front end works on: the accounts' database and the places of secrets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mailtui.storage.database import Database
from mailtui.storage.secrets import SecretStore


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open database, and the secrets and settings that belong to the same data folder."""

    database: Database
    secrets: SecretStore
    asking: Callable[[Callable[[str], str]], SecretStore]
    """Makes a store of the same secrets that puts its questions to a person by the callable it is given."""
    settings: Path
    """The settings file; it need not exist."""
    welcome: str = ""
    """What to tell a person who comes to it."""
