"""While the screens are open, the mail of automatic accounts arrives by itself."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from mailtui.actions.memory import Memory
from mailtui.model.account import Account, SecretScheme
from mailtui.tui.board import Board
from mailtui.tui.retriever import Retriever
from mailtui.tui.services import Ask, Idling, Scheduling, Services


def _is_followed(account: Account) -> bool:
    """Whether its mail can be fetched by itself: nobody wants to be asked for a password every few minutes."""
    login = account.retrieval_login
    return login is not None and (login.secret is None or login.secret.scheme is not SecretScheme.ASK)


class Automatic:
    """Starts retrievals when they are due, and when a server tells of new mail. Idle until `run`."""

    def __init__(
        self,
        services: Services,
        board: Board,
        retriever: Retriever,
        memory: Memory,
        ask: Ask,
        *,
        changed: Callable[[], None],
        on_error: Callable[[str], None],
    ) -> None:
        self._services = services
        self._board = board
        self._retriever = retriever
        self._memory = memory
        self._ask = ask
        self._changed = changed
        self._on_error = on_error
        self._schedule: Scheduling | None = None
        self._idlers: Idling | None = None

    def next_at(self, name: str) -> datetime | None:
        """When an account's next retrieval begins by itself; None where none does."""
        return None if self._schedule is None else self._schedule.next_at(name)

    def is_waiting(self, name: str) -> bool:
        """Whether the server of an account tells of new mail at once."""
        return self._idlers is not None and self._idlers.is_waiting(name)

    def follow(self) -> None:
        """Learn which accounts there are, and when each was retrieved."""
        if self._schedule is None or self._idlers is None:
            return
        accounts = [self._board.account(name) for name in self._board.names]
        followed = [account for account in accounts if _is_followed(account)]
        self._schedule.plan(followed, self._board.retrievals.times)
        self._idlers.follow(followed)

    async def run(self) -> None:
        """Work until cancelled."""
        services = self._services
        schedule = self._schedule = services.schedule(self._start)
        self._idlers = services.idlers(
            lambda: services.secrets(self._ask).reader(),
            self._memory,
            lambda account: schedule.at_once(account.name),
        )
        self._retriever.on_end = self._ended
        self.follow()
        self._changed()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(schedule.run())
                both.create_task(self._idlers.run())
        except* Exception as errors:  # noqa: BLE001  # a defect of it must not take the screens along
            names = ", ".join(sorted({type(error).__name__ for error in errors.exceptions}))
            self._on_error(f"Automatic retrieval stopped by a defect of mailtui ({names}); please report it.")
        finally:
            self._schedule = self._idlers = None

    def _ended(self, name: str, is_elsewhere: bool) -> None:
        if self._schedule is None:
            return
        if is_elsewhere:
            # It may end before it has fetched all.
            self._schedule.postpone(name, is_elsewhere=True)
        else:
            self._schedule.ended(name, self._services.now())

    def _start(self, accounts: list[Account]) -> None:
        self._retriever.retrieve([account.name for account in accounts], by_hand=False)
        for account in accounts:
            if self._schedule is not None and self._board.retrievals.of(account.name) is None:
                self._schedule.postpone(account.name)
