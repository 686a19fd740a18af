"""Keys that were typed for a screen which is not there yet: they wait for it, and do nothing to the one before."""

import asyncio
from contextlib import suppress
from typing import Any

from textual import events
from textual.app import App
from textual.screen import Screen

_OPENING = 5.0
"""Seconds until a screen counts as shown, whatever it does."""

_MOST = 1_000
"""Keys that are kept; nobody types more in that time."""


class TypedAhead:
    """Between `hold` and `release` the app gives it every key, and every paste."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._kept: list[events.Key | events.Paste] | None = None

    def hold(self) -> None:
        """From now on, keys are for what comes."""
        if self._kept is None:
            self._kept = []

    def take(self, event: events.Event) -> bool:
        """Whether `event` was kept: then it must go nowhere else."""
        if self._kept is None or not isinstance(event, events.Key | events.Paste):
            return False
        if len(self._kept) < _MOST:
            self._kept.append(event)
        return True

    async def release_to(self, screen: Screen[Any]) -> None:
        """Wait until `screen` is shown, and give it what was kept."""
        shown = asyncio.Event()
        screen.call_after_refresh(shown.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPENING):
                await shown.wait()
        kept = self._kept or []
        self._kept = None
        for event in kept:
            # As new ones: those kept may have been through widgets of the screen before.
            again = (
                events.Key(event.key, event.character) if isinstance(event, events.Key) else events.Paste(event.text)
            )
            self._app.post_message(again)

    def forget(self) -> None:
        """What was awaited does not come; the keys were for nothing else."""
        self._kept = None
