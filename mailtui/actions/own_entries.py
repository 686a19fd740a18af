"""Entries in the keyring and the vault for an account that is being saved, so that no password falls on another."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from mailtui.actions.entries import STORED, entry_of, place, references, secret_of, users_of
from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.check import Leg
from mailtui.model.text import clean

if TYPE_CHECKING:
    from mailtui.actions.saving import Edited


def with_own_entries(edited: "Edited", accounts: Sequence[Account]) -> Account:
    """The account of `edited` as it is to be stored beside `accounts`.

    A renamed account keeps its entries. A new reference that names no entry gets one that no other account uses, and
    one of its own where both legs would share it though they have two passwords.
    """
    original, account = edited.original, edited.account
    kept = {} if original is None else {leg: entry_of(secret_of(original, leg), original.name) for leg in Leg}
    others = [other for other in accounts if original is None or other.name != original.name]
    unnamed = {leg for leg, ref in zip(Leg, references(account), strict=True) if ref is not None and not ref.value}
    if original is not None:
        account = with_entries_of(original.name, account)
    for leg, ref in zip(Leg, references(account), strict=True):
        entry = entry_of(ref, account.name)
        if entry and leg in unnamed and entry != kept.get(leg) and users_of(entry, others):
            account = with_secret(account, leg, free_entry(entry.scheme, account.name, others))
    entry = entry_of(secret_of(account, Leg.INBOUND), account.name)
    if entry is not None and entry == entry_of(secret_of(account, Leg.OUTBOUND), account.name):
        parted = _to_be_parted(edited, account, entry, unnamed)
        if parted is not None:
            free = free_entry(entry.scheme, f"{account.name} {parted.value}", [*others, account])
            account = with_secret(account, parted, free)
    return account


async def apart_from_left_over(
    edited: "Edited", account: Account, accounts: Sequence[Account], holds: Callable[[SecretRef], Awaitable[bool]]
) -> tuple[Account, tuple[str, ...]]:
    """`account`, made by `with_own_entries`, and lines about what it does not take over.

    A new account that brings no password must not send the one of a former account of its name to its own server: it
    gets an entry that is not there yet, unless the person named the entry.
    """
    if edited.original is not None or edited.source is not None:
        return account, ()
    passwords = zip(Leg, (edited.submission_password, edited.retrieval_password), strict=True)
    typed = {entry_of(secret_of(account, leg), account.name) for leg, password in passwords if password is not None}
    lines: dict[SecretRef, str] = {}
    for leg, written, ref in zip(Leg, references(edited.account), references(account), strict=True):
        entry = entry_of(ref, account.name)
        if entry is None or entry in typed or (written is not None and written.value) or not await holds(entry):
            continue
        own = await _free_and_empty(entry.scheme, account.name, accounts, holds)
        account = with_secret(account, leg, own)
        lines[entry] = (
            f"{place(entry)} holds a password already, which {clean(account.name)} does not take over: its own belongs "
            f"into entry {clean(own.value)}; to use the one that is there, choose {clean(str(entry))}"
        )
    return account, tuple(lines.values())


async def _free_and_empty(
    scheme: SecretScheme, wanted: str, others: Sequence[Account], holds: Callable[[SecretRef], Awaitable[bool]]
) -> SecretRef:
    free = _free_entries(scheme, wanted, others)
    found = next(free)
    while await holds(found):
        found = next(free)
    return found


def with_entries_of(old_name: str, account: Account) -> Account:
    """`account` with the entries that its keyring and vault references leave unsaid, as they were under `old_name`."""
    if account.name == old_name:
        return account
    for leg, ref in zip(Leg, references(account), strict=True):
        if ref is not None and ref.scheme in STORED and not ref.value:
            account = with_secret(account, leg, SecretRef(ref.scheme, old_name))
    return account


def copy_of(account: Account, name: str, accounts: Sequence[Account]) -> Account:
    """An account like `account` under a new name, to be saved with `account` as its source.

    Entries that `account` alone uses become the copy's own; one that others of `accounts` use is shared further.
    """
    others = [other for other in accounts if other.name != account.name]

    def own(ref: SecretRef | None) -> SecretRef | None:
        entry = entry_of(ref, account.name)
        if entry is None:
            return ref
        return entry if users_of(entry, others) else SecretRef(entry.scheme)

    submission, retrieval = account.submission, account.retrieval
    return replace(
        account,
        name=name,
        submission=replace(submission, secret=own(submission.secret)),
        retrieval=retrieval and replace(retrieval, secret=own(retrieval.secret)),
        created=None,
        updated=None,
        last_verified=None,
    )


def _to_be_parted(edited: "Edited", account: Account, entry: SecretRef, unnamed: set[Leg]) -> Leg | None:
    """The leg that needs another entry than the one that both have, if they have two passwords."""
    typed, other = edited.retrieval_password, edited.submission_password
    if typed is not None and typed.value:
        return None if other is not None and other.value == typed.value else Leg.INBOUND
    source = edited.source or edited.original
    if source is None or account.retrieval is None or account.retrieval.secret is None:
        return None
    before = {leg: secret_of(source, leg) for leg in Leg}
    written = {leg: entry_of(ref, source.name) or ref for leg, ref in before.items()}
    if None in written.values() or written[Leg.OUTBOUND] == written[Leg.INBOUND]:
        return None
    return next((leg for leg in (Leg.INBOUND, Leg.OUTBOUND) if leg in unnamed and written[leg] != entry), None)


def with_secret(account: Account, leg: Leg, ref: SecretRef) -> Account:
    """`account` with `ref` written down for a leg; for the submission where there is no retrieval."""
    if leg is Leg.OUTBOUND or account.retrieval is None:
        return replace(account, submission=replace(account.submission, secret=ref))
    return replace(account, retrieval=replace(account.retrieval, secret=ref))


def free_entry(scheme: SecretScheme, wanted: str, others: Sequence[Account]) -> SecretRef:
    """An entry that none of `others` uses, named `wanted` if possible."""
    return next(_free_entries(scheme, wanted, others))


def _free_entries(scheme: SecretScheme, wanted: str, others: Sequence[Account]) -> Iterator[SecretRef]:
    names = (wanted if number == 1 else f"{wanted} {number}" for number in count(1))
    return (ref for ref in (SecretRef(scheme, name) for name in names) if not users_of(ref, others))
