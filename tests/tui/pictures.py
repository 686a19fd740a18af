"""The pictures in screenshots/: which scenes there are, and how one is drawn so that its bytes are always the same."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from mailtui.tui.app import MailtuiApp
from tests.tui.people import PEOPLE, REPORTS
from tests.tui.world import ScriptedChecks, World, world

FOLDER = Path(__file__).parents[2] / "screenshots"
_FONT = "DejaVu Sans Mono"


@dataclass(frozen=True)
class Scene:
    """A picture: the keys that lead to it, in which theme, and what else must be done first."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "mailtui-dark"
    checked: bool = True
    held_after: int | None = None
    prepare: Callable[[World], Awaitable[None]] | None = field(default=None, compare=False)


_SMALL, _LARGE = (80, 24), (120, 40)
SCENES = (
    Scene("accounts-80x24", _SMALL),
    Scene("accounts-120x40", _LARGE),
    Scene("accounts-light-120x40", _LARGE, ("down",), theme="mailtui-light"),
    Scene("accounts-ansi-80x24", _SMALL, ("down",), theme="ansi-dark"),
    Scene("new-80x24", _SMALL, checked=False),
    Scene("running-80x24", _SMALL, ("T",), held_after=3),
    Scene("running-120x40", _LARGE, ("T",), held_after=5),
    Scene("failure-80x24", _SMALL, ("down",)),
    Scene("failure-120x40", _LARGE, ("down",)),
    Scene("accepts-anything-80x24", _SMALL, ("down",) * 5),
    Scene("filter-80x24", _SMALL, ("slash", *"imap failing")),
    Scene("detail-80x24", _SMALL, ("down", "enter", "i")),
    Scene("detail-120x40", _LARGE, ("enter",)),
    Scene("help-80x24", _SMALL, ("question_mark",)),
    Scene("help-120x40", _LARGE, ("question_mark",)),
)


async def draw(scene: Scene) -> str:
    """The scene as SVG."""
    checks = ScriptedChecks(steps=scene.held_after or 0, held=scene.held_after is not None)
    async with world(PEOPLE, REPORTS if scene.checked else None, size=scene.size, checks=checks) as running:
        running.app.theme = scene.theme
        for key in scene.keys:
            await running.press("space" if key == " " else key)
        if scene.held_after is not None:
            await running.until(lambda: checks.events > 0 and not running.app.desk.checker.repaint_due)
        await running.pilot.pause()
        return _steady(running.app, scene.name)


def _steady(app: MailtuiApp, name: str) -> str:
    """The picture without what changes between runs or comes from another server: unique ids and web fonts."""
    svg = app.export_screenshot(title="mailtui")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"Fira Code", _FONT, svg)
    unique = re.search(r"terminal-(\d+)-matrix", svg)
    if unique is not None:
        svg = svg.replace(f"terminal-{unique[1]}", f"terminal-{name}")
    return svg
