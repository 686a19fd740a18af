"""Find accounts by any text."""

from mailtui.model.account import Account
from mailtui.model.check import Leg, legs_of
from mailtui.tui.board import Board
from mailtui.tui.words import Mark


class AccountFilter:
    """Matches every word of a wanted text, in any order, in what is known of an account."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._texts: dict[str, str] = {}

    def forget(self) -> None:
        """Accounts have changed."""
        self._texts.clear()

    def matches(self, wanted: str) -> list[str]:
        """The names of the accounts that hold every word of `wanted`, in the order of the list."""
        words = wanted.casefold().split()
        if not words:
            return self._board.names
        return [name for name in self._board.names if all(word in self._text(name) for word in words)]

    def _text(self, name: str) -> str:
        text = self._texts.get(name)
        account = self._board.account(name)
        if text is None:
            text = self._texts[name] = _settings(account)
        return f"{text}\n{self._state(account)}"

    def _state(self, account: Account) -> str:
        marks = {self._board.mark(account.name, leg) for leg in Leg}
        states = ["" if account.active else "off"]
        states.append("failing failed" if Mark.FAILED in marks else "")
        states.append("unchecked not checked" if Mark.UNCHECKED in marks else "")
        states.append("warning" if Mark.WARNING in marks else "")
        states.append("good" if marks <= {Mark.OK, Mark.WARNING, Mark.ABSENT} else "")
        return "\n".join(states)


def _settings(account: Account) -> str:
    parts = [account.name, account.email, account.display_name, account.type, account.notes]
    parts += [account.submission.username, account.retrieval.username if account.retrieval else ""]
    for setup in legs_of(account):
        parts += [setup.protocol.label, setup.endpoint.label, setup.endpoint.security.label]
    return "\n".join(parts).casefold()
