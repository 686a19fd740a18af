"""Reports as a check gives them, made up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from mailtui.model.account import Account, Endpoint, Protocol
from mailtui.model.check import (
    Cause,
    CheckReport,
    Failure,
    Leg,
    LegReport,
    Stage,
    StageResult,
    Status,
    TranscriptLine,
    plan,
)

STARTED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
"""Lately: old reports are pruned from the history."""


def good_leg(leg: Leg, protocol: Protocol, endpoint: Endpoint, authentication: bool = True) -> LegReport:
    """A leg whose every stage went well."""
    stages = plan(protocol, endpoint.security, authentication)
    return LegReport(
        leg,
        protocol,
        endpoint,
        tuple(StageResult(stage, Status.OK, 1.5, f"detail of {stage.value}") for stage in stages),
        12.5,
        transcript=(TranscriptLine("S", "220 ready", 0.4), TranscriptLine("C", "AUTH PLAIN ****", 0.9)),
    )


def good_report(account: Account) -> CheckReport:
    """Both legs went well."""
    submission, retrieval = account.submission, account.retrieval
    inbound = good_leg(Leg.INBOUND, retrieval.protocol, retrieval.endpoint) if retrieval else None
    outbound = good_leg(Leg.OUTBOUND, Protocol.SMTP, submission.endpoint, submission.authentication)
    return CheckReport(account.name, STARTED, 20.0, outbound, inbound)


def failed(leg: LegReport, stage: Stage, cause: Cause, hint: str, reply: str = "") -> LegReport:
    """`leg` as it is when `stage` fails."""
    at = next(step for step, result in enumerate(leg.stages) if result.stage is stage)
    stages = (
        *leg.stages[:at],
        StageResult(stage, Status.FAILED, 3.0, "", reply),
        *(StageResult(result.stage, Status.SKIPPED) for result in leg.stages[at + 1 :]),
    )
    return replace(leg, stages=stages, failure=Failure(cause, stage, hint, reply))


def wrong_password(account: Account) -> CheckReport:
    """The outbound login was refused."""
    report = good_report(account)
    assert report.outbound is not None
    outbound = failed(
        report.outbound,
        Stage.AUTH,
        Cause.BAD_CREDENTIALS,
        "the server refused the password",
        "535 5.7.8 no \x1b[31mway",
    )
    return replace(report, outbound=outbound)


def ending_certificate(account: Account) -> CheckReport:
    """All is well, but not for long."""
    report = good_report(account)
    assert report.outbound is not None
    return replace(report, outbound=replace(report.outbound, warning="the certificate ends in 5 days"))
