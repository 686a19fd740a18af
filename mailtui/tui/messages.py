"""What the screens are told; each carries as little as possible, since the board holds the truth."""

from textual.message import Message


class ChecksProgressed(Message, bubble=False):
    """The board changed in ways that need only a repaint; `Board.changed_since` says which accounts."""

    def can_replace(self, message: Message) -> bool:
        """A flood of these is worth one: whoever handles the last sees all changes."""
        return isinstance(message, ChecksProgressed)


class AccountsChanged(Message, bubble=False):
    """Accounts were loaded, added, renamed or edited: lists must be built again."""

    def __init__(self, select: str | None = None) -> None:
        self.select = select
        """The account to put the cursor on, when it matters."""
        super().__init__()


class AccountHighlighted(Message):
    """The cursor of the list came to another account; None when the list is empty."""

    def __init__(self, name: str | None) -> None:
        self.name = name
        super().__init__()


class AccountOpened(Message):
    """A person wants to see all about an account."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__()
