"""Retrievals for the screens in tests: what each brings, and a `retrieve_many` that plays it."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mailtui.actions.check import SecretReader, Slots
from mailtui.actions.memory import Memory
from mailtui.actions.retrieve import RetrieveOptions
from mailtui.model.account import Account
from mailtui.model.check import Failure, Leg, Stage, StageResult, Status
from mailtui.model.events import LegFinished, StageFinished, StageStarted
from mailtui.model.retrieval import (
    Candidate,
    MailboxResult,
    RetrievalEvent,
    RetrievalFinished,
    RetrievalProgress,
    RetrievalReport,
    RetrievalStarted,
)
from tests.tui.people import NOW, leg_report


def retrieval_report(
    account: Account,
    *mailboxes: MailboxResult,
    failure: Failure | None = None,
    candidates: Sequence[Candidate] = (),
    ago: timedelta = timedelta(minutes=2),
    is_stable: bool | None = None,
) -> RetrievalReport:
    """What a retrieval of `account` came to that ended `ago` before NOW; nothing new unless `mailboxes` say so."""
    opening = failure if failure is None or failure.stage is not Stage.TRANSFER else None
    leg = leg_report(account, Leg.INBOUND, opening)
    *stages, quit_ = leg.stages
    if failure is None:
        transfer = StageResult(Stage.TRANSFER, Status.OK, 2_310.0, "all that was new is stored")
    elif failure.stage is Stage.TRANSFER:
        transfer = StageResult(Stage.TRANSFER, Status.FAILED, 2_310.0, "", failure.reply)
        quit_ = StageResult(Stage.QUIT, Status.SKIPPED)
    else:
        transfer = StageResult(Stage.TRANSFER, Status.SKIPPED)
    leg = replace(leg, stages=(*stages, transfer, quit_), failure=failure)
    ms = 2_700.0
    found = mailboxes or (MailboxResult("INBOX", "~/Mail/inbox", kept=1284, on_server=1284),)
    return RetrievalReport(
        account.name,
        NOW - ago - timedelta(milliseconds=ms),
        ms,
        leg,
        () if opening is not None else tuple(found),
        tuple(candidates),
        is_stable=is_stable,
    )


class ScriptedRetrievals:
    """A retrieve_many that plays `reports`; accounts without one have nothing new. `kept` are those stored already.

    While `gate` is closed every retrieval waits, after its opening and, where there is one, its `progress`; one that is
    cancelled waits for `finishing`, as one does that is just storing messages.
    """

    def __init__(
        self,
        reports: Mapping[str, RetrievalReport] | None = None,
        *,
        held: bool = False,
        progress: Mapping[str, Sequence[RetrievalProgress]] | None = None,
        kept: Mapping[str, RetrievalReport] | None = None,
    ) -> None:
        self.reports = dict(reports or {})
        self.progress = dict(progress or {})
        self.kept = dict(kept or {})
        self.gate, self.finishing = asyncio.Event(), asyncio.Event()
        if not held:
            self.gate.set()
        self.finishing.set()
        self.calls: list[list[str]] = []
        self.options: list[RetrieveOptions] = []
        self.slots: list[Slots] = []
        self.memories: list[Memory] = []
        self.waiting: list[str] = []
        self.cancelled: list[str] = []
        self.clock = NOW

    def now(self) -> datetime:
        """The time, which goes on with the progress that is played."""
        return self.clock

    def last(self) -> Mapping[str, RetrievalReport]:
        """What is stored, without the transcripts."""
        return {name: replace(kept, leg=replace(kept.leg, transcript=())) for name, kept in self.kept.items()}

    def last_of(self, name: str) -> RetrievalReport | None:
        """What is stored of one account."""
        return self.kept.get(name)

    async def __call__(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Callable[[RetrievalEvent], None],
        on_report: Callable[[RetrievalReport], None],
        options: RetrieveOptions,
        slots: Slots,
        memory: Memory,
        tasks: dict[str, asyncio.Task[None]] | None = None,
    ) -> None:
        accounts = list(accounts)
        self.calls.append([account.name for account in accounts])
        self.options.append(options)
        self.slots.append(slots)
        self.memories.append(memory)
        async with asyncio.TaskGroup() as group:
            for account in accounts:
                task = group.create_task(self._retrieve(account, on_event, on_report, options))
                if tasks is not None:
                    tasks[account.name] = task

    async def _retrieve(
        self,
        account: Account,
        on_event: Callable[[RetrievalEvent], None],
        on_report: Callable[[RetrievalReport], None],
        options: RetrieveOptions,
    ) -> None:
        name = account.name
        played = self.reports.get(name) or retrieval_report(account)
        try:
            on_event(RetrievalStarted(name))
            self._open(played, on_event)
            for number, told in enumerate(self.progress.get(name, ())):
                self.clock += timedelta(seconds=2 * number)
                on_event(told)
            self.waiting.append(name)
            await self.gate.wait()
            on_event(LegFinished(name, played.leg))
            report = replace(played, started=self.clock - timedelta(seconds=3), is_dry_run=options.dry_run)
            on_report(report)
            on_event(RetrievalFinished(name, report))
        except asyncio.CancelledError:
            await self.finishing.wait()
            self.cancelled.append(name)
            raise

    @staticmethod
    def _open(played: RetrievalReport, on_event: Callable[[RetrievalEvent], None]) -> None:
        name = played.account
        for step, found in enumerate(played.leg.stages):
            if found.status is Status.SKIPPED:
                return
            on_event(StageStarted(name, Leg.INBOUND, step, found.stage, 0.0))
            if found.stage is Stage.TRANSFER:
                return
            failure = played.leg.failure if found.status is Status.FAILED else None
            on_event(StageFinished(name, Leg.INBOUND, step, found, failure, 0.0))


class NoIdling:
    """Servers that tell nothing by themselves."""

    def __init__(self) -> None:
        self.followed: list[str] = []

    def follow(self, accounts: Iterable[Account]) -> None:
        self.followed = [account.name for account in accounts]

    def is_waiting(self, name: str) -> bool:
        return False

    async def run(self) -> None:
        await asyncio.Event().wait()
