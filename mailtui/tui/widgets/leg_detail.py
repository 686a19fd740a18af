"""One leg's last check in full; as high as its text, to be scrolled by what holds it."""

from datetime import datetime

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from mailtui.tui.detail_lines import detail_lines
from mailtui.tui.ladder_lines import Line
from mailtui.tui.legs import LegView
from mailtui.tui.widgets.ladder import paint


class LegDetail(Widget):
    """Draws the lines of `detail_lines`, laid out anew for each width."""

    def __init__(self, view: LegView, now: datetime) -> None:
        super().__init__()
        self._view = view
        self._now = now
        self._laid_out: tuple[int, list[Line]] | None = None

    def show(self, view: LegView, now: datetime) -> None:
        """Show `view`."""
        self._view, self._now, self._laid_out = view, now, None
        self.refresh(layout=True)

    def lines(self, columns: int) -> list[Line]:
        """What is drawn in `columns`."""
        if self._laid_out is None or self._laid_out[0] != columns:
            self._laid_out = (columns, detail_lines(self._view, self._now, columns))
        return self._laid_out[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines there are at this width."""
        return len(self.lines(width))

    def render(self) -> Content:
        """The lines, fitted to the width."""
        return Content("\n").join(paint(line) for line in self.lines(self.content_size.width))
