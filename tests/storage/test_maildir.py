"""Messages come into a Maildir whole, for good and once, whatever happens on the way."""

import errno
import mailbox
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mailtui.storage import maildir
from mailtui.storage.maildir import Draft, MaildirFolder, settle

TOKEN = "0123456789ab"


@pytest.fixture
def folder(tmp_path: Path) -> MaildirFolder:
    made = MaildirFolder(tmp_path / "Mail", "INBOX", TOKEN)
    made.make()
    return made


def drafts(folder: MaildirFolder, count: int, info: str = "") -> list[Draft]:
    return [Draft(folder.new_name(), info, [b"%d" % number, b"\r\n\0\xff"]) for number in range(count)]


def files(folder: MaildirFolder) -> dict[str, bytes]:
    """All files of a folder by their places."""
    return {
        f"{place}/{file.name}": file.read_bytes()
        for place in ("tmp", "new", "cur")
        for file in (folder.path / place).iterdir()
    }


def place_of(folder: MaildirFolder, draft: Draft) -> Path:
    return folder.path / draft.place


def failing(call: Callable[..., object], at: int, number: int = errno.ENOSPC) -> Callable[..., object]:
    """`call`, which fails the `at`-th time (from 0) and ever after."""
    calls = iter(range(1_000_000))

    def wrapped(*arguments: object, **options: object) -> object:
        if next(calls) >= at:
            raise OSError(number, os.strerror(number))
        return call(*arguments, **options)

    return wrapped


def test_messages_are_stored_exactly_as_they_came(folder: MaildirFolder) -> None:
    new, seen = drafts(folder, 100), drafts(folder, 100, ":2,FS")
    folder.write([*new, *seen])
    assert {place.split("/")[0] for place in files(folder)} == {"tmp"}
    folder.publish([*new, *seen])
    assert files(folder) == {draft.place: b"".join(draft.chunks) for draft in (*new, *seen)}
    assert {draft.place.split("/")[0] for draft in new} == {"new"}
    assert {draft.place.split("/")[0] for draft in seen} == {"cur"}


def test_other_programs_read_it(folder: MaildirFolder) -> None:
    draft = Draft(folder.new_name(), ":2,RS", [b"Subject: hello\r\n\r\nbody\r\n"])
    folder.write([draft])
    folder.publish([draft])
    below = MaildirFolder(folder.path, "Lists/python", TOKEN)
    below.make()
    read = mailbox.Maildir(folder.path, create=False)
    [message] = list(read)
    assert (message["Subject"], message.get_flags(), message.get_subdir()) == ("hello", "RS", "cur")
    assert read.list_folders() == ["Lists.python"]
    assert (below.path / "maildirfolder").read_bytes() == b""


def test_all_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = MaildirFolder(tmp_path / "some" / "where", "Lists", TOKEN)
        folder.make()
        folder.make()
        written = drafts(folder, 1)
        folder.write(written)
        folder.publish(written)
    finally:
        os.umask(before)
    inside = [path for path in tmp_path.rglob("*") if path != tmp_path]
    assert {stat.S_IMODE(path.stat().st_mode) for path in inside if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in inside if path.is_file()} == {0o600}
    assert len([path for path in inside if path.is_dir()]) == 2 + 3 + 1 + 3


