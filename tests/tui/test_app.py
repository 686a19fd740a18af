"""The program around the screens: its palette, how it is left, and the colours it remembers."""

import asyncio
import io
import os
import signal
import threading

import pytest
from rich.console import Console
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer, Input

from mailtui.model.errors import MailtuiError
from mailtui.storage.settings import Settings
from mailtui.tui.app import MailtuiApp
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.messages import MessagesScreen
from mailtui.tui.widgets.message_bar import MessageBar
from tests.tui.settled import settled_world
from tests.tui.world import DEADLINE, ScriptedChecks, World, world


class Typed(Screen[None]):
    """Something was typed here."""

    unsaved = True

    def compose(self) -> ComposeResult:
        yield Input("half a name")
        yield MessageBar()
        yield Footer(compact=True)


def exited(running: World) -> bool:
    return running.app._exit


async def test_the_palette_has_every_action_once() -> None:
    async with world() as running:
        commands = list(running.app.get_system_commands(running.app.screen))
        titles = [command.title for command in commands]
        assert len(titles) == len(set(titles))
        assert {"Test (t)", "Quit (q)", "Theme (f9)", "Messages (f7)", "Screenshot"} <= set(titles)
        assert sum(title.startswith("Right (") for title in titles) == 1
        assert all(command.help for command in commands)


async def test_what_the_palette_names_is_done() -> None:
    async with world() as running:
        await running.press("ctrl+p")
        for character in "every active":
            await running.press("space" if character == " " else character)
        await running.until(lambda: "All (T)" in running.text() and "Help (" not in running.text())
        await running.press("enter")
        await running.until(lambda: len(running.checks.calls) == 1)
        await running.idle()


async def test_the_palette_offers_letters_while_a_filter_is_typed() -> None:
    async with world() as running:
        await running.press("slash")
        titles = {command.title for command in running.app.get_system_commands(running.app.screen)}
        assert "All" in titles, "without its key, which is text now"


@pytest.mark.parametrize(("keys", "key"), [({}, "q"), ({"app.quit": "f10"}, "f10")])
async def test_ctrl_c_tells_the_key_that_leaves(keys: dict[str, str], key: str) -> None:
    async with settled_world(Settings(keys=keys)) as running:
        await running.press("ctrl+c")
        await running.until(lambda: running.app.notice is not None)
        assert f"Press {key} to leave" in running.text()


async def test_ctrl_c_in_a_field_tells_the_key_that_works_there() -> None:
    async with world() as running:
        await running.press("slash", "ctrl+c")
        await running.until(lambda: running.app.notice is not None)
        assert "Press ^q to leave" in running.text()


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_leaving_with_nothing_typed_asks_nothing(key: str) -> None:
    async with world() as running:
        await running.press(key)
        await running.until(lambda: exited(running))
        assert running.app.return_code == 0


async def test_leaving_asks_when_something_typed_would_be_lost() -> None:
    checks = ScriptedChecks(held=True)
    async with world(checks=checks) as running:
        await running.press("T")
        await running.app.push_screen(Typed())
        await running.press("q")
        assert isinstance(running.app.screen, Typed), "q is text here"
        await running.press("ctrl+q")
        await running.until(lambda: isinstance(running.app.screen, ConfirmScreen))
        await running.press("ctrl+q")
        assert len(running.app.screen_stack) == 4, "asked once"
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, Typed))
        assert not exited(running)
        assert checks.cancelled == []
        await running.press("ctrl+q")
        await running.until(lambda: isinstance(running.app.screen, ConfirmScreen))
        await running.press("y")
        await running.until(lambda: exited(running))
        assert len(checks.cancelled) == len(checks.calls[0])


async def test_a_request_to_end_asks_nothing() -> None:
    async with world() as running:
        await running.app.push_screen(Typed())
        os.kill(os.getpid(), signal.SIGTERM)
        await running.until(lambda: exited(running))
        assert running.app.return_value == 128 + signal.SIGTERM


