"""What the screens work with, as interfaces: a test hands in its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots, check_many
from mailtui.actions.memory import Memory, Place
from mailtui.actions.saving import SecretPlaces
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, utc_now
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.storage.removed import Removed


class AccountStore(Protocol):
    """The part of the database that the screens use. Calls block: they are made off the loop."""

    def accounts(self) -> list[Account]:
        """All accounts, by name."""

    def account(self, name: str) -> Account:
        """The account of that name."""

    def add(self, account: Account) -> Account:
        """Store a new account."""

    def update(self, old_name: str, account: Account, expected_updated: datetime | None = None) -> Account:
        """Put `account` in the place of the one named `old_name`."""

    def remove(self, *names: str, expected: Mapping[str, datetime | None] | None = None) -> Removed:
        """Forget accounts and their history, and return all of it, unless one has changed since `expected`."""

    def restore(self, removed: Removed) -> list[Account]:
        """Put back what was removed."""

    def set_active(self, names: Sequence[str], active: bool) -> object:
        """Switch accounts on or off."""

    def record_many(self, reports: Sequence[CheckReport], learnt: Sequence[Learnt] = ()) -> None:
        """Add reports to the history together with what was learnt."""

    def baselines(self) -> Mapping[Place, Baseline]:
        """What is kept of each leg's server."""

    def refused_logins(self) -> Mapping[Place, RefusedLogin]:
        """The refused login that is kept of each leg."""

    def latest(self, *, transcripts: bool = True) -> dict[str, CheckReport]:
        """The newest report of each account, by its name."""

    def history(self, name: str, limit: int = 100, *, transcripts: bool = True) -> list[CheckReport]:
        """The reports of an account, newest first."""

    def count_reports(self, names: Sequence[str]) -> int:
        """How many reports there are of these accounts."""

    def data_version(self) -> int:
        """A number that changes when another process has written."""


class CheckMany(Protocol):
    """`actions.check.check_many`, or a script of events."""

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Listener,
        on_report: Callable[[CheckReport], None],
        options: CheckOptions,
        slots: Slots,
        memory: Memory,
    ) -> None: ...


Ask = Callable[[str], str]
"""Ask a person for a secret, from a thread off the loop; raises SecretError when there is no answer."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything outside of the screens. `secrets` gives the places of secrets, which may ask."""

    store: AccountStore
    secrets: Callable[[Ask], SecretPlaces]
    check_many: CheckMany = check_many
    now: Callable[[], datetime] = utc_now
    edit_file: Callable[[Path], int] | None = None
    """Edit a file and return the editor's exit status; None runs the person's own editor in the terminal."""
