"""A data folder, an account, a server with a memory, and what must hold after each retrieval."""

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mailtui.actions.retrieve import RetrieveOptions, retrieve_many
from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, SecretRef, SecretScheme, Security, Submission
from mailtui.model.check import Cause
from mailtui.model.retrieval import RetrievalEvent, RetrievalReport
from mailtui.model.text import has_hostile
from mailtui.storage.database import Database
from tests.retrieval.imap import ImapConversation
from tests.retrieval.office import Office
from tests.retrieval.pop3 import Pop3Conversation
from tests.retrieval.serving import serving

NAME = "under test"
SECRET = "hor5e-battery"

CONVERSATIONS = {Protocol.IMAP: ImapConversation, Protocol.POP3: Pop3Conversation}


class OneSecret:
    """A reader that knows one secret."""

    def __init__(self, secret: str = SECRET) -> None:
        self._secret = secret

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return self._secret


def make_account(retrieval: Retrieval) -> Account:
    """An account that receives so."""
    return Account(NAME, "ada@example.org", Submission(Endpoint("127.0.0.1", 1), authentication=False), retrieval)


def make_retrieval(protocol: Protocol, port: int, *, leave: bool = True, delete_after: int | None = None) -> Retrieval:
    """In clear, on loopback."""
    return Retrieval(
        protocol,
        Endpoint("127.0.0.1", port, Security.NONE),
        username="ada",
        secret=SecretRef(SecretScheme.ENV, "SECRET"),
        leave_on_server=leave,
        delete_after=delete_after,
    )


async def retrieve(
    data: Path,
    account: Account,
    options: RetrieveOptions | None = None,
    *,
    secret: str = SECRET,
    events: list[RetrievalEvent] | None = None,
) -> RetrievalReport:
    """Retrieve once, with a database opened and closed for it. Checks what is true of every report."""
    reports: list[RetrievalReport] = []
    with Database.open(data / "mailtui.db") as database:
        if account.name not in {known.name for known in database.accounts()}:
            database.add(account)
        async with asyncio.timeout(60):
            await retrieve_many(
                [account],
                OneSecret(secret),
                database,
                on_event=events.append if events is not None else None,
                on_report=reports.append,
                options=options or RetrieveOptions(timeout=20),
            )
    (report,) = reports
    assert report.leg.failure is None or report.leg.failure.cause is not Cause.INTERNAL, report.leg.failure
    lines = [line for mailbox in report.mailboxes for line in (mailbox.problem, mailbox.folder, *mailbox.notes)]
    lines += [text for one in report.candidates for text in (one.sender, one.subject, one.date, one.reply)]
    assert not any(has_hostile(line) or "\n" in line for line in lines), lines
    return report


def told(report: RetrievalReport) -> bool:
    """Whether the report says that something is not as it should be."""
    return report.severity > 0 or bool(report.candidates)


def age(data: Path, days: int) -> None:
    """Make all that was stored under a data folder so much older."""
    path = data / "mailtui.db"
    if not path.exists():
        return
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE message SET stored = stored - ?", (timedelta(days) // timedelta(microseconds=1),))


def delivered(tree: Path) -> Counter[bytes]:
    """What is in new and cur of every folder of a Maildir tree."""
    found: Counter[bytes] = Counter()
    for folder in [*tree.glob("**/new"), *tree.glob("**/cur")]:
        for path in folder.iterdir():
            found[path.read_bytes()] += 1
    return found


def litter(tree: Path) -> list[Path]:
    """What is in tmp."""
    return [path for folder in tree.glob("**/tmp") for path in folder.iterdir()]


class World:
    """One account on one server; `data` is its data folder."""

    def __init__(self, data: Path, office: Office, account: Account) -> None:
        self.data, self.office, self.account = data, office, account

    async def retrieve(self, options: RetrieveOptions | None = None) -> RetrievalReport:
        return await retrieve(self.data, self.account, options)

    def change(self, *, leave: bool, delete_after: int | None = None) -> None:
        """Other wishes as to what stays on the server."""
        assert self.account.retrieval is not None
        wishes = replace(self.account.retrieval, leave_on_server=leave, delete_after=delete_after)
        self.account = replace(self.account, retrieval=wishes)

    def age(self, days: int) -> None:
        """Make all that was stored so much older."""
        age(self.data, days)

    @property
    def leaves(self) -> bool:
        """Whether mail stays on the server."""
        assert self.account.retrieval is not None
        return self.account.retrieval.leave_on_server

    @property
    def stored(self) -> Counter[bytes]:
        return delivered(self.data / "mail")

    @property
    def litter(self) -> list[Path]:
        return litter(self.data / "mail")


@asynccontextmanager
async def world(
    data: Path, protocol: Protocol, office: Office, *, leave: bool = True, delete_after: int | None = None
) -> AsyncIterator[World]:
    """A server that runs, and a data folder `data`."""
    data.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  # in memory, and no other task here minds
    async with serving(CONVERSATIONS[protocol], office) as port:
        yield World(data, office, make_account(make_retrieval(protocol, port, leave=leave, delete_after=delete_after)))
