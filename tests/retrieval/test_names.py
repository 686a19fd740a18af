"""Servers that give names to other messages, all of one size so that sizes tell nothing."""

from collections import Counter
from pathlib import Path

import pytest

from mailtui.model.account import Protocol
from tests.retrieval.letters import letter
from tests.retrieval.office import Faults, Manners, Office
from tests.retrieval.world import World, world

both = pytest.mark.parametrize("protocol", [Protocol.POP3, Protocol.IMAP])


def alike(first: int, count: int = 6) -> list[bytes]:
    """Different messages of the same size."""
    return [letter(number) for number in range(100 + first, 100 + first + count)]


async def go_through(one: World) -> None:
    """Retrieve; all is here once, and a second time finds nothing."""
    report = await one.retrieve()
    assert report.leg.failure is None
    assert Counter(mail.content for mail in one.office.inbox.mails) - one.stored == Counter()
    assert one.stored == Counter(one.stored.keys())
    assert (await one.retrieve()).stored == 0


@both
async def test_renumbered_after_a_first_run_that_was_cut(fast_folder: Path, protocol: Protocol) -> None:
    parts = 0
    for cut in range(600, 2_600, 200):
        office = Office()
        for content in alike(0):
            office.inbox.add(content)
        async with world(fast_folder / str(cut), protocol, office) as one:
            office.faults = Faults(cut=cut)
            parts += 0 < (await one.retrieve()).stored < 6
            office.faults = Faults()
            office.inbox.mails.reverse()
            office.inbox.renumber()
            await go_through(one)
            assert one.stored == office.inbox.seen
    assert parts > 2


@both
async def test_renumbered_again_while_it_was_being_sorted_out(fast_folder: Path, protocol: Protocol) -> None:
    office = Office()
    for content in alike(0):
        office.inbox.add(content)
    async with world(fast_folder, protocol, office) as one:
        await go_through(one)
        for cut in range(600, 2_600, 200):
            office.inbox.mails.reverse()
            office.inbox.renumber()
            office.faults = Faults(cut=cut)
            await one.retrieve()
        office.faults = Faults()
        office.inbox.add(letter(999))
        await go_through(one)
        assert one.stored == office.inbox.seen


async def test_a_backup_put_back(fast_folder: Path) -> None:
    office = Office()
    for content in alike(0):
        office.inbox.add(content)
    async with world(fast_folder, Protocol.IMAP, office) as one:
        await go_through(one)
        office.inbox.rewind(3)
        for content in alike(50, 2):
            office.inbox.add(content)
        await go_through(one)
        assert one.stored == office.inbox.seen


async def test_a_backup_put_back_below_a_message_that_is_refused(fast_folder: Path) -> None:
    office = Office()
    for content in alike(0):
        office.inbox.add(content)
    async with world(fast_folder, Protocol.IMAP, office) as one:
        office.faults = Faults(refuse={alike(0)[1]})
        await one.retrieve()
        office.inbox.rewind(2)
        office.inbox.add(letter(555))
        office.faults = Faults()
        await go_through(one)
        assert one.stored == office.inbox.seen


@pytest.mark.parametrize("pipelining", [True, False])
async def test_numbers_for_names(fast_folder: Path, pipelining: bool) -> None:
    office = Office(manners=Manners(uidl_is_number=True, pipelining=pipelining))
    for content in alike(0):
        office.inbox.add(content)
    async with world(fast_folder, Protocol.POP3, office) as one:
        await go_through(one)
        office.inbox.vanish(office.inbox.mails[0])
        office.inbox.add(letter(900))
        office.inbox.mails.reverse()
        await go_through(one)
        assert one.stored == office.inbox.seen


async def test_names_that_several_share(fast_folder: Path) -> None:
    office = Office()
    for content in alike(0):
        office.inbox.add(content)
    office.faults = Faults(uidl_twins=True)
    async with world(fast_folder, Protocol.POP3, office) as one:
        await go_through(one)
        office.inbox.vanish(office.inbox.mails[0])
        office.inbox.add(letter(900))
        office.inbox.mails.reverse()
        await go_through(one)
        assert one.stored == office.inbox.seen


@both
async def test_another_message_under_a_known_name_is_never_deleted(fast_folder: Path, protocol: Protocol) -> None:
    """It cannot be told from the one that is here without fetching it, so that it is not fetched; but it stays."""
    office = Office()
    for content in alike(0):
        office.inbox.add(content)
    async with world(fast_folder, protocol, office) as one:
        await go_through(one)
        office.inbox.mails[2].content = letter(777)
        one.change(leave=False)
        report = await one.retrieve()
        assert [mail.content for mail in office.inbox.mails] == [letter(777)]
        assert report.deleted == 5
        (mailbox,) = report.mailboxes
        assert mailbox.on_server == 1
        assert mailbox.notes


@both
async def test_a_message_of_another_size_under_a_known_name_is_fetched(fast_folder: Path, protocol: Protocol) -> None:
    office = Office()
    for content in alike(0):
        office.inbox.add(content)
    async with world(fast_folder, protocol, office) as one:
        await go_through(one)
        other = letter(777, b"longer than the others\r\n")
        office.inbox.seen[other] += 1
        office.inbox.mails[2].content = other
        # IMAP clients look at what they know only for a reason.
        office.inbox.add(letter(778))
        office.inbox.vanish(office.inbox.mails[0])
        report = await one.retrieve()
        assert other in one.stored
        assert report.mailboxes[0].notes
        assert one.stored == office.inbox.seen
