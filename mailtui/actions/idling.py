"""Wait at the servers that tell of new mail by themselves (IMAP IDLE, RFC 2177), one connection for each account."""

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailtui.actions.leg import CheckOptions, LegCheck, Run, SecretReader
from mailtui.actions.lockout import Logins
from mailtui.actions.memory import Memory
from mailtui.actions.schedule import retrieval_interval
from mailtui.actions.slots import Limits, Slots
from mailtui.model.account import Account, Login, Protocol, Retrieval
from mailtui.model.check import Cause, Failure, Leg, LegReport, LegSetup, Stage, legs_of
from mailtui.protocols import source_of
from mailtui.protocols.dial import Network
from mailtui.protocols.session import Session
from mailtui.protocols.source import MailboxState, RemoteMailbox
from mailtui.protocols.trace import Trace

if TYPE_CHECKING:
    from mailtui.protocols.imap_source import ImapSource

LIMITS = Limits(total=200, per_host=50)
"""Connections that wait at most; accounts beyond them are retrieved by their interval alone."""

PERIOD = 540.0
"""Seconds after which an IDLE is renewed: servers end it after 30 minutes, routers may forget it after ten."""

SETTLING = 2.0
"""Seconds before the next IDLE: mail often comes in bursts, and a server may end each IDLE at once."""

FIRST_PAUSE, LONGEST_PAUSE = 30.0, 1_800.0
"""Seconds before a lost connection is made again, doubled as long as that fails."""

_STAGE_TIMEOUT = 30.0
_FRESH = 60.0
"""Seconds for which connections share looked-up names and verdicts on logins."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A connection stands, and waits for new mail in `mailbox`."""

    account: str
    mailbox: str


@dataclass(frozen=True, slots=True)
class NotWaiting:
    """A connection was lost, or came to nothing; the next one is tried in `seconds`."""

    account: str
    failure: Failure
    seconds: float


IdleEvent = Waiting | NotWaiting

_Kind = tuple[Login | None, Retrieval | None]


