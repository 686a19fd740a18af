"""Test accounts and say how it went, with an exit code that scripts can rely on."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from mailtui.actions.check import CheckOptions, Limits, SecretReader, Slots, check_many
from mailtui.actions.finishing import to_the_end
from mailtui.actions.recording import Recorder, Write
from mailtui.cli.live import REDRAW_SECONDS
from mailtui.cli.output import CLOSED_PIPE_EXIT, Output
from mailtui.cli.presenters import Presenter, Teller, choose_presenter
from mailtui.cli.remedies import Offer, Remedies, suggestion_lines
from mailtui.cli.settling import settle
from mailtui.cli.terminal import outcome, questions_cleared
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Severity
from mailtui.offloop import off_loop

if TYPE_CHECKING:
    from mailtui.actions.fixing import Fixed, FixingStore, Proposal
    from mailtui.actions.memory import Memory


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What is done about the fixes that a check proposes.

    `suggest` prints them as TOML. With a `store`, those that need no consent are made if `fix` says so, and those that
    trust a key if it is one of `trusted` (hex SHA-256); `offer` is the command that is named for it.
    """

    offer: Offer = Offer.NOTHING
    suggest: bool = False
    store: "FixingStore | None" = None
    fix: bool = False
    trusted: frozenset[str] = frozenset()

    def will_make(self, proposal: "Proposal") -> bool:
        """Whether `proposal` is to be made."""
        if self.store is None or not proposal.may_be_made(self.trusted):
            return False
        return self.fix or proposal.fix.needs_consent


def check_accounts(
    accounts: Sequence[Account],
    reader: SecretReader,
    output: Output,
    *,
    form: str = "text",
    options: CheckOptions,
    limits: Limits | None = None,
    record: Write | None = None,
    memory: "Memory | None" = None,
    afterwards: Afterwards = Afterwards(),
) -> int:
    """Check `accounts` and print as it goes; returns the exit code: the severity of the worst report.

    `form` is text or json; `record` keeps reports, and is called off the event loop. Accounts that are fixed
    `afterwards` are checked once more, and their second report counts. Ctrl-C ends every connection and raises
    KeyboardInterrupt.
    """
    settle()
    remedies = Remedies(accounts, afterwards.offer, afterwards.will_make)
    run = _Run(reader, output, form, options, limits or Limits(), record, memory, remedies, afterwards)
    try:
        with questions_cleared(output):
            asyncio.run(run.check(accounts))
    except KeyboardInterrupt:
        output.error(f"{run.checked} of {run.total} accounts were checked")
        raise
    except asyncio.CancelledError:
        return CLOSED_PIPE_EXIT
    finally:
        if run.problem:
            output.error(f"the history was not kept: {run.problem}")
    for problem in run.unmade:
        output.error(problem)
    return int(run.severity)


