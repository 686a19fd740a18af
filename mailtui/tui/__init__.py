"""The screens. Textual is loaded only when they are run."""

import sys
from typing import TYPE_CHECKING

from mailtui.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailtui.actions.check import SecretReader
    from mailtui.storage.database import Database
    from mailtui.storage.secrets import SecretStore

    Ask = Callable[[str], str]


def run(database: "Database", secrets: "Callable[[Ask], SecretStore]") -> int:
    """Show the accounts of `database` until the person leaves; returns the exit code.

    `secrets` makes the store of secrets, which puts its questions to the person by the callable it is given: the
    terminal belongs to the screens. Raises UsageError where no screen can be drawn.
    """
    # Textual draws on the standard error output.
    if sys.__stderr__ is None or not sys.__stderr__.isatty():
        raise UsageError(
            "the screen is drawn on the standard error output, which is not a terminal; do not redirect it"
        )
    from mailtui.tui.app import MailtuiApp
    from mailtui.tui.services import Services

    stores: list[SecretStore] = []

    def reader(ask: "Ask") -> "SecretReader":
        # One store for all runs: it remembers the key of the vault.
        if not stores:
            stores.append(secrets(ask))
        return stores[0].reader()

    return MailtuiApp(Services(database, reader)).run() or 0
