"""Walk one leg against a server of the test's own, and hold every leg, good or bad, to the same rules."""

import asyncio
import gc
import json
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from mailtui.actions.check import CheckOptions, check_account
from mailtui.model.account import (
    Account,
    AuthMethod,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
)
from mailtui.model.check import Cause, CheckReport, Leg, LegReport, Stage, Status, plan
from mailtui.model.events import Event, LegFinished, StageFinished, StageStarted
from mailtui.model.report_json import report_to_json
from mailtui.model.text import has_hostile
from mailtui.protocols.dial import Network
from tests.scripted import Script, ScriptedServer

USERNAME = "ada@example.org"
SECRET = 'hor5e"battery\\staple'
"""Holds the two characters that IMAP has to quote."""

Listener = Callable[[Event], None]


class KnownSecret:
    """A reader that knows one secret."""

    def __init__(self, secret: str = SECRET) -> None:
        self._secret = secret

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return self._secret


@dataclass(frozen=True)
class Login:
    """How the account under test logs in."""

    secret: str = SECRET
    method: AuthMethod = AuthMethod.AUTOMATIC
    username: str = USERNAME
    wanted: bool = True


@dataclass(frozen=True)
class Way:
    """How a leg is walked: what the account says, and what the check is told."""

    security: Security = Security.NONE
    login: Login = field(default_factory=Login)
    certificate: CertificatePolicy = field(default_factory=CertificatePolicy)
    allow_cleartext: bool = False
    host: str = "127.0.0.1"
    email: str = USERNAME
    stage_timeout: float = 10.0
    leg_timeout: float = 20.0


PLAIN_WAY = Way()


@dataclass(frozen=True)
class Walked:
    """One leg as it went: its report, its events, and what the server saw."""

    report: LegReport
    events: tuple[Event, ...]
    connections: int = 0
    received: bytes = b""

    @property
    def verdict(self) -> tuple[Stage, Cause] | None:
        """Where and why the leg failed; None when it did not."""
        failure = self.report.failure
        return None if failure is None else (failure.stage, failure.cause)

    @property
    def dialogue(self) -> str:
        """The transcript, one line each."""
        return "\n".join(f"{line.sender} {line.text}" for line in self.report.transcript)


def make_account(protocol: Protocol, port: int, way: Way) -> tuple[Account, Leg]:
    """An account whose one interesting leg talks `protocol` to `port`."""
    endpoint = Endpoint(way.host, port, way.security, way.certificate, way.allow_cleartext)
    secret = SecretRef(SecretScheme.ENV, "SECRET")
    if protocol is Protocol.SMTP:
        submission = Submission(endpoint, authentication=way.login.wanted, method=way.login.method, secret=secret)
        return Account("under test", way.email, submission), Leg.OUTBOUND
    retrieval = Retrieval(protocol, endpoint, way.login.method, way.login.username, secret)
    return Account("under test", way.email, Submission(Endpoint("127.0.0.1", 1)), retrieval), Leg.INBOUND


async def walk(
    protocol: Protocol,
    port: int,
    way: Way = PLAIN_WAY,
    *,
    on_event: Listener | None = None,
    network: Network | None = None,
) -> Walked:
    """Check one leg against `port` and hold the outcome to the rules that every leg keeps."""
    account, leg = make_account(protocol, port, way)
    events: list[Event] = []

    def listen(event: Event) -> None:
        events.append(event)
        if on_event is not None:
            on_event(event)

    options = CheckOptions(frozenset({leg}), way.stage_timeout, way.leg_timeout)
    async with asyncio.timeout(60):
        checked = await check_account(account, KnownSecret(way.login.secret), listen, options, network=network)
    (report,) = checked.legs
    walked = Walked(report, tuple(events))
    assert_plan_followed(walked, way)
    assert_fit_to_show(checked, walked, way.login.secret)
    return walked


async def face(
    protocol: Protocol,
    script: Script,
    way: Way = PLAIN_WAY,
    *,
    on_event: Listener | None = None,
    network: Network | None = None,
) -> Walked:
    """`walk` against a scripted server, after which nothing may be left: no connection, no task, no open resource."""
    with nothing_left():
        async with ScriptedServer(script) as server:
            walked = await walk(protocol, server.port, way, on_event=on_event, network=network)
            await server.all_closed()
            walked = Walked(walked.report, walked.events, server.connections, server.received)
    return walked


@contextmanager
def nothing_left() -> Iterator[None]:
    """Fails when a task outlives the block, a resource is not closed, or an exception found nobody to hear it."""
    loop = asyncio.get_running_loop()
    unheard: list[str] = []
    before = asyncio.all_tasks()
    loop.set_exception_handler(lambda loop, context: unheard.append(str(context)))
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ResourceWarning)
            yield
            gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning)] == []
    assert asyncio.all_tasks() - before == set()
    assert unheard == []


async def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`. Raises TimeoutError after a generous deadline."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in a server, which knows of no event
            await asyncio.sleep(0.001)


def assert_plan_followed(walked: Walked, way: Way) -> None:
    """Events alternate and follow the plan, step by step, and the report says the same as they do."""
    report = walked.report
    expected = plan(report.protocol, way.security, report.protocol is not Protocol.SMTP or way.login.wanted)
    assert tuple(result.stage for result in report.stages) == expected
    *steps, last = walked.events
    assert isinstance(last, LegFinished)
    assert last.report == report
    started, finished = steps[::2], steps[1::2]
    assert len(started) == len(finished)
    for step, (start, end) in enumerate(zip(started, finished, strict=True)):
        assert isinstance(start, StageStarted)
        assert isinstance(end, StageFinished)
        assert (start.step, start.stage, start.leg) == (step, expected[step], report.leg)
        assert (end.step, end.result, end.leg) == (step, report.stages[step], report.leg)
        assert start.at <= end.at
        is_last = step == len(started) - 1
        assert end.failure == (report.failure if is_last else None)
        assert end.result.status is (Status.FAILED if is_last and report.failure else Status.OK)
    assert all(result.status is Status.SKIPPED for result in report.stages[len(started) :])
    if report.failure is not None:
        assert report.failure.stage is expected[len(started) - 1]
        assert report.failure.hint
    else:
        assert len(started) == len(expected)


def secret_forms(secret: str) -> set[str]:
    """The secret as it may show: plain, quoted, and what is left of it in base64 wherever it stands in a message."""
    raw = secret.encode()
    forms = {secret, secret.replace("\\", "\\\\").replace('"', '\\"'), json.dumps(secret)[1:-1]}
    for before in range(3):
        # The outermost characters are shared with the neighbours, so they cannot be searched for.
        forms.add(b64encode(bytes(before) + raw + bytes(3)).decode()[4 if before else 0 : -8])
    return forms


def assert_fit_to_show(checked: CheckReport, walked: Walked, secret: str) -> None:
    """Every text that is shown is one clean line without the secret, in the report, its JSON and the events."""
    report = walked.report
    texts = [text for result in report.stages for text in (result.detail, result.reply)]
    texts += [line.text for line in report.transcript]
    texts += [report.address, report.mechanism, report.warning, *report.capabilities]
    if report.tls is not None and report.tls.certificate is not None:
        certificate = report.tls.certificate
        texts += [certificate.subject, certificate.issuer, *certificate.names]
    if report.failure is not None:
        texts += [report.failure.hint, report.failure.reply]
    assert [text for text in texts if has_hostile(text)] == []
    written = json.dumps(report_to_json(checked)) + repr(walked.events) + repr(report)
    assert [form for form in secret_forms(secret) if form in written] == []
