"""Why an edited text cannot be saved, and whether to go back to it."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from mailtui.tui.screens.confirm import ConfirmScreen


class ProblemsScreen(ConfirmScreen):
    """Lists the problems; the result says whether to edit again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "decide(True)", "Edit again", id="problems.again", tooltip="Back to the text"),
    ]

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("Not saved yet", problems, "Edit again", "Not now: keep the text in a file")
