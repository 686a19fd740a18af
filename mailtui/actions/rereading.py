"""Secrets for a program that runs for days: read anew now and then, for passwords are changed meanwhile."""

import time
from collections.abc import Callable

from mailtui.actions.leg import SecretReader
from mailtui.model.account import SecretRef

FRESH = 60.0
"""Seconds that one reader serves. It asks each place once, so that a hundred accounts do not run a command each."""


class RereadingReader:
    """A SecretReader whose secrets are never much older than `FRESH`. `reader` makes one that serves a single run."""

    def __init__(self, reader: Callable[[], SecretReader], clock: Callable[[], float] = time.monotonic) -> None:
        self._make = reader
        self._clock = clock
        self._reader: SecretReader | None = None
        self._until = 0.0

    async def read(self, ref: SecretRef, account_name: str) -> str:
        """The secret. Raises SecretError."""
        now = self._clock()
        if self._reader is None or now >= self._until:
            self._reader, self._until = self._make(), now + FRESH
        return await self._reader.read(ref, account_name)
