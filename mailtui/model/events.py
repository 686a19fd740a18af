"""What a check tells while it runs, in the order in which it happens."""

from dataclasses import dataclass

from mailtui.model.check import Failure, Leg, LegReport, Stage, StageResult


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage of the plan has begun. `step` is its index in the plan; `at` is in seconds of a monotonic clock."""

    account: str
    leg: Leg
    step: int
    stage: Stage
    at: float


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage has ended, well or badly; a failed one carries its failure."""

    account: str
    leg: Leg
    step: int
    result: StageResult
    failure: Failure | None
    at: float


@dataclass(frozen=True, slots=True)
class LegFinished:
    """A leg has ended; nothing more comes for it in this check."""

    account: str
    report: LegReport


Event = StageStarted | StageFinished | LegFinished
