"""`mailtui account accept`: what a server has become is what is expected, once a person says so."""

from dataclasses import replace
from datetime import datetime

from mailtui.actions.memory import Memory
from mailtui.model.check import Cause, CheckReport, Leg, Stage
from mailtui.model.server import Change, ChangeKind, Offered
from tests.cli.conftest import Shell
from tests.cli.reports import STARTED, failed, good_report

SINCE = datetime.fromisoformat("2026-01-31T09:30:00+00:00")
LOST = Change(ChangeKind.MECHANISM_LOST, "login by SCRAM-SHA-256 is offered no more", is_alarming=True)


def changed(shell: Shell, name: str) -> CheckReport:
    """An account whose outbound server dropped a mechanism, and what the check said."""
    shell.add(name)
    with shell.database() as database:
        report = good_report(database.account(name))
        assert report.outbound is not None
        outbound = failed(report.outbound, Stage.AUTH, Cause.MECHANISM_LOST, "it offers less than before")
        outbound = replace(
            outbound, changes=(LOST,), changed_since=SINCE, offered=Offered(None, ("PLAIN",), ("AUTH PLAIN",))
        )
        report = replace(report, outbound=outbound)
        database.record(report)
    return report


def test_what_is_accepted_is_told_and_expected_from_then_on(shell: Shell) -> None:
    report = changed(shell, "ada")
    assert report.outbound is not None
    shell.add("b c")
    run = shell("account", "accept", "b c", "ada", "ada")
    assert (run.code, run.err) == (0, "")
    assert run.lines == [
        "ada  outbound  accepted: changed since 2026-01-31 09:30 UTC: login by SCRAM-SHA-256 is offered no more",
        "b c  nothing to accept: no change waits for it",
        "next: mailtui check ada",
    ]
    with shell.database() as database:
        memory = Memory.load(database)
    baseline = memory.baseline("ada", Leg.OUTBOUND, report.outbound.protocol, report.outbound.endpoint)
    assert baseline is not None
    assert baseline.mechanisms == ("PLAIN",)
    assert baseline.since > STARTED


def test_an_unknown_name_accepts_nothing(shell: Shell) -> None:
    changed(shell, "ada")
    run = shell("account", "accept", "ada", "adda")
    assert (run.code, run.out) == (3, "")
    assert "did you mean 'ada'?" in run.err
    with shell.database() as database:
        assert dict(database.baselines()) == {}


def test_without_a_check_there_is_nothing_to_accept(shell: Shell) -> None:
    shell.add("ada")
    run = shell("account", "accept", "ada")
    assert (run.code, run.lines) == (0, ["ada  nothing to accept: no change waits for it"])
