"""The footer: as many keys as there is room for, the first ones and the help; none is cut in the middle."""

from collections.abc import Iterable

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Footer
from textual.widgets._footer import FooterKey  # the class that Footer makes; its module has no public name

from mailtui.model.text import width

_HELP = ("help", "app.help")


class KeyBar(Footer):
    """Textual's footer, compact, which leaves out whole keys where the terminal is narrow."""

    def __init__(self, *, show_command_palette: bool = True) -> None:
        super().__init__(show_command_palette=show_command_palette, compact=True)
        self._columns = 0

    def compose(self) -> ComposeResult:
        """The keys that fit."""
        self._columns = self.app.size.width
        yield from self._fitting(list(super().compose()))

    def on_resize(self, event: events.Resize) -> None:
        """Choose anew when there is more room or less."""
        if self.app.size.width != self._columns:
            self.call_after_refresh(self.recompose)

    def _fitting(self, keys: list[Widget]) -> Iterable[Widget]:
        palette = [key for key in keys if key.has_class("-command-palette")]
        others = [key for key in keys if key not in palette]
        if _columns([*others, *palette]) <= self._columns:
            return keys
        # The palette has a line in the help; the help is what tells of all the rest.
        spare = [key for key in others if not (isinstance(key, FooterKey) and key.action in _HELP)]
        while spare and _columns(others) > self._columns:
            others.remove(spare.pop())
        return others


def _columns(keys: list[Widget]) -> int:
    """What keys take in compact form: key, space, words, and a space between two."""
    return sum(
        width(key.key_display) + 1 + width(key.description) + 1 + 2 * key.has_class("-command-palette")
        for key in keys
        if isinstance(key, FooterKey)
    )
