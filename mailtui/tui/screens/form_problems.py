"""All that must be put right before an account can be saved; each line leads to its field."""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from mailtui.model.text import clean
from mailtui.tui.form.checking import Finding
from mailtui.tui.form.fields import FIELDS
from mailtui.tui.screens.dialog import Dialog
from mailtui.tui.widgets.ladder import STYLES
from mailtui.tui.words import Mark, Role


class ProblemList(OptionList):
    """The problems, one below the other."""

    HELP = "Each line is a problem of one field. up and down choose, enter goes to the field."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select", "Go to the field", id="form_problems.go", tooltip="Go to the field of this line"),
    ]


class FormProblemsScreen(Dialog[str | None]):
    """The result is the key of the field to go to; None goes back to where one was."""

    AUTO_FOCUS = "ProblemList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(None)", "Back", id="form_problems.back", tooltip="Back to the form"),
    ]

    def __init__(self, title: str, problems: Sequence[Finding]) -> None:
        super().__init__(title)
        self.problems = tuple(problems)

    def text(self) -> Iterable[Widget]:
        """The problems in the order of the form."""
        options = (Option(_told(key, message), id=key) for key, message in self.problems)
        yield ProblemList(*options, markup=False, compact=True)

    @on(OptionList.OptionSelected)
    def _go(self, event: OptionList.OptionSelected) -> None:
        self.answer(event.option.id)

    def action_answer(self, key: str | None) -> None:
        """Close."""
        self.answer(key)


def _told(key: str, message: str) -> Content:
    mark = (f"{Mark.FAILED.glyph} ", STYLES[Role.FAILED])
    return Content.assemble(mark, (FIELDS[key].title, "bold"), f" {clean(message)}")
