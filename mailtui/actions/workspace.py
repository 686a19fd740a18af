"""What a front end works on: the accounts' database and the places of secrets."""

from dataclasses import dataclass

from mailtui.storage.database import Database
from mailtui.storage.secrets import SecretStore


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open database and the secret store that belongs to the same data folder."""

    database: Database
    secrets: SecretStore