class Idlers:
    """Connections that wait for new mail of automatic IMAP accounts. On the event loop only.

    `on_new` is called when a server tells of new mail (give it `Schedule.at_once`), and when a connection stands that
    may have missed some; `on_event` when one stands, and when one does not (once where the login is not tried again).
    A server without IDLE is left alone. `secrets` serves as long as this does: `RereadingReader`.
    """

    def __init__(
        self,
        secrets: SecretReader,
        memory: Memory,
        on_new: Callable[[Account], None],
        *,
        on_event: Callable[[IdleEvent], None] = lambda event: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._secrets = secrets
        self._memory = memory
        self._on_new = on_new
        self._on_event = on_event
        self._pause = pause
        self._slots = Slots(LIMITS)
        self._wanted: dict[str, Account] = {}
        self._waiters: dict[str, tuple[_Waiter, asyncio.Task[None]]] = {}
        self._group: asyncio.TaskGroup | None = None
        self._stopped = asyncio.Event()
        self._run: Run | None = None
        self._run_until = 0.0

    def follow(self, accounts: Iterable[Account]) -> None:
        """Wait for the automatic ones of these accounts and for no others; unchanged ones keep their connection.

        May be called at any time, before `run` too.
        """
        self._wanted = {account.name: account for account in accounts if _is_followed(account)}
        if self._group is not None:
            self._settle(self._group)

    def is_waiting(self, name: str) -> bool:
        """Whether a connection waits for new mail of this account at this moment."""
        return name in self._waiters and self._waiters[name][0].is_waiting

    async def run(self) -> None:
        """Hold the connections, until cancelled or stopped; then they are closed."""
        self._stopped.clear()
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                self._settle(group)
                try:
                    await self._stopped.wait()
                finally:
                    self._group = None
                    for _, task in self._waiters.values():
                        task.cancel()
        finally:
            self._waiters.clear()

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def _settle(self, group: asyncio.TaskGroup) -> None:
        for name, (waiter, task) in list(self._waiters.items()):
            account = self._wanted.get(name)
            if account is None or _kind(account) != waiter.kind:
                task.cancel()
                del self._waiters[name]
        for name, account in self._wanted.items():
            if name not in self._waiters:
                waiter = _Waiter(account, self._on_new, self._on_event)
                self._waiters[name] = waiter, group.create_task(self._hold(waiter))

    async def _hold(self, waiter: "_Waiter") -> None:
        """Keep one account connected; returns once its server turns out to have no IDLE."""
        pause = FIRST_PAUSE
        is_held = False
        while True:
            failure = (await waiter.connect(self._shared())).failure
            if waiter.has_no_idle:
                return
            if waiter.has_waited:
                pause = FIRST_PAUSE
            seconds = pause * random.uniform(0.8, 1.2)
            if failure is not None and not (is_held and failure.cause is Cause.LOGIN_HELD):
                self._on_event(NotWaiting(waiter.name, failure, seconds))
            is_held = failure is not None and failure.cause in (Cause.BAD_CREDENTIALS, Cause.LOGIN_HELD)
            await self._pause(seconds)
            pause = min(2 * pause, LONGEST_PAUSE)

    def _shared(self) -> Run:
        now = time.monotonic()
        if self._run is None or now >= self._run_until:
            options = CheckOptions(
                legs=frozenset({Leg.INBOUND}),
                stage_timeout=_STAGE_TIMEOUT,
                leg_timeout=math.inf,
                transcript=False,
            )
            self._run = Run(self._secrets, None, options, Network(), self._slots, self._memory, Logins())
            self._run_until = now + _FRESH
        return self._run


class _Waiter:
    """One account's connection, made again and again."""

    def __init__(
        self, account: Account, on_new: Callable[[Account], None], on_event: Callable[[IdleEvent], None]
    ) -> None:
        self.name = account.name
        self.kind = _kind(account)
        self.is_waiting = False
        self.has_waited = False
        """Whether the last connection came to wait for a whole period, or to hear of mail."""
        self.has_no_idle = False
        self._account = account
        self._on_new = on_new
        self._on_event = on_event
        self._seen: MailboxState | None = None

    async def connect(self, run: Run) -> LegReport:
        """One connection, from its beginning to its end; how it went."""
        self.has_waited = False
        setup = _inbound(self._account)
        try:
            return await LegCheck(self._account, setup, run, work=self._work, plan=setup.retrieval_plan).check()
        finally:
            self.is_waiting = False

    async def _work(self, session: Session, trace: Trace) -> None:
        from mailtui.protocols.imap_source import ImapSource

        source = source_of(session, trace)
        assert isinstance(source, ImapSource)
        await source.prepare(trace)
        if not source.can_idle:
            self.has_no_idle = True
            await source.finish(trace)
            return
        async with trace.stage(Stage.MAILBOX):
            mailbox = await self._mailbox(source)
            state = await source.select(mailbox, writable=False)
        self._on_event(Waiting(self.name, trace.shown(mailbox.name)))
        async with trace.stage(Stage.TRANSFER):
            await self._wait(source, state, trace)

    async def _mailbox(self, source: "ImapSource") -> RemoteMailbox:
        """A connection can wait for one mailbox only: INBOX, if it is one of the account's."""
        assert self._account.retrieval is not None
        found = await source.mailboxes(self._account.retrieval.mailboxes)
        inbox = (mailbox for mailbox in found if mailbox.name.upper() == "INBOX")
        return next(inbox, found[0] if found else RemoteMailbox("INBOX", "INBOX"))

    async def _wait(self, source: "ImapSource", state: MailboxState, trace: Trace) -> None:
        if state != self._seen:
            # Nobody knows what came before this connection stood.
            self._seen = state
            self._on_new(self._account)
        while True:
            self.is_waiting = True
            is_new = await source.idle(PERIOD)
            trace.watch.progress()
            self.has_waited = True
            if is_new:
                self._on_new(self._account)
            await asyncio.sleep(SETTLING)


def _is_followed(account: Account) -> bool:
    if account.retrieval is None or account.retrieval.protocol is not Protocol.IMAP:
        return False
    return retrieval_interval(account) is not None


def _kind(account: Account) -> _Kind:
    """What the connection depends on."""
    return account.retrieval_login, account.retrieval


def _inbound(account: Account) -> LegSetup:
    return next(setup for setup in legs_of(account) if setup.leg is Leg.INBOUND)
