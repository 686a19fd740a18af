"""The key of the vault: where it is found, made and missed."""

import asyncio
import os
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError
from mailtui.storage.desktop import Desktop
from mailtui.storage.hidden import Hidden
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
from mailtui.storage.vault import Argon2
from mailtui.storage.vault_key import CREDENTIAL, KEYRING_ENTRY
from tests.storage import rings
from tests.storage.person import Person

VAULT = SecretRef(SecretScheme.VAULT)


async def test_a_wrong_key_reads_and_overwrites_nothing(paths: DataPaths, headless: Desktop) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    right, vault = paths.vault_key.read_bytes(), paths.vault.read_bytes()
    paths.vault_key.write_bytes(b64encode(os.urandom(32)))
    store = SecretStore(paths, desktop=headless)
    for call in (store.reader().read(VAULT, "ada"), store.write(VAULT, "bob", "new"), store.delete(VAULT, "ada")):
        with pytest.raises(SecretError, match=r"cannot be opened.*key file: not the key of this vault"):
            await call
    assert paths.vault.read_bytes() == vault
    paths.vault_key.write_bytes(right)
    assert await store.reader().read(VAULT, "ada") == "hunter2"


@pytest.mark.parametrize("content", [b"", b"not base64!", b64encode(b"short"), b"\xff" * 44])
async def test_a_key_file_that_holds_no_key_is_told_and_kept(
    paths: DataPaths, headless: Desktop, content: bytes
) -> None:
    paths.folder.mkdir(0o700)
    paths.vault_key.write_bytes(content)
    paths.vault_key.chmod(0o600)
    store = SecretStore(paths, desktop=headless)
    with pytest.raises(SecretError, match=r"vault\.key is not a key.*openssl rand -base64 32"):
        await store.write(VAULT, "ada", "hunter2")
    assert paths.vault_key.read_bytes() == content
    assert not paths.vault.exists()


async def test_a_lost_key_is_not_replaced_by_a_new_one(paths: DataPaths, headless: Desktop) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    paths.vault_key.unlink()
    store = SecretStore(paths, Person(), desktop=headless)
    with pytest.raises(SecretError, match="put its key back"):
        await store.write(VAULT, "bob", "new")
    assert not paths.vault_key.exists()


async def test_the_credential_comes_first(paths: DataPaths, credentials: Path) -> None:
    (credentials / CREDENTIAL).write_bytes(b64encode(bytes(range(32))) + b"\n")
    ring = rings.good()
    store = SecretStore(paths, Person(), desktop=Desktop(lambda: (ring,)))
    await store.write(VAULT, "ada", "hunter2")
    assert not paths.vault_key.exists()
    assert ring.kept == {}
    assert "systemd credential mailtui.key" in (await store.where())[1].detail
    assert await SecretStore(paths).reader().read(VAULT, "ada") == "hunter2"


async def test_a_key_file_may_become_a_credential(paths: DataPaths, headless: Desktop, credentials: Path) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    paths.vault_key.rename(credentials / CREDENTIAL)
    assert await SecretStore(paths, desktop=headless).reader().read(VAULT, "ada") == "hunter2"


async def test_a_wrong_credential_does_not_hide_the_right_key_file(
    paths: DataPaths, headless: Desktop, credentials: Path
) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    (credentials / CREDENTIAL).write_bytes(b64encode(os.urandom(32)))
    assert await SecretStore(paths, desktop=headless).reader().read(VAULT, "ada") == "hunter2"


async def test_an_unlocked_keyring_keeps_the_key(paths: DataPaths) -> None:
    ring = rings.good()
    person = Person()
    await SecretStore(paths, person, desktop=Desktop(lambda: (ring,))).write(VAULT, "ada", "hunter2")
    assert not paths.vault_key.exists()
    assert set(ring.kept) == {("mailtui", KEYRING_ENTRY)}
    assert person.questions == []
    store = SecretStore(paths, desktop=Desktop(lambda: (ring,)))
    assert await store.reader().read(VAULT, "ada") == "hunter2"
    assert "desktop keyring" in (await store.where())[1].detail
    ring.kept.clear()
    with pytest.raises(SecretError, match="no vault key in it"):
        await SecretStore(paths, desktop=Desktop(lambda: (ring,))).reader().read(VAULT, "ada")


