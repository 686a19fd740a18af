"""The screens. Textual is loaded only when they are run."""

import sys
from typing import TYPE_CHECKING

from mailtui.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailtui.storage.database import Database
    from mailtui.storage.secrets import SecretStore

    Ask = Callable[[str], str]


def run(
    database: "Database", secrets: "Callable[[Ask], SecretStore]", settings_path: "Path", *, welcome: str = ""
) -> int:
    """Show the accounts of `database` until the person leaves; returns the exit code.

    `secrets` makes the store of secrets, which puts its questions to the person by the callable it is given: the
    terminal belongs to the screens. `settings_path` is the file of the person's settings, in which the theme is
    remembered; `welcome` is said first. Raises UsageError where no screen can be drawn.
    """
    # Textual draws on the standard error output.
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        raise UsageError(
            "the screen is drawn on the standard error output, which is not a terminal; do not redirect it"
        )
    from functools import partial

    from mailtui.storage.settings import load_settings, save_theme
    from mailtui.tui.app import MailtuiApp
    from mailtui.tui.services import Services
    from mailtui.tui.stored_retrievals import StoredRetrievals

    stores: list[SecretStore] = []

    def store(ask: "Ask") -> "SecretStore":
        # One store for all: it remembers the key of the vault.
        if not stores:
            stores.append(secrets(ask))
        return stores[0]

    settings = load_settings(settings_path)
    retrievals = StoredRetrievals(database)
    services = Services(database, store, retrievals.retrieve_many, retrievals.last, retrievals.last_of)
    app = MailtuiApp(services, settings, partial(save_theme, settings_path), welcome)
    return app.run() or 0
