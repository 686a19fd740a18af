"""Maildir and Maildir++ (cr.yp.to/proto/maildir.html, Courier's maildir(5)): messages stored in batches, for good."""

import contextlib
import errno
import itertools
import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mailtui.storage.files import sync_folder
from mailtui.storage.maildir_names import folder_name, folder_place

__all__ = ["Draft", "MaildirFolder", "folder_name", "settle"]

_GROUP = 64
"""Files of one batch that are open at the same time."""

_GROUPS = threading.Semaphore(8)
"""Groups that are open in this process: of ten accounts at once, far below the usual limit of 1,024 files."""

_THREADS = 8
"""A disk joins the flushes that wait at the same time."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
_MORE = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_HOST_LIMIT = 64

RESERVE = 16 << 20
"""Octets of a disk that mail never takes: programs, and the record of what is stored, need some to go on."""
_counter = itertools.count(1)

_File = tuple[int, str]  # an open one: its descriptor and its path


@dataclass(slots=True)
class Draft:
    """A message on its way into a folder: `name` is unique for ever, `info` is "" (new) or ":2,FS" (its flags).

    Its octets are in `chunks`; of a long one the first of them are in the folder's tmp already (see `spill`).
    """

    name: str
    info: str = ""
    chunks: list[bytes] = field(default_factory=list)
    is_spilled: bool = False

    @property
    def place(self) -> str:
        """Where it will be, within its folder: `new/NAME` or `cur/NAME:2,FS`."""
        return f"cur/{self.name}{self.info}" if self.info else f"new/{self.name}"


class MaildirFolder:
    """One folder of a tree. All methods block, and raise OSError with the path in it."""

    def __init__(self, root: Path, name: str, token: str) -> None:
        """`name` is INBOX for the root itself, or a folder's name whose levels are divided by `/`.

        `token` marks the names of the files of one account of one database: it is in each of them. Several accounts,
        or programs, may share a folder.
        """
        self.path = folder_place(root, name)
        self._root = root
        self._mark = f"_{token}."
        self._tmp = os.fspath(self.path / "tmp")

    def make(self) -> None:
        """Make what is missing of it, mode 0700, durably."""
        _make_maildir(self._root)
        if self.path == self._root:
            return
        _make_maildir(self.path)
        # Courier's mark of a folder within a Maildir: who delivers there knows which root's quota counts.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path / "maildirfolder", _NEW, 0o600))

    def new_name(self) -> str:
        """A file name that no other message ever had."""
        microseconds = time.time_ns() // 1_000
        seconds, rest = divmod(microseconds, 1_000_000)
        return f"{seconds}.M{rest:06}P{os.getpid()}Q{next(_counter)}{self._mark}{_host()}"

    def spill(self, draft: Draft) -> None:
        """Append the chunks of a long message to its file in tmp, and let go of them. What fails leaves nothing."""
        require_room(self.path)
        with self._whole_or_nothing((draft,)), self._opened(draft) as (descriptor, _):
            _begin_writing(descriptor)
        draft.is_spilled = True
        draft.chunks.clear()

    def write(self, drafts: Sequence[Draft]) -> None:
        """Put the messages whole into tmp, durably: when it returns, each has been fsynced. What fails leaves nothing.

        The files of a group are all written before the first is fsynced.
        """
        require_room(self.path)
        with self._whole_or_nothing(drafts):
            for first in range(0, len(drafts), _GROUP):
                with _GROUPS, contextlib.ExitStack() as files:
                    _fsync([files.enter_context(self._opened(draft)) for draft in drafts[first : first + _GROUP]])

    def publish(self, drafts: Sequence[Draft]) -> None:
        """Move written messages to their places, durably. Never over a file that is there.

        After an error `settle` tells which of them are delivered.
        """
        for draft in drafts:
            _move(f"{self._tmp}/{draft.name}", f"{self.path}/{draft.place}")
        for folder in sorted({draft.place[:3] for draft in drafts}):
            _sync(self.path / folder)

    def discard(self, drafts: Sequence[Draft]) -> None:
        """Remove what is in tmp of messages that will not be delivered."""
        for draft in drafts:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self._tmp}/{draft.name}")

    def sweep(self) -> None:
        """Remove the files in tmp that bear our token. The caller holds the account's lock and settled the rest."""
        for name in [name for name in _names(self._tmp) if self._mark in name]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self._tmp}/{name}")

    @contextlib.contextmanager
    def _opened(self, draft: Draft) -> Iterator[_File]:
        """The draft's file in tmp, with its chunks written."""
        path = f"{self._tmp}/{draft.name}"
        descriptor = os.open(path, _MORE if draft.is_spilled else _NEW, 0o600)
        try:
            with _naming(path):
                _write(descriptor, draft.chunks[0] if len(draft.chunks) == 1 else b"".join(draft.chunks))
            yield descriptor, path
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _whole_or_nothing(self, drafts: Sequence[Draft]) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # What cannot be removed either is swept by the next run.
            with contextlib.suppress(OSError):
                self.discard(drafts)
            raise


