"""Ask before something is done that cannot be taken lightly."""

from collections.abc import Iterable, Sequence
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from mailtui.model.text import clean
from mailtui.tui.screens.dialog import Choice, Dialog


class ConfirmScreen(Dialog[bool]):
    """A question that is answered by yes or no.

    Where there is `danger`, the focus is on no, and no key says yes that was typed before the question came up.
    `option` is something that a person may want besides, off at first: `chosen` tells afterwards.
    """

    AUTO_FOCUS = ".first"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "decide(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding("n,escape", "decide(False)", "No", key_display="esc", id="confirm.no", tooltip="Leave all as it is"),
        Binding("k", "option", "Option", id="confirm.option", tooltip="Switch the option of the question"),
    ]

    def __init__(
        self,
        title: str,
        lines: Sequence[str],
        yes: str,
        no: str = "Cancel",
        danger: bool = False,
        *,
        option: str = "",
    ) -> None:
        super().__init__(title)
        self.lines = tuple(lines)
        self._yes = yes
        self._no = no
        self._danger = danger
        self._option = option
        self.chosen = False
        self._asked = 0.0

    def on_mount(self) -> None:
        """Take keys that are typed from now on: those of before were meant for something else."""
        self._asked = monotonic()

    def on_key(self, event: events.Key) -> None:
        """Where there is danger, drop keys that were typed before the question came up."""
        if self._danger and event.time < self._asked:
            event.stop()

    def text(self) -> Iterable[Widget]:
        """What there is to know before the answer."""
        yield Static("\n".join(clean(line) for line in self.lines), markup=False)

    def fields(self) -> Iterable[Widget]:
        """The option, if there is one."""
        if self._option:
            yield Choice(self._option_label, "option", id="option")

    def choices(self) -> Iterable[Choice]:
        """Yes and no."""
        yes = Choice(self._yes, "decide(True)", danger=self._danger, id="yes")
        no = Choice(self._no, "decide(False)", id="no")
        (no if self._danger else yes).add_class("first")
        yield yes
        yield no

    @property
    def _option_label(self) -> str:
        return f"[{'x' if self.chosen else ' '}] {self._option} (k)"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the option only where there is one."""
        return bool(self._option) if action == "option" else True

    def action_decide(self, yes: bool) -> None:
        """Answer."""
        self.answer(yes)

    def action_option(self) -> None:
        """Switch the option."""
        self.chosen = not self.chosen
        self.query_one("#option", Choice).label = Content(clean(self._option_label))
