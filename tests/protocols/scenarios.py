"""One fault each: what the account says, what the server does, and where and why the leg must fail."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from mailtui.model.account import Protocol
from mailtui.model.check import Cause, Stage
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import Turn, play
from tests.protocols.legs import Walked, Way, face
from tests.scripted import Peer


@dataclass(frozen=True)
class Scenario:
    """After its `turns` the server waits in silence: the verdict must not need a deadline."""

    name: str
    turns: Sequence[Turn]
    verdict: tuple[Stage, Cause] | None
    way: Way = field(default_factory=Way)
    reply: str | None = None
    """What the report must show as the server's words, where that matters."""


def params(scenarios: Sequence[Scenario]) -> pytest.MarkDecorator:
    """Parametrise a test with `scenario`."""
    return pytest.mark.parametrize("scenario", scenarios, ids=[scenario.name for scenario in scenarios])


async def enact(authority: Authority, protocol: Protocol, scenario: Scenario) -> Walked:
    """Walk into the scenario and compare its outcome."""
    script = play(protocol, scenario.turns, context=authority.good)

    async def then_silence(peer: Peer) -> None:
        await script(peer)
        await peer.silence()

    walked = await face(protocol, then_silence, scenario.way)
    assert walked.verdict == scenario.verdict, walked.report.failure
    assert walked.connections == 1
    if scenario.reply is not None:
        assert walked.report.failure is not None
        assert walked.report.failure.reply == scenario.reply
    return walked
