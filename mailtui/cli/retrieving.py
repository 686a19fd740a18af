"""Fetch mail and say how it goes, with an exit code that scripts can rely on."""

import asyncio
from collections.abc import Sequence

from mailtui.actions.leg import SecretReader
from mailtui.actions.retrieve import RetrieveOptions, retrieval_slots, retrieve_many
from mailtui.cli.live import REDRAW_SECONDS
from mailtui.cli.output import CLOSED_PIPE_EXIT, Output
from mailtui.cli.remedies import Offer, Remedies
from mailtui.cli.retrieval_presenters import RetrievalPresenter, choose_presenter
from mailtui.cli.settling import settle
from mailtui.cli.terminal import questions_cleared
from mailtui.model.account import Account
from mailtui.model.check import Severity
from mailtui.model.retrieval import RetrievalReport
from mailtui.storage.database import Database


def retrieve_accounts(
    accounts: Sequence[Account],
    reader: SecretReader,
    database: Database,
    output: Output,
    *,
    form: str = "text",
    options: RetrieveOptions,
    at_once: int,
) -> int:
    """Fetch the mail of `accounts` and print as it goes; returns the exit code: the severity of the worst report.

    `form` is text or json. Ctrl-C ends every connection once what came whole is stored, and raises KeyboardInterrupt.
    """
    settle()
    remedies = Remedies(accounts, Offer.STORED, repeat="retrieve")
    presenter = choose_presenter(output, remedies, accounts, options, form)
    run = _Run(presenter, output)
    try:
        with questions_cleared(output):
            asyncio.run(run.retrieve(accounts, reader, database, options, at_once))
    except KeyboardInterrupt:
        what = "looked at" if options.dry_run else "retrieved; what came whole of the others is kept"
        output.error(f"{run.done} of {len(accounts)} accounts were {what}")
        raise
    except asyncio.CancelledError:
        return CLOSED_PIPE_EXIT
    return int(run.severity)


class _Run:
    """One run. Stops everything once nobody reads the output."""

    def __init__(self, presenter: RetrievalPresenter, output: Output) -> None:
        self._presenter = presenter
        self._output = output
        self.done = 0
        self.severity = Severity.OK

    async def retrieve(
        self,
        accounts: Sequence[Account],
        reader: SecretReader,
        database: Database,
        options: RetrieveOptions,
        at_once: int,
    ) -> None:
        """Retrieve and present."""
        this_task = asyncio.current_task()

        def on_report(report: RetrievalReport) -> None:
            self.done += 1
            self.severity = max(self.severity, report.severity)
            self._presenter.on_report(report)
            if self._output.closed and this_task is not None:
                this_task.cancel()

        ticker = asyncio.create_task(self._tick())
        try:
            await retrieve_many(
                accounts,
                reader,
                database,
                on_event=self._presenter.on_event,
                on_report=on_report,
                options=options,
                slots=retrieval_slots(at_once),
            )
        finally:
            ticker.cancel()
        self._presenter.end(self.severity)

    async def _tick(self) -> None:
        while True:
            self._presenter.tick()
            await asyncio.sleep(REDRAW_SECONDS)
