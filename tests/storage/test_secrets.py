"""One run's reader, and what all sources have in common."""

import asyncio
import base64
import logging
import threading
import time
import traceback
from pathlib import Path

import pytest

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError
from mailtui.storage.desktop import Desktop
from mailtui.storage.hidden import Hidden
from mailtui.storage.paths import DataPaths
from mailtui.storage.reader import AT_ONCE, _Reading
from mailtui.storage.secrets import SecretStore
from mailtui.storage.vault import Vault, save_vault
from tests.storage import rings

ASK = SecretRef(SecretScheme.ASK)
VAULT = SecretRef(SecretScheme.VAULT)
SECRET = "hunter2-and-more"


@pytest.fixture
def store(paths: DataPaths, headless: Desktop) -> SecretStore:
    return SecretStore(paths, desktop=headless)


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) if path.exists() else 0


async def test_a_command_runs_once_in_a_run_however_many_ask(store: SecretStore, tmp_path: Path) -> None:
    ref = SecretRef.parse(f"command:echo run >> {tmp_path}/runs; sleep 0.1; echo {SECRET}")
    reader = store.reader()
    read = await asyncio.gather(*(reader.read(ref, f"account-{number}") for number in range(50)))
    assert read == [SECRET] * 50
    assert await reader.read(ref, "late") == SECRET
    assert lines(tmp_path / "runs") == 1
    assert await store.reader().read(ref, "ada") == SECRET
    assert lines(tmp_path / "runs") == 2


async def test_a_command_that_fails_is_not_tried_again_in_a_run(store: SecretStore, tmp_path: Path) -> None:
    ref = SecretRef.parse(f"command:echo run >> {tmp_path}/runs; echo locked >&2; exit 1")
    reader = store.reader()
    told = await asyncio.gather(
        *(reader.read(ref, f"account-{number}") for number in range(20)), return_exceptions=True
    )
    assert all(isinstance(error, SecretError) and str(error).endswith("exit code 1: locked") for error in told)
    assert len({id(error) for error in told}) == 20
    with pytest.raises(SecretError, match="locked"):
        await reader.read(ref, "late")
    assert lines(tmp_path / "runs") == 1


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(store: SecretStore, tmp_path: Path) -> None:
    ref = SecretRef.parse(
        f"command:touch {tmp_path}/on; until [ -e {tmp_path}/go ]; do sleep 0.01; done; echo {SECRET}"
    )
    reader = store.reader()
    first, second = (asyncio.create_task(reader.read(ref, name)) for name in ("ada", "bob"))
    await until(tmp_path / "on")
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    (tmp_path / "go").touch()
    assert await asyncio.wait_for(second, 30) == SECRET


async def test_when_all_give_up_the_command_ends_and_may_run_again(store: SecretStore, tmp_path: Path) -> None:
    ref = SecretRef.parse(
        f"command:echo run >> {tmp_path}/on; until [ -e {tmp_path}/go ]; do sleep 0.01; done; "
        f"echo done >> {tmp_path}/done; echo {SECRET}"
    )
    reader = store.reader()
    readings = [asyncio.create_task(reader.read(ref, name)) for name in ("ada", "bob")]
    await until(tmp_path / "on")
    for reading in readings:
        reading.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*readings, return_exceptions=True)
    )
    (tmp_path / "go").touch()
    assert await reader.read(ref, "ada") == SECRET
    assert lines(tmp_path / "on") == 2
    assert lines(tmp_path / "done") == 1


