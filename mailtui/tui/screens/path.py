"""Ask where a file shall be written."""

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from mailtui.actions.exporting import named_file
from mailtui.model.errors import UsageError
from mailtui.model.text import clean, has_hostile
from mailtui.offloop import off_loop
from mailtui.tui.screens.dialog import Choice, Dialog
from mailtui.tui.widgets.text_line import TextLine

_DEADLINE = 5.0
"""Seconds that a file system has to answer; one that is far away may never do."""


class PathInput(TextLine):
    """The path, on one line."""

    HELP = "Where the file goes: a path; ~ is your home folder. An existing file is not replaced before you say so."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write", id="path.write", tooltip="Write the file"),
    ]


class PathScreen(Dialog[Path | None]):
    """One path, proposed and to be changed; the result can be written to, as far as can be told beforehand.

    `problem` says at once why the path that was given before did not do.
    """

    AUTO_FOCUS = "PathInput"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "give_up", "Cancel", id="path.cancel", tooltip="Write nothing"),
    ]

    def __init__(self, title: str, question: str, default: Path, *, problem: str = "") -> None:
        super().__init__(title)
        self._question = question
        self._default = default
        self._problem = problem

    def text(self) -> Iterable[Widget]:
        """What is asked."""
        yield Static(clean(self._question), markup=False)

    def fields(self) -> Iterable[Widget]:
        """The path, and what is wrong with it."""
        yield PathInput(written(self._default), compact=True, select_on_focus=False)
        yield Static(id="problem", markup=False)

    def choices(self) -> Iterable[Choice]:
        """Write and cancel."""
        yield Choice("Write", "take")
        yield Choice("Cancel", "give_up")

    def on_mount(self) -> None:
        """Say at once what is known to be wrong."""
        if self._problem:
            self._tell(self._problem)

    @on(Input.Changed)
    def _typed(self) -> None:
        self._tell(self._problem)
        self._problem = ""

    @on(TextLine.PasteRefused)
    def _not_pasted(self, message: TextLine.PasteRefused) -> None:
        self._tell(message.words)

    @on(Input.Submitted)
    def action_take(self) -> None:
        """Close with the path, if a file can be written there."""
        self.run_worker(self._take(self.query_one(PathInput).value), group="path", exclusive=True)

    async def _take(self, typed: str) -> None:
        try:
            async with asyncio.timeout(_DEADLINE):
                self.answer(await off_loop(partial(named_file, typed)))
        except UsageError as error:
            self._tell(str(error))
        except TimeoutError:
            self._tell("this place does not answer; choose another")

    def _tell(self, problem: str) -> None:
        told = self.query_one("#problem", Static)
        told.update(clean(problem))
        told.set_class(bool(problem), "-told")

    def action_give_up(self) -> None:
        """Close without a path."""
        self.answer(None)


def written(path: Path) -> str:
    """`path` as a person writes it: from the home folder or from here, where it lies there."""
    try:
        homely = f"~/{path.relative_to(Path.home())}"
    except (RuntimeError, ValueError):
        homely = ""
    try:
        near = str(path.relative_to(Path.cwd()))
    except (OSError, ValueError):
        near = ""
    text = homely or near or str(path)
    # What cannot be typed cannot be changed either.
    return text if not has_hostile(text) else clean(path.name)
