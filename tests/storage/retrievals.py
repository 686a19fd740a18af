"""Reports of retrievals for the tests of storage."""

from datetime import UTC, datetime

from mailtui.model.check import Leg
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalReport, Verdict
from tests.storage.samples import leg


def retrieval(name: str = "ada", stored: int = 10) -> RetrievalReport:
    """A retrieval with something of everything."""
    return RetrievalReport(
        name,
        datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
        812.5,
        leg(Leg.INBOUND),
        (
            MailboxResult(
                "INBOX", "/mail/ada", stored, 90_000, 1, 20, 3, 30, notes=("the server renamed its messages",)
            ),
            MailboxResult("Lists", "/mail/ada/.Lists", 2, 9_000),
        ),
        (Candidate("INBOX", "7", Verdict.TOO_LARGE, 99_000_000, "ada@example.org", "a film", "2026-01-30"),),
    )
