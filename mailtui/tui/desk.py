"""What the screens can ask for: one place that knows the board, runs the checks and writes to the database."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any

from textual.app import App
from textual.notifications import SeverityLevel

from mailtui.actions.edit import draft_of, new_draft
from mailtui.actions.recording import Recorder
from mailtui.model.errors import MailtuiError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.tui.board import Board
from mailtui.tui.checker import Checker
from mailtui.tui.messages import AccountsChanged, ChecksProgressed
from mailtui.tui.services import Ask, Services


class Loading(Enum):
    """Whether the accounts are there yet."""

    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


class Desk:
    """The actions of the screens. What changes is told to every open screen by messages."""

    def __init__(self, app: App[Any], services: Services, ask: Ask) -> None:
        self._app = app
        self._services = services
        self.board = Board()
        self.state = Loading.BUSY
        self.recorder = Recorder(services.store.record_many, partial(self.say, severity="error"))
        self.checker = Checker(
            app,
            services,
            self.board,
            self.recorder,
            ask=ask,
            changed=self.progressed,
            on_error=lambda words: self.say(words, "error"),
        )

    @property
    def now(self) -> datetime:
        """The present time, from which ages are told."""
        return self._services.now()

    def say(self, words: str, severity: SeverityLevel = "information") -> None:
        """Tell the person; the words may come from anywhere."""
        lines = "\n".join(clean(line) for line in words.splitlines()[:8])
        self._app.notify(lines, severity=severity, markup=False, timeout=8 if severity == "error" else 4)

    def progressed(self) -> None:
        """Ask the open screens to repaint what changed."""
        for screen in self._app.screen_stack:
            screen.post_message(ChecksProgressed())

    def changed(self, select: str | None = None) -> None:
        """Ask the open screens to build their lists again."""
        for screen in self._app.screen_stack:
            screen.post_message(AccountsChanged(select))

    def reload(self) -> None:
        """Read accounts and last reports from the database."""
        self._start(self._reload, group="load")

    def toggle(self, name: str) -> None:
        """Make an account active or inactive."""
        self._start(partial(self._toggle, name), group="write")

    def complete(self, name: str) -> None:
        """Fetch the transcripts of an account's last report, which the list does without."""
        if self.board.lacks_transcripts(name):
            self._start(partial(self._complete, name), group="read")

    def edit(self, name: str | None) -> None:
        """Open an account in the editor; None makes a new one."""
        self._start(partial(self._edit, name), group="edit")

    def _start(self, work: Callable[[], Awaitable[None]], *, group: str) -> None:
        async def guarded() -> None:
            try:
                await work()
            except MailtuiError as error:
                self.say(str(error), "error")

        self._app.run_worker(guarded(), group=group, exclusive=group == "load")

    async def _reload(self) -> None:
        try:
            accounts = await off_loop(self._services.store.accounts)
            reports = await off_loop(partial(self._services.store.latest, transcripts=False))
            self.board.load(accounts, reports)
            self.state = Loading.DONE
        except MailtuiError:
            self.state = Loading.FAILED
            raise
        finally:
            self.changed()

    async def _toggle(self, name: str) -> None:
        wanted = not self.board.account(name).active
        await off_loop(lambda: self._services.store.set_active([name], wanted))
        self.board.put(await off_loop(partial(self._services.store.account, name)))
        self.progressed()

    async def _complete(self, name: str) -> None:
        for report in await off_loop(partial(self._services.store.history, name, 1)):
            self.board.complete(report)
        self.progressed()

    async def _edit(self, name: str | None) -> None:
        # Its parts are seldom needed, and not for the first frame.
        from mailtui.tui.editing import edit_draft

        if name is None:
            draft = await off_loop(new_draft)
        else:
            # As stored now: the list may be older than another process's change.
            draft = await off_loop(lambda: draft_of(self._services.store.account(name)))
        saved = await edit_draft(self._app, self._services, draft)
        if saved is None:
            self.say("Nothing changed.")
            return
        self.board.put(saved, instead_of=name)
        self.changed(select=saved.name)
        self.say(f"Saved {saved.name}. Press t to test it.")
