"""The vault: secrets in one encrypted file, for machines without a desktop session.

The file is JSON. Each entry is sealed by AES-256-GCM with a fresh nonce; the vault's id and the entry's name are its
associated data, so an entry cannot be passed off as another or moved to another vault. Names are not hidden, and
someone who can write the file can put back an older one.
"""

import binascii
import json
import os
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mailtui.model.errors import SecretError
from mailtui.model.text import clean
from mailtui.storage.files import NotAFile, NotPrivate, TooLong, read_file, replace_file
from mailtui.storage.hidden import Hidden

FORMAT = "mailtui vault"
VERSION = 1
KEY_LENGTH = 32
"""Octets of a key: AES-256."""

SIZE_LIMIT = 64 << 20
"""Octets of a vault file."""

_NONCE_LENGTH = 12
# A name of an entry cannot begin with it: names are sealed after a zero octet.
_CHECK = b"mailtui vault check"


class WrongKey(Exception):
    """The key does not open this vault."""


@dataclass(frozen=True, slots=True)
class Box:
    """One sealed text."""

    nonce: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True)
class Argon2:
    """How a passphrase becomes a key: Argon2id, memory in KiB, by default the second choice of RFC 9106, section 4."""

    salt: bytes
    iterations: int = 3
    lanes: int = 4
    memory: int = 64 * 1024

    def derive(self, passphrase: Hidden[str]) -> Hidden[bytes]:
        """The key of `passphrase`; takes a tenth of a second by design."""
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        # The same characters, whichever way the keyboard composes them (RFC 8265, section 4.2).
        typed = unicodedata.normalize("NFC", passphrase.value).encode("utf-8")
        return Hidden(
            Argon2id(
                salt=self.salt,
                length=KEY_LENGTH,
                iterations=self.iterations,
                lanes=self.lanes,
                memory_cost=self.memory,
            ).derive(typed)
        )


@dataclass(frozen=True, slots=True)
class Vault:
    """The content of a vault file. `passphrase` tells how its key is made, None if the key is kept somewhere."""

    id: bytes
    passphrase: Argon2 | None
    check: Box
    boxes: Mapping[str, Box] = field(default_factory=dict)

    @classmethod
    def new(cls, key: Hidden[bytes], passphrase: Argon2 | None = None) -> "Vault":
        """An empty vault for `key`."""
        identity = os.urandom(16)
        return cls(identity, passphrase, _seal(key, identity + _CHECK, b""))

    def opens_with(self, key: Hidden[bytes]) -> bool:
        """Whether `key` is the key of this vault."""
        return _unseal(key, self.id + _CHECK, self.check) is not None

    def get(self, name: str, key: Hidden[bytes]) -> Hidden[str] | None:
        """The secret of an entry, None if there is none. Raises WrongKey, and ValueError for a damaged entry."""
        if name not in self.boxes:
            return None
        text = _unseal(key, self._bound(name), self.boxes[name])
        if text is None:
            if not self.opens_with(key):
                raise WrongKey
            raise ValueError("the entry has been altered")
        return Hidden(text.decode("utf-8"))

    def put(self, secrets: Mapping[str, Hidden[str]], key: Hidden[bytes]) -> "Vault":
        """This vault with entries added or replaced. Raises WrongKey: a vault has one key."""
        if not self.opens_with(key):
            raise WrongKey
        sealed = {name: _seal(key, self._bound(name), secret.value.encode("utf-8")) for name, secret in secrets.items()}
        return replace(self, boxes={**self.boxes, **sealed})

    def without(self, names: Collection[str]) -> "Vault":
        """This vault without the entries of these names, where there are any."""
        return replace(self, boxes={name: box for name, box in self.boxes.items() if name not in names})

    def _bound(self, name: str) -> bytes:
        return self.id + b"\0" + name.encode("utf-8", "surrogatepass")


