"""Store what a form holds: the account with what another process changed noticed, and the passwords where it says."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from typing import Protocol as Interface

from mailtui.actions.entries import STORED, entry_of, kept_for, references, secret_of
from mailtui.actions.finishing import to_the_end
from mailtui.actions.own_entries import apart_from_left_over, with_own_entries
from mailtui.actions.passwords import Passwords
from mailtui.model.account import Account, SecretRef
from mailtui.model.check import Leg
from mailtui.model.errors import MailtuiError, UsageError
from mailtui.model.text import clean
from mailtui.model.validation import require_valid
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden
from mailtui.storage.reader import NoEntry

if TYPE_CHECKING:
    # The wire and the vault are not needed to store an account.
    from mailtui.actions.check import SecretReader
    from mailtui.storage.secrets import SourceState


class SecretPlaces(Interface):
    """The part of `storage.secrets.SecretStore` that screens and use cases need. Raises SecretError."""

    def reader(self) -> "SecretReader":
        """Reads secrets during one run."""

    async def write(self, ref: SecretRef, account_name: str, secret: str) -> None:
        """Store a secret where `ref` says."""

    async def delete(self, ref: SecretRef, account_name: str) -> None:
        """Remove a secret."""

    async def write_many(self, secrets: Sequence[tuple[SecretRef, Hidden[str]]]) -> dict[SecretRef, str]:
        """Store secrets in entries that are written out; returns those that could not be, and why. Raises nothing."""

    async def delete_many(self, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
        """Remove entries that are written out; returns those that stay, and why. Raises nothing."""

    async def holds(self, entry: SecretRef) -> bool:
        """Whether an entry that is written out is there, as far as that is known without asking. Raises nothing."""

    async def where(self) -> "list[SourceState]":
        """The state of every source."""


class SavingStore(Interface):
    """The part of the database that saving needs. Calls block; they raise MailtuiError."""

    def accounts(self) -> list[Account]:
        """All accounts, by name."""

    def account(self, name: str) -> Account:
        """The account of that name."""

    def add(self, account: Account) -> Account:
        """Store a new account."""

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        """Put `account` in the place of the one named `old_name`, if that has not changed since."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What a form holds: the account as it shall be, and the passwords that were typed.

    `original` is the stored account that it replaces, as it was read; None adds a new one. `source` is the account
    whose stored password is meant where none was typed: the original itself, or the one that was duplicated.
    """

    account: Account
    original: Account | None = None
    source: Account | None = None
    submission_password: Hidden[str] | None = None
    retrieval_password: Hidden[str] | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """The account as stored; `problems` are lines about passwords that could not be put in their place."""

    account: Account
    problems: tuple[str, ...] = ()


class Changed(MailtuiError):
    """The stored account is not the one that was read any more; `current` is what it is now, None if it was removed."""

    def __init__(self, name: str, current: Account | None) -> None:
        self.current = current
        super().__init__(f"{clean(name)} was {'changed' if current else 'removed'} meanwhile by someone else")


async def save_account(store: SavingStore, secrets: SecretPlaces, edited: Edited) -> Saved:
    """Store the account, then its passwords. Raises Changed, InvalidAccount, UsageError (name taken), StorageError.

    A renamed account keeps its entries in the keyring and the vault. An entry that another account uses is neither
    removed nor, unless a password was typed for it, overwritten. What has begun to be stored is stored to the end,
    also when this is cancelled.
    """
    require_valid(edited.account)
    accounts = await off_loop(store.accounts)
    account = with_own_entries(edited, accounts)
    account, notes = await apart_from_left_over(edited, account, accounts, secrets.holds)
    return await to_the_end(_save(store, secrets, edited, account, notes))


async def _save(
    store: SavingStore, secrets: SecretPlaces, edited: Edited, account: Account, notes: tuple[str, ...]
) -> Saved:
    stored = await off_loop(partial(_store, store, edited.original, account))
    return Saved(stored, (*notes, *await Passwords(store, secrets, edited, stored).keep()))


def _store(store: SavingStore, original: Account | None, account: Account) -> Account:
    if original is None:
        return store.add(account)
    try:
        return store.update(original.name, account, original.updated)
    except UsageError as error:
        try:
            current = store.account(original.name)
        except UsageError:
            raise Changed(original.name, None) from error
        if current.updated != original.updated:
            raise Changed(original.name, current) from error
        raise


def trial_reader(edited: Edited, reader: "SecretReader") -> "SecretReader":
    """A reader for a check of `edited.account` before it is saved: typed passwords first, then the source's.

    It answers as the saved account would be answered.
    """
    return _TrialReader(edited, reader)


class _TrialReader:
    def __init__(self, edited: Edited, reader: "SecretReader") -> None:
        self._edited = edited
        self._reader = reader
        saved = with_own_entries(edited, ())
        self._saved = saved
        self._shared = _place(saved, Leg.OUTBOUND) == _place(saved, Leg.INBOUND)

    async def read(self, ref: SecretRef, account_name: str) -> str:
        leg = _leg_reading(self._edited.account, ref)
        typed = self._typed(leg)
        if typed is not None:
            return typed.value
        source = self._edited.source or self._edited.original
        before = None if source is None else kept_for(leg, self._saved, source)
        if source is None or before is None or ref.scheme not in STORED:
            return await self._reader.read(ref, account_name)
        if ref.value and entry_of(ref, account_name) != entry_of(before, source.name):
            with contextlib.suppress(NoEntry):
                return await self._reader.read(ref, account_name)
        return await self._reader.read(before, source.name)

    def _typed(self, leg: Leg) -> Hidden[str] | None:
        """The password that was typed for a leg, or for the other one where they share it."""
        first, second = self._edited.submission_password, self._edited.retrieval_password
        if leg is Leg.INBOUND:
            first, second = second, first
        if first is not None and first.value:
            return first
        # An incoming password of its own is never tried on the outgoing server.
        if second is not None and second.value and leg is Leg.INBOUND and self._shared:
            return second
        return None


def _place(account: Account, leg: Leg) -> SecretRef | None:
    """Where a leg reads its secret, the entry written out."""
    ref = secret_of(account, leg)
    return entry_of(ref, account.name) or ref


def _leg_reading(account: Account, ref: SecretRef) -> Leg:
    """The leg that reads `ref`. Both may have equal references; a check hands over the very one of the leg."""
    outbound, inbound = references(account)
    if inbound is not None and inbound == ref:
        own = inbound is ref and outbound is not ref
        return Leg.INBOUND if own or outbound != ref or account.submission_login is None else Leg.OUTBOUND
    return Leg.INBOUND if account.submission_login is None and account.retrieval is not None else Leg.OUTBOUND
