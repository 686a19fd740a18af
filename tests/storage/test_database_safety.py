"""What must not happen to a database: two processes, newer versions, damage, strangers, half-made files."""

import hashlib
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mailtui.model.errors import StorageError
from mailtui.storage import migrations
from mailtui.storage.database import Database
from mailtui.storage.files import FileLock
from tests.storage.samples import account, report

Snapshot = dict[str, tuple[str, int]]


def snapshot(folder: Path) -> Snapshot:
    """Every file of the folder with its content and its time of change."""
    return {
        file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in sorted(folder.iterdir())
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "mailtui.db"
    with Database.open(path) as database:
        for number in range(10):
            database.add(account(f"account-{number}"))
        database.record_many(report(f"account-{number}") for number in range(10))
    return path


def refused(path: Path, match: str) -> str:
    """Opening fails with a message in one line that names the path; nothing in the folder has changed."""
    before = snapshot(path.parent)
    with pytest.raises(StorageError, match=match) as told:
        Database.open(path)
    assert snapshot(path.parent) == before
    message = str(told.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_a_newer_database_is_refused_untouched(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    message = refused(path, "newer mailtui")
    assert "99" in message
    assert "upgrade mailtui" in message


def test_a_newer_database_in_rollback_mode_is_not_switched(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    refused(path, "newer mailtui")


def test_a_newer_version_that_is_still_in_the_journal_is_refused(path: Path) -> None:
    # A process that was killed leaves its journal behind.
    code = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute('PRAGMA user_version = 99')\n"
        "connection.commit()\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=60)
    before = snapshot(path.parent)
    assert before["mailtui.db-wal"][0] != hashlib.sha256(b"").hexdigest()
    with pytest.raises(StorageError, match="newer mailtui"):
        Database.open(path)
    after = snapshot(path.parent)
    # The -shm file is an index of the journal that any reader may rebuild.
    assert {name: after[name] for name in ("mailtui.db", "mailtui.db-wal")} == {
        name: before[name] for name in ("mailtui.db", "mailtui.db-wal")
    }


@pytest.mark.parametrize("content", [b"", b"garbage", b"\0" * 8192, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_reported_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused(path, "damaged")


@pytest.mark.parametrize("size", [50, 1024, 4096, 3 * 4096, 3 * 4096 + 100])
def test_a_truncated_database_is_reported_and_kept(path: Path, size: int) -> None:
    os.truncate(path, size)
    message = refused(path, "damaged")
    assert "backup" in message


def test_damage_inside_is_reported_when_it_is_met(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(StorageError, match="damaged") as told, Database.open(path) as database:
        database.accounts()
    assert str(path) in str(told.value)


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mailtui.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    refused(path, "another program")


def test_a_folder_in_the_place_of_the_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mailtui.db").mkdir()
    with pytest.raises(StorageError, match=r"mailtui\.db"):
        Database.open(tmp_path / "mailtui.db")


def test_a_journal_without_its_database_is_not_replayed_into_a_new_one(path: Path) -> None:
    path.unlink()
    path.with_name("mailtui.db-wal").write_bytes(b"journal")
    refused(path, "is missing, but its journal")


def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(StorageError, match="chmod 700"):
        Database.open(shared / "mailtui.db")
    assert list(shared.iterdir()) == []


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StorageError, match="not a folder"):
        Database.open(tmp_path / "data" / "mailtui.db")


def test_what_a_killed_creation_left_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".mailtui.db.new").write_bytes(b"half of a database")
    with Database.open(tmp_path / "mailtui.db") as database:
        assert database.accounts() == []
    assert not (tmp_path / ".mailtui.db.new").exists()


def test_a_creation_that_never_ends_is_not_waited_for_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailtui.storage.connection.BUSY_DEADLINE", 0.1)
    with FileLock(tmp_path / "mailtui.db.lock"), pytest.raises(StorageError, match="another process"):
        Database.open(tmp_path / "mailtui.db")


def test_a_locked_database_is_an_error_in_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailtui.storage.connection.BUSY_DEADLINE", 0.1)
    with Database.open(path) as database:
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="kept busy by another program"):
            database.add(account("late"))
        holder.execute("ROLLBACK")
        holder.close()
        database.add(account("late"))


def test_an_older_database_is_migrated_and_keeps_what_it_held(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mark(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE account SET document = json_set(document, '$.notes', 'migrated')")

    newer = (*migrations.MIGRATIONS, ("ALTER TABLE account ADD COLUMN extra TEXT", mark))
    monkeypatch.setattr("mailtui.storage.migrations.MIGRATIONS", newer)
    monkeypatch.setattr("mailtui.storage.connection.MIGRATIONS", newer)
    with Database.open(path) as database:
        assert {stored.notes for stored in database.accounts()} == {"migrated"}
        assert len(database.latest()) == 10
    monkeypatch.undo()
    refused(path, "newer mailtui")


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = (*migrations.MIGRATIONS, ("ALTER TABLE account ADD COLUMN extra TEXT", "INSERT INTO nowhere VALUES (1)"))
    monkeypatch.setattr("mailtui.storage.migrations.MIGRATIONS", newer)
    monkeypatch.setattr("mailtui.storage.connection.MIGRATIONS", newer)
    with pytest.raises(StorageError, match="nowhere"):
        Database.open(path)
    monkeypatch.undo()
    with Database.open(path) as database:
        assert len(database.accounts()) == 10
        assert "extra" not in database._rows("SELECT * FROM account LIMIT 1")[0].keys()  # noqa: SIM118  # a Row is no dict


WRITER = """
import sys
from pathlib import Path
from mailtui.storage.database import Database
from tests.storage.samples import account, report
path, me, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for round in range(3):
    with Database.open(path) as database:
        for number in range(round * count, (round + 1) * count):
            database.add(account(f"{me}-{number}"))
            database.record(report(f"{me}-{number}"))
"""


def test_processes_that_create_and_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mailtui.db"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), f"writer{number}", "10"],
            stderr=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for number in range(4)
    ]
    errors = [writer.communicate(timeout=120)[1].decode() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4, errors
    with Database.open(path) as database:
        assert len(database.accounts()) == 4 * 30
        assert len(database.latest()) == 4 * 30
        assert database._rows("PRAGMA integrity_check")[0][0] == "ok"


def test_a_writer_that_is_killed_leaves_a_sound_database(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mailtui.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", "print('ready', flush=True)\n" + WRITER, str(path), "victim", "100000"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    database = Database.open(path)
    while len(database.accounts()) < 20:
        assert writer.poll() is None
    writer.kill()
    writer.wait(60)
    writer.stdout.close()
    database.close()
    with Database.open(path) as database:
        names = [stored.name for stored in database.accounts()]
        assert sorted(names) == sorted(f"victim-{number}" for number in range(len(names)))
        assert len(names) - 1 <= len(database.latest()) <= len(names)
        assert database._rows("PRAGMA integrity_check")[0][0] == "ok"


def test_threads_may_share_one_database(path: Path) -> None:
    with Database.open(path) as database:
        errors: list[BaseException] = []

        def work(me: int) -> None:
            try:
                for number in range(10):
                    database.add(account(f"thread{me}-{number}"))
                    database.record(report(f"thread{me}-{number}"))
                    database.latest(transcripts=False)
            except BaseException as error:
                errors.append(error)
                raise

        threads = [threading.Thread(target=work, args=(me,)) for me in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert errors == []
        assert len(database.latest()) == 10 + 40


def test_opening_again_in_one_process_keeps_the_first_connections_locks(path: Path) -> None:
    """Closing any descriptor of a file drops the POSIX locks that its process holds on it."""
    code = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "print(connection.execute('PRAGMA journal_mode = DELETE').fetchone()[0])\n"
    )
    with Database.open(path) as first:
        first.accounts()
        Database.open(path).close()
        # Leaving WAL needs the file for oneself: only the lock of the first connection prevents it.
        other = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, timeout=60, text=True, check=False
        )
        assert "database is locked" in other.stderr
        assert other.stdout == ""
