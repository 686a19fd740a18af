"""What a row of checks tells that one of them does not: how quick, how reliable, and what the server changed."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from mailtui.model.check import CheckReport, Leg, LegReport, Severity, Stage, Status

_LEAST_SPAN = 4.0
"""The highest step of a scale is at least so many times the lowest: noise must not look like trouble."""


@dataclass(frozen=True, slots=True)
class Point:
    """One check of one leg: when it began, how it ended and how many milliseconds it took."""

    started: datetime
    ms: float
    severity: Severity


@dataclass(frozen=True, slots=True)
class Record:
    """What all points say together. `good` counts those that did not fail; `median_ms` is theirs, None without any."""

    count: int
    since: datetime
    good: int
    median_ms: float | None

    @property
    def percent(self) -> int:
        """How many of a hundred were good, never rounded up to all nor down to none."""
        share = 100 * self.good / self.count
        return math.ceil(share) if share < 1 else math.floor(share)


@dataclass(frozen=True, slots=True)
class CapabilityChange:
    """What a server offers now and did not at `since`, and the reverse; both empty where nothing changed."""

    since: datetime
    added: tuple[str, ...]
    removed: tuple[str, ...]


def leg_of_report(report: CheckReport, leg: Leg) -> LegReport | None:
    """One leg of a report, None if it was not checked."""
    return report.outbound if leg is Leg.OUTBOUND else report.inbound


def points(history: Iterable[CheckReport], leg: Leg) -> list[Point]:
    """The checks of one leg, oldest first, whatever the order of `history`."""
    found = ((report.started, leg_of_report(report, leg)) for report in history)
    told = [Point(started, one.ms, one.severity) for started, one in found if one is not None]
    return sorted(told, key=lambda point: point.started)


def record(told: Sequence[Point]) -> Record | None:
    """The sum of all points, which are oldest first; None without any."""
    if not told:
        return None
    good = [point.ms for point in told if point.severity < Severity.FAILED]
    return Record(len(told), told[0].started, len(good), median(good) if good else None)


def steps(told: Iterable[Point], count: int) -> list[int | None]:
    """Each point's time as a step from 0 to `count` - 1 of a common logarithmic scale; None for failed ones.

    How long a failure took says how patient we were, and nothing about the server.
    """
    times = [max(point.ms, 0.1) if point.severity < Severity.FAILED else None for point in told]
    taken = [ms for ms in times if ms is not None]
    if not taken:
        return [None] * len(times)
    low = min(taken)
    span = math.log(max(max(taken) / low, _LEAST_SPAN))
    return [None if ms is None else min(int(math.log(ms / low) / span * count), count - 1) for ms in times]


def capability_change(report: CheckReport, leg: Leg, history: Iterable[CheckReport]) -> CapabilityChange | None:
    """What changed since the newest earlier check of the same server; None when there is none to compare with.

    Servers offer other things before TLS and before a login than after: only checks that came as far are compared.
    """
    now = leg_of_report(report, leg)
    if now is None or not now.capabilities:
        return None
    earlier = ((other.started, leg_of_report(other, leg)) for other in history if other.started < report.started)
    alike = [(started, one) for started, one in earlier if one is not None and _are_alike(one, now)]
    if not alike:
        return None
    since, before = max(alike, key=lambda pair: pair[0])
    return CapabilityChange(
        since,
        tuple(_missing(now.capabilities, before.capabilities)),
        tuple(_missing(before.capabilities, now.capabilities)),
    )


def _are_alike(one: LegReport, other: LegReport) -> bool:
    same_server = (one.protocol, one.endpoint) == (other.protocol, other.endpoint)
    return same_server and bool(one.capabilities) and _times_told(one) == _times_told(other)


def _times_told(leg: LegReport) -> int:
    return sum(stage.stage is Stage.CAPABILITIES and stage.status is Status.OK for stage in leg.stages)


def _missing(offered: Iterable[str], elsewhere: Iterable[str]) -> list[str]:
    """What of `offered` is not `elsewhere`: "AUTH PLAIN LOGIN" is two offers, and only the missing one is told."""
    known: dict[str, set[str]] = {}
    for capability in elsewhere:
        keyword, *parameters = capability.upper().split() or [""]
        known.setdefault(keyword, set()).update(parameters)
    told = []
    for capability in offered:
        keyword, *parameters = capability.split() or [""]
        others = known.get(keyword.upper())
        if others is None:
            told.append(capability)
        elif parameters:
            told += [f"{keyword} {parameter}" for parameter in parameters if parameter.upper() not in others]
    return told
