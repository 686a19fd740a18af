"""Messages handed over one by one: taken, rejected, interrupted."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailtui.actions.delivery import Letter, Rejected
from mailtui.actions.storing import MOST_REJECTED, reverse_path
from mailtui.model.check import Cause
from mailtui.model.destination import Destination
from mailtui.model.retrieval import Verdict
from mailtui.protocols.faults import WireError
from tests.actions.mailboxes import Counter, Post, letter


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """An account that hands its three messages over."""
    made = Post(tmp_path)
    made.wish(destination=Destination.parse("lmtp:localhost:24"))
    for number in (101, 102, 103):
        made.inbox.add(letter(number))
    yield made
    made.database.close()


async def test_each_once_and_in_order(post: Post) -> None:
    post.delivery = taker = Counter()
    first = await post.session()
    assert (first.box.stored, first.box.folder) == (3, "lmtp:localhost:24")
    assert taker.taken == [letter(number) for number in (101, 102, 103)]
    assert taker.senders == [f"from{number}@example.org" for number in (101, 102, 103)]
    post.inbox.renumber()
    second = await post.session()
    assert (second.box.recognised, len(taker.taken)) == (3, 3)
    assert not post.tree.exists()


async def test_a_long_one_is_handed_over_whole(post: Post) -> None:
    post.delivery = taker = Counter()
    post.inbox.add(letter(400, 9 << 20))
    await post.session()
    assert taker.taken[3] == letter(400, 9 << 20)
    assert sorted(file.name for file in post.data.iterdir() if not file.name.startswith("mailtui.db")) == []


async def test_one_is_rejected_and_the_others_go_on(post: Post) -> None:
    post.wish(leave_on_server=False)
    post.delivery = taker = Counter(None, Rejected("it does not like it", "552 too \x07 large"))
    outcome = await post.session()
    assert outcome.failure is None
    (candidate,) = outcome.candidates
    assert (candidate.uid, candidate.verdict, candidate.reply) == ("2", Verdict.REFUSED, "552 too \\x07 large")
    assert (outcome.box.stored, outcome.box.deleted, len(outcome.box.notes)) == (2, 2, 1)
    assert [mail.content for mail in post.inbox.mails] == [letter(102)]
    again = await post.session()
    assert (again.source.fetched, taker.taken[-1]) == (["2"], letter(102))


async def test_one_is_put_off_and_the_others_go_on(post: Post) -> None:
    post.wish(destination=Destination.parse(f"command:grep -q 'number 102' && exit 75; echo >>{post.data}/taken"))
    for _ in range(2):
        outcome = await post.session()
        assert outcome.failure is None
        (candidate,) = outcome.candidates
        assert (candidate.uid, candidate.verdict) == ("2", Verdict.REFUSED)
        assert candidate.reply.endswith("failed with exit code 75")
        assert outcome.box.notes == (
            "the destination did not take 1 message: left on the server, tried again next time",
        )
    assert len(post.kept()) == 2
    post.wish(destination=Destination.parse(f"command:echo >>{post.data}/taken"))
    last = await post.session()
    assert (last.source.fetched, last.candidates, len(post.kept())) == (["2"], [], 3)
    assert (post.data / "taken").read_text() == "\n" * 3


async def test_one_that_is_taken_between_shows_that_the_destination_is_there(post: Post) -> None:
    no = Rejected("not now", "451 not now")
    post.delivery = Counter(*[no] * (MOST_REJECTED - 1), None, *[no] * (MOST_REJECTED - 1))
    for number in range(104, 101 + 2 * MOST_REJECTED):
        post.inbox.add(letter(number))
    outcome = await post.session()
    assert outcome.failure is None
    assert (outcome.box.stored, len(outcome.candidates)) == (2, 2 * (MOST_REJECTED - 1))


async def test_a_destination_that_rejects_all_is_left_alone(post: Post) -> None:
    for number in range(104, 130):
        post.inbox.add(letter(number))
    post.delivery = taker = Counter(*(Rejected("no", "550 no") for _ in range(100)))
    outcome = await post.session()
    assert outcome.failure is not None
    assert (outcome.failure.cause, outcome.failure.reply) == (Cause.NOT_DELIVERED, "550 no")
    assert len(taker.answers) == 100 - MOST_REJECTED
    assert (len(post.inbox.mails), post.kept()) == (29, [])


async def test_a_destination_that_goes_away(post: Post) -> None:
    post.wish(leave_on_server=False)
    post.delivery = taker = Counter(None, WireError(Cause.NOT_DELIVERED, "it hung up"))
    outcome = await post.session()
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.NOT_DELIVERED
    assert (outcome.box.stored, outcome.box.deleted, outcome.box.problem) == (1, 0, "it hung up")
    assert len(post.inbox.mails) == 3
    again = await post.session()
    assert (again.box.stored, again.box.recognised, again.box.deleted) == (2, 0, 3)
    assert taker.taken == [letter(number) for number in (101, 102, 103)]


class Slow(Counter):
    """A destination whose first message is cancelled while it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()

    async def deliver(self, letter: Letter) -> None:
        self.entered.set()
        await self.go_on.wait()
        await super().deliver(letter)


async def test_a_cancellation_waits_for_the_message_in_hand_and_leaves_the_rest(post: Post) -> None:
    post.delivery = taker = Slow()
    session = asyncio.create_task(post.session())
    await taker.entered.wait()
    session.cancel()
    await asyncio.sleep(0)
    taker.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await session
    assert taker.taken == [letter(101)]
    again = await post.session()
    assert (again.box.stored, taker.taken) == (2, [letter(101), letter(102), letter(103)])


@pytest.mark.parametrize(
    ("start", "sender"),
    [
        (b"Return-Path: <ada@example.org>\r\n\r\n", "ada@example.org"),
        (b"X: y\r\nreturn-path:\t<a@b>\r\n\r\n", "a@b"),
        (b"Return-Path: <>\r\n\r\n", ""),
        (b"X: y\r\n\r\nReturn-Path: <in@body>\r\n", ""),
        (b"Return-Path: <a@b> SIZE=1\r\n\r\n", "a@b"),
        (b"Return-Path: <a@b\r\nRCPT TO:<c>>\r\n\r\n", ""),
        (b"Return-Path: <" + b"a" * 300 + b">\r\n\r\n", ""),
        (b"\r\nReturn-Path: <in@body>\r\n", ""),
    ],
)
def test_reverse_path(start: bytes, sender: str) -> None:
    assert reverse_path(start) == sender
