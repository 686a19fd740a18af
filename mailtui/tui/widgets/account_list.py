"""The list of accounts."""

from collections.abc import Sequence
from datetime import datetime

from mailtui.actions.standing import Standing
from mailtui.model.check import Leg
from mailtui.model.text import clean, pad, width
from mailtui.tui.account_columns import ACCOUNT_COLUMNS, STATUS, AccountRow
from mailtui.tui.board import Board
from mailtui.tui.columns import Span
from mailtui.tui.ordering import Group
from mailtui.tui.widgets.record_list import RecordList
from mailtui.tui.words import Mark, Role


class AccountList(RecordList[AccountRow]):
    """One line for each account, the marks of both legs first."""

    HELP = (
        "The accounts. The marks tell how sending (Out) and receiving (In) went last, by a check or a retrieval; "
        "! is a server whose certificate is not verified. What you select with space, the keys act on."
    )
    # The marks stand below the first letter of their leg.
    lead_title = " Out In "
    lead_column = STATUS.id
    pinned = 2

    def __init__(self, board: Board, now: datetime, *, id: str | None = None) -> None:
        super().__init__(ACCOUNT_COLUMNS, now, id=id)
        self._board = board

    def row(self, name: str) -> AccountRow:
        """The account with its last report."""
        board = self._board
        report = board.report(name)
        return AccountRow(board.account(name), report, board.standing(name).value, board.awaits_report(name))

    def subject(self, name: str) -> object:
        """The columns that are measured tell of settings alone."""
        return self._board.account(name)

    def lead(self, name: str) -> Sequence[Span]:
        """The marks of both legs."""
        if self._board.awaits_report(name):
            return ((pad("", width(self.lead_title)), Role.PLAIN),)
        outbound, inbound = self._board.mark(name, Leg.OUTBOUND), self._board.mark(name, Leg.INBOUND)
        return (
            (" ", Role.PLAIN),
            (outbound.glyph, outbound.role),
            ("   ", Role.PLAIN),
            (inbound.glyph, inbound.role),
            ("  ", Role.PLAIN),
        )

    def heading(self, group: Group) -> Sequence[Span]:
        """A type, how many accounts are of it and how many of those fail."""
        board = self._board
        failing = sum(
            1 for name in group.names if name in board and board.standing(name).value == Standing.FAILING.value
        )
        count = len(group.names)
        spans = [
            (f" {clean(group.title) or 'no type'} ", Role.STRONG),
            (f" {count} account{'s' * (count != 1)}", Role.DIM),
        ]
        if failing:
            spans.append((f"   {Mark.FAILED.glyph} {failing} failing", Role.FAILED))
        return spans
