"""The vault: what it keeps, what opens it, what it refuses, and what it never overwrites."""

import base64
import json
import os
import stat
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError
from mailtui.storage.desktop import Desktop
from mailtui.storage.hidden import Hidden
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
from mailtui.storage.vault import Vault, WrongKey, load_vault, save_vault
from tests.storage.person import Person

VAULT = SecretRef(SecretScheme.VAULT)


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Change the JSON of a vault file; returns the bytes that are there then."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))
    return path.read_bytes()


def flip(text: str) -> str:
    """The base64 of the same octets with one bit changed."""
    octets = bytearray(base64.b64decode(text))
    octets[-1] ^= 1
    return b64encode(octets).decode()


async def test_a_secret_is_kept_read_replaced_and_removed(paths: DataPaths, headless: Desktop) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    await store.write(SecretRef(SecretScheme.VAULT, "shared ✓"), "bob", "swörd fish")
    fresh = SecretStore(paths, desktop=headless)
    assert await fresh.reader().read(VAULT, "ada") == "hunter2"
    assert await fresh.reader().read(SecretRef(SecretScheme.VAULT, "shared ✓"), "any") == "swörd fish"
    await fresh.write(VAULT, "ada", "other")
    assert await store.reader().read(VAULT, "ada") == "other"
    await fresh.delete(VAULT, "ada")
    with pytest.raises(SecretError, match=r"the vault has no entry 'ada'; set it"):
        await fresh.reader().read(VAULT, "ada")
    with pytest.raises(SecretError, match="no entry 'ada'"):
        await fresh.delete(VAULT, "ada")


async def test_a_missing_vault_is_told_and_not_made(paths: DataPaths, headless: Desktop) -> None:
    store = SecretStore(paths, desktop=headless)
    with pytest.raises(SecretError, match=r"there is no vault.*mailtui secret set"):
        await store.reader().read(VAULT, "ada")
    with pytest.raises(SecretError, match="there is no vault yet"):
        await store.delete(VAULT, "ada")
    assert not paths.vault.exists()
    assert not paths.vault_key.exists()


async def test_everything_is_private_and_nothing_is_readable(paths: DataPaths, headless: Desktop) -> None:
    secrets = [f"hunter2-{number}-{'x' * number}" for number in range(8)]
    before = os.umask(0)
    try:
        store = SecretStore(paths, desktop=headless)
        for number, secret in enumerate(secrets):
            await store.write(VAULT, f"account-{number}", secret)
    finally:
        os.umask(before)
    assert stat.S_IMODE(paths.folder.stat().st_mode) == 0o700
    files = {file.name: file for file in paths.folder.rglob("*")}
    assert set(files) == {"vault.json", "vault.key", "vault.json.lock"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
    everything = b"".join(file.read_bytes() for file in files.values())
    for secret in secrets:
        for offset in range(3):
            # Base64 shows the same octets in three ways, by where they begin.
            encoded = b64encode(b"\0" * offset + secret.encode())[4 if offset else 0 : -4]
            assert encoded not in everything
        assert secret.encode() not in everything
        assert secret.encode().hex().encode() not in everything
    assert b"account-7" in everything


async def test_each_writing_seals_afresh(paths: DataPaths, headless: Desktop) -> None:
    store = SecretStore(paths, desktop=headless)
    sealed = set()
    for _ in range(3):
        await store.write(VAULT, "ada", "hunter2")
        entry = json.loads(paths.vault.read_text())["entries"]["ada"]
        sealed.add((entry["nonce"], entry["sealed"]))
    assert len({nonce for nonce, _ in sealed}) == len({text for _, text in sealed}) == 3


@pytest.mark.parametrize("which", ["vault", "vault_key"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
async def test_a_loose_mode_is_refused_with_the_cure(
    paths: DataPaths, headless: Desktop, which: str, mode: int
) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    loose: Path = getattr(paths, which)
    os.chmod(loose, mode)
    store = SecretStore(paths, desktop=headless)
    for call in (store.reader().read(VAULT, "ada"), store.write(VAULT, "ada", "other"), store.test(VAULT, "ada")):
        with pytest.raises(SecretError, match=f"mode {mode:04o}.*chmod 600 {loose}"):
            await call
    assert not (await store.where())[1].usable
    os.chmod(loose, 0o600)
    assert await store.reader().read(VAULT, "ada") == "hunter2"


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"\xff\xfe", b"[]", b"null", b"{}", b'{"format": "other", "version": 1}', b"[" * 100_000],
)
async def test_a_damaged_vault_is_reported_and_kept(paths: DataPaths, headless: Desktop, content: bytes) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    paths.vault.write_bytes(content)
    await still_refused(paths, headless, "is damaged.*nothing in it was changed")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
async def test_a_truncated_vault_is_reported_and_kept(paths: DataPaths, headless: Desktop, share: float) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    os.truncate(paths.vault, int(paths.vault.stat().st_size * share))
    await still_refused(paths, headless, "is damaged")


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("id"),
        lambda data: data.pop("entries"),
        lambda data: data.pop("check"),
        lambda data: data.update(entries=["ada"]),
        lambda data: data.update(id="***"),
        lambda data: data["entries"]["ada"].update(nonce="AAAA"),
        lambda data: data["key"].update(kind="unheard-of"),
        lambda data: data["key"].update(kind="passphrase"),
    ],
)
async def test_a_vault_with_a_wrong_field_is_damaged(
    paths: DataPaths, headless: Desktop, change: Callable[[dict[str, Any]], object]
) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    rewrite(paths.vault, change)
    await still_refused(paths, headless, "is damaged")


