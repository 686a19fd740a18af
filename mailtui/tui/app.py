"""The program with screens."""

import asyncio
import contextlib
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar, Protocol, runtime_checkable

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.dom import DOMNode
from textual.notifications import SeverityLevel
from textual.reactive import var
from textual.screen import Screen, SystemModalScreen
from textual.timer import Timer

from mailtui.actions.check import CheckOptions
from mailtui.model.errors import MailtuiError, SecretError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.settings import Settings
from mailtui.storage.vault_key import PROMPT_DEADLINE
from mailtui.tui.desk import Desk
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.services import Services
from mailtui.tui.terminal_driver import TerminalDriver
from mailtui.tui.themes import CSS, THEMES
from mailtui.tui.widgets.message_bar import Notice, Told, furnish, notice_of
from mailtui.tui.widgets.text_line import pasted

_PATIENCE = 5.0
"""Seconds that leaving waits for checks to let go of their connections, and for the history to be written."""

_TOLD = 50
"""How many messages are kept to be read again."""

_BREATH = 0.2
"""Seconds from the accounts being read to the loading of the rest: the list is drawn first."""

_READING = 20.0
"""Seconds to read what is said at the start, when nobody expects it."""


def _actions_provider() -> type[Provider]:
    # Loaded with the first use, so that the list is on the screen sooner.
    from mailtui.tui.palette import ActionsProvider

    return ActionsProvider


@runtime_checkable
class Unfinished(Protocol):
    """A screen in which something may have been typed."""

    @property
    def unsaved(self) -> bool:
        """Whether leaving would lose it."""


