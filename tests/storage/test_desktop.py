"""The desktop keyring, played by backends in memory."""

import asyncio
from collections.abc import Iterator

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as Fail
from keyring.backends.null import Keyring as Null

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError
from mailtui.storage.desktop import BACKEND_VARIABLE, Desktop, KeyringError, known_backends
from mailtui.storage.hidden import Hidden
from mailtui.storage.paths import DataPaths
from mailtui.storage.secrets import SecretStore
from tests.storage import rings

KEYRING = SecretRef(SecretScheme.KEYRING)


def desktop(*backends: str | type[KeyringBackend], deadline: float = 30.0) -> Desktop:
    return Desktop(lambda: backends, deadline)


@pytest.fixture
def hanging() -> Iterator[None]:
    rings.Hanging.calls = 0
    rings.Hanging.go.clear()
    rings.Hanging.asked.clear()
    yield
    rings.Hanging.go.set()


async def test_a_secret_is_kept_read_and_removed(paths: DataPaths) -> None:
    ring = rings.good()
    store = SecretStore(paths, desktop=desktop(ring))
    await store.write(KEYRING, "ada", "hunter2")
    await store.write(SecretRef(SecretScheme.KEYRING, "shared"), "bob", "swordfish")
    assert ring.kept == {("mailtui", "ada"): "hunter2", ("mailtui", "shared"): "swordfish"}
    assert await store.reader().read(KEYRING, "ada") == "hunter2"
    assert await store.reader().read(SecretRef(SecretScheme.KEYRING, "shared"), "any") == "swordfish"
    await store.delete(KEYRING, "ada")
    with pytest.raises(SecretError, match=r"no entry 'ada'.*mailtui secret set"):
        await store.reader().read(KEYRING, "ada")
    with pytest.raises(SecretError, match="no entry 'ada'"):
        await store.delete(KEYRING, "ada")
    assert not paths.folder.exists()


async def test_a_backend_that_drops_secrets_is_found_out() -> None:
    with pytest.raises(KeyringError, match=r"does not return it; keep the secret in the vault instead") as told:
        await desktop(rings.Dropping).set("ada", Hidden("hunter2"))
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        (Null, "drops every secret"),
        (Fail, "refuses every secret"),
        (rings.PlaintextKeyring, "stores secrets in clear"),
        ("keyrings.alt.file.PlaintextKeyring", "stores secrets in clear"),
        ("keyrings.cryptfile.cryptfile.CryptFileKeyring", "ask on the terminal"),
        ("keyring.backends.chainer.ChainerBackend", "ask on the terminal"),
        (rings.Absent, "NotImplementedError"),
    ],
)
async def test_a_backend_that_will_not_do_is_refused_with_the_alternative(
    backend: str | type[KeyringBackend], reason: str
) -> None:
    with pytest.raises(KeyringError, match=f"{reason}.*keep the secret in the vault instead"):
        await desktop(backend).set("ada", Hidden("hunter2"))
    assert rings.PlaintextKeyring.kept == {}


async def test_the_first_usable_backend_is_taken() -> None:
    ring = rings.good()
    assert "Fresh" in await desktop(rings.Absent, Null, ring, rings.Dropping).name()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("keyring.backends.null.Keyring", "which drops every secret"),
        ("keyring.backends.fail.Keyring", "which refuses every secret"),
        ("keyrings.alt.file.PlaintextKeyring", "which stores secrets in clear"),
        ("my.own.Ring", "which may store in clear"),
    ],
)
async def test_a_keyring_that_was_switched_off_or_replaced_is_respected(
    monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.setenv(BACKEND_VARIABLE, name)
    with pytest.raises(KeyringError, match=f"{BACKEND_VARIABLE} names {name}, {reason}"):
        await desktop(rings.good()).get("ada")


async def test_one_of_ours_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = rings.good()
    monkeypatch.setenv(BACKEND_VARIABLE, f"{ring.__module__}.{ring.__qualname__}")
    assert "Fresh" in await desktop(rings.Dropping, ring).name()


async def test_a_machine_without_a_desktop_says_why_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus")
    monkeypatch.setattr("sys.platform", "linux")
    assert len(known_backends()) == 3
    with pytest.raises(KeyringError, match=r"no desktop keyring is usable.*SecretService.*kwallet.*libsecret.*vault"):
        await Desktop().get("ada")


async def test_a_locked_keyring_is_asked_once_in_a_run(paths: DataPaths) -> None:
    rings.Locked.calls = 0
    store = SecretStore(paths, desktop=desktop(rings.Locked))
    reader = store.reader()
    told = await asyncio.gather(
        *(reader.read(KEYRING, f"account-{number}") for number in range(20)), return_exceptions=True
    )
    assert rings.Locked.calls == 1
    assert all(isinstance(error, SecretError) and "locked" in str(error) for error in told)
    assert "\x1b" not in str(told[0])
    with pytest.raises(SecretError, match="locked"):
        await store.reader().read(KEYRING, "ada")
    assert rings.Locked.calls == 2


@pytest.mark.usefixtures("hanging")
async def test_a_hanging_keyring_costs_one_deadline_in_a_run(paths: DataPaths) -> None:
    reader = SecretStore(paths, desktop=desktop(rings.Hanging, deadline=0.3)).reader()
    told = await asyncio.gather(
        *(reader.read(KEYRING, f"account-{number}") for number in range(20)), return_exceptions=True
    )
    assert rings.Hanging.calls == 1
    assert all("did not answer within 0.3 seconds" in str(error) for error in told)


@pytest.mark.usefixtures("hanging")
async def test_the_loop_goes_on_while_the_keyring_hangs() -> None:
    reading = asyncio.create_task(desktop(rings.Hanging).get("ada"))
    assert await asyncio.to_thread(rings.Hanging.asked.wait, 30)
    assert not reading.done()
    rings.Hanging.go.set()
    assert (await asyncio.wait_for(reading, 30)).value is None


async def test_a_backend_that_repeats_the_secret_is_masked() -> None:
    with pytest.raises(KeyringError, match=r"cannot send '\*\*\*' over the bus") as told:
        await desktop(rings.Telling).set("ada", Hidden("hunter2"))
    assert told.value.__cause__ is None
    assert "hunter2" not in repr(told.value)


async def test_where_names_the_keyring_or_the_reason(paths: DataPaths) -> None:
    good = (await SecretStore(paths, desktop=desktop(rings.good())).where())[0]
    assert good.usable
    assert "Fresh" in good.detail
    bad = (await SecretStore(paths, desktop=desktop(Null)).where())[0]
    assert not bad.usable
    assert "drops every secret" in bad.detail
    assert "vault" in bad.remedy
