"""mailtui agent: works in the foreground, one line for each thing that happens, until it is told to stop."""

import asyncio
import os
import signal
from argparse import Namespace
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mailtui.cli.main import INTERRUPTED_EXIT
from mailtui.cli.output import CLOSED_PIPE_EXIT, Output, Part
from mailtui.cli.own_settings import own_settings
from mailtui.cli.places import data_paths, open_database

if TYPE_CHECKING:
    from mailtui.actions.agent import Agent, AgentOptions

JOURNAL_VARIABLE = "JOURNAL_STREAM"
"""Set by systemd where the output goes to its journal, which knows the time of each line."""


def agent(args: Namespace, output: Output) -> int:
    """Work until a signal ends it: 0 after SIGTERM; or print the unit."""
    if args.print_unit:
        from mailtui.cli.unit import unit_text

        output.own(unit_text(args.data))
        return 0
    with open_database(args) as database:
        from mailtui.actions.agent import Agent, only_agent
        from mailtui.actions.rereading import RereadingReader
        from mailtui.cli.agent_words import AgentTeller
        from mailtui.cli.settling import settle
        from mailtui.storage.secrets import SecretStore

        with only_agent(database.path.parent):
            settle()
            # It asks nobody: whoever started it may be gone.
            reader = RereadingReader(SecretStore(data_paths(args)).reader)
            log = _Log(output)
            teller = AgentTeller(log.line)
            return asyncio.run(_serve(lambda: Agent(database, reader, teller.tell, _options(output)), output, log))


def _options(output: Output) -> "AgentOptions":
    from mailtui.actions.agent import AgentOptions
    from mailtui.actions.retrieve import RetrieveOptions

    settings = own_settings(output, "agent", "retrieval", "check")
    return AgentOptions(
        check_every=timedelta(minutes=settings.check_minutes) if settings.check_minutes else None,
        retrieve=RetrieveOptions(certificate_days=settings.certificate_days),
        retrievals_at_once=settings.retrievals_at_once,
    )


async def _serve(made: "Callable[[], Agent]", output: Output, log: "_Log") -> int:
    """Run the agent until a signal comes; a second one ends the program at once. Returns the exit code."""
    loop = asyncio.get_running_loop()
    agent = made()
    work = loop.create_task(agent.run())
    ended_by: list[int] = []

    def stop(number: int) -> None:
        ended_by.append(number)
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(one)
        log.line("stopping")
        work.cancel()

    def reload() -> None:
        log.line("reading settings and accounts again")
        agent.reload(_options(output))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, reload)
    log.on_closed = work.cancel
    try:
        await work
    except asyncio.CancelledError:
        if not ended_by:
            return CLOSED_PIPE_EXIT
    log.line("stopped")
    return INTERRUPTED_EXIT if signal.SIGINT in ended_by else 0


class _Log:
    """One line for each event, at once, with its time unless the journal has it anyway."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._has_times = not os.environ.get(JOURNAL_VARIABLE)
        self.on_closed: Callable[[], object] = lambda: None

    def line(self, *parts: Part) -> None:
        """Write one line."""
        time = f"{datetime.now().strftime('%Y-%m-%d %H:%M:%S')}  " if self._has_times else ""
        self._output.line(time, *parts)
        self._output.flush()
        if self._output.closed:
            self.on_closed()