def test_names_are_never_given_twice(folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
    names = [folder.new_name() for _ in range(1_000)]
    assert len(set(names)) == 1_000
    assert names[0].startswith("1700000000.M123456P")
    assert all(TOKEN in name and not set(name) & set("/:\n ") for name in names)


def test_each_file_is_synced_before_write_returns_and_folders_before_publish_does(
    folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    fsync = os.fsync

    def watched(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", watched)
    written = [*drafts(folder, 100), *drafts(folder, 1, ":2,S")]
    folder.write(written)
    assert sorted(synced) == sorted(str(folder.path / "tmp" / draft.name) for draft in written)
    synced.clear()
    folder.publish(written[:100])
    assert synced == [str(folder.path / "new")]
    folder.publish(written[100:])
    assert synced == [str(folder.path / "new"), str(folder.path / "cur")]


@pytest.mark.parametrize("call", ["open", "write", "fsync"])
@pytest.mark.parametrize("at", [0, 1, 70, 99])
def test_a_batch_that_cannot_be_written_leaves_nothing(
    folder: MaildirFolder, call: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = drafts(folder, 100)
    with monkeypatch.context() as patched:
        patched.setattr(os, call, failing(getattr(os, call), at))
        with pytest.raises(OSError, match=r"No space left") as caught:
            folder.write(written)
    assert caught.value.errno == errno.ENOSPC
    if call != "open":
        assert str(caught.value.filename).startswith(str(folder.path / "tmp"))
    assert files(folder) == {}
    folder.write(drafts(folder, 1))


def test_a_long_message_goes_to_the_disk_piece_by_piece(folder: MaildirFolder) -> None:
    draft = Draft(folder.new_name())
    for number in range(5):
        draft.chunks += [b"%d" % number * 100_000, b"\r\n"]
        folder.spill(draft)
        assert draft.chunks == []
    draft.chunks.append(b"the end")
    folder.write([draft])
    folder.publish([draft])
    assert (
        files(folder)[draft.place] == b"".join(b"%d" % number * 100_000 + b"\r\n" for number in range(5)) + b"the end"
    )


def test_a_long_message_that_finds_no_room_leaves_nothing(
    folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = Draft(folder.new_name(), "", [b"x" * 1_000])
    folder.spill(draft)
    draft.chunks.append(b"y")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing(os.write, 0))
        with pytest.raises(OSError, match="No space left"):
            folder.spill(draft)
    assert files(folder) == {}
    # Its beginning is gone: what is left must not pass for the whole.
    with pytest.raises(FileNotFoundError):
        folder.write([draft])


def test_a_long_message_is_not_led_elsewhere(folder: MaildirFolder, tmp_path: Path) -> None:
    """A folder may be shared with others, who could put a link in the place of a file."""
    draft = Draft(folder.new_name(), "", [b"beginning"])
    folder.spill(draft)
    draft.chunks.append(b"end")
    victim = tmp_path / "victim"
    victim.touch()
    (folder.path / "tmp" / draft.name).unlink()
    (folder.path / "tmp" / draft.name).symlink_to(victim)
    with pytest.raises(OSError, match="symbolic links"):
        folder.write([draft])
    assert victim.read_bytes() == b""


def test_a_disk_that_takes_little_at_a_time_gets_all(folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, octets: write(descriptor, octets[:3]))
    draft = Draft(folder.new_name(), "", [b"0123456789"])
    folder.write([draft])
    assert files(folder) == {f"tmp/{draft.name}": b"0123456789"}


def test_an_empty_message_is_one(folder: MaildirFolder) -> None:
    draft = Draft(folder.new_name())
    folder.write([draft])
    folder.publish([draft])
    assert files(folder) == {draft.place: b""}


def test_nothing_is_ever_overwritten(folder: MaildirFolder) -> None:
    for info in ("", ":2,S"):
        [draft] = drafts(folder, 1, info)
        place_of(folder, draft).write_bytes(b"of someone else")
        folder.write([draft])
        with pytest.raises(FileExistsError, match=draft.name):
            folder.publish([draft])
        assert place_of(folder, draft).read_bytes() == b"of someone else"


def test_few_files_are_open_at_once_however_many_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten accounts at once must fit the usual limit of 1,024 open files."""
    now, most = [0], [0]
    counting = threading.Lock()
    real_open, real_close = os.open, os.close

    def opening(path: str, flags: int, mode: int) -> int:
        with counting:
            now[0] += 1
            most[0] = max(most[0], now[0])
        return real_open(path, flags, mode)

    def closing(descriptor: int) -> None:
        real_close(descriptor)
        with counting:
            now[0] -= 1

    folders = [MaildirFolder(tmp_path / str(number), "INBOX", TOKEN) for number in range(12)]
    for folder in folders:
        folder.make()
    monkeypatch.setattr(os, "open", opening)
    monkeypatch.setattr(os, "close", closing)
    threads = [threading.Thread(target=lambda f=folder: f.write(drafts(f, 130))) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert now == [0]
    assert 64 <= most[0] <= 8 * 64
    assert all(len(files(folder)) == 130 for folder in folders)


def test_discarding_removes_only_what_is_named(folder: MaildirFolder) -> None:
    written = drafts(folder, 3)
    folder.write(written[:2])
    folder.discard([written[0], written[2]])
    assert list(files(folder)) == [f"tmp/{written[1].name}"]


def test_sweeping_leaves_others_alone(folder: MaildirFolder) -> None:
    other = MaildirFolder(folder.path, "INBOX", "ba9876543210")
    ours, theirs = drafts(folder, 3), drafts(other, 2)
    folder.write(ours)
    other.write(theirs)
    (folder.path / "tmp" / "1700000000.M1P2Q3.host").write_bytes(b"of mutt")
    folder.publish(ours[:1])
    folder.sweep()
    kept = {"tmp/1700000000.M1P2Q3.host", ours[0].place, *(f"tmp/{draft.name}" for draft in theirs)}
    assert set(files(folder)) == kept
    MaildirFolder(folder.path, "Never/made", TOKEN).sweep()


def test_settling_finds_what_is_delivered_and_delivers_what_is_whole(folder: MaildirFolder) -> None:
    there, whole, flagged, moved, unflagged, lost = (
        drafts(folder, 1, info)[0] for info in ("", "", "", ":2,S") + ("",) * 2
    )
    folder.write([there, whole, flagged, moved, unflagged])
    folder.publish([there, flagged, moved, unflagged])
    new, cur = folder.path / "new", folder.path / "cur"
    os.rename(new / flagged.name, cur / f"{flagged.name}:2,RS")
    os.rename(cur / f"{moved.name}:2,S", cur / f"{moved.name}:2,FS")
    os.rename(new / unflagged.name, cur / unflagged.name)
    places = {place_of(folder, draft) for draft in (there, whole, flagged, moved, unflagged, lost)}
    assert settle(places) == places - {place_of(folder, lost)}
    assert place_of(folder, whole).read_bytes() == b"".join(whole.chunks)
    after = files(folder)
    assert len(after) == 5
    assert not [place for place in after if place.startswith("tmp")]
    assert settle(places) == places - {place_of(folder, lost)}
    assert files(folder) == after


def test_what_settles_is_durable(folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the rename and the fsync of the folder: the file is there, and may still be lost."""
    [draft] = drafts(folder, 1)
    folder.write([draft])
    os.rename(folder.path / "tmp" / draft.name, place_of(folder, draft))
    synced: list[Path] = []
    monkeypatch.setattr(maildir, "sync_folder", synced.append)
    assert settle([place_of(folder, draft)]) == {place_of(folder, draft)}
    assert folder.path / "new" in synced


def test_settling_looks_through_a_large_folder_once(folder: MaildirFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[object] = []
    scandir = os.scandir

    def watched(path: str) -> object:
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", watched)
    lost = [place_of(folder, draft) for draft in drafts(folder, 128)]
    assert settle(lost) == set()
    assert len(listed) == 2


def test_settling_tells_apart_what_is_not_there_and_what_cannot_be_seen(
    folder: MaildirFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk in trouble does not make a delivered message one to be fetched again."""
    [draft] = drafts(folder, 1)
    folder.write([draft])
    folder.publish([draft])
    with monkeypatch.context() as patched:
        patched.setattr(os, "lstat", failing(os.lstat, 0, errno.EIO))
        with pytest.raises(OSError, match="Input/output error"):
            settle([place_of(folder, draft)])
    assert settle([tmp_path / "nowhere" / "new" / draft.name, tmp_path / "nowhere" / "cur" / "x:2,S"]) == set()


def test_a_place_that_something_else_has_is_told(tmp_path: Path) -> None:
    (tmp_path / "Mail").write_bytes(b"an mbox")
    with pytest.raises((FileExistsError, NotADirectoryError), match="Mail"):
        MaildirFolder(tmp_path / "Mail", "INBOX", TOKEN).make()


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "Mail").symlink_to(tmp_path / "elsewhere")
    MaildirFolder(tmp_path / "Mail", "INBOX", TOKEN).make()
    assert {path.name for path in (tmp_path / "elsewhere").iterdir()} == {"tmp", "new", "cur"}
