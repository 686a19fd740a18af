"""The data folder of this run and what is opened from it."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mailtui.cli.output import Output
from mailtui.cli.terminal import asker
from mailtui.storage.paths import DataPaths, default_paths

if TYPE_CHECKING:
    from mailtui.storage.database import Database
    from mailtui.storage.secrets import SecretStore


def data_paths(args: Namespace) -> DataPaths:
    """The data folder that --data names, or else the user's own."""
    return DataPaths(Path(args.data).expanduser().absolute()) if args.data else default_paths()


def open_database(args: Namespace) -> "Database":
    """The accounts and their history. Raises StorageError."""
    from mailtui.storage.database import Database

    return Database.open(data_paths(args).database)


def secret_store(args: Namespace, output: Output) -> "SecretStore":
    """The places of secrets; asks questions only on a terminal."""
    from mailtui.storage.secrets import SecretStore

    return SecretStore(data_paths(args), asker(output))
