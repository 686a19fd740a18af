"""What checks taught: known at once, stored with the reports it belongs to, and never mixed up."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailtui.actions.accepting import accept_changes
from mailtui.actions.memory import Memory
from mailtui.model.account import AuthMethod, Endpoint, Security
from mailtui.model.check import CheckReport, Leg, LegReport
from mailtui.model.errors import StorageError, UsageError
from mailtui.model.server import Change, ChangeKind, Offered
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.protocols.sasl import Credentials
from mailtui.storage.database import Database
from tests.storage.samples import account, leg, report

NOW = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
CREDENTIALS = Credentials("ada", "secret", AuthMethod.PLAIN)
OTHER = Endpoint("other.example.org", 465)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        for name in ("ada", "bob"):
            opened.add(account(name))
        yield opened


def outbound(endpoint: Endpoint | None = None, pin: str = "bb" * 32) -> LegReport:
    """A good leg of whatever account."""
    good = leg(Leg.OUTBOUND)
    assert good.tls is not None
    assert good.tls.certificate is not None
    facts = replace(good.tls, certificate=replace(good.tls.certificate, pin=pin))
    return replace(good, tls=facts, endpoint=endpoint or good.endpoint, offered=Offered(None, ("PLAIN",), ("SIZE",)))


def known(memory: Memory, name: str = "ada", found: LegReport | None = None) -> Baseline | None:
    found = found or outbound()
    return memory.baseline(name, found.leg, found.protocol, found.endpoint)


def mark(endpoint: Endpoint | None = None, at: datetime = NOW, salt: str = "ab" * 16) -> RefusedLogin:
    endpoint = endpoint or outbound().endpoint
    return RefusedLogin(endpoint.host, endpoint.port, "ada", AuthMethod.PLAIN, at, salt, "1f2e")


def refusals(memory: Memory, endpoint: Endpoint | None = None) -> list[RefusedLogin]:
    return memory.refusals(endpoint or outbound().endpoint, CREDENTIALS)


class TestAtOnce:
    def test_what_was_learnt_is_known(self) -> None:
        memory = Memory()
        assert known(memory) is None
        learnt = memory.learn("ada", outbound(), NOW)
        assert known(memory) == learnt
        assert learnt.keys == ("bb" * 32,)
        assert known(memory, "bob") is None
        assert memory.learn("ada", outbound(pin="cc" * 32), NOW).keys == ("cc" * 32, "bb" * 32)

    def test_each_server_of_a_leg_is_its_own(self) -> None:
        """A trial of another server must not forget the account's own."""
        memory = Memory()
        own = memory.learn("ada", outbound(), NOW)
        for other in (OTHER, replace(outbound().endpoint, port=587)):
            assert known(memory, found=outbound(other)) is None
            memory.learn("ada", outbound(other, "cc" * 32), NOW)
        assert known(memory) == own
        in_clear = replace(outbound().endpoint, security=Security.NONE)
        assert known(memory, found=outbound(in_clear)) is None

    def test_marks_are_found_by_the_login_whoever_made_them(self) -> None:
        memory = Memory()
        memory.refused("ada", Leg.OUTBOUND, mark())
        memory.refused("bob", Leg.OUTBOUND, newer := mark(at=NOW + timedelta(1), salt="cd" * 16))
        assert refusals(memory) == [newer, mark()]
        assert refusals(memory, replace(outbound().endpoint, host="MAIL.example.org")) == [newer, mark()]
        assert refusals(memory, OTHER) == []
        assert memory.refusals(outbound().endpoint, replace(CREDENTIALS, username="bob")) == []
        assert memory.refusals(outbound().endpoint, replace(CREDENTIALS, method=AuthMethod.LOGIN)) == []

    def test_a_good_login_forgets_its_own_mark_and_those_of_the_same_secret(self) -> None:
        memory = Memory()
        for number, name in enumerate(("ada", "bob", "carol")):
            memory.refused(name, Leg.OUTBOUND, mark(salt=f"{number}" * 32))
        memory.logged_in("ada", Leg.OUTBOUND, outbound().endpoint, CREDENTIALS, [mark(salt="1" * 32)])
        assert refusals(memory) == [mark(salt="2" * 32)]


