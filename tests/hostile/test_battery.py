"""Every scenario, and what holds in each: the verdict, its time and memory, no secret told, no lie believed.

The verdict needs no deadline unless it is SILENT, for every server waits in silence at the end of its script.
"""

import os
import tracemalloc
from dataclasses import replace

import pytest

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, LegReport, Stage, Status
from mailtui.model.text import has_hostile
from mailtui.protocols.dial import Network
from tests.hostile.document import Measure, facts, facts_written
from tests.hostile.idle import IdleClock
from tests.hostile.registry import CHECKS, SCENARIOS
from tests.hostile.rules import ATTEMPT, Meter, assert_no_credential_told, context_of, texts_of
from tests.hostile.scenario import Scenario, trusting
from tests.hostile.server import HostileServer
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import SECRET, Walked, Way, face

PEAK_LIMIT = 10 << 20
"""Octets of Python's memory, client and server together."""

# What a leg may take beyond its deadline: the machine may be slow.
_SLACK = 5.0


@pytest.mark.parametrize("scenario", [pytest.param(scenario, id=scenario.id) for scenario in CHECKS])
async def test_the_battery(
    authority: Authority, idle_clock: IdleClock, measures: dict[str, Measure], scenario: Scenario
) -> None:
    way = trusting(scenario.way, authority.policy)
    server = HostileServer(scenario, context_of(authority, scenario))
    network = Network()
    await network.contexts.get(way.certificate)
    meter = Meter()
    tracemalloc.start()
    try:
        walked = await face(scenario.protocol, server, way, on_event=meter, network=network)
    finally:
        tracemalloc.stop()
    assert walked.verdict == scenario.verdict, walked.report.failure
    if scenario.reply is not None:
        assert walked.report.failure is not None
        assert walked.report.failure.reply == scenario.reply
    if scenario.verdict is None and scenario.protocol is not Protocol.SMTP:
        assert walked.report.messages == scenario.messages
    if scenario.step is not None and scenario.verdict is not None:
        assert walked.report.stages[scenario.step].status is Status.FAILED
    assert meter.measure.octets < PEAK_LIMIT
    assert meter.measure.seconds <= way.leg_timeout + _SLACK
    assert scenario.later is None or len(server.visits) > 1, "nobody has walked into the trap"
    assert_no_credential_told(scenario, server, way)
    assert_one_clean_line(walked)
    assert_doubted(walked.report, way)
    if scenario.unbelieved:
        assert_forgotten(walked.report, scenario.unbelieved)
    measures[scenario.id] = meter.measure


def assert_one_clean_line(walked: Walked) -> None:
    """Whatever text the report holds, wherever: one line, no control and no bidi character, no secret in any case."""
    texts = list(texts_of(walked.report))
    assert [text for text in texts if has_hostile(text)] == []
    assert [text for text in texts if SECRET.casefold() in text.casefold()] == []
    failure = walked.report.failure
    if failure is not None:
        assert failure.hint
        assert failure.hint.isprintable()
        assert (failure.cause is Cause.SILENT) == failure.hint.endswith("did not answer within 10 s")
        assert not any(character in failure.hint + failure.reply for character in "\r\n\t\x1b\x9b\u202e")


def assert_doubted(report: LegReport, way: Way) -> None:
    """Where STARTTLS is to come, what came before it is no offer, and words are not shown as surely the server's."""
    failure = report.failure
    if failure is None or way.security is not Security.STARTTLS:
        return
    stages = [result.stage for result in report.stages]
    failed = [result.status for result in report.stages].index(Status.FAILED)
    if failed <= stages.index(Stage.TLS):
        assert report.capabilities == ()
        assert report.offered is None
    # The hints on these say already whose words they are not.
    if failure.reply and failure.cause not in (Cause.FOREIGN_BANNER, Cause.NOT_TLS):
        assert ("in clear" in failure.hint) == (failed <= stages.index(Stage.TLS))


def assert_forgotten(report: LegReport, word: str) -> None:
    """What was said in clear is in the transcript and in the stages before TLS, and nowhere else."""
    stages = [result.stage for result in report.stages]
    under_tls = report.stages[stages.index(Stage.TLS) :]
    rest = replace(report, transcript=(), stages=under_tls)
    assert [text for text in texts_of(rest) if word in text] == []
    assert report.messages in (3, None)
    assert report.octets in (900, None)


def test_the_names_are_unique() -> None:
    names = [scenario.id for scenario in SCENARIOS]
    assert sorted(set(names)) == sorted(names)


def test_the_document_lists_every_scenario_with_its_verdict() -> None:
    """A run of all of tests/hostile with MAILTUI_UPDATE_DOCS=1 writes the table at its end."""
    if os.environ.get("MAILTUI_UPDATE_DOCS"):
        return
    assert facts_written() == facts(), "run MAILTUI_UPDATE_DOCS=1 pytest tests/hostile"


@pytest.mark.parametrize("security", Security)
@pytest.mark.parametrize("protocol", Protocol)
async def test_without_a_fault_the_dialogues_are_good(
    authority: Authority, protocol: Protocol, security: Security
) -> None:
    script = play(protocol, dialogue(protocol, security), context=authority.good)
    walked = await face(protocol, script, Way(security, certificate=authority.policy))
    assert walked.verdict is None
    assert walked.connections == 1
    assert len(ATTEMPT.findall(walked.received)) == 1
