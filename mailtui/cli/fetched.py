"""The last retrieval of an account, as `account list` and `account show` tell of it."""

from collections.abc import Mapping

from mailtui.actions.standing import current_retrieval
from mailtui.cli.words import utc_text
from mailtui.model.account import Account
from mailtui.model.report_json import severity_name
from mailtui.model.retrieval import RetrievalReport
from mailtui.storage.database import Database


def all_fetched(database: Database) -> Mapping[str, RetrievalReport]:
    """The last retrieval of each account that has one, without transcripts. Raises StorageError."""
    from mailtui.storage.ledger import last_retrievals

    return last_retrievals(database)


def fetched(database: Database, account: Account) -> RetrievalReport | None:
    """The last retrieval of `account` from the server that it has now. Raises StorageError."""
    from mailtui.storage.ledger import last_retrieval

    return current_retrieval(last_retrieval(database, account.name), account)


def brief_json(report: RetrievalReport | None) -> dict[str, object] | None:
    """A retrieval in short, for a list."""
    if report is None:
        return None
    failure = report.leg.failure
    return {
        "started": utc_text(report.started),
        "severity": severity_name(report.severity),
        "stored": report.stored,
        "octets": report.octets,
        "cause": failure and failure.cause.value,
    }