async def test_a_chosen_theme_is_remembered_once() -> None:
    saved: list[tuple[str, bool]] = []

    def save(theme: str) -> None:
        saved.append((theme, threading.current_thread() is threading.main_thread()))

    async with settled_world(Settings(), save) as running:
        running.app.theme = "mailtui-light"
        await running.until(lambda: bool(saved))
        await running.press("q")
        await running.until(lambda: exited(running))
    assert saved == [("mailtui-light", False)], "not before it was chosen, and not on the loop"


@pytest.mark.parametrize(
    ("few", "chosen", "theme"),
    [
        (False, "", "mailtui-dark"),
        (True, "", "ansi-dark"),
        (True, "mailtui-dark", "mailtui-dark"),
        (False, "mailtui-contrast", "mailtui-contrast"),
    ],
)
async def test_a_terminal_of_few_colours_decides_only_for_who_did_not(
    few: bool, chosen: str, theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MailtuiApp, "_has_few_colours", lambda app: few)
    saved: list[str] = []
    async with settled_world(Settings(theme=chosen), saved.append) as running:
        assert running.app.theme == theme
        await running.app.action_quit()
    assert saved == []


async def test_a_theme_chosen_right_before_the_end_is_kept() -> None:
    saved: list[str] = []
    async with settled_world(Settings(theme="mailtui-light"), saved.append) as running:
        assert running.app.theme == "mailtui-light"
        running.app.theme = "mailtui-contrast"
        await running.app.action_quit()
    assert saved == ["mailtui-contrast"]


async def test_a_theme_that_cannot_be_kept_is_told_and_used() -> None:
    def refuse(theme: str) -> None:
        raise MailtuiError("The theme is not remembered: the disk is full")

    async with settled_world(Settings(), refuse) as running:
        running.app.theme = "mailtui-light"
        await running.until(lambda: running.app.notice is not None)
        assert "the disk is full" in running.text()
        assert running.app.theme == "mailtui-light"


async def test_a_theme_that_does_not_exist_is_told() -> None:
    async with settled_world(Settings(theme="mauve", places={"theme": "config.toml:7"})) as running:
        await running.until(lambda: running.app.notice is not None)
        assert "config.toml:7: there is no theme 'mauve'" in running.text()


async def test_the_theme_key_offers_ours() -> None:
    async with world() as running:
        await running.press("f9", *"contrast")
        await running.until(lambda: "mailtui-contrast" in running.text())
        await running.press("enter", "enter")
        await running.until(lambda: running.app.theme == "mailtui-contrast")


async def test_what_was_said_can_be_read_again() -> None:
    async with world() as running:
        for words in ("first", "second [/]"):
            running.app.notify(words, severity="error", markup=False)
        await running.until(lambda: len(running.app.told) == 2)
        await running.press("f7")
        await running.until(lambda: isinstance(running.app.screen, MessagesScreen))
        text = running.text()
        assert 0 < text.index("✗ second [/]") < text.index("✗ first")
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))
        await running.pilot.click(MessageBar)
        await running.until(lambda: isinstance(running.app.screen, MessagesScreen))


async def test_a_message_may_come_from_any_thread() -> None:
    async with world() as running:
        thread = threading.Thread(target=running.app.notify, args=("from afar",))
        thread.start()
        await running.until(lambda: running.app.notice is not None)
        async with asyncio.timeout(DEADLINE):
            await asyncio.to_thread(thread.join)
        assert "from afar" in running.text()


async def test_a_defect_is_told_without_the_values_of_variables() -> None:
    async with world() as running:
        try:
            secret = "hunter" + "2" * 3
            raise RuntimeError(len(secret))
        except RuntimeError:
            running.app._fatal_error()
        console = Console(file=io.StringIO(), width=200)
        for renderable in running.app._exit_renderables:
            console.print(renderable)
        assert isinstance(console.file, io.StringIO)
        told = console.file.getvalue()
        assert "RuntimeError" in told
        assert "test_app.py" in told
        assert "hunter222" not in told


async def test_leaving_lets_go_of_connections_first() -> None:
    async with world(checks=(checks := ScriptedChecks(steps=1, held=True))) as running:
        await running.press("T")
        await running.until(lambda: checks.events > 0)
        await running.app._leave(0)
        assert set(checks.cancelled) == set(checks.calls[0])
