"""The ledger: what is stored of an account is known for good, and what was interrupted is known too."""

import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mailtui.model.check import utc_now
from mailtui.model.errors import StorageError
from mailtui.storage import ledger as ledger_module
from mailtui.storage import removed as removed_module
from mailtui.storage.database import Database
from mailtui.storage.history import squeeze
from mailtui.storage.ledger import Entry, Ledger, MailboxRow, last_retrieval, last_retrievals
from tests.storage.retrievals import retrieval
from tests.storage.samples import account

SERVER = "imap ada@imap.example.org"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        opened.add(account())
        opened.add(account("bob"))
        yield opened


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, "ada")


def entry(uid: str | int, file: str = "") -> Entry:
    text = str(uid)
    return Entry(text, len(text), text.encode().ljust(16, b"d"), text.encode().ljust(16, b"h"), file)


def stored(ledger: Ledger, mailbox: int, *uids: str | int) -> list[int]:
    ids = ledger.intend(mailbox, [entry(uid) for uid in uids])
    ledger.confirm(ids)
    return ids


def later(monkeypatch: pytest.MonkeyPatch, **by: int) -> datetime:
    """It is so much later for all that is asked from now on."""
    moment = utc_now() + timedelta(**by)
    for module in (ledger_module, removed_module):
        monkeypatch.setattr(module, "utc_now", lambda: moment)
    return moment


def count(database: Database, table: str) -> int:
    return int(database._rows(f"SELECT count(*) FROM {table}")[0][0])


def test_a_message_is_kept_once_it_is_confirmed(ledger: Ledger) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    before = utc_now()
    ids = ledger.intend(mailbox, [entry(1, "/mail/new/1"), entry(2, "/mail/cur/2:2,S"), entry(3)])
    assert ledger.kept(mailbox) == []
    assert ledger.unfinished() == [
        (ids[0], "INBOX", "/mail/new/1"),
        (ids[1], "INBOX", "/mail/cur/2:2,S"),
        (ids[2], "INBOX", ""),
    ]
    ledger.confirm(ids[:2])
    kept = ledger.kept(mailbox)
    assert [(one.id, one.entry, one.is_gone) for one in kept] == [(ids[0], entry(1), False), (ids[1], entry(2), False)]
    assert before <= kept[0].at <= utc_now()
    assert ledger.unfinished() == [(ids[2], "INBOX", "")]
    ledger.forget([ids[2]])
    assert ledger.unfinished() == []
    assert len(ledger.kept(mailbox)) == 2


def test_another_process_knows_it_too(ledger: Ledger, database: Database) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    stored(ledger, mailbox, 1)
    ledger.intend(mailbox, [entry(2, "/mail/new/2")])
    with Database.open(database.path) as other:
        again = Ledger(other, "ada")
        assert again.token == ledger.token
        assert [one.entry for one in again.kept(again.mailbox(SERVER, "INBOX").id)] == [entry(1)]
        assert [file for _, _, file in again.unfinished()] == ["/mail/new/2"]


def test_the_ledger_writes_as_this_process(ledger: Ledger, database: Database) -> None:
    """Screens of the same process need not read everything again after each batch."""
    before = database.data_version()
    stored(ledger, ledger.mailbox(SERVER, "INBOX").id, 1, 2)
    ledger.finish(retrieval())
    assert database.data_version() == before


def test_mailboxes_of_servers_and_accounts_are_apart(ledger: Ledger, database: Database) -> None:
    rows = [ledger.mailbox(SERVER, "INBOX"), ledger.mailbox(SERVER, "inbox"), ledger.mailbox("pop3 elsewhere", "INBOX")]
    other = Ledger(database, "bob")
    rows.append(other.mailbox(SERVER, "INBOX"))
    assert len({row.id for row in rows}) == 4
    for row in rows:
        stored(ledger, row.id, row.id)
    assert [[one.entry.uid for one in ledger.kept(row.id)] for row in rows] == [[str(row.id)] for row in rows]
    ledger.intend(rows[0].id, [entry("x", "/x")])
    other.intend(rows[3].id, [entry("y", "/y")])
    assert [file for _, _, file in ledger.unfinished()] == ["/x"]
    assert [file for _, _, file in other.unfinished()] == ["/y"]
    assert ledger.token != other.token


