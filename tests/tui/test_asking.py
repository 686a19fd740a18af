"""Secrets that are kept nowhere: asked for on the screen, masked, and given to the check alone."""

from textual.widgets import Input

from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.ask import AskScreen
from tests.tui.people import ADA, ALAN
from tests.tui.world import ScriptedChecks, world


async def test_a_secret_is_asked_for_without_being_shown() -> None:
    checks = ScriptedChecks(asks=True)
    async with world([ADA], checks=checks) as running:
        await running.press("t")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        assert f"Password of {ADA.name}" in running.text()
        assert isinstance(running.app.focused, Input)
        await running.press(*"hunter2")
        assert "hunter2" not in running.text()
        await running.press("enter")
        await running.idle()
        assert checks.secrets == ["hunter2"]


async def test_declining_fails_the_check_with_a_reason() -> None:
    checks = ScriptedChecks(asks=True)
    async with world([ADA], checks=checks) as running:
        await running.press("t")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        await running.press("escape")
        await running.idle()
        assert isinstance(running.app.screen, AccountsScreen)
        assert len(checks.secrets) == 1
        assert "No secret was given" in checks.secrets[0]


async def test_several_questions_come_one_after_the_other() -> None:
    checks = ScriptedChecks(asks=True)
    async with world([ADA, ALAN], checks=checks) as running:
        await running.press("T")
        for word in ("one", "two"):
            await running.until(lambda: isinstance(running.app.screen, AskScreen))
            assert sum(isinstance(screen, AskScreen) for screen in running.app.screen_stack) == 1
            await running.press(*word, "enter")
        await running.idle()
        assert sorted(checks.secrets) == ["one", "two"]
