"""What the screens work with, as interfaces: a test hands in its own."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mailtui.actions.check import CheckOptions, Listener, SecretReader, Slots, check_many
from mailtui.actions.memory import Memory, Place
from mailtui.actions.saving import SecretPlaces
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, utc_now
from mailtui.model.retrieval import RetrievalEvent, RetrievalReport
from mailtui.model.watch import Baseline, Learnt, RefusedLogin
from mailtui.storage.removed import Removed

if TYPE_CHECKING:
    from mailtui.actions.retrieve import RetrieveOptions


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


class RetrieveMany(Protocol):
    """`actions.retrieve.retrieve_many` with a database, or a script of events."""

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Callable[[RetrievalEvent], None],
        on_report: Callable[[RetrievalReport], None],
        options: "RetrieveOptions",
        slots: Slots,
        memory: Memory,
        tasks: dict[str, asyncio.Task[None]] | None = None,
    ) -> None: ...


class Scheduling(Protocol):
    """`actions.schedule.Schedule`, or what a test hands in."""

    def plan(self, accounts: Iterable[Account], last: Mapping[str, datetime]) -> None:
        """Take these accounts; `last` is when each was retrieved."""

    def ended(self, name: str, at: datetime) -> None:
        """A retrieval has ended."""

    def postpone(self, name: str, *, is_elsewhere: bool = False) -> None:
        """What is due cannot be begun now; with `is_elsewhere` another process sees to it."""

    def at_once(self, name: str) -> None:
        """There is new mail."""

    def next_at(self, name: str) -> datetime | None:
        """When an account is due."""

    async def run(self) -> None:
        """Start what is due, until cancelled."""


class Idling(Protocol):
    """`actions.idling.Idlers`, or what a test hands in."""

    def follow(self, accounts: Iterable[Account]) -> None:
        """Wait for new mail of these."""

    def is_waiting(self, name: str) -> bool:
        """Whether the server is going to tell of new mail."""

    async def run(self) -> None:
        """Hold the connections, until cancelled."""


Ask = Callable[[str], str]
"""Ask a person for a secret, from a thread off the loop; raises SecretError when there is no answer."""


def _schedule(start: Callable[[list[Account]], None]) -> Scheduling:
    # Loaded with the first use, so that the list is on the screen sooner.
    from mailtui.actions.schedule import Schedule

    return Schedule(start)


def _idlers(reader: Callable[[], SecretReader], memory: Memory, on_new: Callable[[Account], None]) -> Idling:
    from mailtui.actions.idling import Idlers
    from mailtui.actions.rereading import RereadingReader

    return Idlers(RereadingReader(reader), memory, on_new)


@dataclass(frozen=True, slots=True)
class Services:
    """Everything outside of the screens. `secrets` gives the places of secrets, which may ask."""

    store: AccountStore
    secrets: Callable[[Ask], SecretPlaces]
    retrieve_many: RetrieveMany
    last_retrievals: Callable[[], Mapping[str, RetrievalReport]]
    """The last retrieval of each account, without transcripts. Blocks."""
    last_retrieval: Callable[[str], RetrievalReport | None]
    """That of one account, with its transcript. Blocks."""
    check_many: CheckMany = check_many
    now: Callable[[], datetime] = utc_now
    schedule: Callable[[Callable[[list[Account]], None]], Scheduling] = _schedule
    idlers: Callable[[Callable[[], SecretReader], Memory, Callable[[Account], None]], Idling] = _idlers
    edit_file: Callable[[Path], int] | None = None
    """Edit a file and return the editor's exit status; None runs the person's own editor in the terminal."""
