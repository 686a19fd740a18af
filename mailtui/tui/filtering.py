"""The language of filters over what the screens know, fast enough for each key with thousands of accounts."""

from collections.abc import Iterable

from mailtui.actions.filtering import Card, Filter
from mailtui.model.account import Account
from mailtui.tui.board import Board


class AccountFilter:
    """Finds accounts by a line of words. What it looks at is kept for each account until that changes."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._cards: dict[str, tuple[Account, Card]] = {}

    def matches(self, wanted: str, names: Iterable[str] | None = None) -> list[str]:
        """Those of `names`, or of all, that `wanted` means, in their order."""
        board = self._board
        among = board.names if names is None else list(names)
        parsed = Filter.parse(wanted)
        if not parsed.terms:
            return among
        return [name for name in among if parsed.matches(self._card(name), board.standing(name).value)]

    def prepare(self, number: int) -> bool:
        """Look at up to `number` more accounts, so that the first key of a filter need not; whether any are left."""
        for name in self._board.names:
            known = self._cards.get(name)
            if known is None or known[0] is not self._board.account(name):
                self._card(name)
                number -= 1
                if number == 0:
                    return True
        return False

    def _card(self, name: str) -> Card:
        account = self._board.account(name)
        known = self._cards.get(name)
        if known is None or known[0] is not account:
            if len(self._cards) > 2 * len(self._board):
                # Accounts that were renamed or removed would stay for ever.
                self._cards.clear()
            known = self._cards[name] = (account, Card.of(account))
        return known[1]
