"""mailtui account edit: one account as TOML in the person's own editor."""

import os
import shlex
import subprocess
import tempfile
from argparse import Namespace
from pathlib import Path

from mailtui.actions.edit import DraftRefused, draft_of, save_draft
from mailtui.cli.output import Output
from mailtui.cli.places import open_database
from mailtui.cli.terminal import confirm, is_interactive
from mailtui.cli.words import unsafe_lines
from mailtui.model.errors import UsageError

FILE_LIMIT = 1024 * 1024
"""Bytes that are read back from the editor."""


def edit(args: Namespace, output: Output) -> int:
    """Open the account in the editor until what comes back can be stored, or the person gives up."""
    command = _editor()
    with open_database(args) as database:
        draft = draft_of(database.account(args.name))
        while True:
            try:
                account = save_draft(database, draft, edited(command, draft.text))
                break
            except DraftRefused as refused:
                output.error(refused)
                if not is_interactive():
                    raise UsageError("nothing was changed") from None
                if not confirm(output, "Edit again?"):
                    account = None
                    break
                draft = refused.draft
    if account is None:
        output.line("nothing was changed")
        return 0
    output.line(f"saved {account.name}")
    for line in unsafe_lines(account):
        output.line(*line)
    return 0


def edited(command: list[str], text: str) -> str:
    """`text` as the editor leaves it, by way of a private file that is gone afterwards. Raises UsageError."""
    # mkdtemp makes the folder 0700, so whatever the editor writes beside the file is private too.
    with tempfile.TemporaryDirectory(prefix="mailtui-") as folder:
        path = Path(folder, "account.toml")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        try:
            code = subprocess.call([*command, str(path)])
        except OSError as error:
            raise UsageError(
                f"the editor {command[0]} cannot be started: {error.strerror}; set VISUAL or EDITOR to one that can"
            ) from None
        if code != 0:
            raise UsageError(f"the editor {command[0]} ended with {code}; nothing was changed")
        try:
            with open(path, "rb") as file:
                raw = file.read(FILE_LIMIT + 1)
        except OSError as error:
            raise UsageError(
                f"the file that the editor left cannot be read: {error.strerror}; nothing was changed"
            ) from None
    if len(raw) > FILE_LIMIT:
        raise UsageError("the file that the editor left is larger than 1 MiB; nothing was changed")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise UsageError("the file that the editor left is not UTF-8; nothing was changed") from None


def _editor() -> list[str]:
    """The command of the person's editor, vi when none is chosen (POSIX, more and crontab do the same)."""
    for variable in ("VISUAL", "EDITOR"):
        if chosen := os.environ.get(variable, "").strip():
            try:
                return shlex.split(chosen)
            except ValueError as error:
                raise UsageError(f"{variable} cannot be understood: {error}") from None
    return ["vi"]
