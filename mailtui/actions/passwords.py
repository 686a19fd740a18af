"""The passwords of an account that was just stored: typed ones written, kept ones carried to their new place."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING

from mailtui.actions.entries import (
    entries_of,
    entry_of,
    how_to_remove,
    kept_for,
    place,
    references,
    secret_of,
    users_of,
)
from mailtui.model.account import Account, SecretRef, SecretScheme
from mailtui.model.check import Leg
from mailtui.model.errors import MailtuiError
from mailtui.model.text import clean
from mailtui.offloop import off_loop
from mailtui.storage.hidden import Hidden
from mailtui.storage.reader import NoEntry

if TYPE_CHECKING:
    from mailtui.actions.saving import Edited, SavingStore, SecretPlaces


@dataclass(frozen=True, slots=True)
class _Need:
    """What one leg of the stored account reads, what was typed for it, and what it read before, if anything.

    `named`: the person wrote the entry's name, rather than leave it to be the account's.
    """

    leg: Leg
    ref: SecretRef
    entry: SecretRef | None
    typed: Hidden[str] | None
    before: SecretRef | None
    old: SecretRef | None
    named: bool


class Passwords:
    """Puts the passwords of `edited` where `stored`, its account as the database has it now, reads them."""

    def __init__(self, store: "SavingStore", secrets: "SecretPlaces", edited: "Edited", stored: Account) -> None:
        self._store = store
        self._secrets = secrets
        self._original = edited.original
        self._source = edited.source or edited.original or stored
        self._stored = stored
        self._needs = tuple(_needs(edited, stored, edited.source or edited.original))
        self._reader = secrets.reader()
        self._problems: list[str] = []
        self._settled: set[SecretRef] = set()
        self._origins: dict[SecretRef, SecretRef | None] = {}
        self._left: set[SecretRef] = set()

    async def keep(self) -> tuple[str, ...]:
        """Do it all; the lines say what could not be done, and what to do about it. Raises nothing."""
        try:
            others = await self._others()
            typed = [need for need in self._needs if need.typed is not None]
            # What stays where it is, and what was typed, is not to be overwritten by what is carried.
            self._settled.update(need.entry for need in typed if need.entry)
            self._settled.update(need.entry for need in self._needs if need.entry and need.entry == need.old)
            # Read before anything is written: it may be to the place of what is read.
            carried = [(need, await self._fetch(need, others)) for need in self._needs if need.typed is None]
            for need in typed:
                await self._write_typed(need)
            for need, secret in carried:
                if secret is not None and need.entry is not None:
                    await self._write(need, need.entry, secret)
            if self._original is not None:
                # Read again: a person may have been asked for a passphrase in between.
                await self._remove_orphans(self._original, await self._others())
        except MailtuiError as error:
            self._problems.append(
                f"the passwords were left as they were: {clean(str(error))}; "
                f"to set one: mailtui secret set {quote(self._stored.name)}"
            )
        return tuple(self._problems)

    async def _others(self) -> list[Account]:
        accounts = await off_loop(self._store.accounts)
        return [account for account in accounts if account.name != self._stored.name]

    async def _write_typed(self, need: _Need) -> None:
        if need.entry is None:
            self._problems.append(
                f"the {need.leg.value} password that was typed was not stored: the account reads it from "
                f"{clean(str(need.ref))}, where mailtui cannot write; change it there, or choose keyring or vault"
            )
            self._leave(need)
        elif need.typed is not None:
            await self._write(need, need.entry, need.typed)

    async def _write(self, need: _Need, entry: SecretRef, secret: Hidden[str]) -> None:
        try:
            await self._secrets.write(entry, self._stored.name, secret.value)
        except MailtuiError as error:
            self._tell_not_kept(need, entry, str(error))
            self._leave(need)

    async def _fetch(self, need: _Need, others: list[Account]) -> Hidden[str] | None:
        """The password that was kept for this leg, if it belongs to another place now."""
        entry, before = need.entry, need.before
        if entry is None:
            self._leave(need)
            return None
        if before is None:
            return None
        if entry in self._settled:
            # Both legs read one entry now. What this one read before came along, or is left.
            if need.old not in (entry, self._origins.get(entry)):
                self._leave(need)
            return None
        self._settled.add(entry)
        self._origins[entry] = need.old
        try:
            users = users_of(entry, others)
            if users and await self._is_missing(entry):
                self._tell_not_kept(need, entry, f"{clean(users[0])} reads it too, and it is not there")
            if users or (need.named and await self._exists(entry)):
                # The person means what is there. What the leg read before may be wanted again.
                self._leave(need)
                return None
            if before.scheme is SecretScheme.ASK:
                self._tell_not_kept(need, entry, "it was asked for so far, and none was typed")
                return None
            return Hidden(await self._reader.read(before, self._source.name))
        except NoEntry:
            self._tell_not_kept(need, entry, "none was typed, and none was stored before")
        except MailtuiError as error:
            self._tell_not_kept(need, entry, str(error))
            self._leave(need)
        return None

    def _leave(self, need: _Need) -> None:
        if need.old is not None:
            self._left.add(need.old)

    async def _exists(self, entry: SecretRef) -> bool:
        try:
            await self._reader.read(entry, self._stored.name)
        except NoEntry:
            return False
        return True

    async def _is_missing(self, entry: SecretRef) -> bool:
        """Whether an entry is known not to be there."""
        with contextlib.suppress(MailtuiError):
            return not await self._exists(entry)
        return False

    async def _remove_orphans(self, original: Account, others: list[Account]) -> None:
        for entry in entries_of(original):
            if entry in entries_of(self._stored) or users_of(entry, others):
                continue
            if entry in self._left:
                self._problems.append(
                    f"the password in {place(entry)} was left there, unused now; to remove it: {how_to_remove(entry)}"
                )
                continue
            try:
                if await self._exists(entry):
                    await self._secrets.delete(entry, original.name)
            except MailtuiError as error:
                self._problems.append(
                    f"a password may be left in {place(entry)}, unused: {clean(str(error))}; "
                    f"to remove it: {how_to_remove(entry)}"
                )

    def _tell_not_kept(self, need: _Need, entry: SecretRef, reason: str) -> None:
        leg = " --leg inbound" if need.leg is Leg.INBOUND else ""
        self._problems.append(
            f"no {need.leg.value} password was put into {place(entry)}: {clean(reason)}; "
            f"edit the account and type it, or run: mailtui secret set {quote(self._stored.name)}{leg}"
        )


def _needs(edited: "Edited", stored: Account, source: Account | None) -> Iterator[_Need]:
    passwords = {Leg.OUTBOUND: edited.submission_password, Leg.INBOUND: edited.retrieval_password}
    for leg, typed in passwords.items():
        ref = secret_of(stored, leg)
        shares = leg is Leg.INBOUND and references(stored)[1] is None and stored.submission_login is not None
        if ref is None or (shares and typed is None):
            continue
        written = secret_of(edited.account, leg)
        before = None if source is None else kept_for(leg, stored, source)
        yield _Need(
            leg,
            ref,
            entry_of(ref, stored.name),
            typed if typed is not None and typed.value else None,
            before,
            None if source is None else entry_of(before, source.name),
            named=written is not None and bool(written.value),
        )
