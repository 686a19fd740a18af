"""A report speaks of an account as long as the servers are the same."""

from dataclasses import replace

import pytest

from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, Security, Submission
from mailtui.model.check import CheckReport, Leg, LegReport, current, legs_of, utc_now

ACCOUNT = Account(
    "ada",
    "ada@example.org",
    Submission(Endpoint("smtp.example.org", 465), authentication=False),
    Retrieval(Protocol.IMAP, Endpoint("imap.example.org", 993)),
)


def report() -> CheckReport:
    """A check of both legs of ACCOUNT."""
    legs = [LegReport(setup.leg, setup.protocol, setup.endpoint, (), 1.0) for setup in legs_of(ACCOUNT)]
    return CheckReport("ada", utc_now(), 1.0, *legs)


def test_an_account_that_did_not_change_keeps_its_verdicts() -> None:
    whole = report()
    assert current(whole, replace(ACCOUNT, notes="changed", display_name="Ada")) == whole
    assert current(None, ACCOUNT) is None


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("other.example.org", 465),
        Endpoint("smtp.example.org", 587),
        Endpoint("smtp.example.org", 465, Security.NONE),
    ],
)
def test_a_leg_whose_server_changed_was_not_checked(endpoint: Endpoint) -> None:
    moved = replace(ACCOUNT, submission=replace(ACCOUNT.submission, endpoint=endpoint))
    left = current(report(), moved)
    assert left is not None
    assert [leg.leg for leg in left.legs] == [Leg.INBOUND]


def test_nothing_is_left_when_both_changed_or_one_is_gone() -> None:
    moved = replace(ACCOUNT, submission=Submission(Endpoint("x.example", 465)), retrieval=None)
    assert current(report(), moved) is None
