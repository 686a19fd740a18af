"""Killed, out of space, failing, without power at any point: nothing is lost, nothing comes twice."""

import copy
import json
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mailtui.model.account import Protocol
from mailtui.storage.database import Database
from tests.retrieval.crashing import Job, Way, Zygote
from tests.retrieval.letters import letter, letters
from tests.retrieval.office import Office
from tests.retrieval.power import lose_power
from tests.retrieval.serving import Conversation, serving
from tests.retrieval.world import CONVERSATIONS, delivered, litter, make_account, make_retrieval

SAMPLED = 1 if os.environ.get("MAILTUI_ALL_CRASH_POINTS") else 17
"""Of so many points one is tried: all of them take minutes."""

POWER = "power lost before"
WAYS = (*Way, POWER)


@dataclass(frozen=True)
class Scene:
    """What is on the server and here before the run that is struck."""

    protocol: Protocol
    leave: bool
    is_first: bool
    is_handed_over: bool = False
    """To a command, one message after another: what is interrupted may come twice, and is never lost."""

    def __str__(self) -> str:
        ending = "leave" if self.leave else "delete"
        place = ", to a command" if self.is_handed_over else ""
        return f"{self.protocol.value}, {'first run' if self.is_first else 'later run'}, {ending}{place}"


SCENES = [
    Scene(protocol, leave, is_first)
    for protocol in (Protocol.POP3, Protocol.IMAP)
    for leave, is_first in ((True, True), (False, True), (True, False), (False, False))
]
SCENES += [Scene(protocol, False, True, True) for protocol in (Protocol.POP3, Protocol.IMAP)]


class Stage:
    """A server that plays one office after another on one port, and a zygote whose runs visit it."""

    def __init__(self, folder: Path, scene: Scene, zygote: Zygote) -> None:
        self.folder, self.scene, self.zygote = folder, scene, zygote
        self.office = Office()
        self.port = 0
        self.runs = 0

    @property
    def journal(self) -> Path:
        """What was done to the data folder since `restore`."""
        return self.folder / "journal"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def job(self, point: int = 0, way: Way = Way.KILLED) -> Job:
        return Job(
            str(self.data),
            self.scene.protocol.value,
            self.port,
            self.scene.leave,
            str(self.journal),
            str(self.folder / "result"),
            point,
            way,
            self.destination,
        )

    @property
    def destination(self) -> str:
        if not self.scene.is_handed_over:
            return "maildir"
        return f'command:f={self.taken}/$$.$(date +%N); cat > "$f.part" && mv "$f.part" "$f"'

    @property
    def taken(self) -> Path:
        """Where the command puts what it takes."""
        return self.folder / "taken"

    @property
    def stored(self) -> Counter[bytes]:
        if self.scene.is_handed_over:
            return Counter(path.read_bytes() for path in self.taken.iterdir() if path.suffix != ".part")
        return delivered(self.data / "mail")

    async def prepare(self) -> None:
        """What was before: an account here, and unless it is the first run three messages here and there."""
        first = letters(3)
        self.data.mkdir()
        with Database.open(self.data / "mailtui.db") as database:
            database.add(make_account(make_retrieval(self.scene.protocol, self.port, leave=self.scene.leave)))
        if not self.scene.is_first:
            for content in first:
                self.office.inbox.add(content)
            answer = await self.zygote.run(replace(self.job(), leave=True))
            assert answer["stored"] == 3, answer
        for content in letters(4, first=10):
            self.office.inbox.add(content, "\\Seen")
        self.office.inbox.add(letter(20, b"a long line of a long message\r\n" * 5_000))
        self._before = copy.deepcopy(self.office)
        shutil.copytree(self.data, self.folder / "before")

    def restore(self) -> None:
        """All as it was."""
        self.journal.unlink(missing_ok=True)
        self.office = copy.deepcopy(self._before)
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.copytree(self.folder / "before", self.data)
        shutil.rmtree(self.taken, ignore_errors=True)
        self.taken.mkdir()

    async def strike(self, point: int, way: Way | str) -> None:
        """One struck run, then a clean one, then now and then one that has nothing to do."""
        self.restore()
        where = f"{self.scene}, point {point}, {way}"
        answer = await self.zygote.run(self.job(point, Way.KILLED if way == POWER else Way(way)))
        self.runs += 1
        if way == POWER:
            lose_power(self.journal)
        if way in (POWER, Way.KILLED, Way.KILLED_AFTER):
            assert answer["signal"] in (0, 9), (where, answer)
        else:
            assert answer["exit"] == 0, (where, answer)
        stored = self.stored
        lost = Counter(self.office.inbox.removed) - stored
        assert not lost, f"{where}: deleted on the server before it was stored: {_names(lost)}"
        if point % 2:
            self.read_mail()
        again = await self.zygote.run(self.job())
        assert again["exit"] == 0, (where, answer, again)
        assert not again["problem"] or (self.scene.is_handed_over and "delivered twice" in again["problem"]), again
        self.require_each_once(where)
        if point % 3:
            return
        last = await self.zygote.run(self.job())
        assert last["stored"] == 0, (where, answer, again, last)
        self.require_each_once(where)

    def read_mail(self) -> None:
        """What a mail program does meanwhile: all that is new is moved, and read."""
        for path in self.data.glob("mail/**/new/*"):
            path.rename(path.parents[1] / "cur" / f"{path.name}:2,S")

    async def strike_twice(self, first: int, second: int) -> None:
        """Killed, then without power while that is put right; what the first run did not sync is lost with it."""
        self.restore()
        where = f"{self.scene}, killed after point {first}, power lost before point {second}"
        await self.zygote.run(self.job(first, Way.KILLED_AFTER))
        await self.zygote.run(self.job(second))
        lose_power(self.journal)
        lost = Counter(self.office.inbox.removed) - self.stored
        assert not lost, f"{where}: deleted on the server before it was stored: {_names(lost)}"
        again = await self.zygote.run(self.job())
        assert not again["problem"], (where, again)
        self.require_each_once(where)

    def require_each_once(self, where: str) -> None:
        stored, seen = self.stored, self.office.inbox.seen
        if self.scene.is_handed_over:
            assert all(count <= 2 for count in stored.values()), where
            stored = Counter(stored.keys())
        assert stored == seen, f"{where}: missing {_names(seen - stored)}, too many {_names(stored - seen)}"
        assert not litter(self.data / "mail"), where
        left = Counter(mail.content for mail in self.office.inbox.mails)
        assert left == (seen if self.scene.leave else Counter()), f"{where}: left on the server {_names(left)}"


