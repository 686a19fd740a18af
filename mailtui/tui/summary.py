"""The first line above a list of accounts: what is counted, selected and running, in as many words as fit. Pure."""

from collections.abc import Iterable, Sequence

from textual.content import Content

from mailtui.tui.board import Board
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.words import Mark, Role


def fitted(heading: str, ways: Iterable[Sequence[Content]], columns: int) -> Content:
    """The first of `ways` to say it that fits, else the last: the words go before anything is cut."""
    title = Content.styled(f" {heading} ", "bold $text-primary")
    summary = title
    for parts in ways:
        for gap in ("   ", "  ", " "):
            summary = title + Content(gap).join(parts)
            if summary.cell_length <= columns:
                return summary
    return summary


def running(board: Board, *, worded: bool) -> list[Content]:
    """How far the checks and retrievals are that run."""
    told = []
    retrievals = board.retrievals
    for doing, busy, own, (done, begun) in (
        ("testing", board.running, board.running, board.progress),
        ("retrieving", retrievals.running, retrievals.by_hand, retrievals.progress),
    ):
        if busy:
            # What began by itself escape may leave alone.
            way_out = ", escape cancels" if own else ""
            words = f"{doing} {done} of {begun}{way_out}" if worded else f"{done} of {begun}"
            told.append(Content.styled(f"{Mark.HALFWAY.glyph} {words}", STYLES[Role.BUSY]))
    return told


def selected(number: int, hidden: int, *, worded: bool) -> list[Content]:
    """How many accounts are selected, and how many of those are not to be seen."""
    if not number:
        return []
    told = f"◆ {number} selected" if worded else f"◆ {number}"
    if hidden:
        told += f" ({hidden} hidden)"
    return [Content.styled(told, "bold $text-accent")]
