"""Accounts and their history: kept, changed, told apart, and found again."""

import json
import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from mailtui.model.account import Account, Endpoint
from mailtui.model.check import Leg, Severity, utc_now
from mailtui.model.errors import InvalidAccount, StorageError, UsageError
from mailtui.storage import history
from mailtui.storage.codec import from_document, shape, to_document
from mailtui.storage.database import Change, Database
from mailtui.storage.migrations import MIGRATIONS
from tests.storage.samples import account, leg, report


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        yield opened


def untimed(stored: Account) -> Account:
    return replace(stored, created=None, updated=None, last_verified=None)


def test_an_account_comes_back_as_it_was_stored(database: Database) -> None:
    before = utc_now()
    stored = database.add(account())
    assert untimed(stored) == account()
    assert database.account("ada") == stored
    assert database.accounts() == [stored]
    assert stored.created is not None
    assert before <= stored.created <= utc_now()
    assert stored.updated == stored.created
    assert stored.last_verified is None


def test_accounts_come_by_name_whatever_its_case(database: Database) -> None:
    for name in ("zoe", "Bob", "ada", "Émile"):
        database.add(account(name, email="x@example.org"))
    assert [stored.name for stored in database.accounts()] == ["ada", "Bob", "zoe", "Émile"]


def test_an_unknown_name_is_answered_with_similar_ones(database: Database) -> None:
    with pytest.raises(UsageError, match="no accounts yet"):
        database.account("ada")
    for name in ("newsletter", "support"):
        database.add(account(name))
    with pytest.raises(UsageError, match=r"no account named 'newsleter'; did you mean 'newsletter'\?"):
        database.account("newsleter")
    with pytest.raises(UsageError, match="did you mean 'support'"):
        database.account("SUPPORT")
    with pytest.raises(UsageError, match="mailtui account list"):
        database.remove("qqqq")
    with pytest.raises(UsageError) as hostile:
        database.account("\x1b]0;x\x07\udcff")
    assert str(hostile.value).isprintable()


def test_a_name_is_given_once(database: Database) -> None:
    database.add(account("ada"))
    database.add(account("bob"))
    with pytest.raises(UsageError, match="an account named 'ada' already"):
        database.add(account("ada"))
    with pytest.raises(UsageError, match="an account named 'ada' already"):
        database.update("bob", account("ada"))
    assert [stored.name for stored in database.accounts()] == ["ada", "bob"]


def test_an_invalid_account_is_not_stored(database: Database) -> None:
    with pytest.raises(InvalidAccount, match="email"):
        database.add(account(email="nonsense"))
    database.add(account())
    with pytest.raises(InvalidAccount, match="email"):
        database.update("ada", account(email=""))
    assert [untimed(stored) for stored in database.accounts()] == [account()]


def test_update_keeps_created_and_moves_updated_only_when_something_differs(database: Database) -> None:
    first = database.add(account())
    assert database.update("ada", account()) == first
    second = database.update("ada", account(notes="other"))
    assert second.notes == "other"
    assert second.created == first.created
    assert first.updated is not None
    assert second.updated is not None
    assert second.updated > first.updated


def test_a_change_in_between_is_not_overwritten(database: Database) -> None:
    seen = database.add(account())
    database.update("ada", account(notes="theirs"))
    with pytest.raises(UsageError, match="changed meanwhile"):
        database.update("ada", account(notes="mine"), expected_updated=seen.updated)
    current = database.account("ada")
    assert current.notes == "theirs"
    assert database.update("ada", account(notes="mine"), expected_updated=current.updated).notes == "mine"


def test_switching_on_and_off_is_all_or_nothing(database: Database) -> None:
    ada, bob = database.add(account("ada")), database.add(account("bob"))
    with pytest.raises(UsageError, match="nobody"):
        database.set_active(["ada", "nobody"], False)
    assert database.accounts() == [ada, bob]
    database.set_active(["ada"], False)
    assert not database.account("ada").active
    assert database.account("bob") == bob
    database.set_active(["bob"], True)
    assert database.account("bob") == bob


def test_a_report_comes_back_whole(database: Database) -> None:
    database.add(account())
    whole = report(severity=Severity.FAILED)
    database.record(whole)
    assert database.history("ada") == [whole]
    assert database.latest() == {"ada": whole}
    bare = replace(
        whole,
        outbound=replace(leg(Leg.OUTBOUND, Severity.FAILED), transcript=()),
        inbound=replace(leg(Leg.INBOUND), transcript=()),
    )
    assert database.latest(transcripts=False) == {"ada": bare}


