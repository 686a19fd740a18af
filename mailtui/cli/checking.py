"""Test accounts and say how it went, with an exit code that scripts can rely on."""

import asyncio
import gc
import logging
from collections.abc import Sequence

from mailtui.actions.check import CheckOptions, Limits, SecretReader, Slots, check_many
from mailtui.actions.recording import Recorder, Write
from mailtui.cli.live import REDRAW_SECONDS
from mailtui.cli.output import CLOSED_PIPE_EXIT, Output
from mailtui.cli.presenters import Presenter, choose_presenter
from mailtui.cli.terminal import questions_cleared
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Severity


def check_accounts(
    accounts: Sequence[Account],
    reader: SecretReader,
    output: Output,
    *,
    form: str = "text",
    options: CheckOptions,
    limits: Limits | None = None,
    record: Write | None = None,
) -> int:
    """Check `accounts` and print as it goes; returns the exit code: the severity of the worst report.

    `form` is text or json; `record` keeps reports, and is called off the event loop. Ctrl-C ends every connection and
    raises KeyboardInterrupt.
    """
    # Libraries log in words of their own, which nobody has cleaned or masked, and Python prints what nobody handles.
    logging.getLogger().addHandler(logging.NullHandler())
    # All that was loaded stays; what a long run leaves behind is collected.
    gc.freeze()
    gc.enable()
    presenter = choose_presenter(output, accounts, options.legs, form, transcript=options.transcript)
    run = _Run(presenter, output)
    try:
        with questions_cleared(output):
            asyncio.run(run.check(accounts, reader, options, limits or Limits(), record))
    except KeyboardInterrupt:
        output.error(f"{run.checked} of {len(accounts)} accounts were checked")
        raise
    except asyncio.CancelledError:
        return CLOSED_PIPE_EXIT
    finally:
        if run.problem:
            output.error(f"the history was not kept: {run.problem}")
    presenter.end(run.severity)
    return int(run.severity)


class _Run:
    """One run of a check: counts, and stops everything once nobody reads the output."""

    def __init__(self, presenter: Presenter, output: Output) -> None:
        self._presenter = presenter
        self._output = output
        self.severity = Severity.OK
        self.checked = 0
        self.problem = ""

    async def check(
        self,
        accounts: Sequence[Account],
        reader: SecretReader,
        options: CheckOptions,
        limits: Limits,
        record: Write | None,
    ) -> None:
        recorder = Recorder(record)
        this_task = asyncio.current_task()

        def on_report(report: CheckReport) -> None:
            self.checked += 1
            self.severity = max(self.severity, report.severity)
            recorder.add(report)
            self._presenter.on_report(report)
            if self._output.closed and this_task is not None:
                this_task.cancel()

        ticker = asyncio.create_task(self._tick())
        try:
            await check_many(
                accounts,
                reader,
                on_event=self._presenter.on_event,
                on_report=on_report,
                options=options,
                slots=Slots(limits),
            )
        finally:
            ticker.cancel()
            await recorder.end()
            self.problem = recorder.problem

    async def _tick(self) -> None:
        while True:
            self._presenter.tick()
            await asyncio.sleep(REDRAW_SECONDS)
