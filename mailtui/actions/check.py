"""Prove an account: both legs at once, each an ordinary session opened, probed and closed."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from mailtui.actions.leg import CheckOptions, LegCheck, Listener, Run, SecretReader
from mailtui.actions.lockout import Logins
from mailtui.actions.memory import Memory
from mailtui.actions.slots import Limits, Slots
from mailtui.model.account import Account
from mailtui.model.check import CheckReport, Leg, legs_of, utc_now
from mailtui.protocols.dial import Network

__all__ = ["CheckOptions", "Limits", "Listener", "SecretReader", "Slots", "check_account", "check_many"]

_STARTED_AT_ONCE = 20
_USUAL = CheckOptions()


async def check_account(
    account: Account,
    secrets: SecretReader,
    on_event: Listener | None = None,
    options: CheckOptions = _USUAL,
    *,
    network: Network | None = None,
    memory: Memory | None = None,
) -> CheckReport:
    """Check one account, both legs at once. Never raises but for cancellation: what went wrong is in the report.

    `memory` is what past checks taught, and learns from this one.
    """
    run = Run(secrets, on_event, options, network or Network(), Slots(Limits()), memory or Memory(), Logins())
    return await _check(account, run)


async def check_many(
    accounts: Iterable[Account],
    secrets: SecretReader,
    *,
    on_event: Listener | None = None,
    on_report: Callable[[CheckReport], None],
    options: CheckOptions = _USUAL,
    slots: Slots | None = None,
    memory: Memory | None = None,
) -> None:
    """Check accounts at once, within `slots` or else the usual `Limits`; a report comes as soon as it is whole.

    Hosts take turns, so that the first connections are not all to one of them. `memory` is what past checks taught, and
    learns from these.
    """
    run = Run(secrets, on_event, options, Network(), slots or Slots(Limits()), memory or Memory(), Logins())

    async def check(account: Account) -> None:
        on_report(await _check(account, run))

    async with asyncio.TaskGroup() as group:
        for number, account in enumerate(_by_turns(accounts, options.legs), 1):
            group.create_task(check(account))
            if number % _STARTED_AT_ONCE == 0:
                # The first steps of thousands in one turn of the loop would hold up keys and repaints.
                await asyncio.sleep(0)


async def _check(account: Account, run: Run) -> CheckReport:
    started, began = utc_now(), time.perf_counter()
    legs = [LegCheck(account, setup, run) for setup in legs_of(account) if setup.leg in run.options.legs]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(leg.check()) for leg in legs]
    reports = {task.result().leg: task.result() for task in tasks}
    ms = round((time.perf_counter() - began) * 1_000, 3)
    return CheckReport(account.name, started, ms, reports.get(Leg.OUTBOUND), reports.get(Leg.INBOUND))


def _by_turns(accounts: Iterable[Account], legs: frozenset[Leg]) -> Iterator[Account]:
    """`accounts` with the hosts of their first legs taking turns, otherwise in their order."""
    hosts: dict[str, deque[Account]] = {}
    for account in accounts:
        host = next((setup.endpoint.host.lower() for setup in legs_of(account) if setup.leg in legs), "")
        hosts.setdefault(host, deque()).append(account)
    waiting = deque(hosts.values())
    while waiting:
        host_accounts = waiting.popleft()
        yield host_accounts.popleft()
        if host_accounts:
            waiting.append(host_accounts)
