"""Messages gathered into batches, with an end to what waits in memory."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mailtui.actions import intake as intake_module
from mailtui.actions.intake import BATCH_MESSAGES, ROOM_OCTETS, SPILL_OCTETS, BatchIntake, Incoming, Spill
from mailtui.protocols.deadlines import Watch
from mailtui.protocols.source import Listed


@pytest.fixture
async def watch() -> AsyncIterator[Watch]:
    made = Watch(float("inf"))
    made.begin(60.0)
    yield made
    made.stop()


@pytest.fixture
def intake(watch: Watch) -> BatchIntake:
    return BatchIntake(watch, lambda message, reply: None, lambda message, octets: None)


def give(intake: BatchIntake, number: int, octets: int = 10) -> None:
    intake.begin(Listed(number, str(number), octets))
    intake.feed(b"x" * octets)
    intake.complete()


async def batch(intake: BatchIntake) -> list[Incoming]:
    job = await intake.job()
    assert isinstance(job, list)
    return job


async def test_a_full_batch_does_not_wait(intake: BatchIntake) -> None:
    for number in range(BATCH_MESSAGES + 5):
        give(intake, number)
    assert [one.message.handle for one in await batch(intake)] == list(range(BATCH_MESSAGES))
    intake.end()
    assert len(await batch(intake)) == 5
    assert await intake.job() is None


async def test_a_lonely_message_waits_for_others_not_for_ever(
    intake: BatchIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "BATCH_SECONDS", 0.01)
    waiting = asyncio.create_task(batch(intake))
    await asyncio.sleep(0)
    give(intake, 1)
    await asyncio.sleep(0)
    assert not waiting.done()
    assert len(await waiting) == 1


async def test_octets_make_a_batch_too(intake: BatchIntake) -> None:
    for number in range(5):
        give(intake, number, 900 << 10)
    assert len(await batch(intake)) == 5


async def test_it_is_full_and_tells_when_there_is_room(intake: BatchIntake, watch: Watch) -> None:
    told: list[bool] = []
    intake.on_room = lambda: told.append(intake.is_full)
    number = 0
    while not intake.is_full:
        give(intake, number, 1_000)
        number += 1
    assert number * 1_000 < ROOM_OCTETS
    assert watch.remaining() == float("inf")
    taken = await batch(intake)
    assert (intake.is_full, told) == (True, [])
    intake.done(taken)
    assert told == [False]
    assert watch.remaining() <= 60.0


async def test_a_long_message_is_spilled_in_parts(intake: BatchIntake) -> None:
    intake.begin(Listed(1, "1"))
    intake.feed(b"a" * SPILL_OCTETS)
    first = await intake.job()
    assert isinstance(first, Spill)
    intake.feed(b"b" * 10)
    intake.done(first)
    intake.complete(("\\Seen",))
    intake.end()
    (whole,) = await batch(intake)
    assert (whole.octets, whole.loose, whole.chunks) == (SPILL_OCTETS + 10, 10, [b"b" * 10])
    assert whole.flags == ("\\Seen",)
    assert intake.take_dropped() == []


async def test_what_never_becomes_whole_is_dropped(intake: BatchIntake) -> None:
    intake.begin(Listed(1, "1"))
    intake.feed(b"a" * SPILL_OCTETS)
    spill = await intake.job()
    assert isinstance(spill, Spill)
    intake.done(spill)
    intake.begin(Listed(2, "2"))
    intake.feed(b"short")
    give(intake, 3)
    intake.end()
    assert [one.message.handle for one in await batch(intake)] == [3]
    assert [one.message.handle for one in intake.take_dropped()] == [1]
    assert intake.take_dropped() == []


async def test_what_is_longer_than_it_may_be_takes_no_room(watch: Watch) -> None:
    told: list[tuple[int, int]] = []
    intake = BatchIntake(
        watch,
        lambda message, reply: None,
        lambda message, octets: told.append((message.handle, octets)),
        limit=SPILL_OCTETS + 10,
    )
    intake.begin(Listed(1, "1", 5))
    intake.feed(b"a" * SPILL_OCTETS)
    spill = await intake.job()
    assert isinstance(spill, Spill)
    # While that is put on disk the rest comes: more than there is ever room for.
    for _ in range(2 * ROOM_OCTETS // SPILL_OCTETS):
        intake.feed(b"a" * SPILL_OCTETS)
        assert not intake.is_full
    intake.done(spill)
    assert [one.message.handle for one in intake.take_dropped()] == [1]
    assert told == []
    intake.complete()
    assert told == [(1, SPILL_OCTETS + 2 * ROOM_OCTETS)]
    give(intake, 2, SPILL_OCTETS + 10)
    intake.end()
    assert [one.message.handle for one in await batch(intake)] == [2]
    assert await intake.job() is None
