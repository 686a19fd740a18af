"""Reports as a retrieval gives them, made up."""

from collections.abc import Sequence
from dataclasses import replace

from mailtui.model.account import Account, Endpoint, Protocol
from mailtui.model.check import Cause, Leg, LegReport, Stage, StageResult, Status
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport
from tests.cli.reports import STARTED, failed, good_leg


def leg_of(account: Account) -> LegReport:
    """The inbound leg with its stage of transfer, all well."""
    retrieval = account.retrieval
    protocol, endpoint = (
        (retrieval.protocol, retrieval.endpoint) if retrieval else (Protocol.IMAP, Endpoint("imap.example.org", 993))
    )
    leg = good_leg(Leg.INBOUND, protocol, endpoint)
    *opening, quit_ = leg.stages
    return replace(leg, stages=(*opening, StageResult(Stage.TRANSFER, Status.OK, 5.0), quit_))


def came(
    account: Account,
    *mailboxes: MailboxResult,
    candidates: Sequence[Candidate] = (),
    is_dry_run: bool = False,
    is_stable: bool | None = None,
) -> RetrievalReport:
    """A retrieval that went well."""
    return RetrievalReport(
        account.name, STARTED, 1_200.0, leg_of(account), mailboxes, tuple(candidates), is_dry_run, is_stable
    )


def refused(account: Account) -> RetrievalReport:
    """The login was refused."""
    leg = failed(leg_of(account), Stage.AUTH, Cause.BAD_CREDENTIALS, "the server refuses the login", "NO go away")
    return RetrievalReport(account.name, STARTED, 30.0, leg)
