"""Remove accounts with what belongs to them alone, and bring the last ones back."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol as Interface

from mailtui.actions.entries import entries_of, how_to_remove, place
from mailtui.actions.finishing import to_the_end
from mailtui.actions.saving import Changed, SecretPlaces
from mailtui.model.account import Account, SecretRef
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

    def remove(self, *names: str, expected: Mapping[str, datetime | None] | None = None) -> Removed:
        """Forget accounts and their history, and return all of it, unless one has changed since `expected`."""

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
    """All that is needed to bring removed accounts back, held in memory; `problems` are lines about their secrets.

    Without accounts it brings back secrets alone.
    """

    removed: Removed
    secrets: tuple[tuple[SecretRef, Hidden[str]], ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restored:
    """What an undo brought back; `problems` are lines about what it did not.

    `left` holds the secrets whose place refused them, to be tried again; None if there are none.
    """

    accounts: tuple[Account, ...]
    problems: tuple[str, ...] = ()
    left: Undo | None = None


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

    Raises MailtuiError, and then nothing was removed: Changed when one of the accounts is not what the plan says any
    more, so that a person has to be asked again. Trouble with secrets is told in the result. A secret that cannot be
    read stays where it is, for it could not be brought back. What has begun to be removed is removed to the end, also
    when this is cancelled.
    """
    troubles: dict[str, list[SecretRef]] = {}
    found: dict[SecretRef, Hidden[str]] = {}
    reader = secrets.reader()
    for entry in () if keep_secrets else plan.removed:
        try:
            found[entry.ref] = Hidden(await reader.read(entry.ref, entry.ref.value))
        except NoEntry:
            continue
        except MailtuiError as error:
            troubles.setdefault(clean(str(error)), []).append(entry.ref)
    return await to_the_end(_remove(store, secrets, plan, found, troubles))


async def _remove(
    store: RemovalStore,
    secrets: SecretPlaces,
    plan: RemovalPlan,
    found: dict[SecretRef, Hidden[str]],
    troubles: dict[str, list[SecretRef]],
) -> Undo:
    removed = await off_loop(partial(_take_out, store, plan))
    failed: dict[SecretRef, str] = {}
    try:
        # Another process may have given one of them to another account meanwhile, or taken it from the last one.
        users = _users(await off_loop(store.accounts))
    except MailtuiError as error:
        users = {}
        failed = dict.fromkeys(found, str(error))
    else:
        failed = await secrets.delete_many([ref for ref in found if ref not in users])
        failed |= {entry.ref: "no account reads it any more" for entry in plan.kept if entry.ref not in users}
    for ref, reason in failed.items():
        troubles.setdefault(clean(reason), []).append(ref)
    gone = tuple((ref, secret) for ref, secret in found.items() if ref not in users and ref not in failed)
    return Undo(removed, gone, tuple(staying(refs, reason) for reason, refs in troubles.items()))


def _take_out(store: RemovalStore, plan: RemovalPlan) -> Removed:
    names = [account.name for account in plan.accounts]
    try:
        return store.remove(*names, expected={account.name: account.updated for account in plan.accounts})
    except UsageError as error:
        stored = {account.name: account for account in store.accounts()}
        for account in plan.accounts:
            current = stored.get(account.name)
            if current is None or current.updated != account.updated:
                raise Changed(account.name, current) from error
        raise


async def undo_removal(store: RemovalStore, secrets: SecretPlaces, undo: Undo) -> Restored:
    """Bring accounts, history and secrets back. Raises MailtuiError, and then nothing was brought back.

    A secret that has been set anew meanwhile is left as it is. What has begun to be brought back is brought back to
    the end, also when this is cancelled.
    """
    return await to_the_end(_bring_back(store, secrets, undo))


async def _bring_back(store: RemovalStore, secrets: SecretPlaces, undo: Undo) -> Restored:
    accounts = await off_loop(partial(store.restore, undo.removed)) if undo.removed.accounts else []
    problems: list[str] = []
    if undo.removed.left_out:
        problems.append(f"the oldest {undo.removed.left_out} reports of the history are gone: it was too long to keep")
    missing: list[tuple[SecretRef, Hidden[str]]] = []
    failed: dict[SecretRef, str] = {}
    reader = secrets.reader()
    try:
        users = _users(await off_loop(store.accounts))
    except MailtuiError as error:
        users = {}
        failed = dict.fromkeys((ref for ref, _ in undo.secrets), str(error))
    for ref, secret in undo.secrets:
        if ref in failed:
            continue
        if ref not in users:
            problems.append(f"the password of {place(ref)} was not brought back: no account reads it any more")
            continue
        try:
            if await reader.read(ref, ref.value) != secret.value:
                problems.append(f"another password was put into {place(ref)} meanwhile; it was left there")
        except NoEntry:
            missing.append((ref, secret))
        except MailtuiError as error:
            failed[ref] = str(error)
    if missing:
        failed |= await secrets.write_many(missing)
    troubles: dict[str, list[SecretRef]] = {}
    for ref, reason in failed.items():
        troubles.setdefault(clean(reason), []).append(ref)
    problems += [_lost(refs, reason) for reason, refs in troubles.items()]
    left = tuple((ref, secret) for ref, secret in undo.secrets if ref in failed)
    return Restored(tuple(accounts), tuple(problems), Undo(Removed(()), left) if left else None)


def _users(accounts: Iterable[Account]) -> dict[SecretRef, tuple[str, ...]]:
    """Who refers to each entry."""
    users: dict[SecretRef, list[str]] = {}
    for account in accounts:
        for entry in entries_of(account):
            users.setdefault(entry, []).append(account.name)
    return {entry: tuple(names) for entry, names in users.items()}


def staying(refs: Sequence[SecretRef], reason: str) -> str:
    """One line for all the entries that stay for the same reason: a locked keyring has one answer to hundreds."""
    first, more = refs[0], len(refs) - 1
    return (
        f"a password may be left in {place(first)}{_and_more(more)}: {reason}; to remove it: {how_to_remove(first)}"
        f"{', and so on' * bool(more)}"
    )


def _lost(refs: Sequence[SecretRef], reason: str) -> str:
    return (
        f"the password of {place(refs[0])}{_and_more(len(refs) - 1)} could not be brought back: {reason}; "
        "undo again, or set it: mailtui secret set NAME"
    )


def _and_more(count: int) -> str:
    return f" and {count} more" if count else ""
