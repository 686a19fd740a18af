"""Secrets that are kept nowhere: asked for on the screen, masked, and given to the check alone."""

import asyncio

import pytest
from textual import events
from textual.widgets import Input

from mailtui.model.errors import SecretError
from mailtui.offloop import off_loop
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.ask import AskScreen
from mailtui.tui.screens.help import HelpScreen
from tests.tui.people import ADA, ALAN
from tests.tui.world import ScriptedChecks, World, world


def asking(running: World, question: str) -> "asyncio.Task[str]":
    """Ask as a secret source does: in a thread, with somebody who waits."""
    return asyncio.create_task(off_loop(lambda: running.app.desk.ask(question)))


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


async def test_a_question_goes_when_its_time_is_over_and_so_do_those_behind_it() -> None:
    async with world([ADA]) as running:
        running.app.prompt_deadline = 1.0
        first, second = asking(running, "First?"), asking(running, "Second?")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        put = running.app.screen
        errors = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(error) for error in errors] == [SecretError, SecretError]
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        assert not put.is_running


async def test_a_question_under_another_screen_goes_when_that_is_closed() -> None:
    async with world([ADA]) as running:
        running.app.prompt_deadline = 1.0
        question = asking(running, "First?")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        running.app.action_help()
        await running.until(lambda: isinstance(running.app.screen, HelpScreen))
        await asyncio.gather(question, return_exceptions=True)
        await running.pilot.pause()
        assert isinstance(running.app.screen, HelpScreen)
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


@pytest.mark.parametrize("key", ["f1", "ctrl+p", "enter"])
async def test_a_question_comes_over_whatever_is_open(key: str) -> None:
    async with world([ADA]) as running:
        await running.press(key)
        await running.until(lambda: not isinstance(running.app.screen, AccountsScreen))
        below = running.app.screen
        question = asking(running, "Now?")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        await running.press(*"pw", "enter")
        assert await question == "pw"
        await running.until(lambda: running.app.screen is below)


async def test_a_declined_question_says_what_to_do() -> None:
    async with world([ADA]) as running:
        question = asking(running, "Now?")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        await running.press("escape")
        (error,) = await asyncio.gather(question, return_exceptions=True)
        assert isinstance(error, SecretError)
        assert "test again" in str(error)


@pytest.mark.parametrize(
    "keys", [("shift+home", "ctrl+c"), ("shift+home", "ctrl+x"), ("ctrl+a", "shift+end", "ctrl+x")]
)
async def test_a_masked_secret_never_reaches_the_clipboard(keys: tuple[str, ...]) -> None:
    async with world([ADA]) as running:
        question = asking(running, "Now?")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        await running.press(*"hunter2", *keys)
        # The clipboard is the terminal's too.
        assert running.app.clipboard == ""
        await running.press("escape")
        await asyncio.gather(question, return_exceptions=True)


async def test_several_pasted_lines_are_no_secret_and_that_is_said() -> None:
    async with world([ADA]) as running:
        question = asking(running, "Now?")
        await running.until(lambda: isinstance(running.app.screen, AskScreen))
        running.app.post_message(events.Paste("first line\nsecond line"))
        await running.until(lambda: "several lines" in " ".join(running.text().split()))
        await running.press(*"pw", "enter")
        assert await question == "pw"