@asynccontextmanager
async def stage(folder: Path, scene: Scene, zygote: Zygote) -> AsyncIterator[Stage]:
    one = Stage(folder, scene, zygote)

    def converse(_: Office) -> Conversation:
        return CONVERSATIONS[scene.protocol](one.office)

    async with serving(converse, one.office) as port:
        one.port = port
        await one.prepare()
        yield one


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """One for all scenes: what it has loaded serves them all."""
    one = Zygote()
    yield one
    one.stop()


@pytest.mark.parametrize("scene", SCENES, ids=str)
async def test_each_message_once_whatever_strikes_where(fast_folder: Path, zygote: Zygote, scene: Scene) -> None:
    async with stage(fast_folder, scene, zygote) as one:
        one.restore()
        answer = await one.zygote.run(one.job())
        assert answer["exit"] == 0, answer
        one.require_each_once(str(scene))
        points = answer["points"]
        assert points > 20
        tried = 0
        for number, way in enumerate(WAYS):
            for point in range(1 + (number * 3 + SCENES.index(scene)) % SAMPLED, points + 1, SAMPLED):
                await one.strike(point, way)
                tried += 1
        print(f"{scene}: {points} points, {len(WAYS)} ways, {tried} tried")


@pytest.mark.parametrize("protocol", [Protocol.POP3, Protocol.IMAP])
async def test_struck_again_while_it_is_put_right(fast_folder: Path, zygote: Zygote, protocol: Protocol) -> None:
    async with stage(fast_folder, Scene(protocol, leave=False, is_first=True), zygote) as one:
        one.restore()
        await one.zygote.run(one.job())
        done = [json.loads(line) for line in one.journal.read_text().splitlines()]
        renames = [point for name, _, point in done if name == "rename"]
        folders = [point for name, _, point in done if name == "mkdir"]
        assert len(renames) == 5
        assert len(folders) > 3
        seconds = range(1, len(done))
        for first in (*renames, *folders) if SAMPLED == 1 else (renames[1],):
            for second in seconds if SAMPLED == 1 else seconds[:20:2]:
                await one.strike_twice(first, second)
        for first in folders:
            # When all is stored, deleted on the server and recorded.
            await one.strike_twice(first, len(done) - 3)


def _names(contents: Counter[bytes]) -> list[bytes]:
    return sorted(content.partition(b"Subject: ")[2][:12] + b"x%d" % count for content, count in contents.items())


def test_what_power_takes(tmp_path: Path) -> None:
    """The journal of a program that syncs nothing leaves nothing; of one that syncs all, all."""
    for syncs in (False, True):
        folder = tmp_path / str(syncs)
        folder.mkdir()
        (folder / "new").mkdir()
        (folder / "new" / "a").write_bytes(b"whole")
        lines = [["open", [f"{folder}/a", "7", "1"], 1], ["write", ["7"], 2]]
        lines += [["fsync", ["7"], 3]] if syncs else []
        lines += [["rename", [f"{folder}/a", f"{folder}/new/a"], 4], ["open", [f"{folder}/new", "8", "0"], 5]]
        lines += [["fsync", ["8"], 6]] if syncs else []
        (tmp_path / "journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
        lose_power(tmp_path / "journal")
        assert (folder / "new" / "a").exists() is syncs
        assert (folder / ("new/a" if syncs else "a")).read_bytes() == (b"whole" if syncs else b"")
