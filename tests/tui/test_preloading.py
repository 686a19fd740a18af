"""What is loaded behind the first list is all that a first key would wait for."""

from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

from mailtui.tui import screens
from mailtui.tui.screens.detail import DetailScreen
from tests.tui.people import PEOPLE
from tests.tui.world import world

STYLES = {str(path) for folder in screens.__path__ for path in Path(folder).glob("*.tcss")}


async def test_no_screen_has_styles_to_read_when_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[Stylesheet] = []
    async with world(PEOPLE) as running:
        assert STYLES
        await running.until(lambda: {path for path, _ in running.app.stylesheet.source} >= STYLES)
        monkeypatch.setattr(Stylesheet, "reparse", lambda sheet: again.append(sheet))
        await running.press("enter")
        await running.until(lambda: isinstance(running.app.screen, DetailScreen))
        assert again == [], "Textual parses all styles again for one that is new"