def test_what_a_server_said_is_noted_and_distrust_stays(ledger: Ledger) -> None:
    row = ledger.mailbox(SERVER, "INBOX")
    assert row == MailboxRow(row.id)
    ledger.note(row.id, uidvalidity=7, uidnext=100, modseq=2**62)
    assert ledger.mailbox(SERVER, "INBOX") == MailboxRow(row.id, 7, 100, 2**62)
    ledger.note(row.id, uidvalidity=7, uidnext=101, modseq=None, unstable=True)
    ledger.note(row.id, uidvalidity=8, uidnext=1, modseq=5)
    assert ledger.mailbox(SERVER, "INBOX") == MailboxRow(row.id, 8, 1, 5, unstable=True)


def test_looking_makes_no_mailbox(ledger: Ledger, database: Database) -> None:
    assert ledger.known_mailbox(SERVER, "INBOX") is None
    assert count(database, "mailbox") == 0
    made = ledger.mailbox(SERVER, "INBOX")
    assert ledger.known_mailbox(SERVER, "INBOX") == made == ledger.mailbox(SERVER, "INBOX")
    assert count(database, "mailbox") == 1


def test_servers_that_say_senseless_things_are_borne(ledger: Ledger) -> None:
    row = ledger.mailbox(SERVER, "half a pair \ud83d and a NUL \0")
    assert ledger.mailbox(SERVER, "half a pair \ud83d and a NUL \0") == row
    ledger.note(row.id, uidvalidity=10**40, uidnext=2**63, modseq=2**63 - 1)
    assert ledger.known_mailbox(SERVER, "half a pair \ud83d and a NUL \0") == MailboxRow(row.id, None, None, 2**63 - 1)
    ledger.confirm(ledger.intend(row.id, [Entry("\0\udcff" * 10, 10**30, b"", b""), replace(entry(""), octets=None)]))
    assert [one.entry.octets for one in ledger.kept(row.id)] == [None, None]


def test_a_path_need_not_be_text(ledger: Ledger) -> None:
    path = os.fsdecode(b"/home/j\xf6rg/new/1")
    ledger.intend(ledger.mailbox(SERVER, "INBOX").id, [entry(1, path)])
    assert [file for _, _, file in ledger.unfinished()] == [path]


def test_messages_may_get_other_names_and_come_back(ledger: Ledger) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    one, two, three = stored(ledger, mailbox, 1, 2, 3)
    ledger.gone([one, two])
    assert [kept.is_gone for kept in ledger.kept(mailbox)] == [True, True, False]
    ledger.rename(mailbox, [(one, "11", 100), (three, "13", None)])
    assert [(kept.entry.uid, kept.is_gone) for kept in ledger.kept(mailbox)] == [
        ("11", False),
        ("2", True),
        ("13", False),
    ]
    assert ledger.kept(mailbox)[0].entry == replace(entry(1), uid="11", octets=100)


def test_messages_of_another_server_are_known_and_may_be_taken_over(ledger: Ledger, database: Database) -> None:
    old, archive = ledger.mailbox(SERVER, "INBOX").id, ledger.mailbox(SERVER, "Archive").id
    one, two = stored(ledger, old, 1, 2)
    stored(ledger, archive, 3)
    assert ledger.kept_elsewhere(SERVER, "INBOX") == []
    new = ledger.mailbox("imap://ada@new.example", "INBOX").id
    found = ledger.kept_elsewhere("imap://ada@new.example", "INBOX")
    assert [(kept.id, kept.is_elsewhere) for kept in found] == [(one, True), (two, True)]
    ledger.rename(new, [(two, "22", 7)])
    assert [kept.entry for kept in ledger.kept(new)] == [replace(entry(2), uid="22", octets=7)]
    assert [kept.id for kept in ledger.kept(old)] == [one]
    assert [kept.id for kept in ledger.kept_elsewhere("imap://ada@new.example", "INBOX")] == [one]
    assert Ledger(database, "bob").kept_elsewhere("imap://ada@new.example", "INBOX") == []


def test_what_is_gone_is_forgotten_after_ninety_days(
    ledger: Ledger, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    one, two, three = stored(ledger, mailbox, 1, 2, 3)
    ledger.gone([one])
    later(monkeypatch, days=60)
    # The day that counts is the first on which it was missing.
    ledger.gone([one, two])
    later(monkeypatch, days=89)
    ledger.finish(retrieval())
    assert len(ledger.kept(mailbox)) == 3
    later(monkeypatch, days=91)
    ledger.finish(retrieval())
    assert [kept.id for kept in ledger.kept(mailbox)] == [two, three]


def test_a_batch_is_recorded_whole_or_not_at_all(ledger: Ledger, database: Database) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    with database.writing() as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON message WHEN new.uid = '3' BEGIN SELECT raise(ABORT, 'no'); END"
        )
    with pytest.raises(StorageError, match=r"mailtui\.db cannot be used"):
        ledger.intend(mailbox, [entry(number) for number in range(5)])
    assert count(database, "message") == 0
    assert stored(ledger, mailbox, 1)


