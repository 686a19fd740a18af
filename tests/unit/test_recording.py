"""Reports on their way into the history: in batches, off the loop, and no failure goes unheard."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from mailtui.actions.recording import BATCH, Recorder
from mailtui.model.check import CheckReport
from mailtui.model.errors import StorageError

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def report(number: int) -> CheckReport:
    return CheckReport(f"account {number}", NOW, 1.0, None, None)


class History:
    """Takes reports; `wrong` is raised instead, once for each."""

    def __init__(self, *wrong: Exception) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[threading.Thread] = set()
        self.wrong = list(wrong)
        self.gate = threading.Event()
        self.gate.set()

    def write(self, reports: Sequence[CheckReport]) -> None:
        assert self.gate.wait(60)
        self.threads.add(threading.current_thread())
        self.batches.append([report.account for report in reports])
        if self.wrong:
            raise self.wrong.pop(0)

    @property
    def names(self) -> list[str]:
        return [name for batch in self.batches for name in batch]


async def test_many_reports_make_few_transactions_and_keep_their_order() -> None:
    history = History()
    recorder = Recorder(history.write)
    for number in range(3 * BATCH + 1):
        recorder.add(report(number))
    await recorder.end()
    assert history.names == [f"account {number}" for number in range(3 * BATCH + 1)]
    assert [len(batch) for batch in history.batches] == [BATCH, BATCH, BATCH, 1]
    assert threading.main_thread() not in history.threads
    assert recorder.problem == ""


async def test_a_single_report_is_written_without_an_end() -> None:
    history = History()
    recorder = Recorder(history.write)
    for number in range(2):
        recorder.add(report(number))
        async with asyncio.timeout(60):
            while len(history.names) <= number:  # noqa: ASYNC110  # the writer's thread tells nobody
                await asyncio.sleep(0.01)
    await recorder.end()
    assert [len(batch) for batch in history.batches] == [1, 1]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (StorageError("the disk is full"), "the disk is full"),
        (ValueError("hunter2"), "a defect of mailtui, please report it: ValueError"),
    ],
)
async def test_a_failure_is_told_once_and_the_next_reports_are_written(error: Exception, told: str) -> None:
    history = History(error, error)
    problems: list[str] = []
    recorder = Recorder(history.write, problems.append)
    for number in range(2 * BATCH + 5):
        recorder.add(report(number))
    await recorder.end()
    assert len(history.names) == 2 * BATCH + 5
    assert recorder.problem == told
    assert problems == [told]


async def test_the_end_is_not_waited_for_for_ever() -> None:
    history = History()
    history.gate.clear()
    recorder = Recorder(history.write)
    recorder.add(report(1))
    await recorder.end(0.05)
    assert recorder.problem == "the database did not answer in time"
    history.gate.set()
    await recorder.end()
    assert history.names == ["account 1"]


async def test_without_a_history_nothing_is_kept() -> None:
    recorder = Recorder(None)
    recorder.add(report(1))
    await recorder.end()
    assert recorder.problem == ""
