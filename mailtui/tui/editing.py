"""Edit an account in the person's own editor, while the checks go on behind it."""

from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from mailtui.actions.edit import Draft, DraftRefused
from mailtui.actions.editor import Editing, editor_command, interrupts_left_to_editor, run_editor
from mailtui.model.account import Account
from mailtui.model.errors import UsageError
from mailtui.offloop import off_loop
from mailtui.tui.screens.problems import ProblemsScreen
from mailtui.tui.services import Services


async def edit_draft(app: App[Any], services: Services, draft: Draft) -> Account | None:
    """Let a person edit `draft` until it can be saved; returns the stored account, None when nothing changed.

    Raises UsageError when there is no editor, it fails, or the person gives up; it says where an unsaved text is.
    Must be called from a worker.
    """
    editing = Editing(services.store, draft)
    try:
        while True:
            status = await _run_editor(app, services, await off_loop(editing.begin))
            try:
                return await off_loop(partial(editing.finish, status))
            except DraftRefused as refused:
                if not await app.push_screen_wait(ProblemsScreen(refused.problems)):
                    raise UsageError(f"nothing was saved{await off_loop(lambda: editing.kept)}") from refused
    finally:
        await off_loop(editing.end)


async def _run_editor(app: App[Any], services: Services, path: Path) -> int:
    if services.edit_file is not None:
        return await off_loop(partial(services.edit_file, path))
    command = editor_command()
    try:
        # The loop goes on, so that running checks keep their deadlines; the batch keeps it from drawing.
        with app.batch_update(), app.suspend(), interrupts_left_to_editor():
            return await off_loop(partial(run_editor, command, path))
    except SuspendNotSupported as error:
        raise UsageError("this terminal cannot be lent to an editor; use `mailtui account edit` in a shell") from error
