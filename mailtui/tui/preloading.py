"""Load what the first frame does without, once the accounts are on the screen, so that no first key waits for it."""

import importlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from textual.app import App
from textual.css.stylesheet import Stylesheet

from mailtui.offloop import off_loop

_SCREENS = Path(__file__).parent / "screens"
_STYLES = tuple(
    _SCREENS / f"{name}.tcss" for name in ("detail", "dialogs", "dry_run", "form", "help", "menu", "retrieval", "trial")
)
_MODULES = (
    *(
        f"mailtui.tui.screens.{name}"
        for name in ("detail", "menu", "retrieval", "dry_run", "form", "help", "confirm", "trial")
    ),
    "mailtui.tui.form.state",
    "mailtui.actions.retrieve",
    "mailtui.actions.rereading",
    "mailtui.actions.schedule",
    "mailtui.actions.idling",
    "mailtui.protocols.imap_source",
    "mailtui.protocols.pop3_source",
    "mailtui.tui.fixing",
    "mailtui.tui.insisting",
    "mailtui.tui.removing",
    "mailtui.tui.keys",
    "mailtui.tui.palette",
    "mailtui.protocols.smtp",
    "mailtui.protocols.imap_session",
    "mailtui.protocols.pop3_session",
)


async def preload(app: App[Any]) -> None:
    """Import the other screens and what checks need, and read the screens' styles, in a thread."""
    await off_loop(partial(_import, _MODULES))
    variables = app.get_css_variables()
    before = app.stylesheet
    known = dict(before.source)
    sheet = await off_loop(partial(_read, before.copy()))
    # A screen that was opened meanwhile, or another theme, has read styles of its own.
    if app.stylesheet is before and before.source == known and app.get_css_variables() == variables:
        app.stylesheet = sheet


def _import(modules: Iterable[str]) -> None:
    for module in modules:
        importlib.import_module(module)


def _read(sheet: Stylesheet) -> Stylesheet:
    """`sheet` with the styles of every screen, parsed: Textual would parse all of them again for each first screen."""
    sheet.read_all([path for path in _STYLES if not sheet.has_source(str(path))])
    sheet.parse()
    return sheet
