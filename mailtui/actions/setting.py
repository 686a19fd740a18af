"""Put one secret of an account where the account reads it from then on, and take it from where it was."""

import contextlib
from dataclasses import dataclass
from functools import partial

from mailtui.actions.entries import entries_of, entry_of, how_to_remove, place, users_of
from mailtui.actions.finishing import to_the_end
from mailtui.actions.own_entries import with_secret
from mailtui.actions.saving import SavingStore, SecretPlaces
from mailtui.model.account import Account, SecretRef
from mailtui.model.check import Leg
from mailtui.model.errors import MailtuiError, SecretError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden
from mailtui.storage.reader import NoEntry


@dataclass(frozen=True, slots=True)
class SecretSet:
    """The account as stored; the entries that it read before and that are removed now; lines about those that stay."""

    account: Account
    removed: tuple[SecretRef, ...] = ()
    left: tuple[str, ...] = ()


async def set_secret(
    store: SavingStore, secrets: SecretPlaces, account: Account, leg: Leg, ref: SecretRef, secret: Hidden[str] | None
) -> SecretSet:
    """Let a leg of `account` read its secret from `ref`, and store `secret` there unless it is None.

    All or nothing: raises SecretError when the secret cannot be stored, and UsageError when the account was changed
    meanwhile; what was in the entry before is there again then. Goes on to the end when it is cancelled.
    """
    changed = with_secret(account, leg, ref)
    entry = entry_of(ref, account.name)
    before: Hidden[str] | None = None
    if changed == account:
        if entry is not None and secret is not None:
            await secrets.write(entry, account.name, secret.value)
        return SecretSet(account)
    if entry is not None and secret is not None:
        # One that cannot be read is of no use to anybody. Whoever has to be asked for the vault's key is asked now.
        with contextlib.suppress(SecretError):
            before = Hidden(await secrets.reader().read(entry, account.name))
    return await to_the_end(_move(store, secrets, account, changed, entry, secret, before))


async def _move(
    store: SavingStore,
    secrets: SecretPlaces,
    account: Account,
    changed: Account,
    entry: SecretRef | None,
    secret: Hidden[str] | None,
    before: Hidden[str] | None,
) -> SecretSet:
    written = entry if secret is not None else None
    if written is not None and secret is not None:
        await secrets.write(written, account.name, secret.value)
    try:
        stored = await off_loop(partial(store.update, account.name, changed, account.updated))
    except MailtuiError as error:
        if written is None or (reason := await _take_back(secrets, written, before)) is None:
            raise
        raise SecretError(
            f"{error}; the secret stays in {place(written)}: {clean(reason)}; to remove it: {how_to_remove(written)}"
        ) from error
    return await _leave_old(store, secrets, account, stored, moved=secret is not None)


async def _take_back(secrets: SecretPlaces, entry: SecretRef, before: Hidden[str] | None) -> str | None:
    """Put an entry back as it was; returns why not, if it cannot be."""
    failed = await (secrets.delete_many([entry]) if before is None else secrets.write_many([(entry, before)]))
    return failed.get(entry)


async def _leave_old(
    store: SavingStore, secrets: SecretPlaces, account: Account, stored: Account, *, moved: bool
) -> SecretSet:
    """Remove what only `account` read, if what it reads now was put there in its stead."""
    removed: list[SecretRef] = []
    left: list[str] = []
    reader = secrets.reader()
    try:
        others = [other for other in await off_loop(store.accounts) if other.name != stored.name]
    except MailtuiError as error:
        return SecretSet(stored, left=(clean(str(error)),))
    for entry in entries_of(account):
        if entry in entries_of(stored) or users_of(entry, others):
            continue
        try:
            await reader.read(entry, account.name)
        except NoEntry:
            continue
        except MailtuiError:
            left.append(f"a secret may be left in {place(entry)}, unused now; to remove it: {how_to_remove(entry)}")
            continue
        if not moved:
            left.append(f"the secret in {place(entry)} stays there, unused now; to remove it: {how_to_remove(entry)}")
        elif failed := await secrets.delete_many([entry]):
            left.append(
                f"the secret in {place(entry)} stays there, unused now: {clean(failed[entry])}; "
                f"to remove it: {how_to_remove(entry)}"
            )
        else:
            removed.append(entry)
    return SecretSet(stored, tuple(removed), tuple(left))
