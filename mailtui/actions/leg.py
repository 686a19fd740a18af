"""One leg of a check: walked to its end or its first failure, held against what past checks taught."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol as Interface

from mailtui.actions.lockout import Attempt, Logins, has_same_secret, held, marked
from mailtui.actions.memory import Memory
from mailtui.actions.slots import Place, Slots
from mailtui.model.account import Account, SecretRef
from mailtui.model.check import (
    CERTIFICATE_WARNING,
    Cause,
    Failure,
    FailureKind,
    Leg,
    LegReport,
    LegSetup,
    Stage,
    certificate_warning,
    utc_now,
)
from mailtui.model.errors import SecretError
from mailtui.model.events import Event, LegFinished
from mailtui.model.server import Change, ChangeKind, Offered, families_warning
from mailtui.model.text import clean
from mailtui.model.watch import HELD_BACK, Baseline, changes_line, changes_since, is_tls_lower
from mailtui.offloop import off_loop
from mailtui.protocols import session_class
from mailtui.protocols.dial import Network
from mailtui.protocols.families import families_judged
from mailtui.protocols.faults import StageFailed, WireError
from mailtui.protocols.recognise import recognise
from mailtui.protocols.sasl import Credentials
from mailtui.protocols.session import Gate, Session
from mailtui.protocols.trace import Trace

_WHATEVER_THE_PASSWORD = frozenset({"too-many-connections", "mailbox-in-use", "rate-limited"})
"""Rules of the diagnosis for refusals that tell nothing of the login, although servers say them in its place."""

Listener = Callable[[Event], None]

Work = Callable[[Session, Trace], Awaitable[None]]
"""What is done with a session once it is open. Raises StageFailed, and nothing else but cancellation."""

Preparation = Callable[[], Awaitable[Failure | None]]
"""Asked once the leg has its place, before anything is connected: why it must not begin, or None."""


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
    certificate_days: int = CERTIFICATE_WARNING.days
    insist: bool = False
    accept_changes: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """What all legs of one run share."""

    secrets: SecretReader
    on_event: Listener | None
    options: CheckOptions
    network: Network
    slots: Slots
    memory: Memory
    logins: Logins


class LegCheck:
    """One leg of an account in one run. Without `work`, which walks the stages of `plan`, it is proven and left.

    `prepare` is asked before anything is connected.
    """

    def __init__(
        self,
        account: Account,
        setup: LegSetup,
        run: Run,
        *,
        work: Work | None = None,
        plan: tuple[Stage, ...] | None = None,
        prepare: Preparation | None = None,
    ) -> None:
        self._account = account
        self._setup = setup
        self._run = run
        self._work = work or self._probe
        self._plan = plan or setup.plan
        self._prepare = prepare
        self._before: Baseline | None = None

    async def _probe(self, session: Session, trace: Trace) -> None:
        await session.probe(trace, self._account.email)

    async def check(self) -> LegReport:
        """Walk this leg to its end, or to its first failure. Never raises but for cancellation."""
        credentials, failure = await self._credentials()
        async with self._run.slots.enter(self._setup.endpoint) as place:
            if self._prepare is not None:
                failure = await self._prepare() or failure
            self._before = self._run.memory.baseline(
                self._account.name, self._setup.leg, self._setup.protocol, self._setup.endpoint
            )
            trace = self._trace(place)
            if failure is not None:
                trace.fail_before(failure.stage, failure)
            else:
                try:
                    async with families_judged(trace, self._run.network):
                        await self._walk(trace, credentials)
                finally:
                    trace.stop()
            report = self._report(trace)
        if self._run.on_event is not None:
            self._run.on_event(LegFinished(self._account.name, report))
        return report

    async def _credentials(self) -> tuple[Credentials | None, Failure | None]:
        login = self._setup.login
        if login is None:
            return None, None
        if login.secret is None:
            return None, Failure(
                Cause.SECRET_UNAVAILABLE, Stage.AUTH, "the account does not say where its secret is kept"
            )
        try:
            secret = await self._run.secrets.read(login.secret, self._account.name)
        except SecretError as error:
            return None, Failure(Cause.SECRET_UNAVAILABLE, Stage.AUTH, clean(str(error)))
        except Exception as error:  # noqa: BLE001  # a leg never raises, and one account never stops the others
            # Its message may hold the secret.
            hint = f"a fault of mailtui's own while the secret was read, please report it: {type(error).__name__}"
            return None, Failure(Cause.INTERNAL, Stage.AUTH, hint)
        return Credentials(login.username, secret, login.method), None

    def _trace(self, place: Place) -> Trace:
        options = self._run.options
        trace = Trace(
            account=self._account.name,
            leg=self._setup.leg,
            protocol=self._setup.protocol,
            endpoint=self._setup.endpoint,
            plan=self._plan,
            on_event=self._run.on_event,
            stage_timeout=min(options.stage_timeout, options.leg_timeout),
            leg_timeout=options.leg_timeout,
            keep_transcript=options.transcript,
        )
        trace.on_stage = place.follow
        return trace

    async def _walk(self, trace: Trace, credentials: Credentials | None) -> None:
        attempt = gate = None
        if credentials is not None:
            attempt = self._run.logins.attempt(self._setup.endpoint, credentials)
            gate = self._gate(attempt, credentials)
        session = session_class(self._setup.protocol)(credentials, self._run.network, gate)
        try:
            await session.open(trace)
            # A server may let in whoever comes (PREAUTH): nothing is proven then.
            if attempt is not None and credentials is not None and trace.mechanism:
                await self._note_success(credentials)
                attempt.succeeded()
            await self._work(session, trace)
        except StageFailed:
            # The trace has it: a leg that fails is a report like any other.
            session.close()
            if attempt is not None and credentials is not None:
                await self._note_refusal(attempt, credentials, trace.report())
                attempt.end()
            await recognise(trace, self._run.network)
        finally:
            if attempt is not None:
                attempt.end()
            session.close()

    def _gate(self, attempt: Attempt, credentials: Credentials) -> Gate:
        async def gate(trace: Trace) -> None:
            """Hold the credential back from a server that has changed, and from one that refused it before."""
            alarming = tuple(change for change in self._changes(trace) if change.is_alarming)
            if alarming:
                told = changes_line(alarming, self._before.since if self._before is not None else None)
                raise WireError(
                    HELD_BACK[alarming[0].kind], f"no login was tried: {told}; find out why, then accept the change"
                )
            await attempt.begin(trace)
            if self._run.options.insist:
                return
            for mark in self._run.memory.refusals(self._setup.endpoint, credentials):
                if await has_same_secret(mark, credentials):
                    attempt.was_refused(mark)
                    raise held(mark)

        return gate

    async def _note_success(self, credentials: Credentials) -> None:
        memory, endpoint = self._run.memory, self._setup.endpoint
        marks = memory.refusals(endpoint, credentials)
        if marks:
            same = [mark for mark in marks if await has_same_secret(mark, credentials)]
            memory.logged_in(self._account.name, self._setup.leg, endpoint, credentials, same)

    async def _note_refusal(self, attempt: Attempt, credentials: Credentials, report: LegReport) -> None:
        failure = report.failure
        if failure is None or (failure.stage, failure.cause) != (Stage.AUTH, Cause.BAD_CREDENTIALS):
            return
        if await off_loop(lambda: _tells_nothing_of_the_login(report)):
            return
        mark = await marked(self._setup.endpoint, credentials, failure.reply)
        self._run.memory.refused(self._account.name, self._setup.leg, mark)
        attempt.was_refused(mark)

    def _changes(self, trace: Trace) -> tuple[Change, ...]:
        """How the server differs from when it was good, as far as the leg has come."""
        before, offered = self._before, trace.offered
        if before is None:
            return ()
        if trace.failure is not None and trace.failure.cause is Cause.STARTTLS_NOT_OFFERED:
            # Nothing more was said of what it offers.
            offered = Offered(False, before.mechanisms, before.capabilities)
        was_rejected = trace.failure is not None and trace.failure.kind is FailureKind.CERTIFICATE
        changes = changes_since(
            before,
            tls=trace.tls,
            offered=offered,
            addresses=trace.addresses,
            trust=None if was_rejected else self._setup.endpoint.certificate.trust,
        )
        if self._run.options.accept_changes:
            return tuple(replace(change, is_alarming=False) for change in changes)
        return changes

    def _report(self, trace: Trace) -> LegReport:
        changes, before = self._changes(trace), self._before
        report = trace.report("; ".join(filter(None, self._warnings(trace, changes))))
        if before is not None:
            report = replace(report, changes=changes, changed_since=before.since)
        is_good = report.failure is None and not any(change.is_alarming for change in changes)
        if is_good or (self._run.options.accept_changes and changes):
            self._run.memory.learn(self._account.name, report, utc_now(), before)
        return report

    def _warnings(self, trace: Trace, changes: tuple[Change, ...]) -> list[str]:
        within = timedelta(days=self._run.options.certificate_days)
        trust = self._setup.endpoint.certificate.trust
        warnings = [certificate_warning(trace.tls, trust, utc_now(), within), families_warning(trace.families)]
        if self._before is not None and changes:
            is_lower = is_tls_lower(self._before, trace.tls)
            # Beside an alarming one a leg comes to its end only where it has no login.
            kinds = (ChangeKind.TLS_VERSION,) if is_lower else ()
            worth = tuple(change for change in changes if change.is_alarming or change.kind in kinds)
            warnings.append(changes_line(worth, self._before.since))
        return warnings


def _tells_nothing_of_the_login(refused: LegReport) -> bool:
    # Imported here, in a thread of its own: it takes long, and a check that goes well does without.
    from mailtui.diagnosis import diagnose

    diagnosis = diagnose(refused)
    return diagnosis is not None and diagnosis.rule in _WHATEVER_THE_PASSWORD
