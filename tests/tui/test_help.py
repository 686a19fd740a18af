"""Help tells what has the focus, every key by where it works, and every mark, on any terminal."""

import pytest

from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.help import HelpScreen, HelpScroll
from mailtui.tui.words import Mark
from tests.tui.world import World, world


async def help_text(running: World) -> str:
    """All of the help, scrolled through."""
    await running.until(lambda: isinstance(running.app.screen, HelpScreen))
    seen = [running.text()]
    scroll = running.app.screen.query_one(HelpScroll)
    while scroll.scroll_y < scroll.max_scroll_y:
        await running.press("pagedown")
        seen.append(running.text())
        assert len(seen) < 60
    return "\n".join(seen)


@pytest.mark.parametrize("size", [(40, 10), (80, 24), (120, 40)])
@pytest.mark.parametrize("key", ["question_mark", "f1"])
async def test_help_tells_everything_at_every_size(size: tuple[int, int], key: str) -> None:
    async with world(size=size) as running:
        await running.press(key)
        text = " ".join((await help_text(running)).replace("│", " ").split())
        intro = " ".join(running.list.HELP.split()[:4])
        for words in (
            intro,
            "Where you are",
            "On this screen",
            "Everywhere",
            "Test every active account",
            "settings file",
        ):
            assert words in text, words
        for mark in Mark:
            assert mark.glyph in text
            assert mark.meaning in text
        assert ("accounts.test_all" in text) == (size[0] >= 100), "the ids, where there is room"
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_the_focused_field_is_explained_first() -> None:
    async with world(size=(120, 40)) as running:
        await running.press("slash", "f1")
        text = await help_text(running)
        assert "f1" in text
        assert "^q" in text
        await running.press("escape")
        await running.press("?")
        assert not isinstance(running.app.screen, HelpScreen), "? is text in a field"


async def test_help_does_not_explain_itself() -> None:
    async with world() as running:
        await running.press("f1", "ctrl+p", "escape")
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))
        await running.app.run_action("app.help")
        assert sum(isinstance(screen, HelpScreen) for screen in running.app.screen_stack) == 1
