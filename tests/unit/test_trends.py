"""What a row of checks tells: counts, scale and the changes of a server's offers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.account import Endpoint, Protocol
from mailtui.model.check import (
    Cause,
    CheckReport,
    Failure,
    Leg,
    LegReport,
    Severity,
    Stage,
    StageResult,
    Status,
)
from mailtui.model.trends import CapabilityChange, Point, capability_change, points, record, steps

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
_ENDPOINT = Endpoint("smtp.example.org", 465)
_FAILURE = Failure(Cause.BAD_CREDENTIALS, Stage.AUTH, "refused")


def leg(*capabilities: str, ms: float = 300.0, failed: bool = False, read: int = 2, host: str = "") -> LegReport:
    """An outbound leg that read its server's offers `read` times."""
    stages = tuple(StageResult(Stage.CAPABILITIES, Status.OK) for _ in range(read))
    endpoint = replace(_ENDPOINT, host=host) if host else _ENDPOINT
    failure = _FAILURE if failed else None
    return LegReport(Leg.OUTBOUND, Protocol.SMTP, endpoint, stages, ms, failure, capabilities=capabilities)


def check(found: LegReport | None, hours: float = 0) -> CheckReport:
    """A check that many hours ago."""
    return CheckReport("ada", NOW - timedelta(hours=hours), 400.0, found, None)


def point(ms: float, severity: Severity = Severity.OK, hours: float = 0) -> Point:
    return Point(NOW - timedelta(hours=hours), ms, severity)


def test_points_are_oldest_first_and_only_of_the_leg() -> None:
    history = [check(leg(ms=1.0)), check(leg(ms=2.0, failed=True), 1), check(None, 2), check(leg(ms=3.0), 3)]
    told = points(history, Leg.OUTBOUND)
    assert [(one.ms, one.severity) for one in told] == [
        (3.0, Severity.OK),
        (2.0, Severity.FAILED),
        (1.0, Severity.OK),
    ]
    assert points(history, Leg.INBOUND) == []


def test_a_record_counts_what_did_not_fail_and_takes_the_median_of_it() -> None:
    told = [
        point(100.0, hours=3),
        point(9_000.0, Severity.FAILED, 2),
        point(300.0, Severity.WARNING, 1),
        point(200.0),
    ]
    found = record(told)
    assert found is not None
    assert (found.count, found.good, found.percent, found.median_ms) == (4, 3, 75, 200.0)
    assert found.since == NOW - timedelta(hours=3)


def test_without_checks_there_is_no_record_and_without_good_ones_no_median() -> None:
    assert record([]) is None
    found = record([point(1.0, Severity.FAILED)])
    assert found is not None
    assert (found.percent, found.median_ms) == (0, None)


def test_one_of_many_is_neither_none_nor_all() -> None:
    many = [point(1.0) for _ in range(999)]
    worst = record([*many, point(1.0, Severity.FAILED)])
    best = record([point(1.0), *(point(1.0, Severity.FAILED) for _ in range(999))])
    assert worst is not None
    assert best is not None
    assert (worst.percent, best.percent) == (99, 1)


def test_steps_grow_with_the_time_and_leave_failures_out() -> None:
    told = [point(100.0), point(200.0), point(60_000.0, Severity.FAILED), point(800.0)]
    assert steps(told, 8) == [0, 2, None, 7]


def test_alike_times_look_alike() -> None:
    assert steps([point(300.0), point(303.0), point(330.0)], 8) == [0, 0, 0]
    assert steps([point(5.0, Severity.FAILED)], 8) == [None]
    assert steps([], 8) == []


@given(st.lists(st.tuples(st.floats(0, 1e7), st.sampled_from(Severity)), max_size=50), st.integers(1, 8))
def test_every_step_is_on_the_scale(times: list[tuple[float, Severity]], count: int) -> None:
    told = [point(ms, severity) for ms, severity in times]
    found = steps(told, count)
    assert [step is None for step in found] == [one.severity is Severity.FAILED for one in told]
    assert all(0 <= step < count for step in found if step is not None)
    ordered = sorted((one.ms, step) for one, step in zip(told, found, strict=True) if step is not None)
    assert [step for _, step in ordered] == sorted(step for _, step in ordered), "slower is never lower"


def change(now: LegReport, *before: CheckReport) -> CapabilityChange | None:
    return capability_change(check(now), Leg.OUTBOUND, before)


def test_what_was_added_and_what_is_gone() -> None:
    found = change(
        leg("PIPELINING", "AUTH LOGIN SCRAM-SHA-256", "SIZE 2000"),
        check(leg("PIPELINING", "auth PLAIN LOGIN", "SIZE 1000", "VRFY"), 2),
    )
    assert found == CapabilityChange(
        NOW - timedelta(hours=2), ("AUTH SCRAM-SHA-256", "SIZE 2000"), ("auth PLAIN", "SIZE 1000", "VRFY")
    )


def test_the_same_offers_are_no_change_in_whatever_order() -> None:
    found = change(leg("A", "B x y"), check(leg("b Y x", "a"), 1))
    assert found is not None
    assert (found.added, found.removed) == ((), ())


def test_the_newest_earlier_check_counts_whatever_the_order() -> None:
    found = change(leg("A"), check(leg("C"), 5), check(leg("B"), 1), check(leg("Z"), -1), check(leg("Y")))
    assert found == CapabilityChange(NOW - timedelta(hours=1), ("A",), ("B",))


def test_only_checks_that_came_as_far_at_the_same_server_are_compared() -> None:
    assert change(leg("A"), check(leg("B", host="other.example"), 1)) is None
    assert change(leg("A"), check(leg("B", read=1), 1)) is None
    assert change(leg("A"), check(leg(), 1), check(None, 2)) is None
    assert change(leg(), check(leg("A"), 1)) is None
    found = change(leg("A"), check(leg("B", read=1), 1), check(leg("A"), 2))
    assert found is not None
    assert found.since == NOW - timedelta(hours=2)