class TestStored:
    def _later(self, database: Database) -> Memory:
        return Memory.load(database)

    def test_it_is_stored_with_the_report_of_its_leg(self, database: Database) -> None:
        memory = Memory.load(database)
        write = memory.write(database)
        learnt = memory.learn("ada", outbound(), NOW)
        memory.refused("ada", Leg.INBOUND, inbound := mark(leg(Leg.INBOUND).endpoint))
        memory.learn("bob", outbound(), NOW)
        write([report("ada")])
        later = self._later(database)
        assert known(later) == learnt
        assert refusals(later, leg(Leg.INBOUND).endpoint) == [inbound]
        assert known(later, "bob") is None
        write([report("bob")])
        assert known(self._later(database), "bob") is not None
        assert len(database.history("ada")) == 1

    def test_a_trial_of_another_server_is_not_stored(self, database: Database) -> None:
        memory = Memory.load(database)
        own = memory.learn("ada", outbound(), NOW)
        memory.write(database)([report("ada")])
        memory.learn("ada", outbound(OTHER), NOW + timedelta(1))
        memory.refused("ada", Leg.OUTBOUND, mark(OTHER))
        memory.write(database)([report("ada")])
        assert dict(database.baselines()) == {("ada", Leg.OUTBOUND): own}
        assert dict(database.refused_logins()) == {}
        # It is known to the next trial all the same.
        assert known(memory, found=outbound(OTHER)) is not None
        assert refusals(memory, OTHER) == [mark(OTHER)]

    def test_a_refused_login_is_kept_also_without_a_report(self, database: Database) -> None:
        memory = Memory.load(database)
        memory.learn("ada", outbound(), NOW)
        memory.refused("ada", Leg.OUTBOUND, mark())
        memory.learn("bob", outbound(), NOW)
        refused = account("ada")
        login = replace(refused.submission, endpoint=outbound().endpoint, username="ada", method=AuthMethod.PLAIN)
        # A trial of another server, under the name of an account.
        memory.refused("bob", Leg.OUTBOUND, mark(OTHER))
        memory.keep_refusals(database, [replace(refused, submission=login), account("bob")])
        assert dict(database.refused_logins()) == {("ada", Leg.OUTBOUND): mark()}
        assert dict(database.baselines()) == {}

    def test_a_cleared_mark_is_stored_with_whatever_report(self, database: Database) -> None:
        memory = Memory.load(database)
        memory.refused("ada", Leg.OUTBOUND, mark())
        memory.write(database)([report("ada")])
        assert len(database.refused_logins()) == 1
        memory.logged_in("bob", Leg.OUTBOUND, outbound().endpoint, CREDENTIALS, [mark()])
        memory.write(database)([report("bob")])
        assert dict(database.refused_logins()) == {}

    def test_what_could_not_be_written_is_written_with_the_next(self, database: Database) -> None:
        class Failing:
            def record_many(self, reports: Sequence[CheckReport], learnt: Sequence[Learnt] = ()) -> None:
                raise StorageError("the disk is full")

            def baselines(self) -> Mapping[tuple[str, Leg], Baseline]:
                return {}

            def refused_logins(self) -> Mapping[tuple[str, Leg], RefusedLogin]:
                return {}

        memory = Memory.load(database)
        first = memory.learn("ada", outbound(), NOW)
        with pytest.raises(StorageError):
            memory.write(Failing())([report("ada")])
        assert known(memory) == first
        memory.write(database)([report("ada")])
        assert known(self._later(database)) == first

    def test_what_another_process_stored_is_known_after_a_reload(self, database: Database) -> None:
        memory = Memory.load(database)
        memory.learn("ada", outbound(), NOW)
        memory.refused("ada", Leg.OUTBOUND, mark())
        memory.write(database)([report("ada")])
        memory.learn("bob", outbound(), NOW)
        other = Memory.load(database)
        accepted = other.learn("ada", outbound(pin="cc" * 32), NOW + timedelta(1))
        other.logged_in("ada", Leg.OUTBOUND, outbound().endpoint, CREDENTIALS, [])
        other.write(database)([report("ada")])
        assert known(memory) != accepted
        memory.reload(database)
        assert known(memory) == accepted
        assert refusals(memory) == []
        # What is not stored yet is not lost by it.
        assert known(memory, "bob") is not None

    def test_a_reload_keeps_marks_and_clearings_that_are_not_stored_yet(self, database: Database) -> None:
        memory = Memory.load(database)
        memory.refused("ada", Leg.OUTBOUND, mark())
        memory.reload(database)
        assert refusals(memory) == [mark()]
        memory.write(database)([report("ada")])
        memory.logged_in("ada", Leg.OUTBOUND, outbound().endpoint, CREDENTIALS, [])
        memory.reload(database)
        assert refusals(memory) == []

    def test_a_renamed_account_keeps_what_is_known_of_it(self, database: Database) -> None:
        memory = Memory.load(database)
        memory.learn("ada", outbound(), NOW)
        memory.write(database)([report("ada")])
        memory.reload(database)
        memory.refused("ada", Leg.OUTBOUND, mark())
        for old, new in (("ada", "lovelace"), ("lovelace", "countess")):
            stored = database.account(old)
            database.update(old, replace(stored, name=new))
            memory.renamed(old, new)
            assert known(memory, new) is not None
            assert refusals(memory) == [mark()]
        memory.write(database)([report("countess")])
        assert set(database.refused_logins()) == {("countess", Leg.OUTBOUND)}
        memory.reload(database)
        assert known(memory, "countess") is not None

    def test_several_threads_lose_nothing(self, database: Database) -> None:
        memory = Memory.load(database)
        write = memory.write(database)
        over = threading.Event()

        def reload() -> None:
            while not over.is_set():
                memory.reload(database)

        threads = [threading.Thread(target=reload) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for number in range(60):
                name = ("ada", "bob")[number % 2]
                learnt = memory.learn(name, outbound(pin=f"{number:02x}" * 32), NOW + timedelta(minutes=number))
                assert known(memory, name) == learnt
                write([report(name)])
                assert known(memory, name) == learnt
        finally:
            over.set()
            for thread in threads:
                thread.join(60)
        assert known(Memory.load(database), "bob") == known(memory, "bob")


ALARM = Change(ChangeKind.KEY, "the key is cc… instead of bb…", True)


class TestAccepting:
    def _record(self, database: Database, checked: LegReport) -> None:
        database.update("ada", replace(database.account("ada"), retrieval=None))
        sample = account("ada")
        submission = replace(sample.submission, endpoint=checked.endpoint)
        database.update("ada", replace(database.account("ada"), submission=submission))
        database.record(replace(report("ada", inbound=False), outbound=checked))

    def test_the_server_of_the_last_report_becomes_what_is_good(self, database: Database) -> None:
        memory = Memory.load(database)
        memory.learn("ada", outbound(), NOW)
        memory.write(database)([report("ada")])
        self._record(database, replace(outbound(pin="cc" * 32), changes=(ALARM,), changed_since=NOW))
        (accepted,) = accept_changes(database, memory, ["ada", "ada"])
        assert (accepted.account, accepted.leg) == ("ada", Leg.OUTBOUND)
        assert (accepted.changes, accepted.since) == ((ALARM,), NOW)
        for each in (memory, Memory.load(database)):
            baseline = known(each)
            assert baseline is not None
            assert baseline.keys == ("cc" * 32, "bb" * 32)
            assert baseline.since > NOW

    def test_without_changes_nothing_is_accepted(self, database: Database) -> None:
        memory = Memory.load(database)
        self._record(database, outbound())
        assert accept_changes(database, memory, ["ada", "bob"]) == []
        assert dict(database.baselines()) == {}

    def test_a_report_of_another_server_is_not_accepted(self, database: Database) -> None:
        self._record(database, replace(outbound(), changes=(ALARM,), changed_since=NOW))
        stored = database.account("ada")
        database.update("ada", replace(stored, submission=replace(stored.submission, endpoint=OTHER)))
        assert accept_changes(database, Memory.load(database), ["ada"]) == []

    def test_an_account_that_does_not_exist_is_told(self, database: Database) -> None:
        with pytest.raises(UsageError, match="no account named 'eve'"):
            accept_changes(database, Memory(), ["ada", "eve"])
