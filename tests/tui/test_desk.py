"""What the screens ask of the desk: other processes noticed, accounts removed and brought back, one form at a time."""

import asyncio
from dataclasses import replace

from mailtui.model.account import SecretScheme
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from mailtui.tui.screens.form import FormScreen
from tests.tui.people import PEOPLE, REPORTS, account
from tests.tui.world import MemorySecrets, MemoryStore, World, world

FIRST = PEOPLE[0].name


def _told(running: World) -> str:
    return "\n".join(notice.words for notice in running.app.told)


async def _remove(running: World, *names: str) -> None:
    running.app.desk.remove(names)
    await running.until(lambda: isinstance(running.app.screen, ConfirmScreen))
    await running.press("y")
    await running.until(lambda: isinstance(running.app.screen, AccountsScreen) and running.app.desk.can_undo)


async def test_what_another_process_wrote_shows_by_itself() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        watching = asyncio.create_task(running.app.desk.watch(0.01))
        await running.pilot.pause(0.05)
        store.change(replace(PEOPLE[0], email="changed@example.org"))
        await running.until(lambda: running.app.desk.board.account(FIRST).email == "changed@example.org")
        store.drop(FIRST)
        await running.until(lambda: FIRST not in running.list.names)
        watching.cancel()


async def test_what_nobody_wrote_is_not_read_again() -> None:
    class Counting(MemoryStore):
        reads = 0

        def accounts(self):  # type: ignore[no-untyped-def]  # as its parent's
            self.reads += 1
            return super().accounts()

    store = Counting(PEOPLE)
    async with world(store=store) as running:
        watching = asyncio.create_task(running.app.desk.watch(0.001))
        await running.pilot.pause(0.1)
        assert store.reads == 1
        watching.cancel()


async def test_removed_account_comes_back_with_report_and_secret() -> None:
    secrets = MemorySecrets({(SecretScheme.KEYRING, FIRST): "pw"})
    async with world(PEOPLE, REPORTS, secrets=secrets) as running:
        before = running.app.desk.board.account(FIRST)
        await _remove(running, FIRST)
        assert FIRST not in running.list.names
        assert secrets.entries == {}
        assert "Press u" in _told(running)
        await running.press("u")
        await running.until(lambda: FIRST in running.list.names)
        assert running.list.selected == FIRST
        assert running.app.desk.board.account(FIRST) == before
        assert running.app.desk.board.report(FIRST) == REPORTS[FIRST]
        assert secrets.entries == {(SecretScheme.KEYRING, FIRST): "pw"}
        assert not running.app.desk.can_undo


async def test_undo_that_is_refused_can_be_tried_again() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        await _remove(running, FIRST)
        store.add(account(FIRST, "other@example.org"))
        running.app.desk.undo()
        await running.until(lambda: "already" in _told(running))
        assert running.app.desk.can_undo
        store.drop(FIRST)
        running.app.desk.undo()
        await running.until(lambda: FIRST in running.list.names)
        assert store.account(FIRST).email == PEOPLE[0].email


async def test_undo_without_removal_says_so() -> None:
    async with world() as running:
        running.app.desk.undo()
        await running.until(lambda: "nothing to undo" in _told(running))


async def test_many_are_removed_and_brought_back_at_once() -> None:
    people = [account(f"person {number:02}", f"p{number}@example.org") for number in range(40)]
    async with world(people) as running:
        await _remove(running, *(person.name for person in people[:30]))
        assert len(running.list.names) == 10
        running.app.desk.undo()
        await running.until(lambda: len(running.list.names) == 40)


async def test_key_pressed_twice_opens_one_form() -> None:
    async with world() as running:
        running.app.desk.edit(FIRST)
        running.app.desk.edit(FIRST)
        await running.until(lambda: isinstance(running.app.screen, FormScreen))
        await running.press("escape")
        await running.until(lambda: isinstance(running.app.screen, AccountsScreen))


async def test_account_that_is_gone_cannot_be_opened() -> None:
    store = MemoryStore(PEOPLE)
    async with world(store=store) as running:
        store.drop(FIRST)
        running.app.desk.edit(FIRST)
        await running.until(lambda: "no account named" in _told(running))
        assert isinstance(running.app.screen, AccountsScreen)
        running.app.desk.edit(PEOPLE[1].name)
        await running.until(lambda: isinstance(running.app.screen, FormScreen))


async def test_switching_many_says_how_many() -> None:
    async with world() as running:
        names = [person.name for person in PEOPLE[:3]]
        running.app.desk.set_active(names, False)
        await running.until(lambda: "3 accounts are off now" in _told(running))
        assert [running.app.desk.board.account(name).active for name in names] == [False] * 3