def test_ids_belong_to_their_entries_whatever_others_write(database: Database) -> None:
    ledgers = [Ledger(database, name) for name in ("ada", "bob")]
    mailboxes = [ledger.mailbox(SERVER, "INBOX").id for ledger in ledgers]
    found: dict[int, str] = {}

    def write(ledger: Ledger, mailbox: int, name: str) -> None:
        for batch in range(20):
            uids = [f"{name}{batch}.{number}" for number in range(10)]
            found.update(zip(stored(ledger, mailbox, *uids), uids, strict=True))

    threads = [
        threading.Thread(target=write, args=arguments) for arguments in zip(ledgers, mailboxes, ("a", "b"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [one for ledger, mailbox in zip(ledgers, mailboxes, strict=True) for one in ledger.kept(mailbox)]
    assert {one.id: one.entry.uid for one in kept} == found
    assert len(found) == 400


def test_nothing_to_do_writes_nothing(ledger: Ledger, database: Database) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    journal = database.path.with_name("mailtui.db-wal")
    before = journal.stat().st_size
    ledger.confirm([])
    ledger.forget([])
    ledger.gone(iter(()))
    ledger.rename(mailbox, [])
    assert ledger.intend(mailbox, []) == []
    assert journal.stat().st_size == before


def test_thousands_of_rows_are_found_by_the_index(ledger: Ledger, database: Database) -> None:
    """A database of many accounts: what one of them holds is found without looking at the others."""
    for query in (
        "SELECT id FROM message WHERE mailbox = 1 AND file IS NULL ORDER BY id",
        "DELETE FROM message WHERE gone < 5",
        ledger_module._UNFINISHED.replace("?", "1"),
    ):
        steps = " / ".join(str(step["detail"]) for step in database._rows(f"EXPLAIN QUERY PLAN {query}"))
        assert "SCAN" not in steps, steps
        assert "INDEX message_" in steps


def test_folders_are_chosen_once_and_never_shared(ledger: Ledger, database: Database) -> None:
    assert ledger.folder("Ada") == "Ada"
    assert ledger.folder("anything") == "Ada"
    assert Ledger(database, "bob").folder("ADA") == "ADA-2"
    database.add(account("carol"))
    (database.path.parent / "mail" / "carol").mkdir(parents=True)
    assert Ledger(database, "carol").folder("carol") == "carol-2"
    database.update("ada", account("renamed"))
    assert Ledger(database, "renamed").folder("renamed") == "Ada"


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("ada@example.org", "ada@example.org"),
        ("../../etc", "_.._etc"),
        ("..", "account"),
        ("", "account"),
        ("a/b\0c\nd", "a_b_c_d"),
        ("büro 台北", "büro_台北"),
        ("é" * 300, "é" * 40),
        ("-rf", "rf"),
    ],
)
def test_folders_have_harmless_names(ledger: Ledger, wish: str, name: str) -> None:
    assert ledger.folder(wish) == name
    assert len(os.fsencode(name)) < 200


def test_an_account_that_does_not_exist_is_told(database: Database) -> None:
    for call in (lambda: Ledger(database, "nobody").token, lambda: Ledger(database, "nobody").mailbox(SERVER, "INBOX")):
        with pytest.raises(StorageError, match="account 'nobody' is not in the database any more"):
            call()
    assert count(database, "retrieval") == 0


def test_a_damaged_database_is_a_storage_error(ledger: Ledger, database: Database) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    database.close()
    for call in (
        lambda: ledger.kept(mailbox),
        lambda: ledger.confirm([1]),
        ledger.unfinished,
        lambda: ledger.finish(retrieval()),
    ):
        with pytest.raises(StorageError, match="closed"):
            call()


def test_the_last_report_is_kept(ledger: Ledger, database: Database) -> None:
    assert last_retrievals(database) == {}
    assert last_retrieval(database, "ada") is None
    ledger.finish(retrieval(stored=1))
    report = retrieval(stored=2)
    ledger.finish(report)
    without = replace(report, leg=replace(report.leg, transcript=()))
    assert last_retrievals(database) == {"ada": without}
    assert last_retrieval(database, "ada") == report != without
    assert last_retrieval(database, "nobody") is None
    database.update("ada", account("renamed"))
    assert last_retrievals(database) == {"renamed": replace(without, account="renamed")}


def test_a_report_that_cannot_be_read_counts_as_not_there(ledger: Ledger, database: Database) -> None:
    Ledger(database, "bob").finish(retrieval("bob"))
    for report in (b"", b"\0" * 10, squeeze({"version": 99}), squeeze([])):
        ledger.finish(retrieval())
        with database.writing() as connection:
            connection.execute("UPDATE retrieval SET report = ? WHERE token = ?", (report, ledger.token))
        assert list(last_retrievals(database)) == ["bob"]
        assert last_retrieval(database, "ada") is None


def test_an_undone_removal_brings_everything_back(ledger: Ledger, database: Database) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    ledger.folder("ada")
    stored(ledger, mailbox, *range(300))
    ledger.intend(mailbox, [entry("x", "/x")])
    ledger.note(mailbox, uidvalidity=1, uidnext=2, modseq=3, unstable=True)
    ledger.finish(retrieval())

    def state() -> tuple[object, ...]:
        now = Ledger(database, "ada")
        row = now.mailbox(SERVER, "INBOX")
        return now.token, now.folder("other"), row, now.kept(row.id), now.unfinished(), last_retrieval(database, "ada")

    before = state()
    gone = database.remove("ada", "bob")
    assert last_retrievals(database) == {}
    assert database._rows("SELECT report, transcript FROM retrieval")[0][:] == (None, None)
    database.add(account("carol"))
    database.restore(gone)
    assert state() == before
    assert database.remove("ada").retrievals[0][:2] == ("ada", ledger.token)


def test_an_account_of_the_same_name_begins_anew(ledger: Ledger, database: Database) -> None:
    stored(ledger, ledger.mailbox(SERVER, "INBOX").id, 1)
    ledger.folder("ada")
    database.remove("ada")
    database.add(account())
    anew = Ledger(database, "ada")
    assert anew.token != ledger.token
    assert anew.known_mailbox(SERVER, "INBOX") is None
    assert anew.folder("ada") == "ada-2"


def test_a_retrieval_that_runs_while_its_account_is_removed_is_part_of_the_undo(
    ledger: Ledger, database: Database
) -> None:
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    gone = database.remove("ada")
    stored(ledger, mailbox, 1)
    ledger.finish(retrieval())
    # Its id may have been given to another account meanwhile.
    database.add(account("carol"))
    ledger.finish(retrieval())
    assert last_retrievals(database) == {}
    database.restore(gone)
    assert [one.entry for one in Ledger(database, "ada").kept(mailbox)] == [entry(1)]


def test_a_removed_account_is_forgotten_after_a_month(
    ledger: Ledger, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(ledger, ledger.mailbox(SERVER, "INBOX").id, 1)
    gone = database.remove("ada")
    bob = Ledger(database, "bob")
    later(monkeypatch, days=29)
    bob.finish(retrieval("bob"))
    assert (count(database, "retrieval"), count(database, "message")) == (2, 1)
    later(monkeypatch, days=31)
    bob.finish(retrieval("bob"))
    assert (count(database, "retrieval"), count(database, "mailbox"), count(database, "message")) == (1, 0, 0)
    # Too late for what was retrieved, not for the account.
    assert [restored.name for restored in database.restore(gone)] == ["ada"]
    assert Ledger(database, "ada").token != ledger.token


def test_a_database_of_version_two_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mailtui.db"
    with Database.open(path) as database:
        database.add(account())
        before = database.accounts()
        with database.writing() as connection:
            for table in ("message", "mailbox", "retrieval"):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("PRAGMA user_version = 2")
            # An account of then knows nothing of mailboxes and destinations.
            connection.execute(
                "UPDATE account SET document = json_remove(document, '$.retrieval.mailboxes',"
                " '$.retrieval.destination', '$.retrieval.size_limit')"
            )
    with Database.open(path) as database:
        assert database.accounts() == before
        ledger = Ledger(database, "ada")
        assert stored(ledger, ledger.mailbox(SERVER, "INBOX").id, 1)


def test_times_of_storing_are_exact(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """After how many days a message is deleted on the server counts from when it was confirmed."""
    mailbox = ledger.mailbox(SERVER, "INBOX").id
    ids = ledger.intend(mailbox, [entry(1)])
    moments: list[datetime] = []
    for days in (1, 2):
        moments.append(later(monkeypatch, days=days))
        ledger.confirm(ids)
        ids = ledger.intend(mailbox, [entry(2)])
    assert [one.at for one in ledger.kept(mailbox)] == moments
