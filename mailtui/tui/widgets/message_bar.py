"""What mailtui has to say, in lines of its own above the footer: it covers nothing that it may speak of."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.markup import MarkupError
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from mailtui.model.text import clean, cut
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.words import Role, wrap

LINES = 3
"""The most lines that the bar takes; the rest is behind `app.messages`."""

SECONDS = {"information": 4.0, "warning": 6.0, "error": 8.0}
"""How long a message stays that does not say so itself."""

_LOOKS: dict[str, tuple[str, Role]] = {
    "information": ("›", Role.BUSY),
    "warning": ("▲", Role.WARNING),
    "error": ("✗", Role.FAILED),
}


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """A message to the person, clean and literal; it may have several lines. Each is another, whatever it says."""

    words: str
    severity: SeverityLevel = "information"
    seconds: float = SECONDS["information"]

    @property
    def glyph(self) -> str:
        """Says the severity without colour."""
        return _LOOKS[self.severity][0]

    @property
    def style(self) -> str:
        """The glyph's style in Content."""
        return STYLES[_LOOKS[self.severity][1]]

    def lines(self, columns: int) -> list[str]:
        """The words, broken to `columns`."""
        return [line for part in self.words.splitlines() for line in wrap(part, columns)] or [""]


def notice_of(
    words: str, *, title: str = "", severity: SeverityLevel = "information", seconds: float | None, markup: bool
) -> Notice:
    """A notification as a `Notice`: its markup, if it has any, is taken out, for the bar shows text alone."""
    if markup:
        # What cannot be parsed was text all the time.
        with contextlib.suppress(MarkupError):
            words = Content.from_markup(words).plain
    lines = [clean(line) for line in words.splitlines()]
    if title:
        lines = [clean(title), *lines]
    return Notice("\n".join(lines), severity, SECONDS[severity] if seconds is None else seconds)


class Told(Message, bubble=False):
    """Somebody, perhaps in another thread, has something to say."""

    def __init__(self, notice: Notice) -> None:
        self.notice = notice
        super().__init__()


class MessageBar(Widget):
    """Shows the app's `notice` while its screen is the one in front; takes no line when there is none."""

    DEFAULT_CSS = """
    MessageBar {
        display: none;
        width: 1fr;
        height: auto;
        padding: 0 1;
        background: $panel;
        color: $foreground;
    }
    MessageBar.-told {
        display: block;
    }
    """
    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__()
        self._notice: Notice | None = None

    def on_mount(self) -> None:
        """Follow what is told, and which screen is in front."""
        self.watch(self.app, "notice", self._follow)
        self.app.screen_change_signal.subscribe(self, lambda _: self._follow())

    def on_unmount(self) -> None:
        """Nobody sees it any more."""
        self.app.screen_change_signal.unsubscribe(self)

    @property
    def notice(self) -> Notice | None:
        """What is shown."""
        return self._notice

    def _follow(self) -> None:
        told: Notice | None = getattr(self.app, "notice", None)
        # Beside the bar of a dialog in front, the same words below it would only be noise.
        shown = told if self.screen is self.app.screen or bar_of(self.app.screen) is None else None
        if shown is not self._notice:
            self._notice = shown
            self.set_class(shown is not None, "-told")
            self.refresh(layout=True)

    def _lines(self, columns: int) -> list[str]:
        if self._notice is None:
            return []
        room = max(columns - 2, 2)
        lines = self._notice.lines(room)
        if len(lines) > LINES:
            key_of: Callable[[str], str] | None = getattr(self.app, "key_of", None)
            more = " …" if key_of is None else f" … {key_of('app.messages')} shows all"
            last = cut(lines[LINES - 1], max(room - len(more), 1))
            lines = [*lines[: LINES - 1], last + more]
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the words need, up to the limit."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The severity's glyph, and the words."""
        notice = self._notice
        if notice is None:
            return Content("")
        glyph = Content.assemble((notice.glyph, notice.style), " ")
        lines = [Content(line) for line in self._lines(self.content_size.width)]
        return Content("\n").join(
            [glyph + line if row == 0 else Content("  ") + line for row, line in enumerate(lines)]
        )

    async def on_click(self) -> None:
        """Show the whole of it."""
        await self.run_action("app.messages")


def bar_of(screen: Screen[object]) -> MessageBar | None:
    """The bar of `screen`, None if it has none."""
    return next(iter(screen.query(MessageBar)), None)


async def furnish(screen: Screen[object]) -> None:
    """Give `screen` a bar if it has none, above its footer."""
    if bar_of(screen) is None and screen.is_mounted:
        footer = next(iter(screen.query(Footer)), None)
        await screen.mount(MessageBar(), before=footer if footer is not None and footer.parent is screen else None)
