"""Remove accounts with what belongs to them alone, and bring the last ones back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from mailtui.actions.entries import STORED, entries_of, how_to_remove, place
from mailtui.actions.saving import SecretPlaces
from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.errors import MailtuiError, UsageError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden
from mailtui.storage.names import no_such_account
from mailtui.storage.reader import NoEntry
from mailtui.storage.removed import Removed


class RemovalStore(Interface):
    """The part of the database that removing needs. Calls block; they raise MailtuiError."""

    def accounts(self) -> list[Account]:
        """All accounts, by name."""

    def count_reports(self, names: Sequence[str]) -> int:
        """How many reports the history has of these accounts."""

    def remove(self, *names: str) -> Removed:
        """Forget accounts and their history, and return all of it."""

    def restore(self, removed: Removed) -> list[Account]:
        """Put back what was removed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One secret that mailtui keeps: a keyring or vault reference with its entry written out, and who uses it."""

    ref: SecretRef
    used_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What goes with accounts, and what stays though they used it."""

    accounts: tuple[Account, ...]
    reports: int
    removed: tuple[Entry, ...]
    kept: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Undo:
    """All that is needed to bring removed accounts back, held in memory; `problems` are lines about their secrets."""

    removed: Removed
    secrets: tuple[tuple[SecretRef, Hidden[str]], ...] = ()
    problems: tuple[str, ...] = ()


def plan_removal(store: RemovalStore, names: Sequence[str]) -> RemovalPlan:
    """What removing `names` would take along. Blocks. Raises UsageError when one does not exist."""
    stored = {account.name: account for account in store.accounts()}
    names = tuple(dict.fromkeys(names))
    for name in names:
        if name not in stored:
            raise UsageError(no_such_account(name, list(stored)))
    accounts = tuple(stored.pop(name) for name in names)
    found = dict.fromkeys(entry for account in accounts for entry in entries_of(account))
    users = _users(stored.values())
    entries = [Entry(entry, users.get(entry, ())) for entry in found]
    return RemovalPlan(
        accounts,
        store.count_reports(names),
        tuple(entry for entry in entries if not entry.used_by),
        tuple(entry for entry in entries if entry.used_by),
    )


async def remove_accounts(
    store: RemovalStore, secrets: SecretPlaces, plan: RemovalPlan, *, keep_secrets: bool = False
) -> Undo:
    """Remove the accounts of `plan` with their history, then the secrets that nobody else uses.

    Raises MailtuiError, and then nothing was removed; trouble with secrets is told in the result. A secret that
    cannot be read stays where it is, for it could not be brought back.
    """
    troubles: dict[str, list[SecretRef]] = {}
    found: list[tuple[SecretRef, Hidden[str]]] = []
    reader = secrets.reader()
    for entry in () if keep_secrets else plan.removed:
        try:
            found.append((entry.ref, Hidden(await reader.read(entry.ref, entry.ref.value))))
        except NoEntry:
            continue
        except MailtuiError as error:
            troubles.setdefault(clean(str(error)), []).append(entry.ref)
    removed = await off_loop(lambda: store.remove(*(account.name for account in plan.accounts)))
    gone = await _delete(store, secrets, found, troubles)
    return Undo(removed, tuple(gone), tuple(_staying(refs, error) for error, refs in troubles.items()))


async def _delete(
    store: RemovalStore,
    secrets: SecretPlaces,
    found: Sequence[tuple[SecretRef, Hidden[str]]],
    troubles: dict[str, list[SecretRef]],
) -> list[tuple[SecretRef, Hidden[str]]]:
    """Delete what was `found`, and return what is gone; the rest goes to `troubles`."""
    gone: list[tuple[SecretRef, Hidden[str]]] = []
    stuck: dict[SecretScheme, str] = {}
    try:
        # Another process may have given one of them to another account meanwhile.
        users = _users(await off_loop(store.accounts)) if found else {}
    except MailtuiError as error:
        stuck = dict.fromkeys(STORED, clean(str(error)))
    for ref, secret in found:
        if ref.scheme not in stuck:
            if ref in users:
                continue
            try:
                await secrets.delete(ref, ref.value)
                gone.append((ref, secret))
                continue
            except MailtuiError as error:
                # The next one would wait as long for the same answer.
                stuck[ref.scheme] = clean(str(error))
        troubles.setdefault(stuck[ref.scheme], []).append(ref)
    return gone


async def undo_removal(store: RemovalStore, secrets: SecretPlaces, undo: Undo) -> tuple[list[Account], tuple[str, ...]]:
    """Bring accounts, history and secrets back; the lines tell of what could not be. Raises MailtuiError.

    A secret that has been set anew meanwhile is left as it is.
    """
    accounts = await off_loop(lambda: store.restore(undo.removed))
    problems: list[str] = []
    if undo.removed.left_out:
        problems.append(f"the oldest {undo.removed.left_out} reports of the history are gone: it was too long to keep")
    reader = secrets.reader()
    for ref, secret in undo.secrets:
        try:
            if await reader.read(ref, ref.value) != secret.value:
                problems.append(f"another password was put into {place(ref)} meanwhile; it was left there")
        except NoEntry:
            try:
                await secrets.write(ref, ref.value, secret.value)
            except MailtuiError as error:
                problems.append(_lost(ref, error))
        except MailtuiError as error:
            problems.append(_lost(ref, error))
    return accounts, tuple(problems)


def _users(accounts: Iterable[Account]) -> dict[SecretRef, tuple[str, ...]]:
    """Who refers to each entry."""
    users: dict[SecretRef, list[str]] = {}
    for account in accounts:
        for entry in entries_of(account):
            users.setdefault(entry, []).append(account.name)
    return {entry: tuple(names) for entry, names in users.items()}


def _staying(refs: Sequence[SecretRef], error: str) -> str:
    """One line for all the entries that stay for the same reason: a locked keyring has one answer to hundreds."""
    first, *more = refs
    others = f" and {len(more)} more" if more else ""
    return (
        f"a password may be left in {place(first)}{others}: {error}; to remove it: {how_to_remove(first)}"
        f"{', and so on' * bool(more)}"
    )


def _lost(ref: SecretRef, error: MailtuiError) -> str:
    return (
        f"the password of {place(ref)} could not be brought back: {clean(str(error))}; "
        "set it again: mailtui secret set NAME"
    )
