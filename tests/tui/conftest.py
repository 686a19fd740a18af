"""How fast the tests of the screens go."""

import pytest

_FRAME = 1 / 250
"""Seconds between two frames, not to wait for sixty a second."""

_LOOK = 0.006
"""Seconds that a pilot sleeps before it looks whether the app is idle: more than a frame."""


@pytest.fixture(autouse=True)
def pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a pilot wait for milliseconds after each key where it waits for twice twenty by itself.

    What it waits for stays the same: that the process has next to nothing to do while it sleeps.
    """
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", _FRAME)
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", _LOOK)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", _LOOK / 10)