def require_room(folder: Path) -> None:
    """Raise OSError (ENOSPC) where the disk of `folder` has less than RESERVE octets for us, as far as it tells."""
    disk = os.statvfs(folder)
    if disk.f_blocks and disk.f_bavail * disk.f_frsize < RESERVE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(folder))


def settle(paths: Iterable[Path]) -> set[Path]:
    """After an interruption: those of `paths` (places of drafts) that are delivered, durably.

    One that is still in tmp is whole, and is moved now; one that another program has moved from new to cur, or flagged,
    is there. Blocks; raises OSError.
    """
    delivered: set[Path] = set()
    missing: dict[Path, dict[str, Path]] = {}
    for path in paths:
        folder, name = path.parent.parent, _base(path.name)
        tmp = folder / "tmp" / name
        if _exists(path):
            delivered.add(path)
        elif _exists(tmp):
            with contextlib.suppress(FileNotFoundError):
                os.rename(tmp, path)
                delivered.add(path)
        else:
            missing.setdefault(folder, {})[name] = path
    for folder, wanted in missing.items():
        for place in ("new", "cur"):
            delivered.update(wanted[_base(name)] for name in _names(folder / place) if _base(name) in wanted)
    for folder in sorted({path.parent.parent for path in delivered}):
        for place in ("new", "cur"):
            # Also for those that were found: nobody may have synced the folder since they came there.
            with contextlib.suppress(FileNotFoundError):
                _sync(folder / place)
    return delivered


def _base(name: str) -> str:
    """The part of a file's name that stays when its flags change."""
    return name.partition(":")[0]


def _exists(path: str | Path) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _names(folder: str | Path) -> Iterator[str]:
    """One after another: there may be a million."""
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _move(source: str, target: str) -> None:
    # A look is enough: who else would make a name that bears our token? Linking and unlinking costs twice as much.
    if _exists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    os.rename(source, target)


def _write(descriptor: int, octets: bytes) -> None:
    written = 0
    while written < len(octets):
        # Of more than 2 GiB, and on a disk that is nearly full, less is written than was given.
        written += os.write(descriptor, memoryview(octets)[written:])


def _begin_writing(descriptor: int) -> None:
    """Let the kernel write what it has of a file, without waiting for it.

    That is what Linux does when it is told that nobody needs the pages. So the disk gets many files in one piece, whose
    places are made in one transaction of the file system: with it, fsync takes half of the time.
    """
    if sys.platform == "linux":
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _fsync(files: Sequence[_File]) -> None:
    """fsync all of `files`, several at once. Raises the first OSError, once no thread is at it any more."""
    for descriptor, _ in files:
        _begin_writing(descriptor)
    waiting = iter(files)
    taking = threading.Lock()
    errors: list[OSError] = []

    def work() -> None:
        while not errors:
            with taking:
                file = next(waiting, None)
            if file is None:
                return
            try:
                with _naming(file[1]):
                    os.fsync(file[0])
            except OSError as error:
                errors.append(error)

    # Threads of a batch's own live shorter than a flush takes, and a fork finds none of them.
    threads = [threading.Thread(target=work, name="mailtui-fsync") for _ in range(min(_THREADS, len(files)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def _sync(folder: Path) -> None:
    with _naming(folder):
        sync_folder(folder)


@contextlib.contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """An OSError of a descriptor does not say of which file."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = os.fspath(path)
        raise


def _make_maildir(path: Path) -> None:
    for part in ("tmp", "new", "cur"):
        _make_folder(path / part)
    # They may be there since an interrupted run, which has not synced the last of them.
    _sync(path)


def _make_folder(path: Path) -> None:
    if path.is_dir():
        return
    if path.parent != path:
        _make_folder(path.parent)
        # As before: each folder is durable before anything is made in it. Above our own, not all can be read.
        with contextlib.suppress(PermissionError):
            _sync(path.parent.parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        # Another process was faster, or something else has the name.
        if not path.is_dir():
            raise
    _sync(path.parent)


@cache
def _host() -> str:
    """This machine in a file's name: nothing that a Maildir gives a meaning, nor a terminal."""
    return re.sub("[^A-Za-z0-9.-]", "_", os.uname().nodename)[:_HOST_LIMIT] or "localhost"
