"""Every scenario of a retrieval, and what holds in each: the verdict, its time and memory, and the mail that is there.

Besides what holds for a check: only mail that was asked for is stored, under its own name and within the mail root,
and only what was stored is deleted.
"""

import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.actions.retrieve import RetrieveOptions, retrieve_many
from mailtui.model.check import Cause
from mailtui.model.retrieval import RetrievalReport
from mailtui.model.text import has_hostile
from mailtui.storage.database import Database
from tests.hostile.document import Measure
from tests.hostile.idle import IdleClock
from tests.hostile.rules import Meter, assert_no_credential_told, context_of, texts_of
from tests.hostile.scenario import trusting
from tests.hostile.server import HostileServer
from tests.hostile.transfer import Transfer
from tests.hostile.transfers import SCENARIOS
from tests.protocols.conftest import Authority
from tests.protocols.legs import SECRET, KnownSecret, make_account, nothing_left
from tests.retrieval.conftest import fast_folder
from tests.retrieval.world import delivered
from tests.scripted import ScriptedServer

__all__ = ["fast_folder"]

PEAK_LIMIT = 40 << 20
"""Octets of Python's memory, client and server together: mail may wait for the disk, up to 8 MiB and a batch."""

_TIMEOUT = 10.0
_SLACK = 5.0

_DELETES = re.compile(rb"(?im)^(?:DELE \d+|\S+ (?:UID )?(?:STORE|EXPUNGE|CLOSE|DELETE)\b)")


@pytest.mark.parametrize("scenario", [pytest.param(scenario, id=scenario.id) for scenario in SCENARIOS])
async def test_the_transfers(
    authority: Authority,
    idle_clock: IdleClock,
    measures: dict[str, Measure],
    fast_folder: Path,
    scenario: Transfer,
) -> None:
    way = trusting(scenario.way, authority.policy)
    server = HostileServer(scenario, context_of(authority, scenario))
    meter = Meter()
    reports: list[RetrievalReport] = []
    with nothing_left():
        async with ScriptedServer(server) as listening:
            account, _ = make_account(scenario.protocol, listening.port, way)
            assert account.retrieval is not None
            wishes = replace(account.retrieval, mailboxes=scenario.mailboxes, leave_on_server=not scenario.deletes)
            submission = replace(account.submission, authentication=False)
            account = replace(account, submission=submission, retrieval=wishes)
            with Database.open(fast_folder / "data" / "mailtui.db") as database:
                database.add(account)
                tracemalloc.start()
                try:
                    await retrieve_many(
                        [account],
                        KnownSecret(),
                        database,
                        on_event=meter,
                        on_report=reports.append,
                        options=RetrieveOptions(timeout=_TIMEOUT),
                    )
                finally:
                    tracemalloc.stop()
            await listening.all_closed()
    (report,) = reports
    failure = report.leg.failure
    assert (failure and (failure.stage, failure.cause)) == scenario.verdict, failure
    if scenario.reply is not None:
        assert failure is not None
        assert failure.reply == scenario.reply
    assert delivered(fast_folder) == Counter(scenario.stored)
    assert report.stored == len(scenario.stored)
    _assert_within_the_root(fast_folder)
    _assert_told(scenario, report)
    assert meter.measure.octets < PEAK_LIMIT
    assert meter.measure.seconds <= _TIMEOUT + _SLACK
    first, *_ = server.visits
    deletions = _DELETES.findall(first.everything)
    assert len(deletions) <= (len(scenario.stored) if scenario.deletes else 0)
    assert_no_credential_told(scenario, server, way)
    measures[scenario.id] = meter.measure


def _assert_told(scenario: Transfer, report: RetrievalReport) -> None:
    """What is wrong is told, in clean lines that hold no secret."""
    texts = list(texts_of(report))
    assert [text for text in texts if has_hostile(text) or "\n" in text] == []
    assert [text for text in texts if SECRET.casefold() in text.casefold()] == []
    lines = [line for mailbox in report.mailboxes for line in (mailbox.problem, *mailbox.notes)]
    lines += [candidate.reply for candidate in report.candidates]
    assert scenario.told in " ".join(lines)
    assert (report.severity > 0 or bool(report.candidates) or any(lines)) != scenario.is_untold
    failure = report.leg.failure
    assert failure is None or failure.cause is not Cause.INTERNAL


def _assert_within_the_root(folder: Path) -> None:
    """All that was written is in the data folder, and in folders and files of the usual names within the mail's."""
    assert [path.name for path in folder.iterdir()] == ["data"]
    mail = folder / "data" / "mail"
    database = {path.name for path in folder.glob("data/mailtui.db*")}
    assert {path.name for path in folder.glob("data/*")} <= {"mail", "locks", *database}
    for path in _walk(mail):
        assert not path.is_symlink()
        assert path.name.isprintable()
        if path.is_file() and path.parent.name in ("new", "cur", "tmp"):
            assert path.parent.name == "new"


def _walk(folder: Path) -> Iterator[Path]:
    return folder.rglob("*") if folder.exists() else iter(())
