"""Look at the data folder and what is in it, changing nothing: who can reach it, whether it can be written."""

import contextlib
import errno
import os
import sqlite3
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mailtui.storage.connection import BUSY_DEADLINE, refuse_strangers, told
from mailtui.storage.migrations import MIGRATIONS
from mailtui.storage.paths import DataPaths

PROBE = 64 << 10
"""Octets that are written, and removed again, to see whether there is room."""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """The data folder: its mode, whether it is ours, octets that are free, and why nothing can be written, or empty."""

    mode: int
    is_own: bool
    free: int
    obstacle: str

    @property
    def is_full(self) -> bool:
        """Whether room is what is missing."""
        return self.obstacle in (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))


def folder_facts(folder: Path) -> FolderFacts | None:
    """The facts of `folder`; None where there is none yet. Blocks. Raises OSError."""
    try:
        facts = folder.stat()
    except FileNotFoundError:
        return None
    space = os.statvfs(folder)
    return FolderFacts(
        stat.S_IMODE(facts.st_mode), facts.st_uid == os.geteuid(), space.f_bavail * space.f_frsize, _obstacle(folder)
    )


def _obstacle(folder: Path) -> str:
    try:
        descriptor, name = tempfile.mkstemp(prefix=".mailtui-doctor.", dir=folder)
    except OSError as error:
        return error.strerror or type(error).__name__
    try:
        with open(descriptor, "wb", buffering=0) as file:
            file.write(bytes(PROBE))
            # Some file systems say only now that there is no room.
            os.fsync(descriptor)
    except OSError as error:
        return error.strerror or type(error).__name__
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)
    return ""


def readable_by_others(paths: DataPaths) -> list[tuple[Path, int]]:
    """The files of ours that group or others can read or write, with their modes."""
    found = []
    journals = [paths.database.with_name(f"{paths.database.name}{suffix}") for suffix in ("-wal", "-shm")]
    for path in (paths.database, *journals, paths.vault, paths.vault_key):
        with contextlib.suppress(OSError):
            facts = path.stat()
            mode = stat.S_IMODE(facts.st_mode)
            if stat.S_ISREG(facts.st_mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
                found.append((path, mode))
    return found


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database that can be read: the version of its schema, its octets, and what SQLite finds damaged, or empty."""

    version: int
    known_version: int
    size: int
    accounts: int
    reports: int
    damage: str


def database_facts(path: Path) -> DatabaseFacts | None:
    """The facts of the database at `path`; None where there is none yet. Blocks: it is read whole.

    Read-only: neither created nor brought up to date. Raises StorageError, which says what to do.
    """
    with told(path):
        if not os.path.lexists(path):
            return None
        refuse_strangers(path)
        with contextlib.closing(
            sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=BUSY_DEADLINE)
        ) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (damage,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            (accounts,) = connection.execute("SELECT count(*) FROM account").fetchone()
            (reports,) = connection.execute("SELECT count(*) FROM report").fetchone()
            return DatabaseFacts(
                version, len(MIGRATIONS), path.stat().st_size, accounts, reports, "" if damage == "ok" else str(damage)
            )
