"""What has begun to be written is written to the end, whenever the one who waits for it is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from mailtui.actions.finishing import FinishedFirst, to_the_end
from mailtui.actions.removal import plan_removal, remove_accounts, undo_removal
from mailtui.actions.saving import Edited, save_account
from mailtui.actions.setting import set_secret
from mailtui.model.account import Account, SecretRef
from mailtui.model.check import Leg
from mailtui.storage.hidden import Hidden
from tests.actions.places import KEYRING, VAULT, Accounts, Secrets, account, keyring, vault

T = TypeVar("T")
World = tuple[Accounts, "Slow"]
State = tuple[dict[str, Account], dict[SecretRef, str]]


class Slow(Secrets):
    """Every call takes a turn of the loop before it does anything, and one after."""

    async def read(self, ref: SecretRef, account_name: str) -> str:
        await asyncio.sleep(0)
        found = await super().read(ref, account_name)
        await asyncio.sleep(0)
        return found

    async def write(self, ref: SecretRef, account_name: str, secret: str) -> None:
        await asyncio.sleep(0)
        await super().write(ref, account_name, secret)
        await asyncio.sleep(0)

    async def delete(self, ref: SecretRef, account_name: str) -> None:
        await asyncio.sleep(0)
        await super().delete(ref, account_name)
        await asyncio.sleep(0)

    async def holds(self, entry: SecretRef) -> bool:
        await asyncio.sleep(0)
        return await super().holds(entry)


@pytest.fixture(autouse=True)
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The turns of the loop can be counted then."""

    async def at_once(call: Callable[[], T]) -> T:
        await asyncio.sleep(0)
        result = call()
        await asyncio.sleep(0)
        return result

    for module in ("saving", "passwords", "removal", "setting"):
        monkeypatch.setattr(f"mailtui.actions.{module}.off_loop", at_once)


def state(store: Accounts, secrets: Secrets) -> State:
    return {one.name: replace(one, updated=None) for one in store.accounts()}, dict(secrets.kept)


def two() -> World:
    store = Accounts(account("ada", VAULT, KEYRING), account("bob", vault("team")), account("eve", vault("team")))
    return store, Slow((vault("ada"), "out"), (keyring("ada"), "in"), (vault("team"), "t"))


def save_new(store: Accounts, secrets: Slow) -> Coroutine[Any, Any, object]:
    return save_account(store, secrets, Edited(account("new", VAULT, KEYRING), None, None, Hidden("a"), Hidden("b")))


def save_moved(store: Accounts, secrets: Slow) -> Coroutine[Any, Any, object]:
    ada = store.account("ada")
    return save_account(store, secrets, Edited(account("lovelace", KEYRING, vault("mine")), ada, ada))


def remove(store: Accounts, secrets: Slow) -> Coroutine[Any, Any, object]:
    return remove_accounts(store, secrets, plan_removal(store, ["ada", "bob"]))


def undo(store: Accounts, secrets: Slow) -> Coroutine[Any, Any, object]:
    return undo_removal(store, secrets, asyncio.run(remove(store, secrets)))  # type: ignore[arg-type]  # an Undo


def move(store: Accounts, secrets: Slow) -> Coroutine[Any, Any, object]:
    return set_secret(store, secrets, store.account("ada"), Leg.OUTBOUND, keyring("mine"), Hidden("new"))


@pytest.mark.parametrize("work", [save_new, save_moved, remove, undo, move])
def test_a_cancellation_at_any_point_leaves_all_or_nothing(
    work: Callable[[Accounts, Slow], Coroutine[Any, Any, object]],
) -> None:
    store, secrets = two()
    whole = work(store, secrets)
    before = state(store, secrets)
    asyncio.run(whole)
    after = state(store, secrets)
    assert before != after

    async def cancelled(turns: int) -> bool:
        """Whether the work was still under way after so many turns of the loop."""
        task = asyncio.ensure_future(started)
        for _ in range(turns):
            await asyncio.sleep(0)
        if task.done():
            return False
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
        return True

    ends: list[State] = []
    for turns in range(1_000):
        store, secrets = two()
        started = work(store, secrets)
        if not asyncio.run(cancelled(turns)):
            break
        ends.append(state(store, secrets))
    assert len(ends) > 5
    assert [end for end in ends if end not in (before, after)] == []
    assert after in ends


def test_the_outcome_comes_with_the_cancellation() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def work() -> str:
            await gate.wait()
            return "done"

        task = asyncio.ensure_future(caught(to_the_end(work())))
        await asyncio.sleep(0)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
            assert not task.done()
        gate.set()
        assert await task == "done"

    async def caught(work: Coroutine[Any, Any, str]) -> object:
        try:
            return await work
        except FinishedFirst as late:
            return late.outcome

    asyncio.run(main())


def test_work_that_fails_raises_its_error_or_the_cancellation() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(to_the_end(work()))

    async def main() -> None:
        task = asyncio.ensure_future(to_the_end(work()))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()

    asyncio.run(main())
