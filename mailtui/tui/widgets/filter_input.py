"""The line that a list is filtered by."""

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from mailtui.actions.filtering import EXAMPLES
from mailtui.tui.widgets.text_line import TextLine


class FilterInput(TextLine):
    """Filters while it is typed in; enter and down go to the list."""

    HELP = (
        "Words that an account must have anywhere, or in one place: "
        f"{EXAMPLES}. A minus before a word means all others; quotes keep words together."
    )

    class Done(Message):
        """On to the list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "done", "To the list", show=False, id="filter.done", tooltip="Go to what was found"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, placeholder=f"any text, or {EXAMPLES}")

    def action_done(self) -> None:
        """Leave the field."""
        self.post_message(self.Done())

    async def action_submit(self) -> None:
        """Leave the field."""
        self.post_message(self.Done())
