"""Write files for a person: where to is asked, an existing file only replaced when they say so."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from textual.app import App

from mailtui.actions.exporting import Exists, default_file, export_accounts
from mailtui.model.account import Account
from mailtui.model.errors import MailtuiError, UsageError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.path import PathScreen, written

T = TypeVar("T")

_DEADLINE = 10.0
"""Seconds that a file system has to write a file; one that is far away may never do."""


async def write_flow(
    app: App[Any], title: str, question: str, default: Path, write: Callable[[Path, bool], None]
) -> Path | None:
    """Ask for a file and let `write(path, replace)` write it, off the loop; None when the person gives up.

    What goes wrong is told beside the path, to be tried again. Must be called from a worker.
    """
    path, problem = default, ""
    while True:
        chosen = await app.push_screen_wait(PathScreen(title, question, path, problem=problem))
        if chosen is None:
            return None
        path, problem = chosen, ""
        try:
            await _in_time(partial(write, path, False))
            return path
        except Exists:
            if not await _may_replace(app, path):
                continue
        except MailtuiError as error:
            problem = str(error)
            continue
        try:
            await _in_time(partial(write, path, True))
            return path
        except MailtuiError as error:
            problem = str(error)


async def export_flow(app: App[Any], accounts: Sequence[Account]) -> str | None:
    """Write `accounts` to a TOML file that the person names; returns the line to be told, None when they give up.

    Must be called from a worker. Raises MailtuiError.
    """
    what = f"{len(accounts)} account{'s' * (len(accounts) != 1)}"
    question = f"{what} as TOML, without passwords: only where each is kept. `mailtui account apply` reads the file."

    def write(path: Path, replace: bool) -> None:
        export_accounts(accounts, path, replace=replace)

    path = await write_flow(app, f"Export {what}", question, await _in_time(default_file), write)
    return None if path is None else f"Exported {what} to {clean(written(path))}."


async def _may_replace(app: App[Any], path: Path) -> bool:
    lines = [f"{written(path)} exists already. Replacing it cannot be undone."]
    return await app.push_screen_wait(ConfirmScreen("Replace the file?", lines, "Replace", danger=True)) is True


async def _in_time(call: Callable[[], T]) -> T:
    try:
        async with asyncio.timeout(_DEADLINE):
            return await off_loop(call)
    except TimeoutError:
        raise UsageError(
            f"this place has not answered for {_DEADLINE:.0f} seconds, and may have the file or not; choose another"
        ) from None
