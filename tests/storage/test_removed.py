"""Accounts that are removed come back as they were stored."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailtui.model.check import CheckReport, Severity, utc_now
from mailtui.model.errors import UsageError
from mailtui.storage import removed
from mailtui.storage.database import Database
from tests.storage.samples import account, report


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        yield opened


def without_transcripts(whole: CheckReport) -> CheckReport:
    return replace(
        whole,
        outbound=whole.outbound and replace(whole.outbound, transcript=()),
        inbound=whole.inbound and replace(whole.inbound, transcript=()),
    )


def test_accounts_and_history_come_back_with_their_times(database: Database) -> None:
    for name in ("ada", "bob", "carol"):
        database.add(account(name))
    database.record_many(report(name, age=timedelta(minutes=age)) for name in ("ada", "bob") for age in range(3))
    database.update("ada", account("ada", notes="changed"))
    before = database.accounts(), {name: database.history(name) for name in ("ada", "bob", "carol")}
    assert before[0][0].last_verified is not None
    gone = database.remove("ada", "carol")
    assert [stored.name for stored in gone.accounts] == ["ada", "carol"]
    assert [stored.name for stored in database.accounts()] == ["bob"]
    assert database._rows("SELECT count(*) FROM report")[0][0] == 3
    back = database.restore(gone)
    assert tuple(back) == gone.accounts
    assert (database.accounts(), {name: database.history(name) for name in ("ada", "bob", "carol")}) == before


def test_reports_of_the_same_moment_keep_their_order(database: Database) -> None:
    database.add(account())
    now = utc_now()
    severities = [Severity.OK, Severity.FAILED, Severity.WARNING]
    for severity in severities:
        database.record(report(severity=severity, started=now))
    database.restore(database.remove("ada"))
    assert [kept.severity for kept in database.history("ada")] == severities[::-1]
    assert database.latest()["ada"].severity is Severity.WARNING


def test_what_cannot_be_read_comes_back_too(database: Database) -> None:
    """A report that a newer program wrote is nothing to this one, and is not lost by it."""
    database.add(account())
    database.record(report())
    with database.writing() as connection:
        connection.execute("UPDATE report SET report = x'00'")
    database.restore(database.remove("ada"))
    assert database._rows("SELECT report FROM report")[0][0] == b"\0"
    assert database.history("ada") == []


def test_one_taken_name_keeps_all_from_coming_back(database: Database) -> None:
    for name in ("ada", "bob"):
        database.add(account(name))
    database.record(report("bob"))
    gone = database.remove("bob", "ada")
    newcomer = database.add(account("ada", email="other@example.org"))
    with pytest.raises(UsageError, match=r"'ada' exists again, added meanwhile; nothing was brought back: rename or"):
        database.restore(gone)
    assert database.accounts() == [newcomer]
    database.remove("ada")
    database.restore(gone)
    assert [stored.name for stored in database.accounts()] == ["ada", "bob"]
    assert len(database.history("bob")) == 1


def test_names_may_repeat_and_be_none(database: Database) -> None:
    database.add(account())
    assert [stored.name for stored in database.remove("ada", "ada").accounts] == ["ada"]
    assert database.restore(database.remove()) == []


def test_long_histories_keep_their_newest_reports(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ada", "bob", "carol"):
        database.add(account(name))
    database.record_many(report(name, age=timedelta(minutes=age)) for name in ("ada", "bob") for age in range(10))
    (octets,) = database._rows("SELECT max(length(report) + length(transcripts)) FROM report")[0]
    newest = {name: database.history(name) for name in ("ada", "bob")}
    with database.writing() as connection:
        # A third for each, and what one does not need goes to the next.
        taken = removed.take_out(connection, database._accounts, ["ada", "carol", "bob"], {}, 9 * octets)
    assert sum(len(row[-2]) + len(row[-1]) for row in taken.reports) <= 9 * octets
    database.restore(taken)
    kept = {name: database.history(name) for name in ("ada", "bob")}
    assert 3 <= len(kept["ada"]) < len(kept["bob"]) < 10
    assert all(newest[name][: len(reports)] == reports for name, reports in kept.items())
    assert taken.left_out == 20 - len(kept["ada"]) - len(kept["bob"])


def test_history_without_transcripts(database: Database) -> None:
    database.add(account())
    reports = [report(severity=severity, age=timedelta(minutes=age)) for age, severity in enumerate(Severity)]
    database.record_many(reports)
    assert database.history("ada") == reports
    assert database.history("ada", 2, transcripts=False) == [without_transcripts(one) for one in reports[:2]]
    assert reports[0] != without_transcripts(reports[0])


def test_reports_are_counted(database: Database) -> None:
    for name in ("ada", "bob", "carol"):
        database.add(account(name))
    database.record_many(report(name, age=timedelta(minutes=age)) for name in ("ada", "bob") for age in range(3))
    assert database.count_reports(["ada", "bob", "ada"]) == 6
    assert database.count_reports(["carol", "nobody"]) == 0
    assert database.count_reports([]) == 0


def test_what_another_process_writes_changes_the_version(database: Database) -> None:
    before = database.data_version()
    database.add(account())
    database.record(report())
    assert database.data_version() == before
    with Database.open(database.path) as other:
        other.accounts()
        assert database.data_version() == before
        other.set_active(["ada"], False)
    assert database.data_version() != before


def test_an_account_that_changed_since_it_was_read_keeps_all_where_they_are(database: Database) -> None:
    read = {name: database.add(account(name)).updated for name in ("ada", "bob")}
    database.set_active(["bob"], False)
    with pytest.raises(UsageError, match="'bob' was changed meanwhile by someone else"):
        database.remove("ada", "bob", expected=read)
    assert [stored.name for stored in database.accounts()] == ["ada", "bob"]
    read["bob"] = database.account("bob").updated
    # A check is no change.
    database.record(report("bob"))
    assert len(database.remove("ada", "bob", expected=read).accounts) == 2