def test_a_leg_that_was_not_asked_for_stays_absent(database: Database) -> None:
    database.add(account())
    half = report(inbound=False)
    database.record(half)
    assert database.history("ada") == [half]


def test_history_is_newest_first_whatever_the_order_of_arrival(database: Database) -> None:
    database.add(account())
    ages = (2, 0, 3, 1)
    reports = {age: report(age=timedelta(minutes=age)) for age in ages}
    for age in ages:
        database.record(reports[age])
    assert database.history("ada") == [reports[age] for age in sorted(ages)]
    assert database.history("ada", limit=2) == [reports[0], reports[1]]
    assert database.latest() == {"ada": reports[0]}


def test_history_follows_a_rename_and_goes_with_the_account(database: Database) -> None:
    database.add(account("ada"))
    database.add(account("bob"))
    database.record_many([report("ada"), report("bob")])
    database.update("ada", account("lovelace"))
    assert [kept.account for kept in database.history("lovelace")] == ["lovelace"]
    assert set(database.latest()) == {"lovelace", "bob"}
    database.remove("lovelace")
    assert set(database.latest()) == {"bob"}
    database.add(account("lovelace"))
    assert database.history("lovelace") == []


def test_a_report_of_a_removed_account_is_dropped(database: Database) -> None:
    database.add(account("bob"))
    database.record_many([report("ada"), report("bob")])
    assert set(database.latest()) == {"bob"}


def test_last_verified_needs_every_leg_and_no_failure(database: Database) -> None:
    database.add(account())
    database.record(report(severity=Severity.FAILED))
    database.record(report(inbound=False))
    assert database.account("ada").last_verified is None
    newer, older = report(severity=Severity.WARNING, age=timedelta(hours=1)), report(age=timedelta(hours=2))
    database.record(newer)
    database.record(older)
    stored = database.account("ada")
    assert stored.last_verified == newer.started
    assert stored.updated == stored.created
    database.add(account("send-only", retrieval=None))
    alone = report("send-only", inbound=False)
    database.record(alone)
    assert database.account("send-only").last_verified == alone.started


