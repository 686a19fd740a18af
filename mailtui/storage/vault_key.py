"""The key of the vault: from a systemd credential, a key file, an unlocked keyring or a passphrase, in that order."""

import asyncio
import binascii
import os
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from mailtui.model.errors import SecretError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.desktop import Desktop, KeyringError
from mailtui.storage.files import NotAFile, TooLong, read_file, replace_file, sweep
from mailtui.storage.hidden import Hidden
from mailtui.storage.paths import DataPaths
from mailtui.storage.sources import credentials_folder
from mailtui.storage.vault import KEY_LENGTH, Argon2, Vault, read_private_file

CREDENTIAL = "mailtui.key"
"""The name of the systemd credential that holds the key."""

KEYRING_ENTRY = "mailtui vault key"
"""The entry of the desktop keyring that holds it."""

PREFER_FILE = "-"
"""The answer that asks for a key file in place of a passphrase."""

PROMPT_DEADLINE = 300.0
"""Seconds that a person has to answer a question."""

_ATTEMPTS = 3
_FILE_LIMIT = 4_096

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class NewKey:
    """The key of a vault that is about to be made; `in_file` if it has yet to be put into the key file."""

    key: Hidden[bytes]
    passphrase: Argon2 | None = None
    in_file: bool = False


class Questions:
    """Asks a person through the callable of the front end, one question at a time.

    The callable may block, and raise SecretError, EOFError or KeyboardInterrupt where the person does not answer.
    """

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask
        self._turn = threading.Lock()

    @property
    def possible(self) -> bool:
        """Whether there is anybody to ask."""
        return self._ask is not None

    async def ask(self, question: str) -> Hidden[str]:
        """The answer to `question`. Raises SecretError if nobody can be asked, or nobody answers."""
        ask = self._ask
        if ask is None:
            raise SecretError(
                "the secret has to be asked for, which needs a terminal; "
                "run mailtui in one, or keep the secret in the vault, a command, a file or the environment"
            )

        def answer() -> Hidden[str]:
            with self._turn:
                try:
                    return Hidden(ask(question))
                except (EOFError, KeyboardInterrupt):
                    raise SecretError("no answer was given, so the secret is not known") from None

        try:
            return await asyncio.wait_for(off_loop(answer), PROMPT_DEADLINE)
        except TimeoutError:
            raise SecretError(f"nobody answered within {PROMPT_DEADLINE / 60:.0f} minutes") from None


