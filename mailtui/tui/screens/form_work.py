"""A form that does one thing at a time and ends once, whatever lies over it by then."""

from collections.abc import Awaitable, Callable

from mailtui.actions.saving import Saved
from mailtui.tui.form.state import FormState
from mailtui.tui.screens.form_walking import WalkedForm


class WorkingForm(WalkedForm):
    """What keys ask for is done in the background; nothing else begins before that, or after the form's end."""

    def __init__(self, state: FormState) -> None:
        super().__init__(state)
        self._at_work = False
        self._waiting: Callable[[], Awaitable[None]] | None = None
        self._outcome: tuple[Saved | None] | None = None

    @property
    def ended(self) -> bool:
        """Whether the form has its result, and only waits to be in front to close with it."""
        return self._outcome is not None

    def start(self, work: Callable[[], Awaitable[None]], *, waits: bool = False) -> None:
        """Do `work` in the background, unless something is being done: of two quick keys the second does nothing.

        With `waits` it is done afterwards.
        """
        if self._at_work or self.ended:
            if waits:
                self._waiting = work
            return
        # Now, not where the work begins: the next key may be handled before.
        self._at_work = True

        async def alone() -> None:
            try:
                await work()
            finally:
                self._at_work = False
                waiting, self._waiting = self._waiting, None
                if waiting is not None:
                    self.start(waiting)

        self.run_worker(alone(), group="form")

    def finish(self, result: Saved | None) -> None:
        """Close with `result`, not before whatever lies over the form is closed: `dismiss` would close that instead."""
        if self._outcome is None:
            self._outcome = (result,)
            self._close()

    def on_screen_resume(self) -> None:
        """Close now if that was due."""
        self._close()

    def _close(self) -> None:
        if self._outcome is not None and self.is_active:
            self.dismiss(self._outcome[0])