def load_vault(path: Path) -> Vault | None:
    """The vault at `path`, None if there is none. Blocks. Raises SecretError; the file is never changed."""
    content = read_private_file(path, SIZE_LIMIT, "vault")
    if content is None:
        return None
    shown = clean(str(path))
    try:
        data = json.loads(content)
        if data["format"] != FORMAT:
            raise ValueError("it does not say that it is a vault")
        version = data["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise _damaged(shown, error) from None
    if version != VERSION:
        raise SecretError(
            f"the vault {shown} was written by a newer mailtui (its version is {clean(str(version), 20)}, this program "
            f"knows {VERSION}); nothing in it was changed; upgrade mailtui"
        )
    try:
        return _parse(data)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(shown, error) from None


def save_vault(path: Path, vault: Vault) -> None:
    """Replace the file at `path`, whole or not at all. Blocks. Raises SecretError."""
    passphrase = vault.passphrase
    data = {
        "format": FORMAT,
        "version": VERSION,
        "id": _text(vault.id),
        "key": {"kind": "key"}
        if passphrase is None
        else {
            "kind": "passphrase",
            "algorithm": "argon2id",
            "salt": _text(passphrase.salt),
            "iterations": passphrase.iterations,
            "lanes": passphrase.lanes,
            "memory_kib": passphrase.memory,
        },
        "check": _box_data(vault.check),
        "entries": {name: _box_data(box) for name, box in sorted(vault.boxes.items())},
    }
    try:
        replace_file(path, json.dumps(data, indent=1).encode("ascii") + b"\n")
    except OSError as error:
        raise SecretError(
            f"the vault {clean(str(path))} cannot be written: {error.strerror}; it is as it was"
        ) from None


def read_private_file(path: Path, limit: int, what: str) -> bytes | None:
    """The content of a file that only its owner may reach, None if it does not exist. Raises SecretError."""
    shown = clean(str(path))
    try:
        return read_file(path, limit, private=True)
    except FileNotFoundError:
        return None
    except NotPrivate as error:
        raise SecretError(
            f"the {what} {shown} can be reached by other users (mode {error.mode:04o}); run: chmod 600 {shown}"
        ) from None
    except NotAFile:
        raise SecretError(f"the {what} {shown} is not a regular file; move it away") from None
    except TooLong:
        raise SecretError(f"the {what} {shown} is longer than {limit} octets; put a backup in its place") from None
    except OSError as error:
        raise SecretError(f"the {what} {shown} cannot be read: {error.strerror}; correct its permissions") from None


def _damaged(shown: str, error: Exception) -> SecretError:
    return SecretError(
        f"the vault {shown} is damaged ({clean(str(error) or type(error).__name__, 120)}); nothing in it was changed; "
        "put a backup in its place, or move it away and set the secrets again"
    )


def _parse(data: Any) -> Vault:
    identity = _octets(data["id"])
    check = _box(data["check"])
    boxes = {name: _box(box) for name, box in data["entries"].items()}
    key = data["key"]
    if key["kind"] == "key":
        return Vault(identity, None, check, boxes)
    if key["kind"] != "passphrase" or key["algorithm"] != "argon2id":
        raise ValueError("its key is of an unknown kind")
    # A damaged number must not make us fill the memory or work for hours.
    passphrase = Argon2(
        _octets(key["salt"]),
        _number(key["iterations"], 1, 100),
        _number(key["lanes"], 1, 64),
        _number(key["memory_kib"], 8 * 64, 4 << 20),
    )
    if len(passphrase.salt) < 8:
        raise ValueError("its salt is too short")
    return Vault(identity, passphrase, check, boxes)


def _box_data(box: Box) -> dict[str, str]:
    return {"nonce": _text(box.nonce), "sealed": _text(box.sealed)}


def _box(data: Any) -> Box:
    box = Box(_octets(data["nonce"]), _octets(data["sealed"]))
    if len(box.nonce) != _NONCE_LENGTH:
        raise ValueError("a nonce has the wrong length")
    return box


def _number(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise ValueError("a number of its key derivation is out of bounds")
    return value


def _text(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")


def _octets(text: Any) -> bytes:
    try:
        return b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("a field is not base64") from None


def _seal(key: Hidden[bytes], bound: bytes, content: bytes) -> Box:
    # Imported here, as in the two other places: loading it takes as long as everything else in a short command.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_LENGTH)
    return Box(nonce, AESGCM(key.value).encrypt(nonce, content, bound))


def _unseal(key: Hidden[bytes], bound: bytes, box: Box) -> bytes | None:
    """The sealed text; None if the key, the bound text or the box is not the one it was sealed with."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key.value).decrypt(box.nonce, box.sealed, bound)
    except InvalidTag:
        return None
