"""Servers that fall silent, and several retrievals of one account."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from mailtui.actions.retrieve import RetrieveOptions
from mailtui.model.account import Protocol
from mailtui.model.check import Cause, Stage
from mailtui.storage.database import Database
from mailtui.storage.files import FileLock
from mailtui.storage.ledger import Ledger
from mailtui.storage.paths import DataPaths
from tests.retrieval.letters import letter, letters
from tests.retrieval.office import Faults, Office
from tests.retrieval.world import NAME, world

both = pytest.mark.parametrize("protocol", [Protocol.POP3, Protocol.IMAP])


def filled(count: int = 9) -> Office:
    office = Office()
    for content in letters(count):
        office.inbox.add(content)
    return office


@both
async def test_what_came_before_the_silence_stays(fast_folder: Path, protocol: Protocol) -> None:
    office = filled()
    async with world(fast_folder, protocol, office, leave=False) as one:
        office.faults = Faults(cut=9_000, mute=True)
        report = await one.retrieve(RetrieveOptions(timeout=0.3))
        assert report.leg.failure is not None
        assert (report.leg.failure.stage, report.leg.failure.cause) == (Stage.TRANSFER, Cause.SILENT)
        assert 0 < report.stored < 9
        assert sum(one.stored.values()) == report.stored
        assert office.inbox.removed == []
        office.faults = Faults()
        assert (await one.retrieve()).stored == 9 - report.stored
        assert one.stored == office.inbox.seen
        assert Counter(office.inbox.removed) == office.inbox.seen


@both
async def test_one_retrieval_of_an_account_at_a_time(fast_folder: Path, protocol: Protocol) -> None:
    office = filled()
    async with world(fast_folder, protocol, office) as one:
        await one.retrieve()
        logins = office.logins
        with Database.open(one.data / "mailtui.db") as database:
            token = Ledger(database, NAME).token
        lock = FileLock(DataPaths(one.data).locks / f"{token}.lock", deadline=0)
        with lock:
            report = await one.retrieve()
            assert report.leg.failure is not None
            assert (report.leg.failure.stage, report.leg.failure.cause) == (Stage.RESOLVE, Cause.RETRIEVAL_BUSY)
            assert office.logins == logins
        # The file stays; only who holds it counts.
        office.inbox.add(letter(900))
        assert (await one.retrieve()).stored == 1


@both
async def test_two_at_once_store_each_message_once(fast_folder: Path, protocol: Protocol) -> None:
    office = filled()
    async with world(fast_folder, protocol, office, leave=False) as one:
        with Database.open(one.data / "mailtui.db") as database:
            database.add(one.account)
        reports = await asyncio.gather(*(one.retrieve() for _ in range(3)))
        assert sum(report.stored for report in reports) == 9
        assert one.stored == office.inbox.seen == Counter(office.inbox.removed)
