"""Random mixes of faults: no message is lost, none comes twice, what did not come is told and kept on the server."""

import asyncio
import contextlib
import os
import random
from pathlib import Path

import pytest

from mailtui.model.account import Protocol
from mailtui.model.retrieval import RetrievalReport
from tests.retrieval.letters import any_letter, letter
from tests.retrieval.office import Faults, Mail, Manners, Office
from tests.retrieval.world import World, told, world

ROUNDS = int(os.environ.get("MAILTUI_RETRIEVAL_ROUNDS", "25"))
"""Stories of each protocol."""

FIRST = int(os.environ.get("MAILTUI_RETRIEVAL_FIRST", "0"))
"""The seed of the first one; a failure names its seed."""


class Story:
    """A mailbox over some days, with a server of its own kind and an owner who changes his mind."""

    def __init__(self, seed: int, protocol: Protocol) -> None:
        self.chance = random.Random(f"{protocol} {seed}")
        self.protocol = protocol
        self.number = 0
        self.sizes: set[int] = set()
        self.log: list[str] = []
        likely = self.likely
        self.office = Office(
            manners=Manners(
                pipelining=likely(0.6),
                uidl=likely(0.8),
                uidl_is_number=likely(0.1),
                top=likely(0.8),
                capa=likely(0.9),
                uidplus=likely(0.8),
                condstore=likely(0.6),
            ),
            seed=seed,
        )
        self.are_alike = likely(0.4)
        """Whether all messages have one size; then no server here gives a name that is in use to another one."""
        self.were_hidden = False
        """Whether sizes were missing in a LIST; then a name that another message gets tells nothing by itself."""
        self.log.append(f"{self.office.manners}, {self.are_alike=}")

    def likely(self, share: float) -> bool:
        return self.chance.random() < share

    def letter(self) -> bytes:
        """A message whose size no other has: servers that give an old name to it can be found out."""
        self.number += 1
        if self.are_alike:
            return letter(1_000 + self.number)
        content = any_letter(self.number, self.chance)
        while len(content) in self.sizes:
            content += b"padding\r\n"
        self.sizes.add(len(content))
        return content

    def some(self, share: float) -> list[Mail]:
        return [mail for mail in self.office.inbox.mails if self.likely(share)]

    def live(self) -> None:
        """What happens to the mailbox between two sessions."""
        box = self.office.inbox
        for _ in range(self.chance.choice((0, 1, 1, 2, 3, 6))):
            content = self.letter()
            flags = [flag for flag in ("\\Seen", "\\Flagged", "\\Answered", "$Work") if self.likely(0.2)]
            for _ in range(2 if self.likely(0.05) else 1):
                box.add(content, *flags)
        if self.likely(0.15) and box.mails:
            box.vanish(self.chance.choice(box.mails))
            self.log.append("one vanished")
        if self.likely(0.1):
            box.renumber()
            self.log.append("renumbered")
        if self.likely(0.1) and self.protocol is Protocol.POP3:
            self.chance.shuffle(box.mails)
            self.log.append("in another order")
        if self.likely(0.05) and len(box.mails) > 1 and not self.are_alike and not self.were_hidden:
            one, other = self.chance.sample(box.mails, 2)
            one.uidl, other.uidl = other.uidl, one.uidl
            self.log.append("two UIDLs changed places")
        if self.likely(0.05):
            for mail in self.some(0.3):
                mail.size = self.chance.randint(1, 20_000)
            self.log.append("wrong sizes")
        if self.likely(0.3):
            for mail in self.some(0.3):
                mail.flags ^= {"\\Seen"}

    def faults(self) -> Faults:
        """What goes wrong in the next session."""
        faults = Faults(pieces=self.chance.choice((0, 0, 7, 100, 3_000)), chatter=self.likely(0.3))
        if self.likely(0.4):
            return faults
        if self.likely(0.5):
            whole = 1_000 + sum(len(mail.content) for mail in self.office.inbox.mails)
            faults.cut = int(whole ** self.chance.random()) if self.likely(0.3) else self.chance.randint(1, whole)
            faults.reset = self.likely(0.4)
        numbers = range(1, len(self.office.inbox.mails) + 1)
        if self.likely(0.2):
            faults.refuse = {mail.content for mail in self.some(0.2)}
        if self.likely(0.1):
            faults.stat = self.chance.choice((-1, 1, 1_000))
        if self.likely(0.1):
            faults.list_skips = {number for number in numbers if self.likely(0.2)}
            self.were_hidden = True
        if self.likely(0.1):
            faults.uidl_skips = {number for number in numbers if self.likely(0.2)}
        if self.likely(0.2):
            faults.quit = self.chance.choice(("drop-before", "drop-after", "refuse"))
        faults.uidl_twins = self.likely(0.1)
        faults.thief = self.likely(0.1)
        return faults

    async def session(self, one: World) -> None:
        """One retrieval, with whatever goes wrong, and what must hold after it."""
        self.office.faults = self.faults()
        leave = self.likely(0.6)
        one.change(leave=leave, delete_after=self.chance.choice((None, 3)) if leave else None)
        if self.likely(0.2):
            one.age(days=self.chance.randint(1, 4))
        before = [mail.content for mail in self.office.inbox.mails]
        self.log.append(f"{len(before)} messages, {one.leaves=}")
        self.log.append(str(self.office.faults)[:500])
        report = await self.cancelled(one) if self.likely(0.1) else await one.retrieve()
        self.log.append(summary(report))
        self.require_sound(one)
        if report is not None and not told(report):
            stolen = set(before) - {mail.content for mail in self.office.inbox.mails} - set(self.office.inbox.removed)
            missing = set(before) - set(one.stored) - stolen
            assert not missing, f"{len(missing)} did not come, and the report says nothing"

    async def cancelled(self, one: World) -> RetrievalReport | None:
        """A retrieval that is cancelled somewhere."""
        task = asyncio.create_task(one.retrieve())
        for _ in range(self.chance.randint(1, 200)):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await task
        return None

    def require_sound(self, one: World) -> None:
        """What holds at any time."""
        stored, box = one.stored, self.office.inbox
        assert set(box.removed) <= set(stored), "deleted on the server, and not here"
        assert set(stored) <= set(box.seen), "something is here that never was on the server"
        assert not stored - box.seen, f"{sum((stored - box.seen).values())} came twice"

    async def end(self, one: World) -> None:
        """All is well at last: everything is here, once."""
        self.office.faults = Faults()
        if self.likely(0.2) and len(self.office.inbox.mails) > 2:
            await one.retrieve()
            self.office.inbox.rewind(2)
            self.office.inbox.add(self.letter())
            self.log.append("a backup was put back")
        for leave in (True, False):
            one.change(leave=leave)
            report = await one.retrieve()
            self.log.append(f"last, {leave=}: {summary(report)}")
            assert report.leg.failure is None
            assert not any(mailbox.problem for mailbox in report.mailboxes)
            self.require_sound(one)
            missing = {mail.content for mail in self.office.inbox.mails} - set(one.stored)
            assert not missing, f"{len(missing)} never came"
            assert not one.litter
        stays = [mail for mail in self.office.inbox.mails if "\\Deleted" not in mail.flags]
        assert not stays or any(mailbox.notes for mailbox in report.mailboxes), (
            f"{len(stays)} stay, and nobody says why"
        )
        again = await one.retrieve()
        assert again.stored == 0, "fetched again"


