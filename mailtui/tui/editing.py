"""Edit an account in the person's own editor, while the checks go on behind it."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from mailtui.actions.edit import Draft, DraftRefused, save_draft
from mailtui.model.account import Account
from mailtui.model.errors import UsageError
from mailtui.offloop import off_loop
from mailtui.tui.screens.problems import ProblemsScreen
from mailtui.tui.services import Services


async def edit_draft(app: App[Any], services: Services, draft: Draft) -> Account | None:
    """Let a person edit `draft` until it can be saved; returns the stored account, None when they gave up.

    The text lives in a file of mode 0600, which stays behind only when it holds something unsaved: that is said.
    Raises UsageError when there is no editor. Must be called from a worker.
    """
    path = await off_loop(_new_file)
    keep = False
    try:
        while True:
            await off_loop(partial(path.write_text, draft.text, encoding="utf-8"))
            status = await _run_editor(app, services, path)
            text = await off_loop(partial(path.read_text, encoding="utf-8", errors="replace"))
            if status != 0:
                keep = text != draft.text
                kept = f" Your text is kept in {path}" if keep else ""
                raise UsageError(f"The editor ended with status {status}: nothing was saved.{kept}")
            try:
                return await off_loop(partial(save_draft, services.store, draft, text))
            except DraftRefused as refused:
                draft = refused.draft
                keep = True
                if not await app.push_screen_wait(ProblemsScreen(refused.problems)):
                    raise UsageError(f"Not saved. Your text is kept in {path}") from refused
                keep = False
    finally:
        if not keep:
            path.unlink(missing_ok=True)


def _new_file() -> Path:
    # mkstemp creates with mode 0600.
    descriptor, name = tempfile.mkstemp(prefix="mailtui-", suffix=".toml")
    os.close(descriptor)
    return Path(name)


async def _run_editor(app: App[Any], services: Services, path: Path) -> int:
    if services.edit_file is not None:
        return await off_loop(partial(services.edit_file, path))
    command = [*editor_command(), str(path)]
    try:
        # The loop goes on, so that running checks keep their deadlines; the batch keeps it from drawing.
        with app.batch_update(), app.suspend(), _interrupts_are_the_editors():
            return await off_loop(lambda: subprocess.run(command, check=False).returncode)
    except SuspendNotSupported as error:
        raise UsageError("This terminal cannot be lent to an editor; use `mailtui account edit` in a shell.") from error
    except OSError as error:
        raise UsageError(
            f"The editor {command[0]} does not start ({error.strerror}); set $VISUAL or $EDITOR."
        ) from error


def editor_command() -> list[str]:
    """The editor to run: $VISUAL, $EDITOR, or a usual one. Raises UsageError when there is none."""
    for variable in ("VISUAL", "EDITOR"):
        if words := _words(os.environ.get(variable, "")):
            return words
    for usual in ("sensible-editor", "nano", "vi"):
        if shutil.which(usual):
            return [usual]
    raise UsageError("There is no editor; set $VISUAL or $EDITOR to one, for example EDITOR=nano.")


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"$VISUAL or $EDITOR cannot be read ({error}); correct its quotes.") from error


@contextlib.contextmanager
def _interrupts_are_the_editors() -> Iterator[None]:
    """Ctrl+C in the editor reaches us too; a handler, unlike SIG_IGN, is not inherited by the editor."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