def test_pruning_keeps_failures_longest(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEEP_GOOD", 3)
    monkeypatch.setattr(history, "KEEP_FAILED", 5)
    database.add(account())
    database.record_many(
        report(severity=severity, age=timedelta(minutes=age))
        for age in range(10)
        for severity in (Severity.OK, Severity.FAILED)
    )
    kept = database.history("ada")
    assert [one.severity for one in kept].count(Severity.OK) == 3
    assert [one.severity for one in kept].count(Severity.FAILED) == 5
    assert min(one.started for one in kept).minute == sorted(one.started for one in kept)[0].minute
    oldest_good = min(one.started for one in kept if one.severity is Severity.OK)
    assert sum(one.started < oldest_good for one in kept if one.severity is Severity.FAILED) == 2


def test_old_reports_go_but_never_the_newest(database: Database) -> None:
    database.add(account())
    assert history.KEEP_GOOD_FOR < history.KEEP_FAILED_FOR
    assert history.KEEP_GOOD < history.KEEP_FAILED
    ancient = report(age=history.KEEP_FAILED_FOR + timedelta(days=2))
    database.record(ancient)
    assert database.history("ada") == [ancient]
    failed = report(severity=Severity.FAILED, age=history.KEEP_GOOD_FOR + timedelta(days=1))
    good = report(age=history.KEEP_GOOD_FOR + timedelta(days=1, minutes=1))
    recent = report(age=history.KEEP_GOOD_FOR - timedelta(days=1))
    database.record_many([failed, good, recent])
    assert database.history("ada") == [recent, failed]


def test_pruning_one_account_leaves_the_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.add(account("ada"))
    database.add(account("bob"))
    database.record_many(report("bob", age=timedelta(minutes=age)) for age in range(4))
    monkeypatch.setattr(history, "KEEP_GOOD", 1)
    database.record_many(report("ada", age=timedelta(minutes=age)) for age in range(4))
    assert len(database.history("ada")) == 1
    assert len(database.history("bob")) == 4


def test_the_newest_reports_of_all_accounts_are_found_by_the_index(database: Database) -> None:
    database.add(account())
    steps = database._rows(
        "EXPLAIN QUERY PLAN SELECT account.name FROM account JOIN report ON report.id = ("
        "SELECT id FROM report WHERE account = account.id ORDER BY started DESC, id DESC LIMIT 1)"
    )
    told = " / ".join(str(step["detail"]) for step in steps)
    assert "report_by_account (account=?)" in told
    assert "TEMP B-TREE" not in told


def test_files_are_private_while_open(database: Database) -> None:
    database.add(account())
    folder = database.path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert {"mailtui.db", "mailtui.db-wal", "mailtui.db-shm"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Database.open(tmp_path / "data" / "mailtui.db") as database:
            database.add(account())
            folder = database.path.parent
            assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(before)


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "mailtui.db")
    database.close()
    with pytest.raises(StorageError, match="closed"):
        database.accounts()


def test_a_damaged_row_is_an_error_that_names_the_file(database: Database) -> None:
    database.add(account())
    with database.writing() as connection:
        connection.execute("UPDATE account SET document = '{}'")
    with pytest.raises(StorageError, match=r"mailtui\.db is damaged: account 'ada' cannot be read"):
        database.accounts()


@pytest.mark.parametrize("damage", ["a cause of tomorrow", "not even compressed"])
def test_a_report_that_cannot_be_read_counts_as_not_there(database: Database, damage: str) -> None:
    for name in ("ada", "bob", "carol"):
        database.add(account(name))
    older, newer = report(age=timedelta(minutes=2)), report(severity=Severity.FAILED, age=timedelta(minutes=1))
    oldest, bobs = report(age=timedelta(minutes=3)), report("bob", Severity.FAILED)
    database.record_many([oldest, older, newer, bobs, report("carol")])
    unreadable = b"\0"
    if damage == "a cause of tomorrow":
        packed = history.pack(newer)[2]
        unreadable = zlib.compress(zlib.decompress(packed).replace(b'"bad-credentials"', b'"thought-of-later"'))
        with pytest.raises(ValueError, match="cause"):
            history.unpack("ada", unreadable, None)
    with database.writing() as connection:
        connection.execute("UPDATE report SET report = ? WHERE severity = ?", (unreadable, int(Severity.FAILED)))
    assert database.history("ada") == [older, oldest]
    assert database.history("ada", limit=1) == [older]
    assert database.history("ada", limit=0) == []
    assert database.history("bob") == []
    assert database.latest().keys() == database.latest(transcripts=False).keys() == {"ada", "carol"}
    assert database.latest()["ada"] == older
    database.record(newest := report(severity=Severity.FAILED))
    assert database.latest()["ada"] == newest


def test_several_changes_are_made_together_or_not_at_all(database: Database) -> None:
    ada = database.add(account("ada"))
    bob = database.add(account("bob"))
    carol = account("carol")
    stale = replace(bob, updated=bob.updated and bob.updated - timedelta(seconds=1))
    bad: tuple[tuple[Change, type[Exception], str], ...] = (
        (Change(replace(bob, notes="new"), stale), UsageError, "'bob' was changed meanwhile"),
        (Change(account("bob")), UsageError, "an account named 'bob' already"),
        (Change(replace(bob, notes="new"), replace(bob, name="rob")), UsageError, "no account named 'rob'"),
        (Change(replace(bob, email="nonsense"), bob), InvalidAccount, "email"),
    )
    for change, error, words in bad:
        with pytest.raises(error, match=words):
            database.apply([Change(carol), Change(replace(ada, notes="new"), ada), change])
        assert database.accounts() == [ada, bob]
    stored = database.apply([Change(carol), Change(replace(ada, notes="new"), ada), Change(bob, bob)])
    assert [one.name for one in stored] == ["carol", "ada", "bob"]
    assert {one.name: one.notes for one in database.accounts()} == {
        "ada": "new",
        "bob": bob.notes,
        "carol": carol.notes,
    }
    assert database.account("bob") == bob


def test_several_accounts_are_removed_together_or_not_at_all(database: Database) -> None:
    for name in ("ada", "bob", "carol"):
        database.add(account(name))
    with pytest.raises(UsageError, match="no account named 'rob'"):
        database.remove("ada", "rob")
    assert [stored.name for stored in database.accounts()] == ["ada", "bob", "carol"]
    database.remove("ada", "carol")
    assert [stored.name for stored in database.accounts()] == ["bob"]


def test_a_stored_account_survives_a_changed_default() -> None:
    document = to_document(account())
    assert set(document["retrieval"]) == {
        "protocol", "endpoint", "method", "username", "secret", "mode", "interval", "folder", "leave_on_server",
        "delete_after", "mailboxes", "destination", "size_limit",
    }  # fmt: skip
    assert from_document(Account, json.loads(json.dumps(document))) == account()


def test_a_field_that_an_older_account_lacks_takes_its_default() -> None:
    document = to_document(Endpoint("h.example.org", 465))
    del document["allow_cleartext"]
    assert from_document(Endpoint, document) == Endpoint("h.example.org", 465)


@pytest.mark.parametrize(
    "wrong", [{}, [], {"host": 1, "port": 1}, {"host": "h", "port": True}, {"host": "h", "port": 1, "unknown": 1}]
)
def test_a_document_of_another_shape_is_refused(wrong: object) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        from_document(Endpoint, wrong)


SHAPES = {
    1: (
        "{name: str, email: str, submission: {endpoint: {host: str, port: int, security: tls/starttls/none, "
        "certificate: {trust: system/ca-file/pin/accept-anything, ca_file: str, pin: str}, allow_cleartext: bool}, "
        "kind: smtp, authentication: bool, method: automatic/plain/login/cram-md5/scram-sha-256/xoauth2/apop, "
        "username: str, secret: {scheme: keyring/vault/command/env/file/ask, value: str} | NoneType}, "
        "retrieval: {protocol: smtp/imap/pop3, endpoint: {host: str, port: int, security: tls/starttls/none, "
        "certificate: {trust: system/ca-file/pin/accept-anything, ca_file: str, pin: str}, allow_cleartext: bool}, "
        "method: automatic/plain/login/cram-md5/scram-sha-256/xoauth2/apop, username: str, "
        "secret: {scheme: keyring/vault/command/env/file/ask, value: str} | NoneType, mode: automatic/manual, "
        "interval: int, folder: str, leave_on_server: bool, delete_after: int | NoneType} | NoneType, type: str, "
        "display_name: str, active: bool, notes: str, created: datetime | NoneType, updated: datetime | NoneType, "
        "last_verified: datetime | NoneType}"
    ),
    3: (
        "{name: str, email: str, submission: {endpoint: {host: str, port: int, security: tls/starttls/none, "
        "certificate: {trust: system/ca-file/pin/accept-anything, ca_file: str, pin: str}, allow_cleartext: bool}, "
        "kind: smtp, authentication: bool, method: automatic/plain/login/cram-md5/scram-sha-256/xoauth2/apop, "
        "username: str, secret: {scheme: keyring/vault/command/env/file/ask, value: str} | NoneType}, "
        "retrieval: {protocol: smtp/imap/pop3, endpoint: {host: str, port: int, security: tls/starttls/none, "
        "certificate: {trust: system/ca-file/pin/accept-anything, ca_file: str, pin: str}, allow_cleartext: bool}, "
        "method: automatic/plain/login/cram-md5/scram-sha-256/xoauth2/apop, username: str, "
        "secret: {scheme: keyring/vault/command/env/file/ask, value: str} | NoneType, mode: automatic/manual, "
        "interval: int, folder: str, leave_on_server: bool, delete_after: int | NoneType, mailboxes: [str], "
        "destination: {kind: maildir/lmtp/command, value: str}, size_limit: int | NoneType} | NoneType, type: str, "
        "display_name: str, active: bool, notes: str, created: datetime | NoneType, updated: datetime | NoneType, "
        "last_verified: datetime | NoneType}"
    ),
}


def test_a_changed_account_comes_with_a_migration() -> None:
    """When this fails: add a migration (an empty one, if the default suits) and the new shape under its number."""
    assert max(SHAPES) <= len(MIGRATIONS)
    assert shape(Account) == SHAPES[max(SHAPES)]


def test_changes_within_the_same_moment_bear_different_times(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever read the account between them must be told that it was changed."""
    first = database.add(account()).updated
    assert first is not None
    monkeypatch.setattr("mailtui.storage.account_rows.utc_now", lambda: first - timedelta(hours=1))
    seen = [first, database.update("ada", account(notes="one")).updated]
    database.set_active(["ada"], False)
    seen.append(database.account("ada").updated)
    seen.append(database.update("ada", replace(database.account("ada"), notes="two")).updated)
    times = [moment for moment in seen if moment is not None]
    assert len(times) == 4
    assert all(earlier < later for earlier, later in pairwise(times))