def summary(report: RetrievalReport | None) -> str:
    if report is None:
        return "cancelled"
    failure = report.leg.failure
    parts = [f"{failure.stage} {failure.cause}: {failure.hint}"] if failure else []
    parts += [
        f"stored {box.stored} recognised {box.recognised} kept {box.kept} deleted {box.deleted}"
        f" on_server {box.on_server} {box.problem} {box.notes}"
        for box in report.mailboxes
    ]
    parts += [f"{one.verdict} {one.uid} {one.reply}" for one in report.candidates]
    return f"severity {report.severity}: " + "; ".join(parts)


async def tell(seed: int, protocol: Protocol, folder: Path) -> None:
    """One story from its seed."""
    story = Story(seed, protocol)
    try:
        async with world(folder, protocol, story.office) as one:
            for _ in range(story.chance.randint(1, 5)):
                story.live()
                await story.session(one)
            await story.end(one)
    except BaseException as error:
        error.add_note("\n".join([f"{protocol}, seed {seed}", *story.log, *story.office.commands[-40:]]))
        raise


@pytest.mark.parametrize("protocol", [Protocol.POP3, Protocol.IMAP])
async def test_any_mix_of_faults(fast_folder: Path, protocol: Protocol) -> None:
    for seed in range(FIRST, FIRST + ROUNDS):
        await tell(seed, protocol, fast_folder / str(seed))
