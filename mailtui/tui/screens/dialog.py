"""What dialogs share: a frame that fits any terminal, literal text that scrolls, and buttons beside the keys."""

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button

from mailtui.model.text import clean
from mailtui.tui.ladder_lines import Line
from mailtui.tui.widgets.key_bar import KeyBar
from mailtui.tui.widgets.ladder import paint
from mailtui.tui.widgets.message_bar import MessageBar

T = TypeVar("T")


class Choice(Button):
    """A button that runs an action of its dialog, as a key does."""

    HELP = "enter or space does what the button says; tab, left and right go to the other ones."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "press", "Press", show=False, id="dialog.press", tooltip="Do what the button says"),
    ]

    def __init__(self, label: str, action: str, *, danger: bool = False, id: str | None = None) -> None:
        label_text = Content(clean(label))
        super().__init__(label_text, "error" if danger else "default", action=f"screen.{action}", id=id, compact=True)


class FittedText(Widget):
    """Lines that `fit` makes for a number of columns; as high as they are, to be scrolled by what holds it."""

    def __init__(self, fit: Callable[[int], list[Line]], *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._fit = fit
        self._fitted: tuple[int, list[Line]] = (-1, [])

    def _lines(self, columns: int) -> list[Line]:
        if self._fitted[0] != columns:
            self._fitted = (columns, self._fit(columns))
        return self._fitted[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """How many lines there are at this width."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The lines, fitted to the width."""
        return Content("\n").join(paint(line) for line in self._lines(self.content_size.width))


class Dialog(ModalScreen[T]):
    """A framed question. A subclass says what is in it; up and down scroll that, whatever has the focus."""

    CSS_PATH = "dialogs.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (60, "-wide")]  # noqa: RUF012  # as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-normal")]  # noqa: RUF012  # as Textual declares it

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", "Previous", show=False, id="dialog.previous", tooltip="The one before"),
        Binding("right", "app.focus_next", "Next", show=False, id="dialog.next", tooltip="The one after"),
        Binding("up", "scroll(-1)", "Up", show=False, id="dialog.up", tooltip="Scroll the text up"),
        Binding("down", "scroll(1)", "Down", show=False, id="dialog.down", tooltip="Scroll the text down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="dialog.page_up", tooltip="Scroll up by a page"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="dialog.page_down", tooltip="Scroll down by a page"),
        Binding(
            "f1,question_mark", "app.help", "Help", show=False, id="dialog.help", tooltip="The keys of this dialog"
        ),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        """The frame with the text, what is filled in, and the buttons."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(clean(self._title, 100))
            with VerticalScroll(classes="text", can_focus=False):
                yield from self.text()
            with Vertical(classes="answer"):
                yield from self.fields()
                with Horizontal(classes="choices"):
                    yield from self.choices()
        yield MessageBar()
        yield KeyBar(show_command_palette=False)

    def text(self) -> Iterable[Widget]:
        """What is to be read; it scrolls where it is too long."""
        return ()

    def fields(self) -> Iterable[Widget]:
        """What is filled in or switched; always on the screen."""
        return ()

    def choices(self) -> Iterable[Choice]:
        """The buttons; the first has the focus."""
        return ()

    def answer(self, result: T | None) -> None:
        """Close with `result`, once: of two quick keys, the second must not close the screen below."""
        if self.is_active:
            self.dismiss(result)

    def action_scroll(self, lines: int) -> None:
        """Scroll the text by lines."""
        self.query_one(".text").scroll_relative(y=lines, animate=False)

    def action_page(self, pages: int) -> None:
        """Scroll the text by what is visible of it."""
        text = self.query_one(".text")
        text.scroll_relative(y=pages * max(text.size.height - 1, 1), animate=False)
