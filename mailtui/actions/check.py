"""Prove an account: both legs at once, each an ordinary session opened, probed and closed."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Protocol as Interface

from mailtui.model.account import Account, Endpoint, SecretRef
from mailtui.model.check import (
    Cause,
    CheckReport,
    Event,
    Failure,
    Leg,
    LegFinished,
    LegReport,
    LegSetup,
    Stage,
    certificate_warning,
    legs_of,
    utc_now,
)
from mailtui.model.errors import SecretError
from mailtui.model.text import clean
from mailtui.protocols import session_class
from mailtui.protocols.dial import Network
from mailtui.protocols.faults import StageFailed
from mailtui.protocols.recognise import recognise
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.trace import Trace


class SecretReader(Interface):
    """Reads secrets during one run. Raises SecretError; never blocks the loop."""

    async def read(self, ref: SecretRef, account_name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What to check and how long to wait: seconds for one stage and for a whole leg.

    A certificate that ends within `certificate_days` is a warning. `insist` logs in although the same login was refused
    before; `accept_changes` takes a server as it is now, whatever it was.
    """

    legs: frozenset[Leg] = frozenset(Leg)
    stage_timeout: float = 10.0
    leg_timeout: float = 20.0
    transcript: bool = True
    certificate_days: int = 14
    insist: bool = False
    accept_changes: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Connections open at once: in all, and to one host."""

    total: int = 200
    per_host: int = 20


_STARTED_AT_ONCE = 20

Listener = Callable[[Event], None]
Slot = Callable[[Endpoint], AbstractAsyncContextManager[None]]


async def check_account(
    account: Account,
    secrets: SecretReader,
    on_event: Listener | None = None,
    options: CheckOptions = CheckOptions(),
    *,
    network: Network | None = None,
    slot: Slot = lambda endpoint: nullcontext(),
) -> CheckReport:
    """Check one account, both legs at once. Never raises but for cancellation: what went wrong is in the report.

    `slot` is entered around each leg's connection; the leg's time runs only inside.
    """
    started, began = utc_now(), time.perf_counter()
    network = network or Network()
    legs = [_Leg(account, setup) for setup in legs_of(account) if setup.leg in options.legs]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(leg.check(secrets, on_event, options, network, slot)) for leg in legs]
    reports = {task.result().leg: task.result() for task in tasks}
    ms = round((time.perf_counter() - began) * 1_000, 3)
    return CheckReport(account.name, started, ms, reports.get(Leg.OUTBOUND), reports.get(Leg.INBOUND))


async def check_many(
    accounts: Iterable[Account],
    secrets: SecretReader,
    *,
    on_event: Listener | None = None,
    on_report: Callable[[CheckReport], None],
    options: CheckOptions = CheckOptions(),
    slots: "Slots | None" = None,
) -> None:
    """Check accounts at once, within `slots` or else the usual `Limits`; a report comes as soon as it is whole."""
    network = Network()
    slots = slots or Slots(Limits())

    async def check(account: Account) -> None:
        on_report(await check_account(account, secrets, on_event, options, network=network, slot=slots.enter))

    async with asyncio.TaskGroup() as group:
        for number, account in enumerate(accounts, 1):
            group.create_task(check(account))
            if number % _STARTED_AT_ONCE == 0:
                # The first steps of thousands in one turn of the loop would hold up keys and repaints.
                await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class _Leg:
    account: Account
    setup: LegSetup

    async def check(
        self, secrets: SecretReader, on_event: Listener | None, options: CheckOptions, network: Network, slot: Slot
    ) -> LegReport:
        """Walk this leg to its end, or to its first failure."""
        credentials, failure = await self._credentials(secrets)
        async with slot(self.setup.endpoint):
            trace = self._trace(on_event, options)
            if failure is not None:
                trace.fail_before(Stage.AUTH, failure)
            else:
                try:
                    await self._walk(trace, credentials, network)
                finally:
                    trace.stop()
            warning = certificate_warning(trace.tls, self.setup.endpoint.certificate.trust, utc_now())
            report = trace.report(warning)
        if on_event is not None:
            on_event(LegFinished(self.account.name, report))
        return report

    async def _credentials(self, secrets: SecretReader) -> tuple[Credentials | None, Failure | None]:
        if self.setup.login is None:
            return None, None
        if self.setup.login.secret is None:
            return None, Failure(
                Cause.SECRET_UNAVAILABLE, Stage.AUTH, "the account does not say where its secret is kept"
            )
        try:
            secret = await secrets.read(self.setup.login.secret, self.account.name)
        except SecretError as error:
            return None, Failure(Cause.SECRET_UNAVAILABLE, Stage.AUTH, clean(str(error)))
        except Exception as error:  # noqa: BLE001  # a leg never raises, and one account never stops the others
            # Its message may hold the secret.
            hint = f"a fault of mailtui's own while the secret was read, please report it: {type(error).__name__}"
            return None, Failure(Cause.INTERNAL, Stage.AUTH, hint)
        return Credentials(self.setup.login.username, secret, self.setup.login.method), None

    def _trace(self, on_event: Listener | None, options: CheckOptions) -> Trace:
        return Trace(
            account=self.account.name,
            leg=self.setup.leg,
            protocol=self.setup.protocol,
            endpoint=self.setup.endpoint,
            plan=self.setup.plan,
            on_event=on_event,
            stage_timeout=min(options.stage_timeout, options.leg_timeout),
            leg_timeout=options.leg_timeout,
            keep_transcript=options.transcript,
        )

    async def _walk(self, trace: Trace, credentials: Credentials | None, network: Network) -> None:
        session = session_class(self.setup.protocol)(credentials, network)
        try:
            await session.open(trace)
            await session.probe(trace, self.account.email)
        except StageFailed:
            # The trace has it: a leg that fails is a report like any other.
            session.close()
            await recognise(trace, network)
        finally:
            session.close()


class Slots:
    """The connections that may be open at once. A leg waits for its host first, so that it holds up no other host."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._total = asyncio.Semaphore(limits.total)
        self._hosts: dict[str, asyncio.Semaphore] = {}

    @asynccontextmanager
    async def enter(self, endpoint: Endpoint) -> AsyncIterator[None]:
        host = self._hosts.setdefault(endpoint.host.lower(), asyncio.Semaphore(self._limits.per_host))
        async with host, self._total:
            yield