class VaultKeys:
    """Finds the key of a vault and remembers it while the program runs."""

    def __init__(self, paths: DataPaths, desktop: Desktop, questions: Questions) -> None:
        self._file = paths.vault_key
        self._desktop = desktop
        self._questions = questions
        self._known: dict[bytes, Hidden[bytes]] = {}

    async def unlock(self, vault: Vault) -> Hidden[bytes]:
        """The key that opens `vault`. Raises SecretError, which tells what was tried."""
        if vault.id not in self._known:
            find = self._find if vault.passphrase is None else self._ask_passphrase
            self._known[vault.id] = await find(vault)
        return self._known[vault.id]

    def remember(self, vault: Vault, key: Hidden[bytes]) -> None:
        """Take `key` for known, so that nobody is asked again; it has just been used to make or change `vault`."""
        self._known[vault.id] = key

    async def choose(self) -> NewKey:
        """The key for a new vault: one that is there already, or a new one, kept where this machine can keep it.

        The caller holds the lock of the vault, so that two processes do not both make one, and calls `keep` under
        that lock before it writes the vault. Raises SecretError.
        """
        for read in (self._credential, self._key_file):
            if (key := await off_loop(read)) is not None:
                return NewKey(key)
        if (key := await self._keyring_key()) is not None:
            return NewKey(key)
        if self._questions.possible and (passphrase := await self._new_passphrase()) is not None:
            return passphrase
        return NewKey(Hidden(os.urandom(KEY_LENGTH)), in_file=True)

    def keep(self, new: NewKey) -> None:
        """Write the key file, if the key is to be kept there. Blocks. Raises SecretError.

        Belongs into the thread that writes the vault and then unlocks it: left to a thread of its own, whose wait can
        be given up, it could come late and overwrite the key of a vault that somebody else has made by then.
        """
        if not new.in_file:
            return
        try:
            sweep(self._file)
            replace_file(self._file, b64encode(new.key.value) + b"\n")
        except OSError as error:
            raise SecretError(f"the key file {clean(str(self._file))} cannot be written: {error.strerror}") from None

    async def origin(self, vault: Vault | None) -> str:
        """Where the key is or would be found, in words, without asking anybody. Raises SecretError."""
        if vault is not None and vault.passphrase is not None:
            return "a passphrase, asked for when needed"
        if await off_loop(self._credential) is not None:
            return f"the systemd credential {CREDENTIAL}"
        if await off_loop(self._key_file) is not None:
            return f"the key file {clean(str(self._file))}"
        try:
            if await self._desktop.get(KEYRING_ENTRY, unlock=False):
                return "the desktop keyring"
        except KeyringError:
            pass
        if vault is not None:
            raise self._no_key(["none was found"])
        return "a passphrase or a new key file" if self._questions.possible else "a new key file"

    async def _find(self, vault: Vault) -> Hidden[bytes]:
        tried = []
        for name, read in ((f"systemd credential {CREDENTIAL}", self._credential), ("key file", self._key_file)):
            key = await off_loop(read)
            if key is not None and await off_loop(lambda key=key: vault.opens_with(key)):  # type: ignore[misc]  # mypy cannot infer a lambda's default
                return key
            tried.append(f"{name}: {'not there' if key is None else 'not the key of this vault'}")
        try:
            stored = (await self._desktop.get(KEYRING_ENTRY, unlock=False)).value
        except KeyringError as error:
            raise self._no_key([*tried, f"keyring: {error}"]) from None
        if stored is not None:
            key = _parse_key(stored, "desktop keyring's vault key")
            if await off_loop(lambda: vault.opens_with(key)):
                return key
        tried.append(f"keyring: {'no vault key in it' if stored is None else 'not the key of this vault'}")
        raise self._no_key(tried)

    def _no_key(self, tried: list[str]) -> SecretError:
        return SecretError(
            f"the vault cannot be opened ({clean('; '.join(tried), 600)}); put its key back "
            f"as {clean(str(self._file))}, or move the vault away and set the secrets again"
        )

    def _credential(self) -> Hidden[bytes] | None:
        folder = credentials_folder()
        if folder is None:
            return None
        try:
            # systemd sets the permissions of its credentials.
            content = read_file(folder / CREDENTIAL, _FILE_LIMIT, private=False)
        except FileNotFoundError:
            return None
        except (OSError, NotAFile, TooLong) as error:
            raise SecretError(
                f"the systemd credential {CREDENTIAL} cannot be read: {clean(str(error)) or type(error).__name__}"
            ) from None
        return _parse_key(content.decode("ascii", "replace"), f"systemd credential {CREDENTIAL}")

    def _key_file(self) -> Hidden[bytes] | None:
        content = read_private_file(self._file, _FILE_LIMIT, "key file")
        if content is None:
            return None
        return _parse_key(content.decode("ascii", "replace"), f"key file {clean(str(self._file))}")

    async def _keyring_key(self) -> Hidden[bytes] | None:
        """The key that the desktop keyring holds, made if it has none; None where there is no unlocked keyring."""
        try:
            stored = (await self._desktop.get(KEYRING_ENTRY, unlock=False)).value
            if stored is None:
                stored = b64encode(os.urandom(KEY_LENGTH)).decode("ascii")
                await _to_the_end(self._desktop.set(KEYRING_ENTRY, Hidden(stored)))
        except KeyringError:
            return None
        return _parse_key(stored, "desktop keyring's vault key")

    async def _new_passphrase(self) -> NewKey | None:
        """A passphrase typed twice; None where the person prefers a key file."""
        wanted = (
            f"Choose a passphrase for the new vault, asked for in each run, or {PREFER_FILE} for a key file instead"
        )
        question = f"{wanted}:"
        for _ in range(_ATTEMPTS):
            first = await self._questions.ask(question)
            if first.value == PREFER_FILE:
                return None
            if not first.value:
                question = f"Nothing was typed. {wanted}:"
                continue
            if (await self._questions.ask("The same passphrase again:")).value == first.value:
                return await off_loop(partial(_stretched, first))
            question = f"The two differ. {wanted}:"
        raise SecretError(f"no passphrase was given twice alike, so nothing was stored; {PREFER_FILE} makes a key file")

    async def _ask_passphrase(self, vault: Vault) -> Hidden[bytes]:
        argon2 = vault.passphrase
        assert argon2 is not None
        question = "Passphrase of the vault:"
        for _ in range(_ATTEMPTS):
            passphrase = await self._questions.ask(question)
            key = await off_loop(lambda passphrase=passphrase: argon2.derive(passphrase))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            if vault.opens_with(key):
                return key
            question = "That is not the passphrase; passphrase of the vault:"
        raise SecretError("that is not the passphrase of the vault; nothing was read")


async def _to_the_end(action: Coroutine[Any, Any, None]) -> None:
    """Await `action`, and when cancelled only once it has ended: the lock must not be given up before."""
    task = asyncio.ensure_future(action)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


def _parse_key(text: str, where: str) -> Hidden[bytes]:
    try:
        key = b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_LENGTH:
        raise SecretError(
            f"the {where} is not a key: it must hold {KEY_LENGTH} random octets in base64; "
            "put the right one back (a new one is made by: openssl rand -base64 32)"
        )
    return Hidden(key)


def _stretched(passphrase: Hidden[str]) -> NewKey:
    argon2 = Argon2(os.urandom(16))
    return NewKey(argon2.derive(passphrase), argon2)
