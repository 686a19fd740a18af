"""One account checked: both legs at once, within their time, and never without a report."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.actions.check import CheckOptions, check_account
from mailtui.actions.memory import Memory
from mailtui.demo.certificates import make_certificates
from mailtui.model.account import CertificatePolicy, Protocol, SecretRef, Security, Trust
from mailtui.model.check import Cause, Leg, LegReport, Severity, Stage, Status
from mailtui.model.errors import SecretError
from mailtui.model.events import LegFinished, StageFinished, StageStarted
from mailtui.model.text import has_hostile
from tests.actions.kit import KNOWN, Ledger, account, endpoint, good
from tests.protocols.clock import Clock
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import dialogue, hear, play
from tests.protocols.legs import nothing_left
from tests.scripted import Peer, Script, ScriptedServer, silence


def turn_by_turn(protocol: Protocol, before_each: Callable[[], Awaitable[object]]) -> Script:
    """A good server that awaits `before_each` before each answer."""
    turns = dialogue(protocol, Security.NONE)

    async def script(peer: Peer) -> None:
        for turn in turns:
            tag = ""
            if turn.hears is not None:
                tag = await hear(protocol, peer, turn.hears)
                await before_each()
            assert turn.says is not None
            await peer.send(turn.says.replace(b"{tag}", tag.encode()))

    return script


async def test_both_legs_need_each_other() -> None:
    """Each server answers only when the other has heard as much: one leg after the other would never end."""
    together = asyncio.Barrier(2)
    async with (
        ScriptedServer(turn_by_turn(Protocol.SMTP, together.wait)) as smtp,
        ScriptedServer(turn_by_turn(Protocol.IMAP, together.wait)) as imap,
    ):
        checked = await check_account(account("ada", endpoint(smtp.port), endpoint(imap.port)), KNOWN)
    assert checked.severity is Severity.OK
    assert [leg.failure for leg in checked.legs] == [None, None]


async def test_the_stages_of_both_legs_overlap() -> None:
    """Both servers delay everything they say: the wall time is that of the slower leg, not the sum."""

    async def delay() -> None:
        await asyncio.sleep(0.03)

    ledger = Ledger()
    async with (
        ScriptedServer(turn_by_turn(Protocol.SMTP, delay)) as smtp,
        ScriptedServer(turn_by_turn(Protocol.POP3, delay)) as pop3,
    ):
        tested = account("ada", endpoint(smtp.port), endpoint(pop3.port), Protocol.POP3)
        checked = await check_account(tested, KNOWN, ledger.events.append)
    assert checked.severity is Severity.OK
    at = {
        leg: [
            event.at for event in ledger.events if isinstance(event, (StageStarted, StageFinished)) and event.leg is leg
        ]
        for leg in Leg
    }
    begin, end = max(times[0] for times in at.values()), min(times[-1] for times in at.values())
    shorter = min(times[-1] - times[0] for times in at.values())
    assert end - begin > 0.8 * shorter
    for leg in Leg:
        # Every stage that waits has events of the other leg beside it.
        others = [moment for other in Leg if other is not leg for moment in at[other]]
        assert sum(at[leg][0] <= moment <= at[leg][-1] for moment in others) >= len(others) // 2


async def test_each_leg_says_its_last_word_once() -> None:
    ledger = Ledger()
    async with ScriptedServer(good(Protocol.SMTP)) as smtp, ScriptedServer(good(Protocol.IMAP)) as imap:
        checked = await check_account(
            account("ada", endpoint(smtp.port), endpoint(imap.port)), KNOWN, ledger.events.append
        )
    last = {event.report.leg: event.report for event in ledger.events if isinstance(event, LegFinished)}
    assert last == {Leg.OUTBOUND: checked.outbound, Leg.INBOUND: checked.inbound}
    assert sum(isinstance(event, LegFinished) for event in ledger.events) == 2
    assert checked.ms >= max(leg.ms for leg in checked.legs)


async def test_one_leg_that_fails_leaves_the_other_alone() -> None:
    async with ScriptedServer([b"554 no\r\n"]) as smtp, ScriptedServer(good(Protocol.IMAP)) as imap:
        checked = await check_account(account("ada", endpoint(smtp.port), endpoint(imap.port)), KNOWN)
    assert checked.outbound is not None
    assert checked.outbound.failure is not None
    assert checked.inbound is not None
    assert checked.inbound.failure is None
    assert checked.severity is Severity.FAILED


@pytest.mark.parametrize("leg", Leg)
async def test_a_leg_that_is_not_asked_for_is_not_touched(leg: Leg) -> None:
    async with ScriptedServer(good(Protocol.SMTP)) as smtp, ScriptedServer(good(Protocol.IMAP)) as imap:
        tested = account("ada", endpoint(smtp.port), endpoint(imap.port))
        checked = await check_account(tested, KNOWN, options=CheckOptions(frozenset({leg})))
        assert [smtp.connections, imap.connections] == ([1, 0] if leg is Leg.OUTBOUND else [0, 1])
    assert [report.leg for report in checked.legs] == [leg]


async def test_a_send_only_account_has_one_leg() -> None:
    async with ScriptedServer(good(Protocol.SMTP)) as smtp:
        checked = await check_account(account("ada", endpoint(smtp.port)), KNOWN)
    assert checked.inbound is None
    assert checked.severity is Severity.OK


async def test_without_a_transcript_none_is_kept() -> None:
    async with ScriptedServer(good(Protocol.SMTP)) as smtp:
        checked = await check_account(
            account("ada", endpoint(smtp.port)), KNOWN, options=CheckOptions(transcript=False)
        )
    assert checked.outbound is not None
    assert checked.outbound.transcript == ()
    assert checked.outbound.failure is None


class TestSecrets:
    class Locked:
        """A reader without secrets; `error` is what it raises."""

        def __init__(self, error: Exception) -> None:
            self._error = error

        async def read(self, ref: SecretRef, account_name: str) -> str:
            raise self._error

    @pytest.mark.parametrize(
        ("error", "cause", "hint"),
        [
            (SecretError("env:SECRET is not set"), Cause.SECRET_UNAVAILABLE, "env:SECRET is not set"),
            (SecretError("line\none\x1b[2J"), Cause.SECRET_UNAVAILABLE, "line\\x0aone\\x1b[2J"),
            (
                RuntimeError("hunter2"),
                Cause.INTERNAL,
                "a fault of mailtui's own while the secret was read, please report it: RuntimeError",
            ),
        ],
    )
    async def test_without_a_secret_no_network_is_touched(self, error: Exception, cause: Cause, hint: str) -> None:
        ledger = Ledger()
        async with ScriptedServer(silence) as smtp, ScriptedServer(silence) as imap:
            checked = await check_account(
                account("ada", endpoint(smtp.port), endpoint(imap.port)), self.Locked(error), ledger.events.append
            )
            assert smtp.connections == imap.connections == 0
        for leg in checked.legs:
            assert leg.failure is not None
            assert (leg.failure.stage, leg.failure.cause, leg.failure.hint) == (Stage.AUTH, cause, hint)
            assert not has_hostile(leg.failure.hint)
            before = leg.stages[: [result.stage for result in leg.stages].index(Stage.AUTH)]
            assert {result.status for result in before} == {Status.SKIPPED}
        finished = [event for event in ledger.events if isinstance(event, StageFinished)]
        assert [event.result.stage for event in finished] == [Stage.AUTH, Stage.AUTH]
        assert all(
            leg.stages[event.step] == event.result for event in finished for leg in checked.legs if leg.leg is event.leg
        )

    async def test_an_account_that_names_no_secret(self) -> None:
        tested = account("ada", endpoint(1))
        tested = replace(tested, submission=replace(tested.submission, secret=None))
        checked = await check_account(tested, KNOWN)
        assert checked.outbound is not None
        assert checked.outbound.failure is not None
        assert checked.outbound.failure.cause is Cause.SECRET_UNAVAILABLE

    async def test_a_leg_without_a_login_needs_no_secret(self) -> None:
        async def without_login(peer: Peer) -> None:
            turns = dialogue(Protocol.SMTP, Security.NONE)
            await play(Protocol.SMTP, [*turns[:2], *turns[4:]])(peer)

        async with ScriptedServer(without_login) as smtp:
            tested = account("ada", endpoint(smtp.port))
            tested = replace(tested, submission=replace(tested.submission, authentication=False))
            checked = await check_account(tested, self.Locked(SecretError("never asked")))
        assert checked.severity is Severity.OK


class TestDeadlines:
    async def _check(self, clock: Clock, options: CheckOptions, seconds_each: float) -> tuple[Stage, str]:
        """The failure of a server that takes `seconds_each` for every answer."""

        async def dawdle() -> None:
            clock.advance(seconds_each)
            # The loop takes note of the time in its next round.
            await asyncio.sleep(0.001)

        with nothing_left():
            async with ScriptedServer(turn_by_turn(Protocol.SMTP, dawdle)) as smtp:
                checked = await check_account(account("ada", endpoint(smtp.port)), KNOWN, options=options)
                await smtp.all_closed()
        assert checked.outbound is not None
        failure = checked.outbound.failure
        assert failure is not None
        assert failure.cause is Cause.SILENT
        return failure.stage, failure.hint

    async def test_a_stage_that_takes_too_long(self, clock: Clock) -> None:
        stage, hint = await self._check(clock, CheckOptions(), 11.0)
        assert stage is Stage.CAPABILITIES
        assert hint.endswith(" did not answer within 10 s")

    async def test_stages_that_together_take_too_long(self, clock: Clock) -> None:
        stage, hint = await self._check(clock, CheckOptions(), 7.0)
        # The capabilities, the login, and before the capabilities have come again the time is up.
        assert stage is Stage.CAPABILITIES
        assert hint.endswith(" used up the 20 s that a leg may take")

    async def test_a_stage_never_has_more_time_than_its_leg(self, clock: Clock) -> None:
        stage, hint = await self._check(clock, CheckOptions(leg_timeout=3.0), 4.0)
        assert stage is Stage.CAPABILITIES
        assert hint.endswith(" 3 s that a leg may take")


class TestWarnings:
    async def _check(self, authority: Authority, name: str, options: CheckOptions | None = None) -> LegReport:
        context = getattr(authority, name)
        script = play(Protocol.SMTP, dialogue(Protocol.SMTP, Security.IMPLICIT_TLS), context=context)
        async with ScriptedServer(script) as smtp, ScriptedServer(good(Protocol.IMAP)) as imap:
            outbound = endpoint(smtp.port, security=Security.IMPLICIT_TLS, policy=authority.policy)
            tested = account("ada", outbound, endpoint(imap.port))
            checked = await check_account(tested, KNOWN, options=options or CheckOptions())
        assert checked.inbound is not None
        assert checked.inbound.failure is None
        assert checked.outbound is not None
        return checked.outbound

    async def test_two_weeks_before_the_end(self, authority: Authority) -> None:
        assert authority.policy.trust is Trust.CA_FILE
        leg = await self._check(authority, "ending_soon")
        assert leg.severity is Severity.WARNING
        assert leg.warning.startswith("the certificate ends in 6 days, on 20")

    async def test_a_failure_is_worse_than_a_warning(self, authority: Authority) -> None:
        assert (await self._check(authority, "expired")).severity is Severity.FAILED

    async def test_long_before_the_end(self, authority: Authority) -> None:
        assert (await self._check(authority, "good")).severity is Severity.OK

    @pytest.mark.parametrize(
        ("name", "days", "severity"),
        [
            ("ending_soon", 5, Severity.OK),
            ("ending_soon", 7, Severity.WARNING),
            ("good", 299, Severity.OK),
            ("good", 301, Severity.WARNING),
            ("good", 0, Severity.OK),
        ],
    )
    async def test_whoever_wants_to_know_it_sooner_or_later(
        self, authority: Authority, name: str, days: int, severity: Severity
    ) -> None:
        assert (await self._check(authority, name, CheckOptions(certificate_days=days))).severity is severity

    async def test_several_stand_on_one_line(self, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mailtui.actions.leg.families_warning", lambda families: "IPv6 is dead")
        leg = await self._check(authority, "ending_soon")
        certificate, families = leg.warning.split("; ")
        assert certificate.startswith("the certificate ends in 6 days")
        assert families == "IPv6 is dead"

    async def test_an_older_tls_than_before(self, authority: Authority, tmp_path: Path) -> None:
        context = make_certificates(tmp_path / "certificates").self_signed
        script = play(Protocol.SMTP, dialogue(Protocol.SMTP, Security.IMPLICIT_TLS), context=context)
        memory = Memory()
        async with ScriptedServer(script) as smtp:
            anything = CertificatePolicy(Trust.ANYTHING)
            tested = account("ada", endpoint(smtp.port, security=Security.IMPLICIT_TLS, policy=anything))
            warnings = []
            for newest in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context.maximum_version = newest
                checked = await check_account(tested, KNOWN, memory=memory)
                assert checked.outbound is not None
                assert checked.outbound.failure is None
                warnings.append((checked.outbound.warning, [change.words for change in checked.outbound.changes]))
        assert warnings[0] == ("", [])
        assert warnings[1][0].endswith(" UTC: TLSv1.2, which is older than TLSv1.3")
        assert warnings[1][1] == ["TLSv1.2, which is older than TLSv1.3"]
        assert warnings[2] == ("", ["TLSv1.3 instead of TLSv1.2"])
