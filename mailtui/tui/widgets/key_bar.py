"""The footer: as many keys as there is room for, the first ones and the help; none is cut in the middle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer

from mailtui.model.text import clean, pad, width

_HELP = ("help", "app.help")
_QUIT = ("quit", "app.quit")

_WITH_PALETTE = 92
"""Columns from which the key of the palette is shown; on narrow screens the help tells of it."""

_EDGE = "▏"


@dataclass(frozen=True, slots=True)
class Key:
    """One key with what it does; `display` is how the key is written."""

    key: str
    display: str
    description: str
    action: str
    tooltip: str
    enabled: bool = True
    stays: bool = False
    """The others give way to it where room is dear."""

    @property
    def columns(self) -> int:
        """What it takes: the key, a space, the words."""
        return width(self.display) + 1 + width(self.description)


@dataclass(frozen=True, slots=True)
class Line:
    """The keys that fit, from the left, and that of the palette at the right end."""

    keys: Sequence[Key]
    palette: Key | None
    columns: int

    def at(self, x: int) -> Key | None:
        """The key that is shown at `x`."""
        if self.palette is not None and x >= self.columns - self.palette.columns - 1:
            return self.palette
        ends = accumulate(key.columns + 1 for key in self.keys)
        found = next(((key, end) for key, end in zip(self.keys, ends, strict=True) if x < end), None)
        # The last column before the next key belongs to neither.
        return found[0] if found is not None and x < found[1] - 1 else None


def fitting(keys: Sequence[Key], palette: Key | None, columns: int) -> Line:
    """As many of `keys` as fit in `columns`: the last give way first, then those that stay, and never the help."""
    taken = sum(key.columns + 1 for key in keys)
    if palette is not None and (columns < _WITH_PALETTE or taken + palette.columns + 3 > columns):
        # The palette has a line in the help; the help is what tells of all the rest.
        palette = None
    shown = list(keys)
    spare = sorted((key for key in keys if key.action not in _HELP), key=lambda key: not key.stays)
    while spare and taken > columns:
        gone = spare.pop()
        shown.remove(gone)
        taken -= gone.columns + 1
    return Line(shown, palette, columns)


class KeyBar(Footer):
    """A footer in one piece: Textual's own is a widget for each key, which costs more time than a key press may."""

    DEFAULT_CSS = """
    KeyBar {
        & > .key-bar--key {
            color: $footer-key-foreground;
            background: $footer-key-background;
            text-style: bold;
        }
        & > .key-bar--description {
            color: $footer-description-foreground;
            background: $footer-description-background;
        }
        & > .key-bar--hover {
            color: $footer-key-foreground;
            background: $block-hover-background;
        }
        & > .key-bar--edge {
            color: $foreground 20%;
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "key-bar--key",
        "key-bar--description",
        "key-bar--hover",
        "key-bar--edge",
    }

    def __init__(self, *, show_command_palette: bool = True) -> None:
        super().__init__(show_command_palette=show_command_palette, compact=True)
        self._keys: Sequence[Key] = ()
        self._palette: Key | None = None
        self._hovered: Key | None = None
        self._at_hand: frozenset[str] = frozenset()

    def compose(self) -> ComposeResult:
        """No widgets: the line is drawn."""
        yield from ()

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """Show what works now."""
        if not screen.app.app_focus or not self.is_attached or screen is not self.screen:
            return
        keys, palette = self._read()
        if keys != self._keys or palette != self._palette:
            self._keys, self._palette = keys, palette
            self.refresh()

    def offer(self, actions: Iterable[str]) -> None:
        """Show the keys of these actions, too, as long as they are of use: they are not for every moment."""
        at_hand = frozenset(actions)
        if at_hand != self._at_hand:
            self._at_hand = at_hand
            if self.is_attached:
                self.bindings_changed(self.screen)

    def _read(self) -> tuple[Sequence[Key], Key | None]:
        """The keys of the screen's active bindings, each action once, and that of the palette."""
        bindings = self.screen.active_bindings
        actions: dict[str, Key] = {}
        for _, binding, enabled, tooltip in bindings.values():
            wanted = binding.action in self._at_hand
            if (binding.show or wanted) and binding.action not in actions:
                display = clean(self.app.get_key_display(binding))
                stays = wanted or binding.action in _QUIT
                actions[binding.action] = Key(
                    binding.key, display, binding.description, binding.action, tooltip, enabled, stays
                )
        if not self.show_command_palette or (palette := bindings.get(self.app.COMMAND_PALETTE_BINDING)) is None:
            return tuple(actions.values()), None
        _, binding, enabled, tooltip = palette
        display = clean(self.app.get_key_display(binding))
        tooltip = tooltip or binding.description
        return tuple(actions.values()), Key(binding.key, display, binding.description, binding.action, tooltip, enabled)

    @property
    def line(self) -> Line:
        """What is shown."""
        return fitting(self._keys, self._palette, self.size.width)

    def render(self) -> Content:
        """The line."""
        line = self.line
        shown = Content(" ").join(self._painted(key) for key in line.keys)
        if line.palette is None:
            return shown
        room = line.columns - line.palette.columns - 2
        edge = Content.styled(_EDGE, self.get_visual_style("key-bar--edge"))
        return Content.assemble(shown, pad("", room - shown.cell_length), edge, self._painted(line.palette))

    def _painted(self, key: Key) -> Content:
        if key is self._hovered:
            styles = [self.get_visual_style("key-bar--hover")] * 2
        else:
            styles = [self.get_visual_style("key-bar--key"), self.get_visual_style("key-bar--description")]
        painted = Content.assemble((key.display, styles[0]), (f" {key.description}", styles[1]))
        return painted if key.enabled else painted.stylize("dim")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Mark the key below the mouse, and tell what it does."""
        self._hover(self.line.at(event.x))

    def on_leave(self) -> None:
        """The mouse has gone."""
        self._hover(None)

    def _hover(self, key: Key | None) -> None:
        if key is not self._hovered:
            self._hovered = key
            self.tooltip = key.tooltip or None if key is not None else None
            self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click is the key."""
        if (key := self.line.at(event.x)) is None:
            return
        if key.enabled:
            self.app.simulate_key(key.key)
        else:
            self.app.bell()
