"""A line to search with, and how far one is through what it found."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static

from mailtui.tui.flow import MOST_HITS
from mailtui.tui.widgets.text_line import TextLine


class SearchLine(TextLine):
    """What to search for."""

    HELP = (
        "What to search for in the lines above. enter goes to the hits, then n and N to the next and the previous one."
    )


class SearchBar(Horizontal):
    """Below what is searched; takes no room until it is opened."""

    DEFAULT_CSS = """
    SearchBar {
        display: none;
        height: 1;
        background: $boost;
    }
    SearchBar.-open {
        display: block;
    }
    SearchBar > .search-sign {
        width: 3;
        color: $text-primary;
    }
    SearchBar > SearchLine {
        width: 1fr;
    }
    SearchBar > .search-count {
        width: auto;
        min-width: 12;
        padding: 0 1;
        text-align: right;
    }
    """

    class Wanted(Message):
        """Another text is searched for."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Left(Message):
        """The person has typed enough and wants to see the hits."""

    def compose(self) -> ComposeResult:
        """The sign, the line and the count."""
        yield Static(" / ", classes="search-sign", markup=False)
        yield SearchLine(compact=True, placeholder="a word, a code, a command …", select_on_focus=True)
        yield Static(classes="search-count", markup=False)

    @property
    def is_open(self) -> bool:
        """Whether a search is on."""
        return self.has_class("-open")

    @property
    def wanted(self) -> str:
        """What is searched for; empty when closed."""
        return self.query_one(SearchLine).value if self.is_open else ""

    def open(self) -> None:
        """Show the line and type into it."""
        self.add_class("-open")
        self.screen.set_focus(self.query_one(SearchLine))

    def close(self) -> None:
        """The search is over."""
        self.query_one(SearchLine).value = ""
        self.remove_class("-open")

    def count(self, present: int, hits: int) -> None:
        """Say which of the hits is the present one, from 1."""
        total = f"{MOST_HITS}+" if hits >= MOST_HITS else str(hits)
        words = f"{present} of {total}" if hits else "not found" if self.wanted.strip() else ""
        self.query_one(".search-count", Static).update(words)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Wanted(event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Left())