# Without Textual's own bindings: they have no id, so that a person could not give them other keys.
class MailtuiApp(App[int], inherit_bindings=False):
    """Accounts, their checks and what to do with them. `run()` returns the exit code."""

    TITLE = "mailtui"
    CSS = CSS
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_actions_provider}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Help", id="app.help", tooltip="The keys and the marks"),
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Cancel what runs and leave"),
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            show=False,
            priority=True,
            id="app.leave",
            tooltip="Cancel what runs and leave, wherever you are",
        ),
        Binding(
            "ctrl+p",
            "command_palette",
            "palette",
            show=False,
            priority=True,
            id="app.palette",
            tooltip="Every action by its name",
        ),
        Binding("f9", "change_theme", "Theme", show=False, id="app.theme", tooltip="Choose the colours"),
        Binding("f7", "messages", "Messages", show=False, id="app.messages", tooltip="What mailtui said lately"),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]

    prompt_deadline = PROMPT_DEADLINE
    """Seconds after which a question for a secret is taken back: whoever asked has given up by then."""

    notice: var[Notice | None] = var(None)
    """What the message bars show."""

    def __init__(
        self,
        services: Services,
        settings: Settings | None = None,
        save_theme: Callable[[str], None] | None = None,
        welcome: str = "",
    ) -> None:
        super().__init__(driver_class=TerminalDriver)
        settings = settings or Settings()
        self.told: deque[Notice] = deque(maxlen=_TOLD)
        """The last messages, oldest first."""
        self.keys: Mapping[str, str] = {}
        """The person's own keys, by the id of what they do."""
        self._forgetting: Timer | None = None
        self._problems = list(settings.problems)
        self._welcome = welcome
        self._asking_to_leave = False
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._first_theme(settings)
        self._kept_theme = self.theme
        self._save_theme = save_theme
        self._saving_theme = asyncio.Lock()
        self._read_keys(settings)
        # Sliding lists cost time on slow lines and say nothing.
        self.animation_level = "none"
        options = CheckOptions(certificate_days=settings.certificate_days)
        self.desk = Desk(self, services, self._ask_from_thread, options, retrievals_at_once=settings.retrievals_at_once)
        self._asking = asyncio.Lock()

    def _first_theme(self, settings: Settings) -> str:
        if settings.theme in self.available_themes:
            return settings.theme
        if settings.theme:
            self._problems.append(
                f"{settings.place('theme')}: there is no theme {clean(settings.theme, 40)!r}; "
                f"{', '.join(theme.name for theme in THEMES)}, ansi-dark and ansi-light are some."
            )
        # In sixteen colours our pale green would become grey; the terminal's own green is green.
        return "ansi-dark" if self._has_few_colours() else THEMES[0].name

    def _has_few_colours(self) -> bool:
        return self.console.color_system == "standard" and not self.no_color

    def _read_keys(self, settings: Settings) -> None:
        if not settings.keys:
            return
        from mailtui.tui.keys import keymap_of

        keymap = keymap_of(settings)
        self.keys = keymap.keys
        self._problems += keymap.problems
        if palette := self.keys.get("app.palette"):
            # The footer looks for the palette's key here.
            self.COMMAND_PALETTE_BINDING = palette.split(",")[0]  # type: ignore[misc]  # Textual reads it off the instance

    async def on_mount(self) -> None:
        """Show the accounts screen at once, and read the accounts behind it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.call_later, self._leave, 128 + number)
        self.set_keymap(self.keys)
        await self.push_screen(AccountsScreen(self.desk))
        self.desk.reload()
        self.run_worker(self.desk.watch(), group="watch")
        self.run_worker(self._load_the_rest(), group="preload")
        if self._welcome:
            self.notify(self._welcome, timeout=_READING, markup=False)
        if self._problems:
            self.notify("\n".join(self._problems), severity="warning", timeout=_READING, markup=False)

    async def _load_the_rest(self) -> None:
        await self.desk.loaded.wait()
        await asyncio.sleep(_BREATH)
        # By itself it would be a part of what the first frame waits for.
        from mailtui.tui.preloading import preload

        with self.desk.collector.loading():
            await preload(self)
        self.run_worker(self.desk.automatic.run(), group="automatic")

    async def on_event(self, event: events.Event) -> None:
        """Keys typed for a form that is about to open must not be taken by the list."""
        if isinstance(event, events.Paste) and isinstance(self.screen, SystemModalScreen):
            # The palette's line is Textual's own, and would draw whatever is pasted.
            event = events.Paste(pasted(event.text)[0])
        if getattr(event, "is_forwarded", False) or not self.desk.errands.typed_ahead.take(event):
            await super().on_event(event)

    async def _on_key(self, event: events.Key) -> None:
        # What no widget took comes back to here: of keys that came in one burst, also those behind the one that opens.
        if self.desk.errands.typed_ahead.take(event):
            event.prevent_default()

    async def action_quit(self) -> None:
        """Cancel what runs, write what is finished, and leave; ask first if something typed would be lost."""
        if any(isinstance(screen, Unfinished) and screen.unsaved for screen in self.screen_stack):
            self.run_worker(self._ask_to_leave(), group="leave")
        else:
            await self._leave(0)

    async def _ask_to_leave(self) -> None:
        from mailtui.tui.screens.confirm import ConfirmScreen

        if self._asking_to_leave:
            return
        self._asking_to_leave = True
        try:
            lines = ["What you typed in the form is not saved. Leaving loses it."]
            if await self.push_screen_wait(ConfirmScreen("Leave mailtui?", lines, "Leave", "Stay", danger=True)):
                await self._leave(0)
        finally:
            self._asking_to_leave = False

    async def _leave(self, code: int) -> None:
        self.workers.cancel_group(self, "automatic")
        await asyncio.gather(self.desk.checker.stop(_PATIENCE), self.desk.retriever.stop(_PATIENCE))
        await self.desk.settled(_PATIENCE)
        await self.desk.recorder.end(_PATIENCE)
        await self.desk.keep_refusals(_PATIENCE)
        # A disk that hangs must not keep anybody here.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._remember_theme(), _PATIENCE)
        self.exit(code)

    def action_help(self) -> None:
        """Open the help of the present screen."""
        # Loaded with the first use, so that the list is on the screen sooner.
        from mailtui.tui.screens.help import HelpScreen

        if not isinstance(self.screen, HelpScreen):
            self.push_screen(HelpScreen(self.screen, self.keys))

    def action_help_quit(self) -> None:
        """ctrl+c does not leave, for many press it to copy: say which key does."""
        from mailtui.tui.keys import actions_on, shown

        for action in actions_on(self.screen, self.keys):
            if action.binding.id in ("app.quit", "app.leave") and action.keys:
                self.notify(f"Press {shown(action.keys, action.binding, self)[0]} to leave mailtui.", markup=False)
                return

    def key_of(self, identity: str) -> str:
        """The key of one of the app's own actions, as the footer writes it."""
        from mailtui.tui.keys import actions_of_kind, shown

        binding = actions_of_kind(MailtuiApp)[identity]
        return shown(self.keys.get(identity, binding.key).split(","), binding, self)[0]

    def action_messages(self) -> None:
        """Show in full what was said lately."""
        from mailtui.tui.screens.messages import MessagesScreen

        if not isinstance(self.screen, MessagesScreen):
            self.push_screen(MessagesScreen(self.told))

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Tell the person in the message bar; may be called from any thread."""
        self.post_message(Told(notice_of(message, title=title, severity=severity, seconds=timeout, markup=markup)))

    @on(Told)
    async def _tell(self, message: Told) -> None:
        self.told.append(message.notice)
        if self._forgetting is not None:
            self._forgetting.stop()
        self._forgetting = self.set_timer(message.notice.seconds, self._forget)
        # Textual's own dialogs lie over a part of the screen only, and go at once.
        if not isinstance(self.screen, SystemModalScreen):
            await furnish(self.screen)
        self.notice = message.notice

    def _forget(self) -> None:
        self.notice = None

    def watch_theme(self, theme: str) -> None:
        """Remember the person's choice."""
        if self.is_running and theme != self._kept_theme:
            self.run_worker(self._remember_theme(), group="theme")

    async def _remember_theme(self) -> None:
        async with self._saving_theme:
            theme = self.theme
            if self._save_theme is None or theme == self._kept_theme:
                return
            # Once, whatever becomes of it: nobody wants to hear the same trouble at the end again.
            self._kept_theme = theme
            try:
                await off_loop(partial(self._save_theme, theme))
            except MailtuiError as error:
                self.notify(str(error), severity="error", markup=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every action of the screen and of what has the focus, each once, and what has no key."""
        from mailtui.tui.keys import actions_on, shown

        told: set[tuple[DOMNode, str]] = {(self, "command_palette")}
        # What the footer shows first: to move about nobody needs a palette.
        for action in sorted(actions_on(screen, self.keys), key=lambda action: not action.binding.show):
            call = (action.node, action.binding.action)
            if not action.ready or call in told:
                continue
            told.add(call)
            keys = ", ".join(shown(action.keys, action.binding, self))
            run = partial(self.run_action, action.binding.action, action.node)
            yield SystemCommand(f"{action.name} ({keys})" if keys else action.name, action.what, run)
        for command in super().get_system_commands(screen):
            if command.title == "Screenshot":
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

        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        prompt = AskScreen(question)

        def settle(answer: str | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        try:
            # Nobody waits any longer for an answer, whether the question was put or still had to wait its turn.
            async with asyncio.timeout(self.prompt_deadline), self._asking:
                await self.push_screen(prompt, settle)
                return await answered
        except TimeoutError:
            prompt.withdraw()
            return None

    def _fatal_error(self) -> None:
        """A defect ends the program: tell where, without the values of variables, which may be secret."""
        from rich.traceback import Traceback

        self.bell()
        kind, error, place = sys.exc_info()
        assert kind is not None
        assert error is not None
        trace = Traceback.extract(kind, error, place, show_locals=False)
        for stack in trace.stacks:
            # It may quote a server.
            stack.exc_value = clean(stack.exc_value)
        self.panic(Traceback(trace, width=None))
