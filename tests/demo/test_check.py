"""A check of every account of the demo says what the demo says it must."""

from mailtui.actions.check import CheckOptions, check_many
from mailtui.demo.world import DemoWorld, expectations, expected_stages
from mailtui.model.account import SecretRef
from mailtui.model.check import Cause, CheckReport, Leg, Stage
from tests.demo.conftest import Visitor

# Only the silent server waits for it, so it may be generous.
_STAGE_TIMEOUT = 5.0


class _Reader:
    def __init__(self, world: DemoWorld) -> None:
        self._world = world

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return self._world.passwords[account_name]


async def test_every_leg_shows_what_is_expected_at_its_true_stage(visitor: Visitor) -> None:
    reports: list[CheckReport] = []
    await check_many(
        visitor.world.accounts,
        _Reader(visitor.world),
        on_report=reports.append,
        options=CheckOptions(stage_timeout=_STAGE_TIMEOUT),
    )
    causes: dict[str, dict[Leg, Cause | None]] = {}
    stages: dict[str, dict[Leg, Stage | None]] = {}
    for report in reports:
        failures = {leg.leg: leg.failure for leg in report.legs}
        causes[report.account] = {leg: failure.cause if failure else None for leg, failure in failures.items()}
        stages[report.account] = {leg: failure.stage if failure else None for leg, failure in failures.items()}
    assert causes == expectations
    assert stages == expected_stages
