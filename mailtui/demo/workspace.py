"""A throw-away data folder with the demo's accounts in it: nothing of the user's own is read or written."""

import asyncio
import os
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailtui.actions.workspace import Workspace
from mailtui.demo.guest import invitation
from mailtui.demo.trust import trusted
from mailtui.demo.world import DemoWorld
from mailtui.storage.database import Database
from mailtui.storage.desktop import Desktop
from mailtui.storage.files import replace_file
from mailtui.storage.paths import DataPaths, private_folder
from mailtui.storage.secrets import SecretStore
from mailtui.storage.vault import KEY_LENGTH


@contextmanager
def demo_workspace() -> Iterator[Workspace]:
    """A workspace whose accounts meet the demo's servers; servers and folder are gone when the block ends.

    Not for use inside a running event loop. Raises UsageError where the servers cannot start.
    """
    with (
        tempfile.TemporaryDirectory(prefix="mailtui-demo-", ignore_cleanup_errors=True) as folder,
        DemoWorld(Path(folder)) as world,
        trusted(world.ca_file),
        furnished_workspace(world, Path(folder) / "data") as workspace,
    ):
        yield workspace


@contextmanager
def furnished_workspace(world: DemoWorld, folder: Path) -> Iterator[Workspace]:
    """A workspace in `folder` with the accounts of a started `world`, and their passwords in an encrypted vault."""
    paths = DataPaths(private_folder(folder))
    # With a key beside it the vault asks neither the desktop's keyring nor a person for one.
    replace_file(paths.vault_key, b64encode(os.urandom(KEY_LENGTH)) + b"\n")
    # The desktop's own keyring is none of the demo's business: what a visitor types goes with the folder.
    desktop = Desktop(lambda: ())
    store = SecretStore(paths, desktop=desktop)
    with Database.open(paths.database) as database:
        for account in world.accounts:
            database.add(account)
        asyncio.run(_keep_passwords(world, store))
        yield Workspace(
            database,
            store,
            lambda ask: SecretStore(paths, ask, desktop=desktop),
            settings=folder / "config.toml",
            welcome=invitation(world.ports),
        )


async def _keep_passwords(world: DemoWorld, store: SecretStore) -> None:
    for account in world.accounts:
        assert account.submission.secret is not None
        await store.write(account.submission.secret, account.name, world.passwords[account.name])
