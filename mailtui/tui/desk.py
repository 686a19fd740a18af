"""What the screens can ask for: one place that knows the board, runs the checks and writes to the database."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.notifications import SeverityLevel

from mailtui.actions.edit import draft_of, new_draft
from mailtui.actions.recording import Recorder
from mailtui.model.account import Account, SecretScheme
from mailtui.model.check import CheckReport
from mailtui.model.errors import MailtuiError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.tui.board import Board
from mailtui.tui.checker import Checker
from mailtui.tui.messages import AccountsChanged, ChecksProgressed
from mailtui.tui.services import Ask, Services

if TYPE_CHECKING:
    from mailtui.actions.removal import Undo
    from mailtui.tui.form.state import FormState

_WATCH_INTERVAL = 2.0
"""Seconds between two looks for what other processes wrote."""

_MANY = 20
"""Accounts from which reading all reports at once is cheaper than one by one."""


class Loading(Enum):
    """Whether the accounts are there yet."""

    BUSY = "busy"
    DONE = "done"
    FAILED = "failed"


class Desk:
    """The actions of the screens. What changes is told to every open screen by messages."""

    retrieval_unavailable = "mailtui does not fetch mail yet: it keeps and tests these entries. Press t to test one."
    """Why mail cannot be retrieved."""

    def __init__(self, app: App[Any], services: Services, ask: Ask) -> None:
        self._app = app
        self._undo: Undo | None = None
        self._written: int | None = None
        self._opening = False
        self.services = services
        self.ask = ask
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
        return self.services.now()

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

    async def watch(self, interval: float = _WATCH_INTERVAL) -> None:
        """Read the accounts again whenever another process has written, looked for every `interval` s; never ends."""
        loop = asyncio.get_running_loop()
        pause = interval
        while True:
            await asyncio.sleep(pause)
            try:
                written = await off_loop(self.services.store.data_version)
                if written != self._written and self._written is not None:
                    began = loop.time()
                    await self._reload()
                    # A process that writes all the time must not keep this one reading all the time.
                    pause = max(interval, 10 * (loop.time() - began))
                self._written = written
            except MailtuiError:
                # What the person does next runs into the same trouble, and is told.
                pause = 10 * interval

    @property
    def can_undo(self) -> bool:
        """Whether accounts were removed that can be brought back."""
        return self._undo is not None

    def set_active(self, names: Sequence[str], active: bool) -> None:
        """Make accounts active or inactive."""
        self._start(partial(self._set_active, list(names), active), group="write")

    def remove(self, names: Sequence[str]) -> None:
        """Ask, and remove accounts with what belongs to them alone."""
        self._start(partial(self._remove, list(names)), group="edit")

    def undo(self) -> None:
        """Bring back the accounts that were removed last."""
        self._start(self._bring_back, group="edit")

    def export(self, names: Sequence[str]) -> None:
        """Write accounts to a TOML file that the person names."""
        accounts = [self.board.account(name) for name in names if name in self.board]
        self._start(partial(self._export, accounts), group="edit")

    def new(self) -> None:
        """Open the form of a new account."""
        self._start(self._new, group="edit")

    def edit(self, name: str, section: str = "") -> None:
        """Open the form of an account, at a section of it."""
        self._start(partial(self._edit, name, section), group="edit")

    def duplicate(self, name: str) -> None:
        """Open the form of a new account that is like another."""
        self._start(partial(self._duplicate, name), group="edit")

    def complete(self, name: str) -> None:
        """Fetch the transcripts of an account's last report, which the list does without."""
        if self.board.lacks_transcripts(name):
            self._start(partial(self._complete, name), group="read")

    async def history(self, name: str) -> list[CheckReport]:
        """The reports of an account, newest first, without their transcripts. Raises MailtuiError."""
        return await off_loop(partial(self.services.store.history, name, transcripts=False))

    def edit_text(self, name: str | None) -> None:
        """Open an account in the person's own editor; None makes a new one."""
        self._start(partial(self._edit_text, name), group="edit")

    def _start(self, work: Callable[[], Awaitable[None]], *, group: str) -> None:
        # A key pressed twice opens one form.
        if group == "edit" and self._opening:
            return
        self._opening = self._opening or group == "edit"

        async def guarded() -> None:
            try:
                await work()
            except MailtuiError as error:
                self.say(str(error), "error")
            finally:
                if group == "edit":
                    self._opening = False

        self._app.run_worker(guarded(), group=group, exclusive=group == "load")

    async def _reload(self) -> None:
        try:
            accounts = await off_loop(self.services.store.accounts)
            reports = await off_loop(partial(self.services.store.latest, transcripts=False))
            self.board.load(accounts, reports)
            self.state = Loading.DONE
        except MailtuiError:
            self.state = Loading.FAILED
            raise
        finally:
            self.changed()

    async def _set_active(self, names: list[str], active: bool) -> None:
        await off_loop(lambda: self.services.store.set_active(names, active))
        for account in await self._stored(names):
            self.board.put(account)
        self.progressed()
        if len(names) > 1:
            self.say(f"{len(names)} accounts are {'active' if active else 'off'} now.")

    async def _stored(self, names: list[str]) -> list[Account]:
        def read() -> list[Account]:
            if len(names) <= _MANY:
                return [self.services.store.account(name) for name in names]
            wanted = set(names)
            return [account for account in self.services.store.accounts() if account.name in wanted]

        return await off_loop(read)

    async def _remove(self, names: list[str]) -> None:
        from mailtui.tui.removing import remove_flow

        undo = await remove_flow(self._app, self.services, self.ask, names)
        if undo is None:
            return
        self._undo = undo
        gone = [account.name for account in undo.removed.accounts]
        self.board.remove(gone)
        self.changed()
        what = gone[0] if len(gone) == 1 else f"{len(gone)} accounts"
        lines = [f"Removed {what}. Press u to bring {'it' if len(gone) == 1 else 'them'} back.", *undo.problems]
        self.say("\n".join(lines), "warning" if undo.problems else "information")

    async def _bring_back(self) -> None:
        from mailtui.actions.removal import undo_removal

        undo = self._undo
        if undo is None:
            self.say("There is nothing to undo: no account was removed since mailtui was started.")
            return
        # Before the wait: a second key press must not bring them back twice.
        self._undo = None
        try:
            accounts, problems = await undo_removal(self.services.store, self.services.secrets(self.ask), undo)
        except MailtuiError:
            self._undo = undo
            raise
        for account in accounts:
            self.board.put(account)
        await self._read_reports([account.name for account in accounts])
        self.changed(select=accounts[0].name if accounts else None)
        what = accounts[0].name if len(accounts) == 1 else f"{len(accounts)} accounts"
        self.say("\n".join([f"{what} is back." if len(accounts) == 1 else f"{what} are back.", *problems]))

    async def _read_reports(self, names: list[str]) -> None:
        if len(names) > _MANY:
            await self._reload()
            return
        for name in names:
            for report in await off_loop(partial(self.services.store.history, name, 1)):
                self.board.complete(report)

    async def _export(self, accounts: list[Account]) -> None:
        from mailtui.tui.exporting import export_flow

        told = await export_flow(self._app, accounts)
        if told is not None:
            self.say(told)

    async def _complete(self, name: str) -> None:
        for report in await off_loop(partial(self.services.store.history, name, 1)):
            self.board.complete(report)
        self.progressed()

    async def _new(self) -> None:
        from mailtui.tui.form.state import FormState

        await self._fill_in(FormState.new(await self._usual_place()))

    async def _edit(self, name: str, section: str) -> None:
        from mailtui.tui.form.state import FormState

        # As stored now: the list may be older than another process's change.
        account = await off_loop(partial(self.services.store.account, name))
        await self._fill_in(FormState.of(account), section)

    async def _duplicate(self, name: str) -> None:
        from mailtui.tui.form.state import FormState

        account = await off_loop(partial(self.services.store.account, name))
        await self._fill_in(FormState.duplicate_of(account, self.board.names))

    async def _usual_place(self) -> SecretScheme:
        """Where new passwords are kept: in the desktop's keyring where there is one, else in the vault."""
        for state in await self.services.secrets(self.ask).where():
            if state.scheme is SecretScheme.KEYRING and state.usable:
                return SecretScheme.KEYRING
        return SecretScheme.VAULT

    async def _fill_in(self, state: "FormState", section: str = "") -> None:
        # Its parts are seldom needed, and not for the first frame.
        from mailtui.tui.screens.form import FormScreen

        shown = self._app.push_screen(FormScreen(self, state, section), wait_for_dismiss=True)
        # From now on the form itself may ask for another.
        self._opening = False
        saved = await shown
        if saved is None:
            return
        original = state.original
        self.board.put(saved.account, instead_of=None if original is None else original.name)
        self.changed(select=saved.account.name)
        lines = [f"Saved {saved.account.name}. Press t to test it.", *saved.problems]
        self.say("\n".join(lines), "warning" if saved.problems else "information")

    async def _edit_text(self, name: str | None) -> None:
        from mailtui.tui.editing import edit_draft

        if name is None:
            draft = await off_loop(new_draft)
        else:
            # As stored now: the list may be older than another process's change.
            draft = await off_loop(lambda: draft_of(self.services.store.account(name)))
        saved = await edit_draft(self._app, self.services, draft)
        if saved is None:
            self.say("Nothing changed.")
            return
        self.board.put(saved, instead_of=name)
        self.changed(select=saved.name)
        self.say(f"Saved {saved.name}. Press t to test it.")
