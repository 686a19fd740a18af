"""The screens' retrievals, as the program has them: by the engine, kept in the database."""

import socket
from dataclasses import replace
from pathlib import Path

from mailtui.actions.memory import Memory
from mailtui.actions.retrieve import RetrieveOptions, retrieval_slots
from mailtui.model.account import Endpoint, SecretRef, SecretScheme, Security
from mailtui.model.check import Cause
from mailtui.model.retrieval import RetrievalEvent, RetrievalFinished, RetrievalReport
from mailtui.storage.database import Database
from mailtui.tui.stored_retrievals import StoredRetrievals
from tests.tui.people import ADA


class Known:
    """Every secret is the same."""

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return "secret"


async def test_what_comes_of_a_retrieval_is_kept(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        endpoint = Endpoint("127.0.0.1", nobody.getsockname()[1], Security.NONE, allow_cleartext=True)
        assert ADA.retrieval is not None
        account = replace(
            ADA, retrieval=replace(ADA.retrieval, endpoint=endpoint, secret=SecretRef(SecretScheme.ENV, "NONE"))
        )
        with Database.open(tmp_path / "mailtui.sqlite3") as database:
            account = database.add(account)
            stored = StoredRetrievals(database)
            assert stored.last() == {}
            events: list[RetrievalEvent] = []
            reports: list[RetrievalReport] = []
            await stored.retrieve_many(
                [account],
                Known(),
                on_event=events.append,
                on_report=reports.append,
                options=RetrieveOptions(),
                slots=retrieval_slots(),
                memory=Memory(),
                tasks={},
            )
            (report,) = reports
            assert report.leg.failure is not None
            assert report.leg.failure.cause is Cause.PORT_REFUSED
            assert isinstance(events[-1], RetrievalFinished)
            assert stored.last()[ADA.name].leg.failure == report.leg.failure
