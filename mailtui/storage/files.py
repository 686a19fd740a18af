"""Private files: 0600 in a 0700 folder, replaced whole or not at all, one writer at a time."""

import contextlib
import errno
import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

LOCK_DEADLINE = 10.0
"""Seconds to wait for another process that is writing."""

_LOCK_POLL = 0.02
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
OTHERS = stat.S_IRWXG | stat.S_IRWXO
"""The permission bits that a private file must not have."""


class NotPrivate(Exception):
    """A file that people other than its owner can reach; `mode` holds its permission bits."""

    def __init__(self, mode: int) -> None:
        self.mode = mode
        super().__init__(f"mode {mode:04o}")


class NotAFile(Exception):
    """Something that is not a regular file: a folder, a pipe, a device."""


class TooLong(Exception):
    """A file larger than the caller's limit."""


class Busy(Exception):
    """Another process kept the lock for longer than the deadline."""


def read_file(path: Path, limit: int, *, private: bool) -> bytes:
    """The content of the regular file at `path`, at most `limit` bytes.

    `private` refuses a file that group or others can reach, judged on the open file so that nothing can be swapped
    in between. Raises OSError, NotPrivate, NotAFile and TooLong.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise NotAFile
        if private and facts.st_mode & OTHERS:
            raise NotPrivate(stat.S_IMODE(facts.st_mode))
        content = file.read(limit + 1)
    if len(content) > limit:
        raise TooLong
    return content


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`, mode 0600, so that a crash leaves either the old file or the new one. Raises OSError.

    A symbolic link is followed: what it points to is replaced, the link stays.
    """
    target = Path(os.path.realpath(path))
    with _written_beside(target, content) as name:
        os.rename(name, target)
    sync_folder(target.parent)


def create_file(path: Path, content: bytes) -> None:
    """Put `content` at `path`, mode 0600, whole or not at all. Raises OSError; FileExistsError if anything is there."""
    with _written_beside(path, content) as name:
        try:
            os.link(name, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            # The name is taken first, so that what another process puts there meanwhile is not lost.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            os.rename(name, path)
    sync_folder(path.parent)


@contextlib.contextmanager
def _written_beside(path: Path, content: bytes) -> Iterator[str]:
    """A file of another name in the folder of `path`, to be moved there; what is left of it at the end is removed."""
    # Imported here: reading a secret writes nothing, and must not pay for it.
    import tempfile

    # mkstemp creates 0600 whatever the umask.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield name
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


def sweep(path: Path) -> None:
    """Remove what `replace_file` left behind in processes that were killed. The caller holds the lock of `path`."""
    target = Path(os.path.realpath(path))
    for leftover in target.parent.glob(f".{target.name}.*.tmp"):
        leftover.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a loss of power. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileLock:
    """Locks `path` (created empty, 0600) against other processes and threads; it dies with its process.

    `release` may come at any time and from any thread, also before or while another thread runs `acquire`: a wait
    that is given up must not leave the lock behind, whatever still refers to it.
    """

    def __init__(self, path: Path, deadline: float = LOCK_DEADLINE) -> None:
        self._path = path
        self._deadline = deadline
        self._guard = threading.Lock()
        self._file: BinaryIO | None = None
        self._released = False

    def acquire(self) -> None:
        """Take the lock; blocks. Raises Busy after `deadline` seconds, or once released, and OSError."""
        give_up = time.monotonic() + self._deadline
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "rb")
        try:
            while not self._try(file):
                if self._released or time.monotonic() >= give_up:
                    raise Busy
                time.sleep(_LOCK_POLL)
        except BaseException:
            file.close()
            raise

    def _try(self, file: BinaryIO) -> bool:
        with self._guard:
            if self._released:
                return False
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self._file = file
            return True

    def release(self) -> None:
        """Give the lock up, for good."""
        with self._guard:
            self._released = True
            if self._file is not None:
                self._file.close()
                self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()
