"""The panel of one leg: its stages as they run, and the failure in full."""

from datetime import datetime
from typing import ClassVar

from textual.content import Content
from textual.widget import Widget

from mailtui.model.check import Leg
from mailtui.model.text import clean, width
from mailtui.tui.ladder_lines import Line, ladder_lines
from mailtui.tui.legs import LegView
from mailtui.tui.words import LEG_NAMES, Mark, Role, age, duration

STYLES = {
    Role.PLAIN: "",
    Role.STRONG: "bold",
    Role.DIM: "dim",
    Role.OK: "$text-success",
    Role.WARNING: "$text-warning",
    Role.FAILED: "bold $text-error",
    Role.BUSY: "$text-primary",
}
"""How a role looks in Content; the theme gives the colours."""

_ROOMY = 46
"""Columns from which a panel's title has room for whole sentences."""


def paint(line: Line) -> Content:
    """A line as Content: literal text, never markup."""
    return Content.assemble(*((text, STYLES[role]) for text, role in line))


class LadderPanel(Widget):
    """Draws a `LegView` in a frame: the leg and its verdict above, the server and the time below."""

    more: ClassVar[str] = "enter"
    """The key that shows everything."""
    HELP = "The stages of the selected account's last check, as they run, and what to do. enter shows everything."

    def __init__(self, leg: Leg, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view = LegView(leg, Mark.ABSENT)
        self._empty = True
        self._now: datetime | None = None
        self.border_title = Content(LEG_NAMES[leg])

    @property
    def view(self) -> LegView:
        """What is shown."""
        return self._view

    def show(self, view: LegView | None, now: datetime) -> None:
        """Show `view`; None when no account is selected."""
        self._empty = view is None
        self._view = view or LegView(self._view.leg, Mark.ABSENT)
        self._now = now
        self.set_class(self._view.mark is Mark.FAILED, "-failed")
        self._entitle()
        self.refresh()

    def render(self) -> Content:
        """The lines of the leg, fitted to the panel."""
        if self._empty:
            return Content("")
        size = self.content_size
        return Content("\n").join(
            paint(line) for line in ladder_lines(self._view, size.width, size.height, more=self.more)
        )

    def _entitle(self) -> None:
        if not self._empty and self._now is not None:
            self.border_title = self._title()
            self.border_subtitle = self._subtitle(self._now)
        else:
            self.border_title = Content(LEG_NAMES[self._view.leg])
            self.border_subtitle = Content("")

    def _title(self) -> Content:
        view = self._view
        title = Content.assemble((view.mark.glyph, STYLES[view.mark.role]), f" {LEG_NAMES[view.leg]}")
        if view.protocol is not None:
            title += Content(f" {view.protocol.label}")
        if view.accepts_anything:
            words = "accepts any certificate" if self.size.width >= _ROOMY else "any certificate"
            title += Content.assemble(" ", (words, STYLES[Role.FAILED]))
        elif view.mark is Mark.FAILED:
            title += Content.assemble(" ", ("failed", STYLES[Role.FAILED]))
        return title

    def _subtitle(self, now: datetime) -> Content:
        """The server, and as much of the time and the age as there is room for."""
        view = self._view
        if view.endpoint is None:
            return Content("")
        words = clean(f"{view.endpoint.label} {view.endpoint.security.label}")
        extra = []
        if view.ms is not None:
            extra.append(duration(view.ms))
        if view.checked is not None:
            extra.append(age(view.checked, now))
        if view.outdated:
            extra.insert(0, "settings changed since")
        for part in extra:
            if width(words) + 3 + width(part) <= self.size.width - 6:
                words += f" · {part}"
        return Content(words)

    def on_resize(self) -> None:
        """Fit the lines again."""
        self._entitle()
        self.refresh()
