"""One leg of an account: the history, which stays, and below it all that is known of it, which scrolls."""

from collections.abc import Iterable, Sequence

from textual.containers import Vertical
from textual.content import Content

from mailtui.model.check import CheckReport, Leg
from mailtui.model.trends import points
from mailtui.tui.flow import Paragraph
from mailtui.tui.legs import LegView
from mailtui.tui.widgets.history_strip import HistoryStrip
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.widgets.leg_detail import LegDetail
from mailtui.tui.words import LEG_NAMES


class LegColumn(Vertical):
    """A frame with the leg's mark, name and protocol in its border."""

    def __init__(self, leg: Leg) -> None:
        self.leg = leg
        self.strip = HistoryStrip()
        self.detail = LegDetail(leg)
        super().__init__(self.strip, self.detail, id=leg.value)

    def show(self, view: LegView, history: Sequence[CheckReport], paragraphs: Iterable[Paragraph]) -> None:
        """Show the leg as `view` has it, in full by `paragraphs`, with what its checks have been."""
        self.strip.show(points(history, self.leg))
        self.detail.show(paragraphs)
        protocol = f" {view.protocol.label}" if view.protocol else ""
        self.border_title = Content.assemble(
            (view.mark.glyph, STYLES[view.mark.role]), f" {LEG_NAMES[self.leg]}{protocol}"
        )
