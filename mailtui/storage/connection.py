"""Open the database safely: created whole, checked before it is touched, its faults told in plain words."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from mailtui.model.errors import StorageError
from mailtui.model.text import clean
from mailtui.storage.files import Busy, FileLock, sync_folder
from mailtui.storage.migrations import APPLICATION_ID, MIGRATIONS, migrate
from mailtui.storage.paths import DATA_VARIABLE, private_folder

BUSY_DEADLINE = 10.0
"""Seconds to wait while another process writes."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_SMALLEST = 512  # octets: one page of the smallest size
_KEPT = "nothing in it was changed"


def open_connection(path: Path) -> sqlite3.Connection:
    """A connection to the database at `path`, created if there is none, in autocommit mode. Raises StorageError."""
    private_folder(path.parent)
    with told(path):
        if not os.path.lexists(path):
            _create(path)
        refuse_strangers(path)
        connection = _connect(path)
        try:
            # Fails here, before anything is written, if the file is damaged or cut short.
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
            if version < len(MIGRATIONS):
                migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system into StorageError, which names `path` and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise StorageError(f"the database {_shown(path)} {_explanation(error, path)}") from error
    except Busy:
        raise StorageError(f"the database {_shown(path)} is being created by another process; try again") from None
    except OSError as error:
        raise StorageError(
            f"the database {_shown(path)} cannot be used: {error.strerror}; correct the permissions of its folder, "
            f"or set {DATA_VARIABLE} to another one"
        ) from error


def _connect(path: Path, query: str = "mode=rw") -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{query}",
        uri=True,
        timeout=BUSY_DEADLINE,
        isolation_level=None,
        check_same_thread=False,
    )


def _create(path: Path) -> None:
    """Build an empty database beside `path` and move it there: nobody ever sees half of one."""
    with FileLock(path.with_name(f"{path.name}.lock"), BUSY_DEADLINE):
        if os.path.lexists(path):
            return
        leftover = path.with_name(f"{path.name}-wal")
        if leftover.exists():
            # SQLite would replay it into the new database.
            raise StorageError(
                f"the database {_shown(path)} is missing, but its journal {_shown(leftover)} is there; "
                "put the database back, or move the journal away to begin with an empty one"
            )
        new = path.with_name(f".{path.name}.new")
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with contextlib.closing(_connect(new)) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("PRAGMA journal_mode = WAL")
            migrate(connection)
        os.rename(new, path)
        sync_folder(path.parent)


def refuse_strangers(path: Path) -> None:
    """Raise StorageError for a file that is not ours or of a newer version, without touching it or its folder."""
    if path.stat().st_size < _SMALLEST:
        # SQLite would take it for a new database. Ours appear whole (see `_create`), so it has lost its content.
        raise StorageError(f"the database {_shown(path)} is damaged: it is empty or cut short; {_remedy(path)}")
    # `immutable` reads the file alone: no journal is opened or made. SQLite reads it rather than we, because closing
    # a file of ours would drop the locks that another connection of this process holds on it.
    with contextlib.closing(_connect(path, "mode=ro&immutable=1")) as connection:
        try:
            application, version = _marks(connection)
        except sqlite3.DatabaseError as error:
            if _code(error) != sqlite3.SQLITE_CORRUPT:
                raise
            # It may be growing under another process's hands at this moment: the real opening, with locks, decides.
            return
    if application != APPLICATION_ID:
        raise StorageError(
            f"{_shown(path)} is a database of another program; {_KEPT}; move it away, "
            f"or set {DATA_VARIABLE} to another folder"
        )
    _refuse_newer(path, version)
    journal = path.with_name(f"{path.name}-wal")
    if journal.exists() and journal.stat().st_size:
        # The journal may hold a newer version number; a read-only connection writes neither file.
        with contextlib.closing(_connect(path, "mode=ro")) as connection, contextlib.suppress(sqlite3.OperationalError):
            _refuse_newer(path, _marks(connection)[1])


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(MIGRATIONS):
        raise StorageError(
            f"the database {_shown(path)} was written by a newer mailtui (its version is {version}, this program knows "
            f"{len(MIGRATIONS)}); {_KEPT}; upgrade mailtui, or set {DATA_VARIABLE} to another folder"
        )


def _marks(connection: sqlite3.Connection) -> tuple[int, int]:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(application), int(version)


def _explanation(error: sqlite3.Error, path: Path) -> str:
    code = _code(error)
    if code in _DAMAGED:
        return f"is damaged ({clean(str(error), 200)}); {_remedy(path)}"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"was kept busy by another program for {BUSY_DEADLINE:.0f} seconds; end that program, or try again"
    if code == sqlite3.SQLITE_FULL:
        return "cannot grow: the disk is full; make room and try again"
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH):
        return (
            f"cannot be opened for writing ({clean(str(error), 200)}); correct the permissions of the file and its "
            f"folder, or set {DATA_VARIABLE} to another folder"
        )
    if isinstance(error, sqlite3.ProgrammingError):
        return f"cannot be used: {clean(str(error), 200)}"
    return f"cannot be used: {clean(str(error), 200)}; check the disk, and keep the folder on a local file system"


def _code(error: sqlite3.Error) -> int:
    """The primary result code of SQLite; 0 where Python raised the error itself."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _remedy(path: Path) -> str:
    return f"{_KEPT}; put a backup in its place, or move {_shown(path)} away to begin with an empty one"


def _shown(path: Path) -> str:
    return clean(str(path))
