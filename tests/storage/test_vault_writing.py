"""Writing the vault: several at once, killed, cancelled, late, and on a full disk."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError
from mailtui.offloop import off_loop
from mailtui.storage.desktop import Desktop
from mailtui.storage.files import FileLock
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
from mailtui.storage.vault import load_vault
from tests.storage import rings

VAULT = SecretRef(SecretScheme.VAULT)


WRITER = """
import asyncio, sys
from pathlib import Path
from mailtui.model.account import SecretRef, SecretScheme
from mailtui.storage.desktop import Desktop
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
async def main() -> None:
    for number in range(int(sys.argv[3])):
        store = SecretStore(DataPaths(Path(sys.argv[1])), desktop=Desktop(lambda: ()))
        await store.write(SecretRef(SecretScheme.VAULT), f"{sys.argv[2]}-{number}", f"secret-{number}")
asyncio.run(main())
"""


def writer(paths: DataPaths, name: str, count: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(paths.folder), name, str(count)],
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )


def test_processes_that_make_and_fill_one_vault_lose_nothing(paths: DataPaths, headless: Desktop) -> None:
    writers = [writer(paths, f"writer{number}", 10) for number in range(4)]
    errors = [process.communicate(timeout=120)[1].decode() for process in writers]
    assert [process.returncode for process in writers] == [0] * 4, errors

    async def read() -> list[str]:
        reader = SecretStore(paths, desktop=headless).reader()
        return [await reader.read(VAULT, f"writer{one}-{number}") for one in range(4) for number in range(10)]

    assert asyncio.run(read()) == [f"secret-{number}" for number in range(10)] * 4
    assert {file.name for file in paths.folder.iterdir()} == {"vault.json", "vault.key", "vault.json.lock"}


def test_a_writer_that_is_killed_leaves_a_sound_vault(paths: DataPaths, headless: Desktop) -> None:
    process = writer(paths, "victim", 100_000)

    def written() -> int:
        vault = load_vault(paths.vault) if paths.folder.exists() else None
        return len(vault.boxes) if vault is not None else 0

    while written() < 10:
        assert process.poll() is None
    process.kill()
    process.communicate(timeout=60)
    kept = written()
    (paths.folder / ".vault.json.killed.tmp").touch()

    async def use() -> str:
        store = SecretStore(paths, desktop=headless)
        await store.write(VAULT, "ada", "hunter2")
        return await store.reader().read(VAULT, f"victim-{kept - 1}")

    assert asyncio.run(use()) == f"secret-{kept - 1}"
    assert written() == kept + 1
    assert list(paths.folder.glob(".*.tmp")) == []


async def test_a_vault_that_stays_locked_is_not_waited_for_for_ever(
    paths: DataPaths, headless: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    monkeypatch.setattr("mailtui.storage.secrets.LOCK_DEADLINE", 0.1)
    with (
        FileLock(paths.folder / "vault.json.lock"),
        pytest.raises(SecretError, match="another mailtui is changing the vault"),
    ):
        await store.write(VAULT, "ada", "other")
    await store.write(VAULT, "ada", "other")
    assert await store.reader().read(VAULT, "ada") == "other"


@pytest.mark.parametrize("cancelled_after", range(8))
async def test_a_writing_cancelled_at_any_step_leaves_the_vault_unlocked(
    paths: DataPaths, headless: Desktop, monkeypatch: pytest.MonkeyPatch, cancelled_after: int
) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    monkeypatch.setattr("mailtui.storage.secrets.LOCK_DEADLINE", 0.5)
    steps = 0

    async def cancelled(call: Callable[[], Any]) -> Any:
        """Cancels its task just when the thread has finished, so that what it returns never arrives."""
        nonlocal steps
        result = await off_loop(call)
        steps += 1
        if steps == cancelled_after:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await asyncio.sleep(0)
        return result

    with monkeypatch.context() as patch:
        patch.setattr("mailtui.storage.secrets.off_loop", cancelled)
        patch.setattr("mailtui.storage.reader.off_loop", cancelled)
        # The task is kept, and with it the frames in which it was cancelled.
        writing = asyncio.create_task(store.write(VAULT, "bob", "swordfish"))
        await asyncio.wait({writing})
    assert writing.cancelled() == (0 < cancelled_after <= 5)
    assert steps == (cancelled_after or 5 if cancelled_after <= 5 else 5)
    await store.write(VAULT, "ada", "after")
    assert await store.reader().read(VAULT, "ada") == "after"


@pytest.mark.parametrize("abandoned", range(1, 10))
async def test_a_thread_that_is_abandoned_and_late_does_not_spoil_another_vault(
    paths: DataPaths, headless: Desktop, monkeypatch: pytest.MonkeyPatch, abandoned: int
) -> None:
    monkeypatch.setattr("mailtui.storage.secrets.LOCK_DEADLINE", 0.3)
    go, ended, reached = threading.Event(), threading.Event(), asyncio.Event()
    steps = 0

    async def late(call: Callable[[], Any]) -> Any:
        """Holds one call back, which its task does not wait for."""
        nonlocal steps
        steps += 1
        if steps != abandoned:
            return await off_loop(call)

        def work() -> Any:
            go.wait(60)
            try:
                return call()
            finally:
                ended.set()

        reached.set()
        return await off_loop(work)

    with monkeypatch.context() as patch:
        for module in ("secrets", "reader", "vault_key"):
            patch.setattr(f"mailtui.storage.{module}.off_loop", late)
        first = asyncio.create_task(SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2"))
        waiting = asyncio.create_task(reached.wait())
        await asyncio.wait({first, waiting}, return_when=asyncio.FIRST_COMPLETED, timeout=60)
        waiting.cancel()
        first.cancel()
        await asyncio.wait({first})
    told = await asyncio.gather(
        SecretStore(paths, desktop=headless).write(VAULT, "bob", "swordfish"), return_exceptions=True
    )
    kept = told[0] is None
    # It may only be refused where the late thread is the one that writes, for that one holds the lock.
    assert kept or "another mailtui is changing the vault" in str(told[0])
    go.set()
    if reached.is_set():
        assert await asyncio.to_thread(ended.wait, 60)
    fresh = SecretStore(paths, desktop=headless)
    await fresh.write(VAULT, "eve", "last")
    reader = fresh.reader()
    assert await reader.read(VAULT, "eve") == "last"
    if kept:
        assert await reader.read(VAULT, "bob") == "swordfish"
    else:
        assert await reader.read(VAULT, "ada") == "hunter2"


async def test_a_cancelled_writing_waits_for_the_keyring_before_it_gives_up_the_lock(
    paths: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, go = threading.Event(), threading.Event()
    ring = rings.good()

    class Slow(ring):  # type: ignore[misc, valid-type]  # a class made by a function
        def set_password(self, service: str, username: str, password: str) -> None:
            asked.set()
            go.wait(60)
            ring.kept[service, username] = password

    monkeypatch.setattr("mailtui.storage.secrets.LOCK_DEADLINE", 0.3)
    first = asyncio.create_task(SecretStore(paths, desktop=Desktop(lambda: (Slow,))).write(VAULT, "ada", "hunter2"))
    assert await asyncio.to_thread(asked.wait, 30)
    first.cancel()
    second = SecretStore(paths, desktop=Desktop(lambda: (ring,)))
    with pytest.raises(SecretError, match="another mailtui is changing the vault"):
        await second.write(VAULT, "bob", "swordfish")
    assert not first.done()
    go.set()
    await asyncio.wait({first})
    assert first.cancelled()
    await second.write(VAULT, "bob", "swordfish")
    assert await SecretStore(paths, desktop=Desktop(lambda: (ring,))).reader().read(VAULT, "bob") == "swordfish"
    assert not paths.vault_key.exists()


async def test_a_disk_that_is_full_is_told_and_the_vault_kept(
    paths: DataPaths, headless: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SecretError, match="cannot be written: No space left on device; it is as it was"):
        await store.write(VAULT, "ada", "other")
    assert await store.reader().read(VAULT, "ada") == "hunter2"