@pytest.mark.parametrize("backend", [rings.Locked, rings.Dropping])
async def test_an_unfit_keyring_gives_way_to_a_key_file(paths: DataPaths, backend: Any) -> None:
    store = SecretStore(paths, desktop=Desktop(lambda: (backend,)))
    await store.write(VAULT, "ada", "hunter2")
    assert stat.S_IMODE(paths.vault_key.stat().st_mode) == 0o600
    assert await SecretStore(paths, desktop=Desktop(lambda: (backend,))).reader().read(VAULT, "ada") == "hunter2"


@pytest.mark.usefixtures("cheap_passphrases")
async def test_a_passphrase_opens_the_vault_and_is_asked_once(paths: DataPaths, headless: Desktop) -> None:
    person = Person("öpen", "öpen")
    store = SecretStore(paths, person, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    await store.write(VAULT, "bob", "swordfish")
    assert await store.reader().read(VAULT, "ada") == "hunter2"
    assert len(person.questions) == 2
    assert not paths.vault_key.exists()
    # The same letters as another keyboard composes them, after two wrong ones.
    later = Person("wrong", "", "o\u0308pen")
    again = SecretStore(paths, later, desktop=headless)
    reader = again.reader()
    read = await asyncio.gather(*(reader.read(VAULT, name) for name in ("ada", "bob", "ada")))
    assert read == ["hunter2", "swordfish", "hunter2"]
    assert await again.reader().read(VAULT, "ada") == "hunter2"
    assert len(later.questions) == 3
    assert b"pen" not in paths.vault.read_bytes()


@pytest.mark.usefixtures("cheap_passphrases")
async def test_a_passphrase_that_nobody_can_give(paths: DataPaths, headless: Desktop) -> None:
    await SecretStore(paths, Person("open", "open"), desktop=headless).write(VAULT, "ada", "hunter2")
    before = paths.vault.read_bytes()
    with pytest.raises(SecretError, match="not the passphrase"):
        await SecretStore(paths, Person("a", "b", "c"), desktop=headless).write(VAULT, "bob", "new")
    alone = SecretStore(paths, desktop=headless)
    with pytest.raises(SecretError, match="needs a terminal"):
        await alone.reader().read(VAULT, "ada")
    state = (await alone.where())[1]
    assert not state.usable
    assert "terminal" in state.remedy
    assert paths.vault.read_bytes() == before


async def test_two_different_new_passphrases_make_nothing(paths: DataPaths, headless: Desktop) -> None:
    person = Person("open", "opne", "open", "Open", "", "left over")
    with pytest.raises(SecretError, match="twice alike"):
        await SecretStore(paths, person, desktop=headless).write(VAULT, "ada", "hunter2")
    assert not paths.vault.exists()
    assert person.answers == ["left over"], "asked three times, and no more"
    assert [question.split(".")[0] for question in person.questions[2::2]] == ["The two differ"] * 2


@pytest.mark.usefixtures("cheap_passphrases")
async def test_a_new_passphrase_that_was_mistyped_is_asked_again(paths: DataPaths, headless: Desktop) -> None:
    person = Person("open", "opne", "", "open", "open")
    await SecretStore(paths, person, desktop=headless).write(VAULT, "ada", "hunter2")
    assert await SecretStore(paths, Person("open"), desktop=headless).reader().read(VAULT, "ada") == "hunter2"


async def test_a_key_file_can_be_preferred_to_a_passphrase(paths: DataPaths, headless: Desktop) -> None:
    person = Person("-")
    await SecretStore(paths, person, desktop=headless).write(VAULT, "ada", "hunter2")
    assert len(person.questions) == 1
    assert "- for a key file" in person.questions[0]
    assert await SecretStore(paths, desktop=headless).reader().read(VAULT, "ada") == "hunter2"


async def test_no_passphrase_makes_nothing(paths: DataPaths, headless: Desktop) -> None:
    def leave(question: str) -> str:
        raise SecretError("no secret was given")

    for ask in (Person("", "", ""), leave):
        with pytest.raises(SecretError, match=r"no (passphrase|secret) was given"):
            await SecretStore(paths, ask, desktop=headless).write(VAULT, "ada", "hunter2")
    assert not paths.vault.exists()
    assert not paths.vault_key.exists()


def test_the_usual_price_of_a_passphrase_is_that_of_rfc_9106() -> None:
    argon2 = Argon2(b"0123456789abcdef")
    assert (argon2.iterations, argon2.lanes, argon2.memory) == (3, 4, 64 * 1024)
    assert len(argon2.derive(Hidden("open")).value) == 32
    assert argon2.derive(Hidden("open")).value == argon2.derive(Hidden("open")).value
