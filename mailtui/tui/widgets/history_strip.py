"""How the checks of one leg went, above its last one."""

from collections.abc import Sequence

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from mailtui.model.trends import Point
from mailtui.tui.history_lines import history_lines
from mailtui.tui.widgets.ladder import paint


class HistoryStrip(Widget):
    """Two lines, or none while there are no checks."""

    def __init__(self) -> None:
        super().__init__()
        self._points: tuple[Point, ...] = ()

    @property
    def points(self) -> tuple[Point, ...]:
        """What is shown, oldest first."""
        return self._points

    def show(self, points: Sequence[Point]) -> None:
        """Show these checks, oldest first."""
        if (told := tuple(points)) != self._points:
            self._points = told
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Two with checks, none without."""
        return 2 if self._points else 0

    def render(self) -> Content:
        """The lines, fitted to the width."""
        return Content("\n").join(paint(line) for line in history_lines(self._points, self.content_size.width))
