"""Reading secrets in one run: each of them once, whoever asks for it."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Generic, TypeVar

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.command import read_command
from mailtui.storage.desktop import Desktop, KeyringError
from mailtui.storage.hidden import Hidden
from mailtui.storage.sources import read_environment, read_secret_file
from mailtui.storage.vault import Vault, WrongKey, load_vault
from mailtui.storage.vault_key import Questions, VaultKeys

FILE_DEADLINE = 10.0
"""Seconds that reading a file may take: it may lie on a network file system that hangs."""

AT_ONCE = 8
"""Commands that run at once in one run, and files that are read at once: each takes a thread, and a process perhaps."""

T = TypeVar("T")


class NoEntry(SecretError):
    """The keyring or the vault can be read, and does not have the entry."""


class Reader:
    """Reads secrets during one run: whoever asks for the same one shares one reading, and its failure.

    So a command runs once and a question is put once, however many accounts name it. Belongs to one event loop.
    """

    def __init__(self, vault: Path, keys: VaultKeys, desktop: Desktop, questions: Questions) -> None:
        self._vault = vault
        self._keys = keys
        self._desktop = desktop
        self._questions = questions
        self._readings: dict[tuple[str, ...], _Reading[Any]] = {}
        self._keyring_turn = asyncio.Lock()
        self._keyring_error: KeyringError | None = None
        # A deadline begins behind them: whoever waits for a slow agent's turn must not be told that it timed out.
        self._command_turns = asyncio.Semaphore(AT_ONCE)
        self._file_turns = asyncio.Semaphore(AT_ONCE)

    async def read(self, ref: SecretRef, account_name: str) -> str:
        """The secret that `ref` names, for that account. Raises SecretError, one clean line."""
        entry = entry_name(ref, account_name)
        match ref.scheme:
            case SecretScheme.VAULT:
                return (await self._read_vault(entry)).value
            case SecretScheme.KEYRING:
                secret = await self._once((ref.scheme, entry), lambda: self._read_keyring(entry))
            case SecretScheme.COMMAND:
                secret = await self._once((ref.scheme, ref.value), lambda: self._run(ref.value))
            case SecretScheme.ENV:
                secret = read_environment(ref.value)
            case SecretScheme.FILE:
                secret = await self._once((ref.scheme, ref.value), lambda: self._read_file(ref.value))
            case SecretScheme.ASK:
                question = f"Password of account {clean(account_name)}:"
                secret = await self._once((ref.scheme, account_name), lambda: self._ask(question))
        return secret.value

    async def _read_vault(self, entry: str) -> Hidden[str]:
        vault, key = (await self._once(("vault",), self._open_vault)).value
        try:
            secret = vault.get(entry, key)
        except (WrongKey, ValueError):
            raise SecretError(
                f"the entry {clean(entry)!r} of the vault is damaged; set it again: mailtui secret set"
            ) from None
        if secret is None:
            raise no_entry("vault", entry)
        return secret

    async def _open_vault(self) -> Hidden[tuple[Vault, Hidden[bytes]]]:
        vault = await load_in_time(self._vault)
        if vault is None:
            raise NoEntry(f"there is no vault at {clean(str(self._vault))}; set the secret first: mailtui secret set")
        return Hidden((vault, await self._keys.unlock(vault)))

    async def _run(self, command: str) -> Hidden[str]:
        async with self._command_turns:
            return await read_command(command)

    async def _read_file(self, value: str) -> Hidden[str]:
        async with self._file_turns:
            return await _in_time(lambda: read_secret_file(value), Path(value))

    async def _read_keyring(self, entry: str) -> Hidden[str]:
        # One at a time, and none after a failure that lasts: a locked keyring would ask once for every account.
        async with self._keyring_turn:
            if self._keyring_error is not None:
                raise self._keyring_error
            try:
                secret = (await self._desktop.get(entry)).value
            except KeyringError as error:
                if error.lasting:
                    self._keyring_error = error
                raise
        if secret is None:
            raise no_entry("desktop keyring", entry)
        return Hidden(secret)

    async def _ask(self, question: str) -> Hidden[str]:
        answer = await self._questions.ask(question)
        if not answer.value:
            raise SecretError("no password was given")
        return answer

    async def _once(self, key: tuple[str, ...], read: "Callable[[], Coroutine[Any, Any, T]]") -> T:
        reading: _Reading[T] | None = self._readings.get(key)
        if reading is None:
            reading = self._readings[key] = _Reading(read())
        try:
            return await reading.wait()
        finally:
            if reading.abandoned and self._readings.get(key) is reading:
                del self._readings[key]


class _Reading(Generic[T]):
    """One reading that several may wait for; it is cancelled when the last of them has gone."""

    def __init__(self, reading: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.ensure_future(reading)
        # A failure that nobody waits for any more is not worth asyncio's complaint.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._waiters = 0
        self.abandoned = False

    async def wait(self) -> T:
        """The outcome. Raises a SecretError of each waiter's own: a shared one would gather their tracebacks."""
        self._waiters += 1
        try:
            await asyncio.wait({self._task})
        finally:
            self._waiters -= 1
            if not self._task.done() and not self._waiters:
                self.abandoned = True
                self._task.cancel()
        try:
            return self._task.result()
        except NoEntry as error:
            raise NoEntry(str(error)) from None
        except SecretError as error:
            raise SecretError(str(error)) from None


def entry_name(ref: SecretRef, account_name: str) -> str:
    """The entry of the keyring or the vault that `ref` means."""
    return ref.value or account_name


async def load_in_time(path: Path) -> Vault | None:
    """`load_vault`, off the loop and with a deadline. Raises SecretError."""
    return await _in_time(lambda: load_vault(path), path)


async def _in_time(read: Callable[[], T], path: Path) -> T:
    try:
        return await asyncio.wait_for(off_loop(read), FILE_DEADLINE)
    except TimeoutError:
        raise SecretError(
            f"reading {clean(str(path))} took more than {FILE_DEADLINE:g} seconds; check its disk"
        ) from None


def no_entry(where: str, entry: str) -> NoEntry:
    """The error for an entry that is not there."""
    return NoEntry(f"the {where} has no entry {clean(entry)!r}; set it: mailtui secret set")