async def test_a_newer_vault_is_refused_untouched(paths: DataPaths, headless: Desktop) -> None:
    await SecretStore(paths, desktop=headless).write(VAULT, "ada", "hunter2")
    rewrite(paths.vault, lambda data: data.update(version=2, entries="of another shape"))
    await still_refused(paths, headless, "newer mailtui.*upgrade mailtui")


@pytest.mark.parametrize(
    "numbers", [{"memory_kib": 1 << 40}, {"iterations": 1 << 40}, {"lanes": 0}, {"iterations": True}, {"salt": ""}]
)
@pytest.mark.usefixtures("cheap_passphrases")
async def test_a_damaged_price_of_the_passphrase_is_not_paid(
    paths: DataPaths, headless: Desktop, numbers: dict[str, Any]
) -> None:
    await SecretStore(paths, Person("open", "open"), desktop=headless).write(VAULT, "ada", "hunter2")
    rewrite(paths.vault, lambda data: data["key"].update(numbers))
    await still_refused(paths, headless, "is damaged")


async def still_refused(paths: DataPaths, desktop: Desktop, words: str) -> None:
    """Neither reading nor writing works, the message names the file, and the file stays as it is."""
    before, changed = paths.vault.read_bytes(), paths.vault.stat().st_mtime_ns
    store = SecretStore(paths, Person(), desktop=desktop)
    for call in (
        store.reader().read(VAULT, "ada"),
        store.write(VAULT, "ada", "other"),
        store.write(VAULT, "bob", "new"),
        store.delete(VAULT, "ada"),
    ):
        with pytest.raises(SecretError, match=words) as told:
            await call
        assert str(paths.vault) in str(told.value)
        assert "\n" not in str(told.value)
    assert not (await store.where())[1].usable
    assert paths.vault.read_bytes() == before
    assert paths.vault.stat().st_mtime_ns == changed


async def test_an_entry_cannot_be_passed_off_as_another(paths: DataPaths, headless: Desktop) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    await store.write(VAULT, "bob", "swordfish")
    rewrite(paths.vault, lambda data: data["entries"].update(ada=data["entries"]["bob"]))
    with pytest.raises(SecretError, match="entry 'ada' of the vault is damaged") as told:
        await store.reader().read(VAULT, "ada")
    assert "swordfish" not in str(told.value)
    assert await store.reader().read(VAULT, "bob") == "swordfish"


async def test_an_altered_entry_is_told_and_the_others_are_read(paths: DataPaths, headless: Desktop) -> None:
    store = SecretStore(paths, desktop=headless)
    await store.write(VAULT, "ada", "hunter2")
    await store.write(VAULT, "bob", "swordfish")
    rewrite(paths.vault, lambda data: data["entries"]["ada"].update(sealed=flip(data["entries"]["ada"]["sealed"])))
    with pytest.raises(SecretError, match="damaged; set it again"):
        await store.reader().read(VAULT, "ada")
    assert await store.reader().read(VAULT, "bob") == "swordfish"
    await store.write(VAULT, "ada", "again")
    assert await store.reader().read(VAULT, "ada") == "again"


async def test_an_entry_cannot_be_moved_to_another_vault(tmp_path: Path, headless: Desktop) -> None:
    one, other = DataPaths(tmp_path / "one"), DataPaths(tmp_path / "other")
    await SecretStore(one, desktop=headless).write(VAULT, "ada", "hunter2")
    other.folder.mkdir(0o700)
    other.vault_key.write_bytes(one.vault_key.read_bytes())
    other.vault_key.chmod(0o600)
    await SecretStore(other, desktop=headless).write(VAULT, "ada", "swordfish")
    moved = json.loads(one.vault.read_text())["entries"]["ada"]
    rewrite(other.vault, lambda data: data["entries"].update(ada=moved))
    with pytest.raises(SecretError, match="damaged"):
        await SecretStore(other, desktop=headless).reader().read(VAULT, "ada")


@given(st.dictionaries(st.text(), st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_any_names_and_secrets_round_trip(tmp_path_factory: pytest.TempPathFactory, entries: dict[str, str]) -> None:
    key = Hidden(bytes(range(32)))
    vault = Vault.new(key)
    for name, secret in entries.items():
        vault = vault.put({name: Hidden(secret)}, key)
    path = tmp_path_factory.mktemp("vault") / "vault.json"
    save_vault(path, vault)
    loaded = load_vault(path)
    assert loaded == vault
    for name, secret in entries.items():
        found = loaded.get(name, key)
        assert found is not None
        assert found.value == secret
        with pytest.raises(WrongKey):
            loaded.get(name, Hidden(bytes(32)))