async def test_a_few_commands_and_files_are_read_at_once_and_the_others_wait(
    store: SecretStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, begun = asyncio.Event(), []

    async def slow(command: str) -> Hidden[str]:
        # Its deadline begins here: those that wait have not begun.
        begun.append(command)
        await gate.wait()
        return Hidden(SECRET)

    monkeypatch.setattr("mailtui.storage.reader.read_command", slow)
    reader = store.reader()
    readings = [asyncio.create_task(reader.read(SecretRef.parse(f"command:{n}"), "ada")) for n in range(50)]
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    assert await reader.read(SecretRef.parse(f"file:{path}"), "bob") == SECRET, "files do not wait for commands"
    assert len(begun) == AT_ONCE
    readings[-1].cancel()
    gate.set()
    assert await asyncio.gather(*readings[:-1]) == [SECRET] * 49
    assert sorted(begun, key=int) == [str(number) for number in range(49)]


async def test_a_few_files_are_read_at_once(store: SecretStore, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun, full = threading.Event(), [], threading.Event()

    def slow(value: str) -> Hidden[str]:
        begun.append(value)
        if len(begun) == AT_ONCE:
            full.set()
        assert gate.wait(30)
        return Hidden(SECRET)

    monkeypatch.setattr("mailtui.storage.reader.read_secret_file", slow)
    reader = store.reader()
    readings = [asyncio.create_task(reader.read(SecretRef.parse(f"file:/{n}"), "ada")) for n in range(50)]
    assert await asyncio.to_thread(full.wait, 30)
    assert sum(thread.name == "mailtui-off-loop" for thread in threading.enumerate()) == AT_ONCE
    gate.set()
    assert await asyncio.gather(*readings) == [SECRET] * 50
    assert len(begun) == 50


async def until(path: Path) -> None:
    """Wait for a file, for thirty seconds at most."""

    def look() -> bool:
        give_up = time.monotonic() + 30
        while not path.exists():
            if time.monotonic() > give_up:
                return False
            time.sleep(0.01)
        return True

    assert await asyncio.to_thread(look)


async def test_a_file_is_read_once_in_a_run(store: SecretStore, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    ref = SecretRef.parse(f"file:{path}")
    reader = store.reader()
    assert await reader.read(ref, "ada") == SECRET
    path.write_text("other\n")
    assert await reader.read(ref, "bob") == SECRET
    assert await store.reader().read(ref, "bob") == "other"


async def test_the_environment_is_read(store: SecretStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    assert await store.reader().read(SecretRef.parse("env:MAIL_PASSWORD"), "ada") == SECRET
    with pytest.raises(SecretError, match="NOT_THERE is not set"):
        await store.reader().read(SecretRef.parse("env:NOT_THERE"), "ada")


async def test_a_person_is_asked_once_for_each_account_and_one_question_at_a_time(
    paths: DataPaths, headless: Desktop
) -> None:
    questions: list[str] = []
    busy: list[bool] = []

    def ask(question: str) -> str:
        assert not busy
        busy.append(True)
        questions.append(question)
        busy.pop()
        return f"secret of {question.split()[-1]}"

    store = SecretStore(paths, ask, desktop=headless)
    reader = store.reader()
    read = await asyncio.gather(*(reader.read(ASK, name) for name in ("ada", "bob", "ada", "bob\x1b[2J")))
    assert read[0] == read[2] != read[1]
    assert sorted(questions) == [
        "Password of account ada:",
        "Password of account bob:",
        "Password of account bob\\x1b[2J:",
    ]


async def test_nobody_to_ask_and_no_answer_are_told(paths: DataPaths, headless: Desktop) -> None:
    alone = SecretStore(paths, desktop=headless)
    for call in (alone.reader().read(ASK, "ada"), alone.test(ASK, "ada")):
        with pytest.raises(SecretError, match="needs a terminal"):
            await call

    def leave(question: str) -> str:
        raise EOFError

    with pytest.raises(SecretError, match="no answer"):
        await SecretStore(paths, leave, desktop=headless).reader().read(ASK, "ada")
    with pytest.raises(SecretError, match="no password was given"):
        await SecretStore(paths, lambda question: "", desktop=headless).reader().read(ASK, "ada")


@pytest.mark.parametrize("ref", ["command:pass show x", "env:X", "file:/x", "ask"])
async def test_only_keyring_and_vault_are_written(store: SecretStore, paths: DataPaths, ref: str) -> None:
    for call in (store.write(SecretRef.parse(ref), "ada", SECRET), store.delete(SecretRef.parse(ref), "ada")):
        with pytest.raises(SecretError, match="only reads secrets of the kind"):
            await call
    assert not paths.folder.exists()


@pytest.mark.parametrize(
    ("secret", "words"), [("", "empty"), ("\udcff", "not UTF-8"), ("x" * 65_537, "longer than 64")]
)
async def test_what_cannot_be_a_secret_is_not_stored(
    store: SecretStore, paths: DataPaths, secret: str, words: str
) -> None:
    with pytest.raises(SecretError, match=words):
        await store.write(VAULT, "ada", secret)
    assert not paths.vault.exists()


async def test_testing_says_where_from_and_never_what(paths: DataPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", SECRET)
    path = paths.folder.parent / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    ring = rings.good()
    store = SecretStore(paths, lambda question: SECRET, desktop=Desktop(lambda: (ring,)))
    await store.write(SecretRef(SecretScheme.KEYRING), "ada", SECRET)
    await store.write(VAULT, "ada", SECRET)
    said = {
        ref: await store.test(SecretRef.parse(ref), "ada")
        for ref in ("keyring", "vault", f"command:echo {SECRET}", "env:MAIL_PASSWORD", f"file:{path}", "ask")
    }
    assert said == {
        "keyring": "the secret can be read from the desktop keyring, entry 'ada'",
        "vault": "the secret can be read from the vault, entry 'ada'",
        f"command:echo {SECRET}": "the secret can be read from the password command (echo …)",
        "env:MAIL_PASSWORD": "the secret can be read from the environment variable MAIL_PASSWORD",
        f"file:{path}": f"the secret can be read from the file {path}",
        "ask": "the secret will be asked for in every run",
    }


async def test_where_tells_about_every_source_and_changes_nothing(store: SecretStore, paths: DataPaths) -> None:
    states = await store.where()
    assert [state.scheme for state in states] == list(SecretScheme)
    assert {state.scheme.value: state.usable for state in states} == {
        "keyring": False,
        "vault": True,
        "command": True,
        "env": True,
        "file": True,
        "ask": False,
    }
    assert all(state.detail and "\n" not in state.detail for state in states)
    assert not paths.folder.exists()


async def test_no_secret_reaches_a_repr_a_log_or_a_traceback(
    paths: DataPaths, headless: Desktop, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    # So low that asyncio reports every call of the loop, with the repr of its arguments.
    asyncio.get_running_loop().slow_callback_duration = 0.0
    store = SecretStore(paths, lambda question: SECRET, desktop=headless)
    paths.folder.mkdir(0o700)
    paths.vault_key.write_bytes(base64.b64encode(SECRET.encode().ljust(32, b"k")))
    paths.vault_key.chmod(0o600)
    await store.write(VAULT, "ada", SECRET)
    reader = store.reader()
    failing = SecretRef.parse(f"command:echo {SECRET}; echo {SECRET} >&2; exit 1")
    for ref in (VAULT, ASK, SecretRef.parse("command:echo " + SECRET)):
        assert await reader.read(ref, "ada") == SECRET
    told = ""
    try:
        await reader.read(failing, "ada")
    except SecretError as error:
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=False).format())
    readings = [repr(reading._task) for reading in reader._readings.values() if isinstance(reading, _Reading)]
    assert len(readings) == 4
    everything = "\n".join([told, *readings, repr(store), repr(reader), caplog.text])
    assert "exit code 1" in everything
    assert "Executing" in caplog.text
    # The commands name it themselves, in their process's arguments; nothing else may.
    for form in (SECRET, base64.b64encode(SECRET.encode()).decode()):
        assert form not in everything


@pytest.mark.parametrize("secret", ["two\nlines", "carriage\rreturn", "nul\0"])
async def test_what_no_server_takes_is_not_kept(tmp_path: Path, secret: str) -> None:
    store = SecretStore(DataPaths(tmp_path / "data"))
    with pytest.raises(SecretError, match="a line break or a NUL") as caught:
        await store.write(SecretRef(SecretScheme.VAULT, "ada"), "ada", secret)
    assert secret not in str(caught.value)
    assert not (tmp_path / "data").exists()


def vault(name: str) -> SecretRef:
    return SecretRef(SecretScheme.VAULT, name)


def keyring(name: str) -> SecretRef:
    return SecretRef(SecretScheme.KEYRING, name)


async def test_many_secrets_are_one_write_of_the_vault(paths: DataPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = rings.good()
    store = SecretStore(paths, desktop=Desktop(lambda: (ring,)))
    saved: list[int] = []

    def save(path: Path, content: Vault) -> None:
        saved.append(len(content.boxes))
        save_vault(path, content)

    monkeypatch.setattr("mailtui.storage.secrets.save_vault", save)
    names = [f"p{number}" for number in range(50)]
    wanted = [(make(name), Hidden(f"{SECRET} {name}")) for name in names for make in (vault, keyring)]
    assert await store.write_many(wanted) == {}
    assert saved == [50]
    reader = store.reader()
    assert [await reader.read(ref, "") for ref, _ in wanted] == [secret.value for _, secret in wanted]
    assert [await store.holds(ref) for ref in (vault("p7"), keyring("p7"), vault("p99"), keyring("p99"))] == [
        True,
        True,
        False,
        False,
    ]
    # What is gone already is no trouble.
    gone = [ref for ref, _ in wanted[:98]] + [vault("p99"), keyring("p99")]
    assert await store.delete_many(gone) == {}
    assert saved == [50, 1]
    assert [await store.holds(ref) for ref, _ in wanted[97:]] == [False, True, True]
    assert await store.delete_many([]) == {}
    assert await store.write_many([]) == {}
    assert saved == [50, 1]


async def test_many_secrets_are_told_apart_by_where_they_are_refused(paths: DataPaths) -> None:
    store = SecretStore(paths, desktop=Desktop(lambda: (rings.Locked,)))
    before = rings.Locked.calls
    wanted = [(ref, Hidden(SECRET)) for ref in (keyring("a"), vault("a"), keyring("b"))]
    failed = await store.write_many([*wanted, (vault("b"), Hidden("two\nlines"))])
    assert set(failed) == {keyring("a"), keyring("b"), vault("b")}
    assert "locked" in failed[keyring("b")]
    assert "line break" in failed[vault("b")]
    assert SECRET not in str(failed)
    assert await store.holds(keyring("a")) is False
    calls = rings.Locked.calls
    assert set(await store.delete_many([ref for ref, _ in wanted])) == {keyring("a"), keyring("b")}
    # A keyring that refused once is not asked for every entry.
    assert rings.Locked.calls == calls + 1 > before
    assert await store.holds(vault("a")) is False
    paths.vault.write_text("no vault")
    assert set(await store.delete_many([vault("a"), vault("b")])) == {vault("a"), vault("b")}
    assert await store.holds(vault("a")) is False
