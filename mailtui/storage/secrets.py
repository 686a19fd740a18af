"""Secrets, read from where an account says they are kept. Nothing here blocks the loop, logs, or shows a secret."""

import os
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from mailtui.model.account import SecretRef, SecretScheme
from mailtui.model.errors import SecretError, StorageError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.command import describe
from mailtui.storage.desktop import Desktop, KeyringError
from mailtui.storage.files import LOCK_DEADLINE, Busy, FileLock, sweep
from mailtui.storage.hidden import Hidden
from mailtui.storage.paths import DataPaths, private_folder
from mailtui.storage.reader import Reader, entry_name, load_in_time
from mailtui.storage.sources import CREDENTIALS_VARIABLE, SECRET_LIMIT, credentials_folder
from mailtui.storage.vault import Vault, WrongKey, save_vault
from mailtui.storage.vault_key import Ask, NewKey, Questions, VaultKeys

Change = Callable[[Vault, Hidden[bytes]], Vault]

_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class SourceState:
    """Whether a source of secrets can be used here, and why or why not; `remedy` says what to do, if anything."""

    scheme: SecretScheme
    usable: bool
    detail: str
    remedy: str = ""


class SecretStore:
    """All sources of secrets. `ask` puts a question to a person without echo; None where there is no terminal."""

    def __init__(self, paths: DataPaths, ask: Ask | None = None, *, desktop: Desktop | None = None) -> None:
        self._paths = paths
        self._desktop = desktop or Desktop()
        self._questions = Questions(ask)
        self._keys = VaultKeys(paths, self._desktop, self._questions)

    def reader(self) -> Reader:
        """Reads secrets during one run, each of them once."""
        return Reader(self._paths.vault, self._keys, self._desktop, self._questions)

    async def write(self, ref: SecretRef, account_name: str, secret: str) -> None:
        """Store a secret where `ref` says; only the keyring and the vault can be written. Raises SecretError."""
        hidden = _checked(secret)
        if ref.scheme is SecretScheme.KEYRING:
            await self._desktop.set(entry_name(ref, account_name), hidden)
        elif ref.scheme is SecretScheme.VAULT:
            await self._change_vault(
                lambda vault, key: vault.put({entry_name(ref, account_name): hidden}, key), create=True
            )
        else:
            raise _not_ours(ref)

    async def delete(self, ref: SecretRef, account_name: str) -> None:
        """Remove a secret from the keyring or the vault. Raises SecretError, also if it is not there."""
        entry = entry_name(ref, account_name)
        if ref.scheme is SecretScheme.KEYRING:
            await self._desktop.delete(entry)
        elif ref.scheme is SecretScheme.VAULT:

            def remove(vault: Vault, _: Hidden[bytes]) -> Vault:
                if entry not in vault.boxes:
                    raise SecretError(f"the vault has no entry {clean(entry)!r}; nothing was removed")
                return vault.without({entry})

            await self._change_vault(remove, create=False)
        else:
            raise _not_ours(ref)

    async def write_many(self, secrets: Sequence[tuple[SecretRef, Hidden[str]]]) -> dict[SecretRef, str]:
        """Store secrets in entries of the keyring and the vault that are written out; returns which not, and why.

        The vault is written once. After a failure the keyring is asked no more: it would give the same answer.
        """
        failed: dict[SecretRef, str] = {}
        wanted: dict[SecretRef, Hidden[str]] = {}
        for entry, secret in secrets:
            try:
                wanted[entry] = _checked(secret.value)
            except SecretError as error:
                failed[entry] = str(error)
        boxed = {entry.value: secret for entry, secret in wanted.items() if entry.scheme is SecretScheme.VAULT}
        failed |= await self._change_many(wanted, lambda vault, key: vault.put(boxed, key), create=True)
        failed |= await _one_by_one(wanted, lambda entry: self._desktop.set(entry.value, wanted[entry]))
        return failed

    async def delete_many(self, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
        """Remove entries of the keyring and the vault that are written out; returns which stay, and why.

        One that is not there counts as removed. The vault and the keyring are treated as in `write_many`.
        """
        boxed = {entry.value for entry in entries if entry.scheme is SecretScheme.VAULT}
        failed = await self._change_many(entries, lambda vault, _: vault.without(boxed), create=False)
        failed |= await _one_by_one(entries, lambda entry: self._desktop.delete(entry.value, missing_ok=True))
        return failed

    async def holds(self, entry: SecretRef) -> bool:
        """Whether an entry that is written out is there, found without asking anybody; not, where nobody can know."""
        try:
            if entry.scheme is SecretScheme.KEYRING:
                return (await self._desktop.get(entry.value, unlock=False)).value is not None
            vault = await load_in_time(self._paths.vault)
        except SecretError:
            return False
        return vault is not None and entry.scheme is SecretScheme.VAULT and entry.value in vault.boxes

    async def where(self) -> list[SourceState]:
        """The state of every source, found without asking anybody."""
        return [
            await self._keyring_state(),
            await self._vault_state(),
            _command_state(),
            SourceState(SecretScheme.ENV, True, "variables of the environment that mailtui is started in"),
            _file_state(),
            SourceState(SecretScheme.ASK, True, "asked for at the terminal in every run")
            if self._questions.possible
            else SourceState(SecretScheme.ASK, False, "there is no terminal to ask at", "run mailtui in a terminal"),
        ]

    async def test(self, ref: SecretRef, account_name: str) -> str:
        """One line that says that the secret can be read, and from where. Raises SecretError if it cannot."""
        if ref.scheme is SecretScheme.ASK:
            if not self._questions.possible:
                await self._questions.ask("")
            return "the secret will be asked for in every run"
        await self.reader().read(ref, account_name)
        return f"the secret can be read from {_described(ref, account_name)}"

    async def _change_many(self, entries: Iterable[SecretRef], change: Change, *, create: bool) -> dict[SecretRef, str]:
        """Change the vault at once for all `entries` that are in it; returns those if it cannot be, and why."""
        boxed = [entry for entry in entries if entry.scheme is SecretScheme.VAULT]
        if boxed:
            try:
                await self._change_vault(change, create=create)
            except SecretError as error:
                return dict.fromkeys(boxed, str(error))
        return {}

    async def _change_vault(self, change: Change, *, create: bool) -> None:
        for _ in range(_ATTEMPTS):
            if await self._try_to_change_vault(change, create=create):
                return
        raise SecretError("the vault is being replaced again and again by other programs; try again later")

    async def _try_to_change_vault(self, change: Change, *, create: bool) -> bool:
        """Whether the change was made; not if another program put another vault there in the meantime."""
        path = self._paths.vault
        lock = FileLock(path.with_name(f"{path.name}.lock"), LOCK_DEADLINE)
        passed_on = False
        try:
            await off_loop(lambda: private_folder(path.parent))
            seen = await load_in_time(path)
            # Before the lock is taken: a person may be asked for the passphrase.
            key = None if seen is None else await self._keys.unlock(seen)
            await off_loop(lock.acquire)
            vault = await load_in_time(path)
            new: NewKey | None = None
            if vault is None:
                if not create:
                    raise SecretError(f"there is no vault yet; {clean(str(path))} is made when a secret is first set")
                new = await self._keys.choose()
                key, passphrase = new.key, new.passphrase
                vault = await off_loop(lambda: Vault.new(key, passphrase))
            elif key is None or seen is None or vault.id != seen.id:
                return False
            base, base_key = vault, key

            def commit() -> None:
                # The thread unlocks: were the wait cancelled, another process could otherwise write in between.
                try:
                    changed = change(base, base_key)
                    if new is not None:
                        self._keys.keep(new)
                    sweep(path)
                    save_vault(path, changed)
                finally:
                    lock.release()

            passed_on = True
            await off_loop(commit)
            self._keys.remember(base, base_key)
        except StorageError as error:
            raise SecretError(str(error)) from None
        except Busy:
            raise SecretError("another mailtui is changing the vault; try again when it has finished") from None
        except OSError as error:
            raise SecretError(f"the vault {clean(str(path))} cannot be changed: {error.strerror}") from None
        except WrongKey:
            raise SecretError("the key does not open the vault; nothing was changed") from None
        finally:
            if not passed_on:
                lock.release()
        return True

    async def _keyring_state(self) -> SourceState:
        try:
            return SourceState(SecretScheme.KEYRING, True, await self._desktop.name())
        except KeyringError as error:
            return SourceState(
                SecretScheme.KEYRING, False, str(error), "use the vault: mailtui needs no desktop for it"
            )

    async def _vault_state(self) -> SourceState:
        path = self._paths.vault
        try:
            vault = await load_in_time(path)
            origin = await self._keys.origin(vault)
        except SecretError as error:
            return SourceState(SecretScheme.VAULT, False, str(error))
        if vault is None:
            detail = f"{clean(str(path))} is made when a secret is first set; its key: {origin}"
            return SourceState(SecretScheme.VAULT, True, detail)
        count = f"{len(vault.boxes)} {'entry' if len(vault.boxes) == 1 else 'entries'}"
        if vault.passphrase is not None and not self._questions.possible:
            remedy = "run mailtui in a terminal, or make a vault with a key file for programs that run alone"
            return SourceState(
                SecretScheme.VAULT, False, f"{clean(str(path))}, {count}; it needs its passphrase", remedy
            )
        return SourceState(SecretScheme.VAULT, True, f"{clean(str(path))}, {count}; its key: {origin}")


async def _one_by_one(
    entries: Iterable[SecretRef], change: Callable[[SecretRef], Awaitable[None]]
) -> dict[SecretRef, str]:
    """Change those of `entries` that are in the keyring, up to the first failure; returns which are not, and why."""
    ringed = [entry for entry in entries if entry.scheme is SecretScheme.KEYRING]
    for position, entry in enumerate(ringed):
        try:
            await change(entry)
        except SecretError as error:
            return dict.fromkeys(ringed[position:], str(error))
    return {}


def _checked(secret: str) -> Hidden[str]:
    if not secret:
        raise SecretError("the secret is empty; nothing was stored")
    if any(character in secret for character in "\r\n\0"):
        raise SecretError("the secret holds a line break or a NUL, which no server takes; nothing was stored")
    try:
        size = len(secret.encode("utf-8"))
    except UnicodeEncodeError:
        raise SecretError("the secret is not UTF-8 text; nothing was stored") from None
    if size > SECRET_LIMIT:
        raise SecretError(f"the secret is longer than {SECRET_LIMIT >> 10} KiB; nothing was stored")
    return Hidden(secret)


def _not_ours(ref: SecretRef) -> SecretError:
    return SecretError(
        f"mailtui only reads secrets of the kind {ref.scheme.value}, it does not write them; "
        "change the secret where it is kept, or let the account use keyring or vault"
    )


def _described(ref: SecretRef, account_name: str) -> str:
    match ref.scheme:
        case SecretScheme.KEYRING:
            return f"the desktop keyring, entry {clean(entry_name(ref, account_name))!r}"
        case SecretScheme.VAULT:
            return f"the vault, entry {clean(entry_name(ref, account_name))!r}"
        case SecretScheme.COMMAND:
            return describe(ref.value)
        case SecretScheme.ENV:
            return f"the environment variable {clean(ref.value)}"
        case _:
            return f"the file {clean(ref.value)}"


def _command_state() -> SourceState:
    usable = os.access("/bin/sh", os.X_OK)
    return SourceState(
        SecretScheme.COMMAND,
        usable,
        "commands are run by /bin/sh" if usable else "there is no /bin/sh to run commands with",
    )


def _file_state() -> SourceState:
    folder = credentials_folder()
    if folder is None:
        detail = f"private files; no systemd credentials (${CREDENTIALS_VARIABLE} is not set)"
    else:
        detail = f"private files, and systemd credentials in {clean(str(folder))}"
    return SourceState(SecretScheme.FILE, True, detail)
