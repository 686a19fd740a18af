"""Stores of accounts and of secrets without a disk, which remember what was done to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, SecretRef, SecretScheme, Submission
from mailtui.model.errors import SecretError, UsageError
from mailtui.storage.hidden import Hidden
from mailtui.storage.reader import NoEntry, entry_name
from mailtui.storage.removed import Removed
from mailtui.storage.secrets import SourceState

VAULT, KEYRING = SecretRef(SecretScheme.VAULT), SecretRef(SecretScheme.KEYRING)
_NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def vault(entry: str) -> SecretRef:
    return SecretRef(SecretScheme.VAULT, entry)


def keyring(entry: str) -> SecretRef:
    return SecretRef(SecretScheme.KEYRING, entry)


def account(name: str, secret: SecretRef | None = VAULT, own: SecretRef | None = None, **changes: object) -> Account:
    """An account that receives, unless `retrieval` says otherwise; `own` is the retrieval's own secret."""
    fields: dict[str, object] = {
        "submission": Submission(Endpoint("smtp.example.org", 465), secret=secret),
        "retrieval": Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993), secret=own),
    }
    return Account(name, f"{name}@example.org", **(fields | changes))  # type: ignore[arg-type]  # fields of Account


class Accounts:
    """The accounts in memory."""

    def __init__(self, *accounts: Account) -> None:
        self._ticks = 0
        self._stored: dict[str, Account] = {}
        self.failure: Exception | None = None
        for one in accounts:
            self.add(one)

    def _stamped(self, one: Account) -> Account:
        self._ticks += 1
        return replace(one, updated=_NOON + timedelta(seconds=self._ticks))

    def accounts(self) -> list[Account]:
        if self.failure is not None:
            raise self.failure
        return list(self._stored.values())

    def account(self, name: str) -> Account:
        if name not in self._stored:
            raise UsageError(f"there is no account named {name!r}")
        return self._stored[name]

    def add(self, one: Account) -> Account:
        if one.name in self._stored:
            raise UsageError(f"there is an account named {one.name!r} already")
        self._stored[one.name] = self._stamped(one)
        return self._stored[one.name]

    def update(self, old_name: str, one: Account, expected_updated: datetime | None = None) -> Account:
        if self.account(old_name).updated != expected_updated:
            raise UsageError("changed meanwhile")
        if one.name != old_name and one.name in self._stored:
            raise UsageError(f"there is an account named {one.name!r} already")
        del self._stored[old_name]
        self._stored[one.name] = self._stamped(one)
        return self._stored[one.name]

    def remove(self, *names: str, expected: Mapping[str, datetime | None] | None = None) -> Removed:
        for name in names:
            if expected is not None and self.account(name).updated != expected[name]:
                raise UsageError(f"{name!r} was changed meanwhile")
        return Removed(tuple(self._stored.pop(name) for name in names))

    def restore(self, removed: Removed) -> list[Account]:
        return [self.add(one) for one in removed.accounts]

    def count_reports(self, names: Sequence[str]) -> int:
        return 3 * len(names)


class Secrets:
    """A keyring and a vault in memory; `broken` names the schemes that fail, `written` and `deleted` what was done."""

    def __init__(self, *kept: tuple[SecretRef, str]) -> None:
        self.kept = dict(kept)
        self.elsewhere: dict[SecretRef, str] = {}
        self.broken: set[SecretScheme] = set()
        self.undeletable: set[SecretScheme] = set()
        self.written: list[SecretRef] = []
        self.deleted: list[SecretRef] = []
        self.reads: list[tuple[SecretRef, str]] = []

    def reader(self) -> "Secrets":
        return self

    async def read(self, ref: SecretRef, account_name: str) -> str:
        self.reads.append((ref, account_name))
        if ref.scheme in self.broken:
            raise SecretError(f"the {ref.scheme.value} is \x1b[31mlocked")
        if ref in self.elsewhere:
            return self.elsewhere[ref]
        entry = SecretRef(ref.scheme, entry_name(ref, account_name))
        if entry not in self.kept:
            raise NoEntry(f"there is no entry {entry.value!r}")
        return self.kept[entry]

    async def write(self, ref: SecretRef, account_name: str, secret: str) -> None:
        if ref.scheme in self.broken:
            raise SecretError(f"the {ref.scheme.value} is \x1b[31mlocked")
        entry = SecretRef(ref.scheme, entry_name(ref, account_name))
        self.kept[entry] = secret
        self.written.append(entry)

    async def delete(self, ref: SecretRef, account_name: str) -> None:
        if ref.scheme in self.broken | self.undeletable:
            raise SecretError(f"the {ref.scheme.value} is \x1b[31mlocked")
        entry = SecretRef(ref.scheme, entry_name(ref, account_name))
        if entry not in self.kept:
            raise SecretError("there is no such entry")
        del self.kept[entry]
        self.deleted.append(entry)

    async def write_many(self, secrets: Sequence[tuple[SecretRef, Hidden[str]]]) -> dict[SecretRef, str]:
        failed: dict[SecretRef, str] = {}
        for entry, secret in secrets:
            try:
                await self.write(entry, "", secret.value)
            except SecretError as error:
                failed[entry] = str(error)
        return failed

    async def delete_many(self, entries: Sequence[SecretRef]) -> dict[SecretRef, str]:
        failed: dict[SecretRef, str] = {}
        for entry in entries:
            try:
                if entry in self.kept:
                    await self.delete(entry, "")
            except SecretError as error:
                failed[entry] = str(error)
        return failed

    async def holds(self, entry: SecretRef) -> bool:
        return entry in self.kept

    async def where(self) -> list[SourceState]:
        return []


def lines_are_clean(lines: Iterable[str]) -> bool:
    """Whether each is one line that a terminal can show as it is."""
    return all(line.isprintable() and line for line in lines)
