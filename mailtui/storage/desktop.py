"""The keyring of the desktop: named backends only, each call in a thread with a deadline, each write read back."""

import asyncio
import importlib
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from mailtui.model.errors import SecretError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

SERVICE = "mailtui"
"""The name under which entries are kept, as in `keyring get mailtui NAME`."""

DEADLINE = 30.0
"""Seconds that one call may take: the desktop may be asking to unlock the keyring."""

BACKEND_VARIABLE = "PYTHON_KEYRING_BACKEND"
"""The variable by which people switch Python's keyrings off or choose one."""

INSTEAD = "keep the secret in the vault instead (vault), or use command:, file: or env:"

_LINUX = (
    "keyring.backends.SecretService.Keyring",
    "keyring.backends.kwallet.DBusKeyring",
    "keyring.backends.libsecret.Keyring",
)
_MACOS = ("keyring.backends.macOS.Keyring",)


def known_backends() -> Sequence[str]:
    """The backends that encrypt and never ask on the terminal, in the order they are tried."""
    return _MACOS if sys.platform == "darwin" else _LINUX


class KeyringError(SecretError):
    """A keyring call that failed; `lasting` if the next one would fail alike: no keyring, locked, or hanging."""

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class Desktop:
    """The desktop keyring. `backends` gives classes, or their dotted names, to choose from."""

    def __init__(
        self,
        backends: "Callable[[], Sequence[str | type[KeyringBackend]]]" = known_backends,
        deadline: float = DEADLINE,
    ) -> None:
        self._backends = backends
        self._deadline = deadline
        self._turn = threading.Lock()
        self._backend: KeyringBackend | None = None

    async def name(self) -> str:
        """What the keyring in use is called, and whether it is locked. Raises KeyringError if there is none."""

        def describe(backend: "KeyringBackend") -> str:
            name = clean(str(backend.name))
            return f"{name} (locked: the desktop will ask to unlock it)" if _is_locked(backend) else name

        return await self._call(describe)

    async def get(self, entry: str, *, unlock: bool = True) -> Hidden[str | None]:
        """The secret of `entry`, None if there is none. Raises KeyringError.

        Without `unlock`, a locked keyring is an error rather than a question of the desktop to the user.
        """

        def read(backend: "KeyringBackend") -> Hidden[str | None]:
            if not unlock and _is_locked(backend):
                raise KeyringError(
                    "the desktop keyring is locked; unlock it by logging in to the desktop", lasting=True
                )
            return Hidden(backend.get_password(SERVICE, entry))

        return await self._call(read)

    async def set(self, entry: str, secret: Hidden[str]) -> None:
        """Store a secret and read it back. Raises KeyringError if it is not there afterwards."""

        def write(backend: "KeyringBackend") -> None:
            backend.set_password(SERVICE, entry, secret.value)
            if backend.get_password(SERVICE, entry) != secret.value:
                raise KeyringError(
                    f"the keyring {clean(str(backend.name))} took the secret but does not return it; {INSTEAD}"
                )

        await self._call(write, secret)

    async def delete(self, entry: str, *, missing_ok: bool = False) -> None:
        """Remove an entry. Raises KeyringError, also if there is none and that is not `missing_ok`."""

        def remove(backend: "KeyringBackend") -> None:
            if backend.get_password(SERVICE, entry) is None:
                if missing_ok:
                    return
                raise KeyringError(f"the keyring has no entry {clean(entry)!r}; nothing was removed")
            backend.delete_password(SERVICE, entry)

        await self._call(remove)

    async def _call(self, action: "Callable[[KeyringBackend], T]", secret: Hidden[str] | None = None) -> T:
        def call() -> T:
            # Backends share connections that are not made for several threads.
            if not self._turn.acquire(timeout=self._deadline):
                raise KeyringError(self._silence(), lasting=True)
            try:
                return _told(lambda: action(self._chosen()), secret)
            finally:
                self._turn.release()

        try:
            return await asyncio.wait_for(off_loop(call), self._deadline)
        except TimeoutError:
            raise KeyringError(self._silence(), lasting=True) from None

    def _silence(self) -> str:
        return f"the desktop keyring did not answer within {self._deadline:g} seconds; unlock it, or {INSTEAD}"

    def _chosen(self) -> "KeyringBackend":
        if self._backend is None:
            self._backend = _choose(self._backends())
        return self._backend


