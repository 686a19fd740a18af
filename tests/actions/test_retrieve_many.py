"""Retrievals as front ends start them: events, reports, locks, cancellation, dry runs."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailtui.actions import rehearsing, tally
from mailtui.actions import retrieve as retrieve_module
from mailtui.actions.rehearsing import names_agree
from mailtui.actions.retrieve import RetrieveOptions, retrieval_slots, retrieve_many
from mailtui.model.account import Account, Protocol, Retrieval
from mailtui.model.check import Cause, Leg, Severity, Stage, Status, utc_now
from mailtui.model.destination import Destination
from mailtui.model.events import LegFinished, StageStarted
from mailtui.model.retrieval import (
    RetrievalEvent,
    RetrievalFinished,
    RetrievalProgress,
    RetrievalReport,
    RetrievalStarted,
    Verdict,
)
from mailtui.protocols.source import Listed
from mailtui.storage.database import Database
from mailtui.storage.files import Busy, FileLock
from mailtui.storage.ledger import Entry, Ledger, last_retrieval, last_retrievals
from mailtui.storage.maildir import settle
from mailtui.storage.paths import DataPaths
from tests.actions.mailboxes import Post, letter
from tests.retrieval.office import Office
from tests.retrieval.world import NAME, OneSecret, World, world

DRY = RetrieveOptions(dry_run=True, timeout=20)


@pytest.fixture(params=[Protocol.IMAP, Protocol.POP3])
async def one(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """An account whose INBOX holds five messages."""
    office = Office()
    for number in range(101, 106):
        office.inbox.add(letter(number))
    async with world(tmp_path / "data", request.param, office) as made:
        yield made


def retrieval_of(account: Account) -> Retrieval:
    assert account.retrieval is not None
    return account.retrieval


def contents(made: World) -> Counter[bytes]:
    return Counter(mail.content for mail in made.office.inbox.mails)


def rows(data: Path) -> list[tuple[object, ...]]:
    """All that is recorded of mailboxes and messages."""
    with Database.open(data / "mailtui.db") as database, database.reading() as connection:
        return [
            tuple(row)
            for table in ("mailbox", "message")
            for row in connection.execute(f"SELECT * FROM {table}").fetchall()
        ]


async def test_what_is_told(one: World) -> None:
    events: list[RetrievalEvent] = []
    reports: list[RetrievalReport] = []
    with Database.open(one.data / "mailtui.db") as database:
        database.add(one.account)
        await retrieve_many([one.account], OneSecret(), database, on_event=events.append, on_report=reports.append)
        (report,) = reports
        assert last_retrievals(database).keys() == {NAME}
        kept = last_retrieval(database, NAME)
        assert kept is not None
        assert (kept.stored, kept.leg.transcript) == (5, report.leg.transcript)
        # It teaches what a check would: a later one compares with it.
        assert (NAME, Leg.INBOUND) in database.baselines()
        assert database.history(NAME) == []
    assert events[0] == RetrievalStarted(NAME)
    assert events[-1] == RetrievalFinished(NAME, report)
    assert isinstance(events[-2], LegFinished)
    stages = [event.stage for event in events if isinstance(event, StageStarted)]
    assert stages[-3:] == [Stage.MAILBOX, Stage.TRANSFER, Stage.QUIT]
    assert [result.stage for result in report.leg.stages] == stages
    assert all(result.status is Status.OK for result in report.leg.stages)
    progress = [event for event in events if isinstance(event, RetrievalProgress)]
    assert progress[0].messages_in_all == 5
    assert report.severity is Severity.OK
    assert (report.stored, report.octets) == (5, sum(map(len, contents(one))))


async def test_one_at_a_time_across_processes(one: World) -> None:
    await one.retrieve()
    with Database.open(one.data / "mailtui.db") as database:
        token = Ledger(database, NAME).token
        before = last_retrieval(database, NAME)
    logins = one.office.logins
    with FileLock(DataPaths(one.data).locks / f"{token}.lock"):
        report = await one.retrieve()
    assert report.leg.failure is not None
    assert (report.leg.failure.cause, report.leg.failure.stage) == (Cause.RETRIEVAL_BUSY, Stage.RESOLVE)
    assert one.office.logins == logins
    with Database.open(one.data / "mailtui.db") as database:
        assert last_retrieval(database, NAME) == before
    # A lock that nobody holds is only a file.
    assert (await one.retrieve()).severity is Severity.OK


async def test_cancelled_in_the_middle(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "PROGRESS_SECONDS", 0.0)
    # More than what may wait in memory when the first is stored.
    for number in range(600):
        one.office.inbox.add(letter(1_000 + number, 40_000))
    tasks: dict[str, asyncio.Task[None]] = {}
    reports: list[RetrievalReport] = []

    def cancel(event: RetrievalEvent) -> None:
        if isinstance(event, RetrievalProgress) and event.messages:
            tasks[NAME].cancel()

    with Database.open(one.data / "mailtui.db") as database:
        database.add(one.account)
        await retrieve_many(
            [one.account], OneSecret(), database, on_event=cancel, on_report=reports.append, tasks=tasks
        )
        assert Ledger(database, NAME).unfinished() == []
    assert (tasks[NAME].cancelled(), reports) == (True, [])
    stored = one.stored
    assert 0 < sum(stored.values()) < 605
    assert one.litter == []
    assert (await one.retrieve()).stored == 605 - sum(stored.values())
    assert one.stored == contents(one)


async def test_a_dry_run_changes_nothing(one: World) -> None:
    first = await one.retrieve(DRY)
    assert (first.is_dry_run, first.is_stable, first.stored, first.severity) == (True, True, 5, Severity.OK)
    assert [(candidate.verdict, candidate.subject) for candidate in first.candidates] == [
        (Verdict.FETCH, f"number {number}") for number in range(101, 106)
    ]
    assert first.candidates[0].sender == "Ada <ada@example.org>"
    assert one.office.logins == 2
    assert (one.stored, rows(one.data), (one.data / "mail").exists()) == (Counter(), [], False)
    with Database.open(one.data / "mailtui.db") as database:
        assert last_retrieval(database, NAME) is None
    await one.retrieve()
    before = rows(one.data)
    again = await one.retrieve(DRY)
    assert (again.stored, again.deleted, again.candidates) == (0, 0, ())
    assert again.mailboxes[0].kept == 5
    assert rows(one.data) == before


async def test_a_dry_run_tells_what_would_be_deleted(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await one.retrieve()
    impostor = one.office.inbox.mails[0]
    impostor.content = letter(999)
    retrieval = replace(retrieval_of(one.account), delete_after=3)
    one.account = replace(one.account, retrieval=retrieval)
    one.office.inbox.add(letter(106))
    monkeypatch.setattr(rehearsing, "utc_now", lambda: utc_now() + timedelta(days=4))
    report = await one.retrieve(DRY)
    told = [(candidate.verdict, candidate.subject) for candidate in report.candidates]
    assert told == [(Verdict.FETCH, "number 106")] + [(Verdict.DELETE, f"number {n}") for n in (102, 103, 104, 105)]
    assert (report.stored, report.deleted, report.mailboxes[0].on_server) == (1, 4, 2)
    assert len(one.office.inbox.mails) == 6


def _listed(*uids: str) -> list[Listed]:
    return [Listed(number, uid, 5) for number, uid in enumerate(uids, 1)]


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        ((1, _listed("a", "b")), True),
        ((1, _listed("a", "b", "c")), True),
        ((1, _listed("b")), True),
        ((1, _listed("x", "y")), False),
        ((2, _listed("a", "b")), False),
        ((1, [Listed(1, "a", 6), Listed(2, "b", 5)]), False),
    ],
)
def test_names_that_change_between_logins(second: tuple[int, list[Listed]], *, verdict: bool) -> None:
    assert names_agree({"INBOX": (1, _listed("a", "b"))}, {"INBOX": second}) is verdict


def test_names_that_are_twice_or_nowhere() -> None:
    assert names_agree({"INBOX": (1, _listed("a", "a"))}, {"INBOX": (1, _listed("a", "a"))}) is False
    assert names_agree({"INBOX": (1, [])}, {"INBOX": (1, _listed("a"))}) is None


async def test_what_was_interrupted_is_settled_first(tmp_path: Path) -> None:
    post = Post(tmp_path)
    ledger = Ledger(post.database, "ada")
    mailbox = ledger.mailbox("imap://ada%40example.org@127.0.0.1", "INBOX")
    for place in ("new", "cur", "tmp"):
        (post.tree / place).mkdir(parents=True)
    (post.tree / "tmp" / "one").write_bytes(b"one")
    (post.tree / "cur" / "two:2,S").write_bytes(b"two")
    files = ["new/one", "new/two", "new/lost"]
    ledger.intend(
        mailbox.id,
        [Entry(str(n), 3, bytes([n]), b"", str(post.tree / file)) for n, file in enumerate(files, 1)],
    )
    ledger.intend(mailbox.id, [Entry("9", 3, b"9", b"")])
    reports: list[RetrievalReport] = []
    # Nothing answers at this port: what was interrupted is settled all the same.
    await retrieve_many([post.account], OneSecret(), post.database, on_report=reports.append)
    assert reports[0].leg.failure is not None
    assert ledger.unfinished() == []
    assert [kept.entry.uid for kept in ledger.kept(mailbox.id)] == ["1", "2"]
    assert (post.tree / "new" / "one").read_bytes() == b"one"
    post.database.close()


async def test_what_may_have_been_delivered_twice_is_told(one: World) -> None:
    taken = one.data / "taken"
    retrieval = replace(retrieval_of(one.account), destination=Destination.parse(f"command:cat >>{taken}"))
    one.account = replace(one.account, retrieval=retrieval)
    await one.retrieve()
    with Database.open(one.data / "mailtui.db") as database, database.reading() as connection:
        (server,) = connection.execute("SELECT server FROM mailbox").fetchone()
    with Database.open(one.data / "mailtui.db") as database:
        ledger = Ledger(database, NAME)
        ledger.intend(ledger.mailbox(server, "INBOX").id, [Entry("77", 1, b"x", b"")])
    report = await one.retrieve()
    assert report.mailboxes[0].notes == (
        "1 message may have been delivered twice: the last retrieval was interrupted meanwhile",
    )
    assert report.severity is Severity.WARNING


async def test_what_may_have_been_delivered_twice_is_told_by_a_retrieval_that_fails(tmp_path: Path) -> None:
    post = Post(tmp_path)
    ledger = Ledger(post.database, "ada")
    ledger.intend(ledger.mailbox("imap://ada@old.example", "A\nB").id, [Entry("1", 1, b"x", b"")])
    reports: list[RetrievalReport] = []
    for _ in range(2):
        # Nothing answers at this port.
        await retrieve_many([post.account], OneSecret(), post.database, on_report=reports.append)
    post.database.close()
    assert [[(one.name, len(one.notes)) for one in report.mailboxes] for report in reports] == [[("A\\x0aB", 1)], []]


async def test_the_lock_outlives_a_cancelled_settlement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Post(tmp_path)
    ledger = Ledger(post.database, "ada")
    ledger.intend(ledger.mailbox("imap://x", "INBOX").id, [Entry("1", 1, b"x", b"", str(post.tree / "new" / "one"))])
    lock = DataPaths(tmp_path).locks / f"{ledger.token}.lock"
    begun, go_on, is_locked = threading.Event(), threading.Event(), []

    def slow(paths: Iterable[Path]) -> set[Path]:
        begun.set()
        go_on.wait(20)
        try:
            FileLock(lock, deadline=0).acquire()
        except Busy:
            is_locked.append(True)
        return settle(paths)

    monkeypatch.setattr(retrieve_module, "settle", slow)
    task = asyncio.ensure_future(
        retrieve_many([post.account], OneSecret(), post.database, on_report=lambda report: None)
    )
    assert await asyncio.to_thread(begun.wait, 20)
    task.cancel()
    for _ in range(30):
        await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (is_locked, ledger.unfinished()) == ([True], [])
    post.database.close()


async def test_a_folder_that_cannot_be_made(one: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    retrieval = replace(retrieval_of(one.account), destination=Destination.parse(f"maildir:{tmp_path}/file/mail"))
    one.account = replace(one.account, retrieval=retrieval)
    report = await one.retrieve()
    assert report.leg.failure is not None
    assert (report.leg.failure.cause, report.leg.failure.stage) == (Cause.NOT_STORED, Stage.TRANSFER)
    assert f"{tmp_path}/file" in report.leg.failure.hint
    assert len(one.office.inbox.mails) == 5


async def test_so_many_at_once(one: World) -> None:
    running: set[str] = set()
    most = 0

    def follow(event: RetrievalEvent) -> None:
        nonlocal most
        if isinstance(event, RetrievalStarted):
            running.add(event.account)
            most = max(most, len(running))
        elif isinstance(event, LegFinished):
            running.discard(event.account)

    names = [f"account {number}" for number in range(6)]
    reports: list[RetrievalReport] = []
    with Database.open(one.data / "mailtui.db") as database:
        accounts = [database.add(replace(one.account, name=name)) for name in names]
        await retrieve_many(
            accounts, OneSecret(), database, on_event=follow, on_report=reports.append, slots=retrieval_slots(2)
        )
    assert most == 2
    assert sorted(report.account for report in reports) == names
    assert {report.stored for report in reports} == {5}
    assert one.stored == Counter(dict.fromkeys(contents(one), 6))
