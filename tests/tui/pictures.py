"""The pictures in screenshots/: which scenes there are, and how one is drawn so that its bytes are always the same."""

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from textual.widgets import Input

from mailtui.tui.app import MailtuiApp
from tests.tui.pictured import ADA, PEOPLE, PicturedChecks, pictured_retrievals, pictured_store
from tests.tui.world import DEADLINE, MemorySecrets, World, world

FOLDER = Path(__file__).parents[2] / "screenshots"
_FONT = "DejaVu Sans Mono"
_SIZES = {"80x24": (80, 24), "120x40": (120, 40)}
_THEMES = {
    "dark": "mailtui-dark",
    "light": "mailtui-light",
    "contrast": "mailtui-contrast",
    "ansi": "ansi-dark",
    "nocolor": "mailtui-dark",
}
_STEADY = 3
"""How often in a row the screen must look the same before it is drawn."""


@dataclass(frozen=True)
class View:
    """What is in a picture: the keys that lead there, and a text that tells that it is there.

    `steps` are keys that are pressed at once; before the next ones the screen comes to rest. `meanwhile` is what
    another process does before the last of them. `retrieving` holds retrievals up half-way.
    """

    name: str
    steps: tuple[str, ...]
    shows: str
    checked: bool = True
    held_after: int | None = None
    meanwhile: Callable[[World], None] | None = None
    retrieving: bool = False


@dataclass(frozen=True)
class Scene:
    """A view in a size; `names` are those of its pictures, one for each theme."""

    view: View
    size: str
    themes: tuple[str, ...] = ("dark", "light")

    @property
    def names(self) -> list[str]:
        return [f"{self.view.name}-{theme}-{self.size}" for theme in self.themes]


def _change_ada(running: World) -> None:
    running.store.change(replace(PEOPLE[ADA], notes="Moved to the new server on Monday.", type="customer service"))


_FORM = (
    View("form-identity", ("e",), "mail is sent from"),
    View("form-outgoing", ("e", "f3"), "begins with smtp."),
    View("form-incoming", ("e", "f4"), "Receive mail"),
    View("form-advanced", ("e", "f5"), "Outgoing login method"),
)
_FAILURE = View("failure", ("down",), "server said")
_VIEWS = (
    View("accounts", (), "Ada Lovelace"),
    View("running", ("T",), "testing 0 of", held_after=3),
    _FAILURE,
    View("filter", ("slash", "i m a p space f a i l i n g"), "imap failing"),
    View("selected", ("o", "down space space"), "◆ 2"),
    View("menu", ("f",), "Show"),
    View("detail", ("down enter",), "median"),
    View("retrieval", ("m",), "Message Retrieval"),
    View("retrieving", ("m", "R"), "1284 of 5000", retrieving=True),
    View("retrieval-failed", ("m", "slash", "a l a n", "enter", "r"), "now: "),
    View("dry-run", ("m", "D"), "A retrieval now would"),
    View("retrieved", ("slash", "m a r y", "enter", "enter", "i"), "Last retrieval"),
    View("form-errors", ("n", "a d a", "ctrl+s"), "Not saved yet"),
    View("trial-failing", ("down e", "ctrl+t"), "failed at Login"),
    View("trial-good", ("e", "ctrl+t"), "Both legs are good"),
    View("diagnosis", ("slash", "h e d y", "enter", "enter"), "median"),
    View("key-changed", ("slash", "i d a", "enter", "enter"), "median"),
    View("accept", ("slash", "i d a", "enter", "A"), "Accept what changed"),
    View("consent", ("slash", "e m m y", "enter", "F"), "Trust this key"),
    View("trial-fix", ("slash", "h e d y", "enter", "e", "ctrl+t"), "F: use port"),
    View("conflict", ("e", "tab tab tab tab tab x", "ctrl+s"), "Somebody else changed", meanwhile=_change_ada),
    View("delete", ("d",), "Deleted with it"),
    View("help", ("question_mark",), "─ Help"),
    View("palette", ("ctrl+p",), "Search for"),
)


def _scenes() -> Iterator[Scene]:
    for size in _SIZES:
        for view in (*_VIEWS, *(_FORM if size == "80x24" else _FORM[1:2])):
            more = ("contrast", "ansi") if view.name == "failure" else ()
            yield Scene(view, size, ("dark", "light", *more))
        yield Scene(_FAILURE, size, ("nocolor",))
    yield Scene(View("new", (), "unchecked", checked=False), "80x24", ("dark",))
    yield Scene(View("accepts-anything", ("slash", "m a r y", "enter"), "any certificate"), "80x24", ("dark",))


SCENES = tuple(_scenes())


@contextmanager
def _environment(themes: Sequence[str]) -> Iterator[None]:
    """With NO_COLOR where the picture is about that, and never otherwise."""
    before = os.environ.pop("NO_COLOR", None)
    if "nocolor" in themes:
        os.environ["NO_COLOR"] = "1"
    try:
        yield
    finally:
        os.environ.pop("NO_COLOR", None)
        if before is not None:
            os.environ["NO_COLOR"] = before


async def draw(scene: Scene) -> dict[str, str]:
    """The pictures of a scene as SVG, by name."""
    view = scene.view
    checks = PicturedChecks(steps=view.held_after or 0, held=view.held_after is not None)
    retrievals = pictured_retrievals(held=view.retrieving, dry_run=view.name == "dry-run", retrieved=view.checked)
    store, secrets = pictured_store(checked=view.checked), MemorySecrets(keyring=True)
    with _environment(scene.themes):
        async with world(
            size=_SIZES[scene.size], checks=checks, store=store, secrets=secrets, retrievals=retrievals
        ) as running:
            # When the next retrievals begin is a part of the picture.
            await running.until(lambda: running.app.desk.automatic.next_at(ADA) is not None)
            *before, last = view.steps or ("",)
            for step in before:
                await running.press(*step.split())
                await _steady(running)
            if view.meanwhile is not None:
                view.meanwhile(running)
            await running.press(*last.split())
            await running.until(lambda: view.shows in running.text())
            pictures = {}
            for name, theme in zip(scene.names, scene.themes, strict=True):
                running.app.theme = _THEMES[theme]
                await _steady(running)
                pictures[name] = _picture(running.app)
            return pictures


async def _steady(running: World) -> None:
    """Wait until the screen has come to rest."""
    seen: list[str] = []
    async with asyncio.timeout(DEADLINE):
        while len(seen) < _STEADY or len(set(seen[-_STEADY:])) > 1:
            await running.pilot.pause(0.02)
            seen.append(running.text())
    for field in running.app.screen.query(Input):
        field.cursor_blink = False


def _picture(app: MailtuiApp) -> str:
    """The screen without what changes between runs or comes from another server: unique ids and web fonts."""
    svg = app.export_screenshot(title="mailtui")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"Fira Code", _FONT, svg)
    unique = re.search(r"terminal-(\d+)-matrix", svg)
    if unique is not None:
        svg = svg.replace(f"terminal-{unique[1]}", "t")
    # Each line of a terminal ends where the picture does: its own clipping is a third of the file and shows nothing.
    svg = re.sub(r'<clipPath id="t-line-\d+">.*?</clipPath>\n', "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#t-line-\d+\)"', "", svg)
    svg = svg.replace(' shape-rendering="crispEdges"', "")
    return re.sub(r'(<g transform="translate\(9, 41\)")', r'\1 shape-rendering="crispEdges"', svg)
