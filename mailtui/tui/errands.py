"""What a key asks for that takes a dialog: forms, the editor, removal and its undo, remedies, export. One at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import App

from mailtui.model.account import Account, SecretScheme
from mailtui.model.errors import MailtuiError
from mailtui.offloop import off_loop
from mailtui.tui.typed_ahead import TypedAhead

if TYPE_CHECKING:
    from mailtui.actions.removal import Restored, Undo
    from mailtui.tui.desk import Desk
    from mailtui.tui.form.state import FormState

_MANY = 20
"""Accounts from which reading all reports at once is cheaper than one by one."""

_LOOKING = 2.0
"""Seconds that a new form waits to learn whether there is a desktop's keyring."""


class Errands:
    """Each is done in the background, and ends with the board telling what has changed."""

    def __init__(self, desk: "Desk", app: App[Any]) -> None:
        self._desk = desk
        self._app = app
        self._undo: Undo | None = None
        self._opening: object | None = None
        self.typed_ahead = TypedAhead(app)

    @property
    def can_undo(self) -> bool:
        """Whether accounts were removed that can be brought back."""
        return self._undo is not None

    def new(self) -> None:
        """Open the form of a new account."""
        self._start(self._new, typing=True)

    def edit(self, name: str, section: str = "") -> None:
        """Open the form of an account, at a section of it."""
        self._start(partial(self._edit, name, section), typing=True)

    def duplicate(self, name: str) -> None:
        """Open the form of a new account that is like another."""
        self._start(partial(self._duplicate, name), typing=True)

    def edit_text(self, name: str | None) -> None:
        """Open an account in the person's own editor; None makes a new one."""
        self._start(partial(self._edit_text, name))

    def remove(self, names: Sequence[str]) -> None:
        """Ask, and remove accounts with what belongs to them alone."""
        self._start(partial(self._remove, list(names)))

    def undo(self) -> None:
        """Bring back the accounts that were removed last."""
        self._start(self._bring_back)

    def fix(self, names: Sequence[str]) -> None:
        """Make the changes that the last checks of accounts propose, and test again."""
        self._start(partial(self._fix, list(names)))

    def accept(self, names: Sequence[str]) -> None:
        """Ask, take the servers of accounts as they are now, and test again."""
        self._start(partial(self._accept, list(names)))

    def insist(self, names: Sequence[str]) -> None:
        """Ask, and test accounts although their logins were refused."""
        self._start(partial(self._insist, list(names)))

    def export(self, names: Sequence[str]) -> None:
        """Write accounts to a TOML file that the person names."""
        board = self._desk.board
        self._start(partial(self._export, [board.account(name) for name in names if name in board]))

    def _start(self, work: Callable[[], Awaitable[None]], *, typing: bool = False) -> None:
        # A key pressed twice opens one form.
        if self._opening is not None:
            return
        token = self._opening = object()
        if typing:
            self.typed_ahead.hold()

        async def alone() -> None:
            try:
                await work()
            finally:
                if self._opening is token:
                    self._opening = None
                    self.typed_ahead.forget()

        self._desk.start(alone, group="errand")

    async def _new(self) -> None:
        from mailtui.tui.form.state import FormState

        await self._fill_in(FormState.new(await self._usual_place(), taken=self._desk.board.names))

    async def _edit(self, name: str, section: str) -> None:
        from mailtui.tui.form.state import FormState

        # As stored now: the list may be older than another process's change.
        account = await off_loop(partial(self._desk.services.store.account, name))
        await self._fill_in(FormState.of(account, taken=self._desk.board.names), section)

    async def _duplicate(self, name: str) -> None:
        from mailtui.tui.form.state import FormState

        account = await off_loop(partial(self._desk.services.store.account, name))
        board = self._desk.board
        others = [board.account(other) for other in board.names]
        await self._fill_in(FormState.duplicate_of(account, board.names, others))

    async def _usual_place(self) -> SecretScheme:
        """Where new passwords are kept: in the desktop's keyring where there is one, else in the vault."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOKING):
                for state in await self._desk.services.secrets(self._desk.ask).where():
                    if state.scheme is SecretScheme.KEYRING and state.usable:
                        return SecretScheme.KEYRING
        return SecretScheme.VAULT

    async def _fill_in(self, state: "FormState", section: str = "") -> None:
        # Its parts are seldom needed, and not for the first frame.
        from mailtui.tui.screens.form import FormScreen

        form = FormScreen(self._desk, state, section)
        closed = self._app.push_screen(form, wait_for_dismiss=True)
        await self.typed_ahead.release_to(form)
        # From now on the form itself may ask for another.
        self._opening = None
        saved = await closed
        if saved is None:
            return
        original = state.original
        self._desk.put(saved.account, instead_of=None if original is None else original.name)
        lines = [f"Saved {saved.account.name}. Press t to test it.", *saved.problems]
        self._desk.say("\n".join(lines), "warning" if saved.problems else "information")

    async def _edit_text(self, name: str | None) -> None:
        from mailtui.actions.edit import draft_of, new_draft
        from mailtui.tui.editing import edit_draft

        services = self._desk.services
        if name is None:
            draft = await off_loop(new_draft)
        else:
            # As stored now: the list may be older than another process's change.
            draft = await off_loop(lambda: draft_of(services.store.account(name)))
        saved = await edit_draft(self._app, services, draft)
        if saved is None:
            self._desk.say("Nothing changed.")
            return
        self._desk.put(saved, instead_of=name)
        self._desk.say(f"Saved {saved.name}. Press t to test it.")

    async def _remove(self, names: list[str]) -> None:
        from mailtui.tui.removing import remove_flow

        desk = self._desk
        undo = await remove_flow(self._app, desk, names)
        if undo is None:
            return
        self._undo = undo
        gone = [account.name for account in undo.removed.accounts]
        desk.drop(gone)
        what = gone[0] if len(gone) == 1 else f"{len(gone)} accounts"
        lines = [f"Removed {what}. Press u to bring {'it' if len(gone) == 1 else 'them'} back.", *undo.problems]
        desk.say("\n".join(lines), "warning" if undo.problems else "information")

    async def _bring_back(self) -> None:
        from mailtui.actions.removal import undo_removal

        desk, undo = self._desk, self._undo
        if undo is None:
            desk.say("There is nothing to undo: no account was removed since mailtui was started.")
            return
        # Before the wait: a second key press must not bring them back twice.
        self._undo = None
        try:
            done = await desk.finish(undo_removal(desk.services.store, desk.services.secrets(desk.ask), undo))
        except MailtuiError:
            self._undo = undo
            raise
        # The passwords that could not be put in their place are held for another try.
        self._undo = done.left
        desk.say("\n".join(_brought_back(done)), "warning" if done.problems else "information")
        desk.put(*done.accounts)
        await self._read_reports([account.name for account in done.accounts])
        desk.changed(select=done.accounts[0].name if done.accounts else None)

    async def _read_reports(self, names: list[str]) -> None:
        if len(names) > _MANY:
            self._desk.reload()
            return
        for name in names:
            for report in await off_loop(partial(self._desk.services.store.history, name, 1)):
                self._desk.board.complete(report)

    async def _fix(self, names: list[str]) -> None:
        from mailtui.tui.fixing import fix_flow

        fixed = await fix_flow(self._app, self._desk, names)
        if fixed is not None and fixed.accounts:
            self._desk.replace(*fixed.accounts)
            self._desk.checker.test(account.name for account in fixed.accounts)

    async def _accept(self, names: list[str]) -> None:
        from mailtui.tui.insisting import accept_flow

        if accepted := await accept_flow(self._app, self._desk, names):
            self._desk.checker.test(accepted)

    async def _insist(self, names: list[str]) -> None:
        from mailtui.tui.insisting import insist_flow

        if insisted := await insist_flow(self._app, self._desk, names):
            self._desk.checker.test(insisted, insist=True)

    async def _export(self, accounts: list[Account]) -> None:
        from mailtui.tui.exporting import export_flow

        told = await export_flow(self._app, accounts)
        if told is not None:
            self._desk.say(told)


def _brought_back(done: "Restored") -> Iterator[str]:
    names = [account.name for account in done.accounts]
    if names:
        yield f"{names[0]} is back." if len(names) == 1 else f"{len(names)} accounts are back."
    yield from done.problems
    if done.left is not None:
        yield "Press u to try again."
