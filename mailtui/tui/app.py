"""The program with screens."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from mailtui.model.errors import SecretError
from mailtui.tui.desk import Desk
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.services import Services
from mailtui.tui.themes import DARK, LIGHT

_PATIENCE = 5.0
"""Seconds that leaving waits for checks to let go of their connections, and for the history to be written."""


class MailtuiApp(App[int]):
    """Accounts, their checks and what to do with them. `run()` returns the exit code."""

    TITLE = "mailtui"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "Help", key_display="?", id="app.help", tooltip="The keys and the marks"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Cancel what runs and leave"),
    ]

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        # In sixteen colours our pale green would become grey; the terminal's own green is green.
        self.theme = "ansi-dark" if self._has_few_colours() else DARK.name
        # Sliding lists cost time on slow lines and say nothing.
        self.animation_level = "none"
        self.desk = Desk(self, services, self._ask_from_thread)
        self._asking = asyncio.Lock()

    def _has_few_colours(self) -> bool:
        return self.console.color_system == "standard" and not self.no_color

    async def on_mount(self) -> None:
        """Show the accounts screen at once, and read the accounts behind it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.call_later, self._leave, 128 + number)
        await self.push_screen(AccountsScreen(self.desk))
        self.desk.reload()

    async def action_quit(self) -> None:
        """Cancel what runs, write what is finished, and leave."""
        await self._leave(0)

    async def _leave(self, code: int) -> None:
        await self.desk.checker.stop(_PATIENCE)
        await self.desk.recorder.end(_PATIENCE)
        self.exit(code)

    def action_help(self) -> None:
        """Open the help of the present screen."""
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action that a key can do here, and what has no key."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if not active.enabled or binding.system or not (binding.tooltip or binding.show) or not binding.id:
                continue
            run = partial(self.run_action, binding.action, active.node)
            key = self.get_key_display(binding)
            yield SystemCommand(f"{binding.description} ({key})", active.tooltip or binding.description, run)
        for command in super().get_system_commands(screen):
            if command.title in ("Theme", "Screenshot"):
                yield command

    def _ask_from_thread(self, question: str) -> str:
        """Ask for a secret; called from the thread that reads it. Raises SecretError when there is no answer."""
        ask: Callable[[str], str | Awaitable[str | None] | None] = self._ask
        answer = self.call_from_thread(ask, question)
        if answer is None:
            raise SecretError("No secret was given; test again to be asked once more.")
        return answer

    async def _ask(self, question: str) -> str | None:
        from mailtui.tui.screens.ask import AskScreen

        async with self._asking:
            answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
            await self.push_screen(AskScreen(question), answered.set_result)
            return await answered

    def _fatal_error(self) -> None:
        """A defect ends the program: tell where, without the values of variables, which may be secret."""
        from rich.traceback import Traceback

        self.bell()
        self.panic(Traceback(show_locals=False, width=None))
