"""An account's text on its way through the person's own editor: a private file that goes only when nothing is lost."""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mailtui.actions.edit import Draft, DraftRefused, EditStore, save_draft
from mailtui.model.account import Account
from mailtui.model.errors import UsageError

FILE_LIMIT = 1024 * 1024
"""Octets that are read back from the editor."""

_USUAL = ("sensible-editor", "vi", "nano")


def editor_command() -> list[str]:
    """The editor to run: $VISUAL, $EDITOR, or a usual one. Raises UsageError when there is none."""
    for variable in ("VISUAL", "EDITOR"):
        try:
            words = shlex.split(os.environ.get(variable, ""))
        except ValueError as error:
            raise UsageError(f"{variable} cannot be understood ({error}); correct its quotes") from None
        if words:
            return words
    for usual in _USUAL:
        if shutil.which(usual):
            return [usual]
    raise UsageError("there is no editor; set VISUAL or EDITOR to one, for example EDITOR=nano")


def run_editor(command: Sequence[str], path: Path) -> int:
    """Run the editor on a file and return its exit status. Blocks. Raises UsageError if it does not start."""
    try:
        return subprocess.run([*command, str(path)], check=False).returncode
    except OSError as error:
        raise UsageError(
            f"the editor {command[0]} cannot be started: {error.strerror}; set VISUAL or EDITOR to one that can"
        ) from None


@contextlib.contextmanager
def interrupts_left_to_editor() -> Iterator[None]:
    """Ctrl+C in the editor reaches us too; a handler, unlike SIG_IGN, is not inherited by the editor. Main thread."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Editing:
    """One account's text in a file, round by round: `begin`, the editor, `finish`; at last `end`, or leave its context.

    All of it blocks. The file stays behind only when it holds something typed that was not saved; then the errors
    raised here say where it is, and so does `kept`.
    """

    def __init__(self, store: EditStore, draft: Draft) -> None:
        self._store = store
        self._draft = draft
        self._saved = False
        self._path: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Remove the file, unless it holds something that was not saved."""
        if self._path is not None and (self._saved or not self.kept):
            shutil.rmtree(self._path.parent, ignore_errors=True)

    def begin(self) -> Path:
        """Write the text to be edited; returns the file. Raises UsageError."""
        try:
            if self._path is None:
                # mkdtemp makes the folder 0700, so whatever the editor writes beside the file is private too.
                self._path = Path(tempfile.mkdtemp(prefix="mailtui-"), "account.toml")
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(self._written())
        except OSError as error:
            place = self._path.parent if self._path is not None else "the folder for temporary files"
            raise UsageError(f"the text to edit cannot be written to {place}: {error.strerror}") from None
        return self._path

    def finish(self, status: int) -> Account | None:
        """Store the text as the editor left it; returns the account, None when nothing changed.

        Raises DraftRefused when it cannot be stored as it is: `begin` then writes it with the problems above. Raises
        UsageError when the editor ended with a `status` other than 0, or the file cannot be read.
        """
        if status != 0:
            raise UsageError(f"the editor ended with status {status}; nothing was saved{self.kept}")
        text = self._text()
        try:
            account = save_draft(self._store, self._draft, text)
        except DraftRefused as refused:
            self._draft = refused.draft
            raise
        self._saved = True
        return account

    @property
    def kept(self) -> str:
        """The end of a sentence that says where the text is; empty when nothing was typed that would be lost."""
        if self._path is None:
            return ""
        try:
            unsaved = self._draft.refused or _read(self._path) != self._written()
        except OSError:
            return ""
        return f"; your text is kept in {self._path}" if unsaved else ""

    def _written(self) -> bytes:
        return self._draft.text.encode("utf-8", "backslashreplace")

    def _text(self) -> str:
        assert self._path is not None
        try:
            raw = _read(self._path)
        except OSError as error:
            raise UsageError(
                f"the file that the editor left cannot be read: {error.strerror}; nothing was saved"
            ) from None
        if len(raw) > FILE_LIMIT:
            raise UsageError(f"the file that the editor left is larger than 1 MiB; nothing was saved{self.kept}")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise UsageError(f"line {line} of the text is not UTF-8; nothing was saved{self.kept}") from None


def _read(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(FILE_LIMIT + 1)
