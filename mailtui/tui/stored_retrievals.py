"""Retrievals that are kept in a database; what they take is loaded with the first, so that the list is there sooner."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from mailtui.actions.leg import SecretReader
from mailtui.actions.memory import Memory
from mailtui.actions.slots import Slots
from mailtui.model.account import Account
from mailtui.model.retrieval import RetrievalEvent, RetrievalReport
from mailtui.storage.database import Database

if TYPE_CHECKING:
    from mailtui.actions.retrieve import RetrieveOptions


class StoredRetrievals:
    """`actions.retrieve` with its database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def retrieve_many(
        self,
        accounts: Iterable[Account],
        secrets: SecretReader,
        *,
        on_event: Callable[[RetrievalEvent], None],
        on_report: Callable[[RetrievalReport], None],
        options: "RetrieveOptions",
        slots: Slots,
        memory: Memory,
        tasks: dict[str, "asyncio.Task[None]"] | None = None,
    ) -> None:
        """See `actions.retrieve.retrieve_many`."""
        from mailtui.actions.retrieve import retrieve_many

        await retrieve_many(
            accounts,
            secrets,
            self._database,
            on_event=on_event,
            on_report=on_report,
            options=options,
            slots=slots,
            memory=memory,
            tasks=tasks,
        )

    def last(self) -> Mapping[str, RetrievalReport]:
        """The last retrieval of each account, without transcripts. Blocks. Raises StorageError."""
        from mailtui.storage.ledger import last_retrievals

        return last_retrievals(self._database)

    def last_of(self, name: str) -> RetrievalReport | None:
        """The last retrieval of one account, with its transcript. Blocks. Raises StorageError."""
        from mailtui.storage.ledger import last_retrieval

        return last_retrieval(self._database, name)
