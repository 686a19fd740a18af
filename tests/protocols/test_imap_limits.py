"""What an IMAP server may say of mail and mailboxes, and how much."""

import asyncio

import pytest

from mailtui.model.check import Cause
from mailtui.protocols import imap_source
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap_names import NAME_LIMIT, matcher
from mailtui.protocols.source import Listed, RemoteMailbox
from tests.protocols.clock import Clock
from tests.protocols.imap_kit import Kept, Talk, body, listed

OK = b"{tag} OK done\r\n"
STATUS = b"* STATUS x (MESSAGES 3)\r\n" + OK


@pytest.mark.parametrize(
    ("pattern", "name", "delimiter", "is_one"),
    [
        ("inbox", "INBOX", "/", True),
        ("Archive", "archive", "/", False),
        ("*", "a/b", "/", True),
        ("%", "a/b", "/", False),
        ("%", "a/b", ".", True),
        ("%", "a/b", "", True),
        ("lists/*", "Lists/a/b", "/", True),
        ("Lists/%", "Lists/a/b", "/", False),
        ("Lists/%/b", "Lists/a/b", "/", True),
        ("a*b%c", "a/x/bb/c", "/", False),
        ("a*b%c", "a/x/b-b-c", "/", True),
        ("*a*a", "aaa", "/", True),
        ("a.b*", "axb", ".", False),
        ("*x", "a\nx", "/", True),
    ],
)
def test_what_a_pattern_names(pattern: str, name: str, delimiter: str, is_one: bool) -> None:
    assert matcher([pattern])(RemoteMailbox(name, name, delimiter)) is is_one


def test_many_asterisks_take_no_time() -> None:
    assert not matcher(["*a" * 20])(RemoteMailbox("a" * 15 + "b" * NAME_LIMIT, "", "/"))


async def test_what_nobody_asked_for_is_not_fetched_from() -> None:
    talk = Talk()
    lists = b'* LIST () "/" Spam\r\n* LIST () "/" INBOX\r\n* LIST () "/" Inbox/Old\r\n' + OK
    found = await talk.do(talk.source.mailboxes(["INBOX"]), lists, STATUS)
    assert [mailbox.name for mailbox in found] == ["INBOX"]


async def test_names_that_are_too_long_are_not_there() -> None:
    talk = Talk()
    lists = b'* LIST () "/" %s\r\n* LIST () "/" %s\r\n' % (b"x" * NAME_LIMIT, b"y" * (NAME_LIMIT + 1)) + OK
    found = await talk.do(talk.source.mailboxes(["*"]), lists, STATUS)
    assert [mailbox.name for mailbox in found] == ["x" * NAME_LIMIT]


async def test_thousands_of_mailboxes_are_asked_for_in_groups() -> None:
    talk = Talk()
    lists = b"".join(b'* LIST () "/" a%d\r\n' % number for number in range(600)) + OK
    found = await talk.do(talk.source.mailboxes(["*"]), lists, *[STATUS] * 600)
    assert len(found) == 600
    assert talk.writes == [1, 250, 250, 100]


async def test_a_flood_while_idle_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap_source, "_MOST_WHILE_IDLE", 50)
    talk = Talk()
    await talk.select(3)
    waiting = asyncio.ensure_future(talk.source.idle(1_000))
    await asyncio.sleep(0)
    talk.say(b"+ idling\r\n")
    await asyncio.sleep(0)
    talk.say(b"* 1 FETCH (FLAGS ())\r\n" * 51)
    with pytest.raises(WireError) as caught:
        await waiting
    assert caught.value.cause is Cause.TOO_LARGE


async def test_an_idle_that_begins_without_end_is_a_fault() -> None:
    talk = Talk()
    await talk.select(3)
    waiting = asyncio.ensure_future(talk.source.idle(1_000))
    await asyncio.sleep(0)
    talk.say(b"+ idling\r\n" * 10_001)
    with pytest.raises(WireError) as caught:
        await waiting
    assert caught.value.cause is Cause.TOO_LARGE


async def test_refusals_are_answers_and_no_silence(clock: Clock) -> None:
    """A server takes its time over each of many messages that it will not give."""
    talk = Talk()
    await talk.select()
    ends: list[float] = []

    def refuse(command: str) -> bytes:
        ends.append(talk.trace.watch.remaining())
        clock.advance(6)
        return b"{tag} NO not this one\r\n"

    kept = Kept()
    talk.trace.watch.begin(10)
    await talk.do(talk.source.fetch(listed(1, 2, 3, 4), kept), *[refuse] * 7)
    talk.trace.watch.end(None)
    assert len(kept.refusals) == 4
    assert min(ends) > 0


async def test_a_message_without_end_is_cut_off_though_its_literal_may_go_on() -> None:
    talk = Talk()
    await talk.select()
    kept = Kept()
    fetching = asyncio.ensure_future(talk.source.fetch([Listed(1, "1", 100)], kept))
    await asyncio.sleep(0)
    talk.wire.data_received(b"* 1 FETCH (UID 1 BODY[] {9223372036854775807}\r\n")
    for _ in range(80):
        talk.wire.data_received(b"x" * (1 << 20))
    with pytest.raises(WireError) as caught:
        await fetching
    assert caught.value.cause is Cause.TOO_LARGE
    assert talk.pipe.is_aborted
    assert kept.held < 66 << 20
    assert kept.came == []


async def test_a_message_larger_than_was_told_is_taken_as_long_as_that_may_be_a_mistake() -> None:
    talk = Talk()
    await talk.select()
    kept = Kept()
    await talk.do(talk.source.fetch([Listed(1, "1", 0)], kept), body(1, 1, b"x" * 100_000) + OK)
    assert kept.messages == {1: b"x" * 100_000}


async def test_a_listing_is_not_longer_than_its_mailbox() -> None:
    talk = Talk()
    await talk.select(3)
    lines = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (uid, uid) for uid in range(1, 10_020))
    with pytest.raises(WireError) as caught:
        await talk.do(talk.source.listing(), lines + OK)
    assert caught.value.cause is Cause.TOO_LARGE
