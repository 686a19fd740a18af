"""mailtui check: test accounts and say how it went, with an exit code that scripts can rely on."""

import asyncio
import contextlib
import logging
from argparse import Namespace
from collections.abc import Sequence
from difflib import get_close_matches

from mailtui.actions.check import CheckOptions, Limits, SecretReader, check_many
from mailtui.cli.account_file import accounts_from_file
from mailtui.cli.live import REDRAW_SECONDS
from mailtui.cli.output import CLOSED_PIPE_EXIT, Output
from mailtui.cli.places import open_database, secret_store
from mailtui.cli.presenters import Presenter, choose_presenter
from mailtui.cli.recorder import Recorder, Write
from mailtui.cli.terminal import echo_restored
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, Severity
from mailtui.model.errors import UsageError
from mailtui.model.text import clean


def check(args: Namespace, output: Output) -> int:
    """Check the accounts that the arguments name; returns the severity of the worst, 0 to 2."""
    if args.all and args.name:
        raise UsageError("name accounts or say --all, not both")
    if not (args.all or args.name or args.file):
        raise UsageError("no account is named: `mailtui check NAME`, `mailtui check --all` or --file FILE")
    legs = frozenset({Leg(args.leg)} if args.leg else Leg)
    options = CheckOptions(
        legs=legs, stage_timeout=args.timeout / 2, leg_timeout=args.timeout, transcript=args.transcript
    )
    limits = Limits(total=args.limit, per_host=args.per_host)
    reader = secret_store(args, output).reader()
    with contextlib.ExitStack() as stack:
        if args.file:
            accounts = choose_accounts(accounts_from_file(args.file), args.name, legs, args.file)
            record = None
        else:
            database = stack.enter_context(open_database(args))
            stored = [database.account(name) for name in args.name] if args.name else database.accounts()
            accounts = choose_accounts(stored, args.name, legs, "the database")
            record = database.record_many
        return check_accounts(accounts, reader, output, form=args.format, options=options, limits=limits, record=record)


def choose_accounts(
    accounts: Sequence[Account], names: Sequence[str], legs: frozenset[Leg], source: str
) -> list[Account]:
    """Those `names`, active or not; without names, the active ones. Raises UsageError when nothing is left to check."""
    if not names:
        chosen = [account for account in accounts if account.active and _has_leg(account, legs)]
        if not chosen:
            what = "active account" if len(legs) > 1 else "active account with such a leg"
            raise UsageError(f"there is no {what} in {clean(source)}")
        return chosen
    by_name = {account.name: account for account in accounts}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise UsageError("\n".join(_unknown(name, list(by_name), source) for name in dict.fromkeys(unknown)))
    chosen = [by_name[name] for name in dict.fromkeys(names)]
    for account in chosen:
        if not _has_leg(account, legs):
            raise UsageError(f"{clean(account.name)} has no inbound leg: it is a send-only account")
    return chosen


def _has_leg(account: Account, legs: frozenset[Leg]) -> bool:
    return Leg.OUTBOUND in legs or account.retrieval is not None


def _unknown(name: str, known: list[str], source: str) -> str:
    similar = get_close_matches(name, known, 3, 0.5)
    hint = f"; did you mean {' or '.join(repr(clean(other)) for other in similar)}?" if similar else ""
    return f"there is no account named {clean(name)!r} in {clean(source)}{hint}"


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
    presenter = choose_presenter(output, accounts, options.legs, form, transcript=options.transcript)
    run = _Run(presenter, output)
    try:
        with echo_restored():
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
                accounts, reader, on_event=self._presenter.on_event, on_report=on_report, options=options, limits=limits
            )
        finally:
            ticker.cancel()
            await recorder.end()
            self.problem = recorder.problem

    async def _tick(self) -> None:
        while True:
            self._presenter.tick()
            await asyncio.sleep(REDRAW_SECONDS)
