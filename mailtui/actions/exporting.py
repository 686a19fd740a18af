"""Write what a person wants to keep into a file of their choice: private, whole or not at all, never by surprise."""

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path

from mailtui.interop.accounts_toml import write_accounts
from mailtui.model.account import Account
from mailtui.model.errors import StorageError, UsageError
from mailtui.model.text import clean, has_hostile
from mailtui.storage.files import create_file, replace_file

_NAME = "mailtui-accounts.toml"


class Exists(UsageError):
    """The file is there already, and nobody said that it may be replaced."""


def default_file() -> Path:
    """Where accounts go unless a person says otherwise: the home folder, or where mailtui was started. Blocks."""
    try:
        home = Path.home()
    except RuntimeError:
        return Path.cwd() / _NAME
    return (home if os.access(home, os.W_OK | os.X_OK) else Path.cwd()) / _NAME


def named_file(text: str) -> Path:
    """The file that a person means by `text`: `~` is the home folder, and other names begin where mailtui was started.

    Blocks. Raises UsageError where no file can be written there.
    """
    text = text.strip()
    if not text:
        raise UsageError("give the path of a file, for example ~/notes.txt")
    if has_hostile(text):
        raise UsageError("the path holds a control, invisible or text-direction character; type it anew")
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError:
        raise UsageError(f"{text.split('/', 1)[0]} is nobody's home folder; write the whole path") from None
    _require_place(path)
    if text.endswith("/") or path.is_dir():
        raise UsageError(f"{clean(str(path))} is a folder; add the name of a file to it")
    return path


def _require_place(path: Path) -> None:
    """Raises UsageError unless `path` can be created or replaced. What it says may be outdated a moment later."""
    folder = path.parent
    shown = clean(str(folder))
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise UsageError(f"{shown} is not a folder; choose another place")
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UsageError(f"{clean(str(path))} is a device or a pipe; name an ordinary file")
    except FileNotFoundError:
        raise UsageError(f"there is no folder {shown}; make it first, or choose another") from None
    except OSError as error:
        raise UsageError(f"{clean(str(path), 200)} cannot be used: {error.strerror}; choose another") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"you may not write in {shown}; choose another folder")


def write_file(path: Path, text: str, *, replace: bool) -> None:
    """Put `text` at `path`, readable by its owner alone. Blocks.

    Raises Exists when the file is there and `replace` is off, UsageError where it cannot be, and StorageError when
    writing fails; the old file is then as it was.
    """
    _require_place(path)
    put = replace_file if replace else create_file
    try:
        put(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        if error.errno == errno.EEXIST:
            raise Exists(f"{clean(str(path))} exists already") from None
        raise StorageError(f"{clean(str(path))} cannot be written: {error.strerror}; nothing was written") from None


def export_accounts(accounts: Iterable[Account], path: Path, *, replace: bool) -> None:
    """Write `accounts` in their TOML form, which holds no secret, only where each is kept. Blocks.

    Raises as `write_file` does.
    """
    write_file(path, write_accounts(accounts), replace=replace)
