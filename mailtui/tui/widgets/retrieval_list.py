"""The list of what receives mail."""

from collections.abc import Sequence
from datetime import datetime

from mailtui.model.check import Leg
from mailtui.model.text import pad, width
from mailtui.tui.board import Board
from mailtui.tui.columns import Span
from mailtui.tui.retrieval_columns import RETRIEVAL_COLUMNS, RetrievalRow
from mailtui.tui.widgets.record_list import RecordList
from mailtui.tui.words import Role


class RetrievalList(RecordList[RetrievalRow]):
    """One line for each account that receives mail, the mark of that leg first."""

    HELP = (
        "How the mail of each account arrives. The mark tells how the last check of receiving ended; "
        "! is a server whose certificate is not verified. What you select with space, t tests."
    )
    lead_title = " In "
    lead_column = "result"

    def __init__(self, board: Board, now: datetime, *, id: str | None = None) -> None:
        super().__init__(RETRIEVAL_COLUMNS, now, id=id)
        self._board = board

    def row(self, name: str) -> RetrievalRow:
        """The entry with what the last check of it said. Raises KeyError where there is none any more."""
        account = self._board.account(name)
        if account.retrieval is None:
            raise KeyError(name)
        report = self._board.judged(name).last
        leg = report.inbound if report is not None else None
        awaited = self._board.awaits_report(name)
        checked = report.started if report is not None and leg is not None else None
        return RetrievalRow(account, account.retrieval, self._board.mark(name, Leg.INBOUND), leg, checked, awaited)

    def subject(self, name: str) -> object:
        """The columns that are measured tell of settings alone."""
        return self._board.account(name)

    def lead(self, name: str) -> Sequence[Span]:
        """The mark of the receiving leg."""
        if self._board.awaits_report(name):
            return ((pad("", width(self.lead_title)), Role.PLAIN),)
        mark = self._board.mark(name, Leg.INBOUND)
        return ((" ", Role.PLAIN), (mark.glyph, mark.role), ("  ", Role.PLAIN))
