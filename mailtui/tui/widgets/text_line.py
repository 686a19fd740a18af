"""A line to type in that shows hostile characters instead of obeying them, and takes none from the clipboard."""

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Input

from mailtui.model.text import clean, has_hostile

_STAND_IN = "\N{REPLACEMENT CHARACTER}"


def visible(text: str) -> str:
    """`text` with a visible character in the place of each one that `clean` would escape."""
    return "".join(_STAND_IN if has_hostile(character) else character for character in text)


def pasted(text: str) -> tuple[str, str]:
    """What to insert of a pasted text, and what to say of the rest; both may be empty.

    Several lines are refused as a whole: of a list or a mail, no one line is what was meant. Single characters
    that cannot be seen are left out, for web pages slip them into what one copies.
    """
    line = text.strip("\r\n\t ")
    if "\n" in line or "\r" in line:
        return "", "The clipboard holds several lines, and one is wanted here; nothing was pasted."
    kept = "".join(character for character in line if not has_hostile(character))
    left_out = len(line) - len(kept)
    if not left_out:
        return kept, ""
    return (
        kept,
        f"{left_out} control or invisible character{'s were' if left_out > 1 else ' was'} left out of the paste.",
    )


class TextLine(Input):
    """An Input of one line. A password is masked; `password = False` reveals it."""

    HELP = "Type or paste one line. ctrl+a and ctrl+e go to its ends, ctrl+u and ctrl+k cut what is before and after."

    class PasteRefused(Message):
        """Something pasted was not taken, or not all of it."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    @property
    def _value(self) -> Text:
        # What the widget paints, and measures; the value itself stays as it is.
        shown = "•" * len(self.value) if self.password else visible(self.value)
        return Text(shown, no_wrap=True, overflow="ignore", end="")

    def hint(self, text: str) -> None:
        """Show `text` while the line is empty."""
        self.placeholder = clean(text)

    def _on_paste(self, event: events.Paste) -> None:
        # The base takes the first of several lines and says nothing.
        event.prevent_default()
        event.stop()
        self._insert_pasted(event.text)

    def action_paste(self) -> None:
        """Paste what was cut or copied here."""
        self._insert_pasted(self.app.clipboard)

    def _insert_pasted(self, text: str) -> None:
        kept, words = pasted(text)
        if kept:
            self.replace(kept, *self.selection)
        if words:
            self.post_message(self.PasteRefused(words))

    def action_copy(self) -> None:
        """Copy the selection; of a masked password nothing, as nothing of it is shown."""
        if not self.password:
            super().action_copy()

    def action_cut(self) -> None:
        """Cut the selection; a masked password is only deleted."""
        if self.password:
            self.delete_selection()
        else:
            super().action_cut()
