"""The list of what receives mail."""

from collections.abc import Sequence
from datetime import datetime

from mailtui.model.text import pad, width
from mailtui.tui.automatic import Automatic
from mailtui.tui.board import Board
from mailtui.tui.columns import Span
from mailtui.tui.retrieval_columns import RETRIEVAL_COLUMNS, RetrievalRow
from mailtui.tui.widgets.record_list import RecordList
from mailtui.tui.words import Role


class RetrievalList(RecordList[RetrievalRow]):
    """One line for each account that receives mail, the mark of that leg first."""

    HELP = (
        "How the mail of each account arrives. The mark tells how the last retrieval or check of it went; "
        "! is a server whose certificate is not verified. What you select with space, r retrieves and t tests."
    )
    lead_title = " In "
    lead_column = "result"

    def __init__(self, board: Board, automatic: Automatic, now: datetime, *, id: str | None = None) -> None:
        super().__init__(RETRIEVAL_COLUMNS, now, id=id)
        self._board = board
        self._automatic = automatic

    def row(self, name: str) -> RetrievalRow:
        """The entry with what the last check and retrieval of it said. Raises KeyError where there is none any more."""
        account = self._board.account(name)
        if account.retrieval is None:
            raise KeyError(name)
        board = self._board
        report = board.judged(name).last
        leg = report.inbound if report is not None else None
        return RetrievalRow(
            account,
            account.retrieval,
            board.receiving_mark(name),
            leg,
            report.started if report is not None and leg is not None else None,
            board.retrievals.last(name),
            board.newest_retrieval(name),
            board.retrievals.of(name),
            self._automatic.next_at(name),
            self._automatic.is_waiting(name),
            board.awaits_report(name),
        )

    def subject(self, name: str) -> object:
        """The columns that are measured tell of settings alone."""
        return self._board.account(name)

    def lead(self, name: str) -> Sequence[Span]:
        """The mark of the entry."""
        if self._board.awaits_report(name):
            return ((pad("", width(self.lead_title)), Role.PLAIN),)
        mark = self._board.receiving_mark(name)
        return ((" ", Role.PLAIN), (mark.glyph, mark.role), ("  ", Role.PLAIN))
