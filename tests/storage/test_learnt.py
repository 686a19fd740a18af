"""What checks taught is kept for each leg, beside the reports it came with, and goes where its account goes."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailtui.model.account import AuthMethod, Protocol, Security
from mailtui.model.check import Leg
from mailtui.model.errors import StorageError
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.storage.codec import from_document, shape, to_document
from mailtui.storage.database import Database
from mailtui.storage.migrations import MIGRATIONS
from tests.storage.samples import account, report

NOW = datetime(2026, 1, 31, 9, 30, 1, 123_456, tzinfo=UTC)
BASELINE = Baseline(
    Protocol.IMAP,
    "imap.example.org",
    143,
    Security.STARTTLS,
    NOW,
    keys=("aa" * 32, "bb" * 32),
    issuer="R10 ✓",
    authority="ISRG Root X1",
    not_before=NOW,
    not_after=None,
    tls_version="TLSv1.3",
    starttls=True,
    mechanisms=("LOGIN", "PLAIN"),
    capabilities=("IMAP4REV1",),
    addresses=("192.0.2.1", "2001:db8::1"),
)
REFUSED = RefusedLogin("imap.example.org", 143, "ada", AuthMethod.PLAIN, NOW, "ab" * 16, "1f2e", "535 no")
BOTH = Learnt("ada", Leg.INBOUND, BASELINE, REFUSED)
INBOUND = ("ada", Leg.INBOUND)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        opened.add(account())
        yield opened


def kept(database: Database) -> tuple[dict[tuple[str, Leg], Baseline], dict[tuple[str, Leg], RefusedLogin]]:
    return dict(database.baselines()), dict(database.refused_logins())


def test_both_come_back_whole(database: Database) -> None:
    assert kept(database) == ({}, {})
    database.record_many([report()], learnt=[BOTH])
    assert kept(database) == ({INBOUND: BASELINE}, {INBOUND: REFUSED})
    assert len(database.history("ada")) == 1


def test_each_leg_has_its_own_and_the_last_counts(database: Database) -> None:
    outbound = Learnt("ada", Leg.OUTBOUND, replace(BASELINE, port=587))
    newer = replace(BASELINE, since=datetime(2026, 2, 1, tzinfo=UTC), keys=())
    database.record_many([], learnt=[BOTH, outbound])
    database.record_many([], learnt=[Learnt("ada", Leg.INBOUND, newer)])
    assert kept(database) == (
        {INBOUND: newer, ("ada", Leg.OUTBOUND): replace(BASELINE, port=587)},
        {INBOUND: REFUSED},
    )


def test_a_good_login_lets_go_of_the_refused_one(database: Database) -> None:
    database.record_many([], learnt=[BOTH, replace(BOTH, leg=Leg.OUTBOUND)])
    database.record_many([], learnt=[Learnt("ada", Leg.INBOUND, is_login_good=True)])
    assert set(database.refused_logins()) == {("ada", Leg.OUTBOUND)}
    assert len(database.baselines()) == 2


def test_what_was_learnt_of_a_removed_account_is_dropped(database: Database) -> None:
    database.record_many([report("bob")], learnt=[replace(BOTH, account="bob"), BOTH])
    assert set(database.baselines()) == {INBOUND}


def test_reports_and_what_they_taught_are_one_transaction(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise sqlite3.OperationalError("the disk is gone")

    monkeypatch.setattr("mailtui.storage.learnt_rows.keep", fail)
    with pytest.raises(StorageError):
        database.record_many([report()], learnt=[BOTH])
    assert database.history("ada") == []
    assert kept(database) == ({}, {})


def test_it_follows_a_rename_and_goes_with_the_account(database: Database) -> None:
    database.record_many([], learnt=[BOTH])
    database.update("ada", account("lovelace"))
    assert kept(database) == ({("lovelace", Leg.INBOUND): BASELINE}, {("lovelace", Leg.INBOUND): REFUSED})
    database.remove("lovelace")
    database.add(account("lovelace"))
    assert kept(database) == ({}, {})
    assert database._rows("SELECT count(*) FROM baseline")[0][0] == 0


def test_an_undo_brings_it_back(database: Database) -> None:
    database.add(account("bob"))
    database.record_many([], learnt=[BOTH, replace(BOTH, account="bob", leg=Leg.OUTBOUND, refused=None)])
    before = kept(database)
    removed = database.remove("ada", "bob")
    assert "1f2e" not in repr(removed)
    assert kept(database) == ({}, {})
    database.restore(removed)
    assert kept(database) == before


def test_an_undo_brings_back_what_cannot_be_read(database: Database) -> None:
    database.record_many([], learnt=[BOTH])
    with database.writing() as connection:
        connection.execute("UPDATE baseline SET document = 'of tomorrow'")
    database.restore(database.remove("ada"))
    assert database._rows("SELECT document FROM baseline")[0][0] == "of tomorrow"


@pytest.mark.parametrize("document", ["", "[]", "{}", "null", '{"protocol": "jmap"}', '{"keys": [1]}', '{"new": 1}'])
def test_what_cannot_be_read_counts_as_not_there(database: Database, document: str) -> None:
    database.record_many([], learnt=[BOTH])
    with database.writing() as connection:
        connection.execute("UPDATE baseline SET document = ?", (document,))
        connection.execute("UPDATE refused_login SET document = ?", (document,))
    assert database.baselines().get(INBOUND) is None
    assert database.refused_logins().get(INBOUND) is None
    database.record_many([], learnt=[BOTH])
    assert database.baselines().get(INBOUND) == BASELINE


def test_a_leg_of_tomorrow_is_left_alone(database: Database) -> None:
    database.record_many([], learnt=[BOTH])
    with database.writing() as connection:
        connection.execute("UPDATE baseline SET leg = 'sideways'")
    assert dict(database.baselines()) == {}


def test_a_database_of_version_one_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "data" / "mailtui.db"
    with Database.open(path) as database:
        database.add(account())
        database.record(report())
        before = database.accounts(), database.history("ada")
        with database.writing() as connection:
            for table in ("message", "mailbox", "retrieval", "baseline", "refused_login"):
                connection.execute(f"DROP TABLE {table}")
            connection.execute("PRAGMA user_version = 1")
    with Database.open(path) as database:
        assert (database.accounts(), database.history("ada")) == before
        database.record_many([], learnt=[BOTH])
        assert kept(database) == ({INBOUND: BASELINE}, {INBOUND: REFUSED})
        assert database._rows("PRAGMA user_version")[0][0] == len(MIGRATIONS)


def test_texts_have_a_stored_form() -> None:
    document = json.loads(json.dumps(to_document(BASELINE)))
    assert document["keys"] == ["aa" * 32, "bb" * 32]
    assert from_document(Baseline, document) == BASELINE
    for wrong in ("text", [1], [["text"]], {"0": "text"}, None):
        with pytest.raises(TypeError):
            from_document(Baseline, document | {"keys": wrong})


def test_what_is_kept_needs_no_migration_as_long_as_new_fields_have_defaults() -> None:
    """When this fails: a field that older documents lack needs a default, and one that went needs a migration."""
    assert shape(Baseline) == (
        "{protocol: smtp/imap/pop3, host: str, port: int, security: tls/starttls/none, since: datetime, keys: [str], "
        "issuer: str, authority: str, not_before: datetime | NoneType, not_after: datetime | NoneType, "
        "tls_version: str, starttls: bool | NoneType, mechanisms: [str], capabilities: [str], addresses: [str]}"
    )
    assert [field.name for field in fields(RefusedLogin)] == [
        "host", "port", "username", "method", "at", "salt", "fingerprint", "reply"
    ]  # fmt: skip
