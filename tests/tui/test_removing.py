"""Removing accounts: what the person is told beforehand, and what each answer does."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from mailtui.actions.removal import Entry, RemovalPlan, Undo, plan_removal
from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.errors import StorageError
from mailtui.storage.removed import Removed
from mailtui.tui.removing import removal_lines, remove_flow
from mailtui.tui.screens.accounts import AccountsScreen
from mailtui.tui.screens.confirm import ConfirmScreen
from tests.tui.people import ADA, ALAN, CHARLES, REPORTS, account
from tests.tui.test_dialogs import words_of
from tests.tui.world import MemorySecrets, MemoryStore, World, world

VAULT = SecretScheme.VAULT


def kept_in(person: Account, ref: SecretRef) -> Account:
    return replace(person, submission=replace(person.submission, secret=ref))


OWN = kept_in(ADA, SecretRef(VAULT, "ada"))
SHARED = kept_in(ALAN, SecretRef(VAULT, "shared"))
SHARER = kept_in(CHARLES, SecretRef(VAULT, "shared"))
PLAIN = kept_in(account("Environment", "env@example.org"), SecretRef(SecretScheme.ENV, "MAIL"))


class Removing:
    """A removal that runs in a worker, as the desk runs it."""

    def __init__(self, running: World, names: Sequence[str]) -> None:
        self.running = running
        self.undone: list[Undo | None] = []
        self.errors: list[str] = []

        async def run() -> None:
            desk = running.app.desk
            try:
                self.undone.append(await remove_flow(running.app, desk, names))
            except StorageError as error:
                self.errors.append(str(error))

        running.app.run_worker(run())

    async def asked(self) -> str:
        """The words of the question, all of which need not fit the screen."""
        app = self.running.app
        await self.running.until(lambda: isinstance(app.screen, ConfirmScreen) and "Delete" in self.running.text())
        assert isinstance(app.screen, ConfirmScreen)
        return "\n".join([*app.screen.lines, words_of(self.running)])

    async def ended(self, *keys: str) -> Undo | None:
        await self.running.press(*keys)
        await self.running.until(lambda: bool(self.undone))
        assert isinstance(self.running.app.screen, AccountsScreen)
        return self.undone[0]


def places() -> MemorySecrets:
    return MemorySecrets({(VAULT, "ada"): "pw-of-ada", (VAULT, "shared"): "pw-of-both"})


def names(store: MemoryStore) -> list[str]:
    return [person.name for person in store.accounts()]


async def test_the_question_names_what_goes_along_and_what_stays() -> None:
    secrets = places()
    async with world([OWN, SHARED, SHARER], REPORTS, secrets=secrets) as running:
        removal = Removing(running, [OWN.name, SHARED.name])
        text = await removal.asked()
        assert "Delete 2 accounts?" in text
        assert OWN.name in text
        assert SHARED.name in text
        assert "2 checks of history" in text
        assert "Deleted with them:" in text
        assert "the password in the vault, entry ada" in text
        assert f"entry shared, of {SHARER.name}" in text
        assert "Mail on the servers and on this machine is not touched." in text
        assert "pw-of" not in text
        assert await removal.ended("escape") is None
        assert len(names(running.store)) == 3
        assert len(secrets.entries) == 2


async def test_enter_alone_deletes_nothing() -> None:
    async with world([OWN], secrets=places()) as running:
        removal = Removing(running, [OWN.name])
        await removal.asked()
        assert await removal.ended("enter") is None
        assert names(running.store) == [OWN.name]


async def test_yes_removes_accounts_history_and_the_password_of_nobody_else() -> None:
    secrets = places()
    async with world([OWN, SHARED, SHARER], REPORTS, secrets=secrets) as running:
        removal = Removing(running, [OWN.name, SHARED.name])
        await removal.asked()
        undo = await removal.ended("y")
        assert undo is not None
        assert [person.name for person in undo.removed.accounts] == [OWN.name, SHARED.name]
        assert names(running.store) == [SHARER.name]
        assert running.store.count_reports([OWN.name, SHARED.name]) == 0
        assert list(secrets.entries) == [(VAULT, "shared")]
        assert undo.problems == ()


async def test_passwords_can_be_kept() -> None:
    secrets = places()
    async with world([OWN], secrets=secrets) as running:
        removal = Removing(running, [OWN.name])
        assert "[ ] keep the password (k)" in await removal.asked()
        await running.press("k")
        assert "[x] keep the password (k)" in words_of(running)
        assert await removal.ended("y") is not None
        assert names(running.store) == []
        assert (VAULT, "ada") in secrets.entries


async def test_where_no_password_goes_there_is_nothing_to_keep() -> None:
    async with world([PLAIN]) as running:
        removal = Removing(running, [PLAIN.name])
        text = await removal.asked()
        assert "There is no history, and no password that mailtui keeps." in text
        assert "(k)" not in text
        await running.press("k")
        assert await removal.ended("y") is not None


async def test_a_database_that_refuses_removes_nothing_and_tells() -> None:
    class Refusing(MemoryStore):
        def remove(self, *names: str, expected: Mapping[str, datetime | None] | None = None) -> Removed:
            raise StorageError("the disk is full")

    secrets = places()
    async with world(store=Refusing([OWN]), secrets=secrets) as running:
        removal = Removing(running, [OWN.name])
        await removal.asked()
        await running.press("y")
        await running.until(lambda: bool(removal.errors))
        assert removal.errors == ["the disk is full"]
        assert (VAULT, "ada") in secrets.entries


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (120, 40)])
async def test_many_accounts_are_counted_and_the_answer_stays_in_sight(size: tuple[int, int]) -> None:
    crowd = [kept_in(account(f"person {n:02}", "x@example.org"), SecretRef(VAULT, f"p{n}")) for n in range(30)]
    async with world(crowd, secrets=places(), size=size) as running:
        removal = Removing(running, [person.name for person in crowd])
        text = await removal.asked()
        assert "Delete 30 accounts" in text
        assert "keep the passwords" in text
        assert "Cancel" in text
        assert await removal.ended("n") is None


def test_what_is_named_is_limited() -> None:
    crowd = [kept_in(account(f"person {n:02}", "x@example.org"), SecretRef(VAULT, f"p{n}")) for n in range(30)]
    lines = removal_lines(plan_removal(MemoryStore(crowd), [person.name for person in crowd]))
    assert "person 07" in lines
    assert "person 08" not in lines
    assert "and 22 more accounts" in lines
    assert "  and 22 more passwords" in lines
    assert len(lines) < 30


def test_names_from_outside_are_escaped_and_cut() -> None:
    ref = SecretRef(VAULT, "\x1b]52;c;eA==\x07")
    bad = [replace(ADA, name="\u202e" + "x" * 5_000), replace(ALAN, name="[/]")]
    plan = RemovalPlan(tuple(bad), 1, (Entry(ref, ()),), (Entry(ref, ("\x9b2J", "b", "c")),))
    lines = removal_lines(plan)
    assert not any(set(line) & set("\x1b\x07\x9b\u202e") for line in lines)
    assert any(line.endswith("of \\x9b2J and 2 others") for line in lines)
    assert "[/]" in lines
    assert max(len(line) for line in lines) < 120


async def test_an_account_changed_while_the_question_stood_is_asked_about_again() -> None:
    store = MemoryStore([OWN])
    secrets = places()
    async with world(store=store, secrets=secrets) as running:
        removal = Removing(running, [OWN.name])
        await removal.asked()
        store.change(replace(OWN, email="new@example.org"))
        first = running.app.screen
        await running.press("y")
        await running.until(lambda: isinstance(running.app.screen, ConfirmScreen) and running.app.screen is not first)
        assert store.account(OWN.name).email == "new@example.org"
        assert (VAULT, "ada") in secrets.entries
        assert await removal.ended("y") is not None
        assert secrets.entries == {(VAULT, "shared"): "pw-of-both"}


class SlowStore(MemoryStore):
    """Counts only when it may."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        super().__init__(accounts)
        self.reading, self.go_on = threading.Event(), threading.Event()

    def count_reports(self, names: Sequence[str]) -> int:
        self.reading.set()
        self.go_on.wait(20)
        return super().count_reports(names)


@pytest.mark.parametrize("typed", [("slash", "b"), ("slash", "a", "enter"), ("s",), ("f1",)])
async def test_a_question_that_comes_late_does_not_come_up_under_what_is_typed(typed: tuple[str, ...]) -> None:
    store = SlowStore([OWN])
    async with world(store=store, secrets=places()) as running:
        await running.press("d")
        await running.until(store.reading.is_set)
        await running.press(*typed)
        store.go_on.set()
        await running.until(lambda: any("press d again" in notice.words for notice in running.app.told))
        assert not isinstance(running.app.screen, ConfirmScreen)
        await running.press("y")
        assert [account.name for account in store.accounts()] == [OWN.name]


async def test_a_question_that_comes_late_comes_to_whoever_waits_for_it() -> None:
    store = SlowStore([OWN, SHARED])
    async with world(store=store, secrets=places()) as running:
        await running.press("d")
        await running.until(store.reading.is_set)
        await running.press("down", "up")
        store.go_on.set()
        await running.until(lambda: isinstance(running.app.screen, ConfirmScreen))
        await running.press("y")
        await running.until(lambda: len(store.accounts()) == 1)
