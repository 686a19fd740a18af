"""Prove an account: both legs at once, each an ordinary session opened and closed."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol as Interface

from mailtui.model.account import Account, SecretRef
from mailtui.model.check import CheckReport, Event, Leg


class SecretReader(Interface):
    """Reads secrets during one run. Raises SecretError; never blocks the loop."""

    async def read(self, ref: SecretRef, account_name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to check and how long to wait: seconds for one stage and for a whole leg."""

    legs: frozenset[Leg] = frozenset(Leg)
    stage_timeout: float = 10.0
    leg_timeout: float = 20.0
    transcript: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections open at once: in all, and to one host."""

    total: int = 200
    per_host: int = 20


Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener for those who only want the report."""


async def check_account(
    account: Account, secrets: SecretReader, on_event: Listener = ignore, options: CheckOptions = CheckOptions()
) -> CheckReport:
    """Check one account. Never raises but for cancellation: what went wrong is in the report."""
    raise NotImplementedError


async def check_many(
    accounts: Iterable[Account],
    secrets: SecretReader,
    *,
    on_event: Listener = ignore,
    on_report: Callable[[CheckReport], None],
    options: CheckOptions = CheckOptions(),
    limits: Limits = Limits(),
) -> None:
    """Check accounts at once, within `limits`; each report is handed over as soon as it is whole."""
    raise NotImplementedError