class _Run:
    """One run: a check of all, and another one of what was fixed. Stops everything once nobody reads the output."""

    def __init__(
        self,
        reader: SecretReader,
        output: Output,
        form: str,
        options: CheckOptions,
        limits: Limits,
        record: Write | None,
        memory: "Memory | None",
        remedies: Remedies,
        afterwards: Afterwards,
    ) -> None:
        self._reader = reader
        self._output = output
        self._form = form
        self._options = options
        self._limits = limits
        self._record = record
        self._remedies = remedies
        self._memory = memory
        self._afterwards = afterwards
        self._severities: dict[str, Severity] = {}
        self._proposals: dict[str, list[Proposal]] = {}
        self._keys: set[str] = set()
        self._fingerprints: dict[str, str] = {}
        self._pinned: set[str] = set()
        self.checked = 0
        self.total = 0
        self.problem = ""
        self.unmade: list[str] = []

    @property
    def severity(self) -> Severity:
        """The worst of the accounts, each by its last report."""
        return max(self._severities.values(), default=Severity.OK)

    async def check(self, accounts: Sequence[Account]) -> None:
        """Check and present, fix what may be fixed, check that again, and suggest the rest."""
        presenter = self._presenter(accounts)
        await self._pass(accounts, presenter)
        fixed = await self._fixed()
        if fixed is not None and fixed.made:
            if self._form != "json":
                presenter.end(self.severity)
            for proposal in fixed.made:
                presenter.fixed(proposal)
            self._remedies.now(fixed.accounts)
            # Whoever insists means one more login, not two.
            self._options = replace(self._options, insist=False)
            if self._form != "json":
                presenter = self._presenter(fixed.accounts)
            await self._pass(fixed.accounts, presenter)
        presenter.end(self.severity)
        self.unmade += [*(fixed.problems if fixed is not None else ()), *self._unmet()]
        if self._afterwards.suggest and self._form != "json":
            self._suggest()

    def _presenter(self, accounts: Sequence[Account]) -> Presenter:
        teller = Teller(self._output, self._remedies, transcript=self._options.transcript)
        return choose_presenter(teller, accounts, self._options.legs, self._form)

    async def _pass(self, accounts: Sequence[Account], presenter: Presenter) -> None:
        self.checked, self.total = 0, len(accounts)
        recorder = Recorder(self._record)
        this_task = asyncio.current_task()

        def on_report(report: CheckReport) -> None:
            self.checked += 1
            self._note(report)
            recorder.add(report)
            presenter.on_report(report)
            if self._output.closed and this_task is not None:
                this_task.cancel()

        ticker = asyncio.create_task(self._tick(presenter))
        try:
            await check_many(
                accounts,
                self._reader,
                on_event=presenter.on_event,
                on_report=on_report,
                options=self._options,
                slots=Slots(self._limits),
                memory=self._memory,
            )
        finally:
            ticker.cancel()
            await recorder.end()
            self.problem = self.problem or recorder.problem

    def _note(self, report: CheckReport) -> None:
        self._severities[report.account] = report.severity
        self._proposals[report.account] = proposals = self._remedies.proposals(report)
        for proposal in proposals:
            self._keys |= proposal.new_pins
        for leg in report.legs:
            # What was trusted already needs no consent any more: the same command does no harm again.
            self._pinned.update(leg.endpoint.certificate.pins)
            if leg.tls is not None and leg.tls.certificate is not None:
                self._fingerprints[leg.tls.certificate.fingerprint] = leg.tls.certificate.pin

    async def _tick(self, presenter: Presenter) -> None:
        while True:
            presenter.tick()
            await asyncio.sleep(REDRAW_SECONDS)

    async def _fixed(self) -> "Fixed | None":
        proposals = [proposal for of_one in self._proposals.values() for proposal in of_one]
        store, wanted = self._afterwards.store, [one for one in proposals if self._afterwards.will_make(one)]
        if store is None or not wanted:
            return None
        # Imported here: a check that goes well does without.
        from mailtui.actions.fixing import store_fixes

        fixed, interrupted = await outcome(to_the_end(off_loop(partial(store_fixes, store, wanted))))
        if interrupted:
            for one in fixed.made:
                self._output.error(
                    f"{one.account.name} {one.leg.leg.value}: applied, not tested again: {one.fix.words}"
                )
            raise KeyboardInterrupt
        return fixed

    def _unmet(self) -> Iterator[str]:
        """The keys that a person consented to in vain."""
        for key in sorted(self._afterwards.trusted - self._keys - self._pinned):
            if (pin := self._fingerprints.get(key)) is not None:
                yield f"--trust-key {key} is the fingerprint of a certificate; the SHA-256 of its key is {pin}"
            else:
                yield f"--trust-key {key}: no server was refused for having this key"

    def _suggest(self) -> None:
        proposals = [proposal for of_one in self._proposals.values() for proposal in of_one]
        self._output.line()
        for proposal in proposals:
            for line in suggestion_lines(proposal):
                self._output.line(line)
            self._output.line()
        if not proposals:
            self._output.line("# no change is suggested")