def _choose(candidates: "Sequence[str | type[KeyringBackend]]") -> "KeyringBackend":
    wanted = os.environ.get(BACKEND_VARIABLE, "")
    if wanted and (reason := _unsafe(wanted)):
        raise KeyringError(f"{BACKEND_VARIABLE} names {clean(wanted)}, which {reason}; {INSTEAD}", lasting=True)
    if wanted:
        candidates = [candidate for candidate in candidates if _dotted(candidate) == wanted]
        if not candidates:
            raise KeyringError(
                f"{BACKEND_VARIABLE} names {clean(wanted)}, which may store in clear or ask on the terminal, so it is "
                f"not used; {INSTEAD}",
                lasting=True,
            )
    reasons = []
    for candidate in candidates:
        dotted = _dotted(candidate)
        if reason := _unsafe(dotted):
            reasons.append(f"{dotted} {reason}")
            continue
        try:
            backend = _load(candidate) if isinstance(candidate, str) else candidate
            _ = backend.priority
            return backend()
        except Exception as error:  # noqa: BLE001  # a backend raises whatever its desktop's libraries do
            reasons.append(f"{dotted.removeprefix('keyring.backends.')}: {_reason(error)}")
    raise KeyringError(f"no desktop keyring is usable here ({clean('; '.join(reasons), 400)}); {INSTEAD}", lasting=True)


def _dotted(candidate: "str | type[KeyringBackend]") -> str:
    return candidate if isinstance(candidate, str) else f"{candidate.__module__}.{candidate.__qualname__}"


def _load(dotted: str) -> "type[KeyringBackend]":
    module, _, name = dotted.rpartition(".")
    loaded: type[KeyringBackend] = getattr(importlib.import_module(module), name)
    return loaded


def _unsafe(dotted: str) -> str:
    """Why a backend must not be used; empty if nothing is known against it."""
    lowered = dotted.lower()
    if lowered.startswith("keyring.backends.null"):
        return "drops every secret without a word"
    if lowered.startswith("keyring.backends.fail"):
        return "refuses every secret"
    if "plaintext" in lowered:
        return "stores secrets in clear"
    if lowered.startswith(("keyrings.", "keyring.backends.chainer")):
        return "may store in clear or ask on the terminal"
    return ""


def _told(call: Callable[[], T], secret: Hidden[str] | None) -> T:
    from keyring.errors import KeyringLocked, PasswordDeleteError, PasswordSetError

    try:
        return call()
    except KeyringError:
        raise
    except KeyringLocked as error:
        raise KeyringError(
            f"the desktop keyring is locked ({_reason(error)}); unlock it by logging in to the desktop, or {INSTEAD}",
            lasting=True,
        ) from None
    except Exception as error:  # noqa: BLE001  # a backend raises whatever its desktop's libraries do
        reason = _reason(error)
        if secret is not None:
            reason = reason.replace(secret.value, "***").replace(clean(secret.value), "***")
        lasting = not isinstance(error, PasswordSetError | PasswordDeleteError)
        raise KeyringError(f"the desktop keyring failed ({reason}); {INSTEAD}", lasting=lasting) from None


def _reason(error: BaseException) -> str:
    return clean(str(error).strip() or type(error).__name__, 200)


def _is_locked(backend: "KeyringBackend") -> bool:
    """Whether using `backend` now would ask the user, where that can be known beforehand."""
    if type(backend).__module__ != "keyring.backends.SecretService":
        return False
    import secretstorage
    from secretstorage.exceptions import ItemNotFoundException

    with closing(secretstorage.dbus_init()) as bus:
        try:
            return secretstorage.Collection(bus).is_locked()
        except ItemNotFoundException:
            # There is no default collection yet; making one asks for its password.
            return True
