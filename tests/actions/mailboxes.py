"""Mail on a server that is none: a `Source` over lists, and one account that retrieves from it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mailtui.actions.delivery import Delivery, Letter
from mailtui.actions.places import Destinations
from mailtui.actions.rehearsing import Rehearsal
from mailtui.actions.retrieving import Retrieving
from mailtui.actions.tally import Tally
from mailtui.model.account import Account, Endpoint, Protocol, Retrieval, SecretRef, SecretScheme, Submission
from mailtui.model.check import Cause, Failure, Leg, LegSetup, Stage
from mailtui.model.retrieval import Candidate, MailboxResult, RetrievalEvent
from mailtui.protocols.faults import StageFailed, WireError
from mailtui.protocols.source import Intake, Listed, MailboxState, RemoteMailbox, Source
from mailtui.protocols.trace import Trace
from mailtui.storage.database import Database
from mailtui.storage.ledger import Kept, Ledger
from mailtui.storage.paths import DataPaths

SERVER = "imap://ada%40example.org@127.0.0.1"


def letter(number: int, octets: int = 0) -> bytes:
    """A message; those of numbers with as many digits are of one size, unless `octets` asks for more."""
    start = (
        f"Return-Path: <from{number}@example.org>\r\nFrom: Ada <ada@example.org>\r\nSubject: number {number}\r\n\r\n"
    )
    return start.encode() + b"x" * max(0, octets - len(start) - 8) + b"Hello.\r\n"


@dataclass
class Mail:
    """One message. `octets` is what the server says of its size."""

    uid: str
    content: bytes
    flags: tuple[str, ...] = ()
    octets: int | None = None
    reply: str = ""
    """Why it is not given, where it is not."""


@dataclass
class Box:
    """One mailbox. Messages are numbered, and named anew, as they are added."""

    name: str = "INBOX"
    mails: list[Mail] = field(default_factory=list)
    uidvalidity: int | None = 1
    uidnext: int | None = 1
    modseq: int | None = None
    can_open: bool = True

    def add(self, content: bytes, uid: str = "", flags: tuple[str, ...] = (), octets: int | None = None) -> Mail:
        mail = Mail(uid or str(self.uidnext), content, flags, len(content) if octets is None else octets)
        if self.uidnext is not None:
            self.uidnext += 1
        self.mails.append(mail)
        return mail

    def renumber(self) -> None:
        assert self.uidvalidity is not None
        self.uidvalidity += 1
        for number, mail in enumerate(self.mails, 1):
            mail.uid = str(number)
        self.uidnext = len(self.mails) + 1

    @property
    def state(self) -> MailboxState:
        return MailboxState(len(self.mails), self.uidvalidity, self.uidnext, self.modseq)


class FakeSource(Source):
    """One session. `calls` is what was asked of it, `fetched` whose octets were sent."""

    def __init__(self, boxes: Sequence[Box], *, has_uids: bool = True, chunk: int = 1 << 16) -> None:
        self.has_uids = has_uids
        self.boxes = boxes
        self.calls: list[str] = []
        self.fetched: list[str] = []
        self.chunk = chunk
        self.lost_after: int | None = None
        """Messages after which the connection is lost, in the middle of the next."""
        self.deletion_problem = ""
        self.quit_fails = False
        self.on_message: Callable[[int], None] = lambda number: None
        self.full = 0
        self._box = Box()
        self._pending: list[tuple[Box, Mail]] = []

    async def prepare(self, trace: Trace) -> None:
        async with trace.stage(Stage.CAPABILITIES):
            pass

    async def mailboxes(self, patterns: Sequence[str]) -> list[RemoteMailbox]:
        return [RemoteMailbox(box.name, box.name, "/") for box in self.boxes]

    async def status(self, mailbox: RemoteMailbox) -> MailboxState | None:
        box = self._find(mailbox)
        return box.state if box.can_open and box.uidnext is not None else None

    async def select(self, mailbox: RemoteMailbox, *, writable: bool) -> MailboxState:
        self.calls.append("select" if writable else "examine")
        self._box = self._find(mailbox)
        if not self._box.can_open:
            raise WireError(Cause.NO_INBOX, f"the mailbox {mailbox.name} cannot be opened")
        return self._box.state

    async def listing(self, since: int = 0) -> list[Listed]:
        self.calls.append(f"listing {since}")
        return [
            Listed(number, mail.uid if self.has_uids else "", mail.octets)
            for number, mail in enumerate(self._box.mails, 1)
            if not since or int(mail.uid) >= since
        ]

    async def fetch(self, wanted: Sequence[Listed], intake: Intake) -> None:
        room = asyncio.Event()
        intake.on_room = room.set
        for number, listed in enumerate(wanted):
            mail = self._box.mails[listed.handle - 1]
            self.on_message(number)
            if mail.reply:
                intake.refused(listed, mail.reply)
                continue
            is_cut = number == self.lost_after
            intake.begin(listed)
            content = mail.content[: len(mail.content) // 2] if is_cut else mail.content
            for first in range(0, len(content), self.chunk):
                while intake.is_full:
                    self.full += 1
                    room.clear()
                    await room.wait()
                intake.feed(content[first : first + self.chunk])
            if is_cut:
                raise WireError(Cause.CLOSED, "the server closed the connection instead of a message")
            intake.complete(mail.flags)
            self.fetched.append(mail.uid)
            await asyncio.sleep(0)

    async def headers(self, wanted: Sequence[Listed]) -> dict[int, bytes]:
        self.calls.append(f"headers {len(wanted)}")
        return {listed.handle: header(self._box.mails[listed.handle - 1].content) for listed in wanted}

    async def delete(self, messages: Sequence[Listed]) -> str:
        if not self.deletion_problem:
            self._pending += [(self._box, self._box.mails[listed.handle - 1]) for listed in messages]
        return self.deletion_problem

    async def finish(self, trace: Trace) -> None:
        async with trace.stage(Stage.QUIT):
            if self.quit_fails:
                raise WireError(Cause.CLOSED, "the server did not confirm the deletions")
        for box, mail in self._pending:
            box.mails.remove(mail)

    def _find(self, mailbox: RemoteMailbox) -> Box:
        return next(box for box in self.boxes if box.name == mailbox.name)


def header(content: bytes) -> bytes:
    """As a server gives it: up to and with the empty line."""
    return content[: content.index(b"\r\n\r\n") + 4]


@dataclass
class Outcome:
    """How one session went."""

    mailboxes: tuple[MailboxResult, ...]
    candidates: list[Candidate]
    failure: Failure | None
    events: list[RetrievalEvent]
    source: FakeSource

    @property
    def box(self) -> MailboxResult:
        (only,) = self.mailboxes
        return only


class Post:
    """One account with its data folder; `session` is one retrieval from `boxes`."""

    def __init__(self, data: Path, *boxes: Box, protocol: Protocol = Protocol.IMAP) -> None:
        self.boxes = boxes or (Box(),)
        self.data = data
        self.database = Database.open(data / "mailtui.db")
        secret = SecretRef(SecretScheme.ENV, "SECRET")
        submission = Submission(Endpoint("127.0.0.1", 1), secret=secret)
        self.account = Account("ada", "ada@example.org", submission, Retrieval(protocol, Endpoint("127.0.0.1", 1)))
        self.database.add(self.account)
        self.delivery: Delivery | None = None

    @property
    def inbox(self) -> Box:
        return self.boxes[0]

    @property
    def tree(self) -> Path:
        return self.data / "mail" / "ada"

    @property
    def stored(self) -> list[bytes]:
        """What is in the tree, sorted."""
        return sorted(file.read_bytes() for folder in ("new", "cur") for file in self.tree.glob(f"**/{folder}/*"))

    @property
    def expected(self) -> list[bytes]:
        """What is on the server, sorted."""
        return sorted(mail.content for box in self.boxes for mail in box.mails)

    def wish(self, **changes: object) -> None:
        """Change the account's retrieval."""
        assert self.account.retrieval is not None
        self.account = replace(self.account, retrieval=replace(self.account.retrieval, **changes))  # type: ignore[arg-type]  # the names are checked by replace

    def source(self, *, has_uids: bool = True, chunk: int = 1 << 16) -> FakeSource:
        return FakeSource(self.boxes, has_uids=has_uids, chunk=chunk)

    def kept(self, name: str = "INBOX") -> list[Kept]:
        ledger = Ledger(self.database, self.account.name)
        row = ledger.known_mailbox(SERVER.replace("imap", self._protocol.value), name)
        return [] if row is None else ledger.kept(row.id)

    @property
    def _protocol(self) -> Protocol:
        assert self.account.retrieval is not None
        return self.account.retrieval.protocol

    async def session(self, source: FakeSource | None = None, *, dry_run: bool = False) -> Outcome:
        """Retrieve; a failure is in the outcome."""
        source = source or self.source()
        events: list[RetrievalEvent] = []
        tally = Tally(self.account.name, events.append)
        ledger = Ledger(self.database, self.account.name)
        destinations = Destinations(self.account, ledger, DataPaths(self.data))
        destinations._delivery = self.delivery
        trace = self._trace()
        failure = None
        kind = Rehearsal if dry_run else Retrieving
        try:
            if not dry_run:
                await destinations.find_root()
            await kind(self.account, tally, ledger, destinations).walk(source, trace)
        except StageFailed as error:
            failure = error.failure
        finally:
            trace.stop()
        return Outcome(tuple(one.result() for one in tally.mailboxes), tally.candidates, failure, events, source)

    def _trace(self) -> Trace:
        assert self.account.retrieval is not None
        endpoint = self.account.retrieval.endpoint
        plan = LegSetup(Leg.INBOUND, self._protocol, endpoint, None).retrieval_plan
        return Trace(
            account=self.account.name,
            leg=Leg.INBOUND,
            protocol=self._protocol,
            endpoint=endpoint,
            plan=plan,
            on_event=None,
            stage_timeout=10.0,
            leg_timeout=float("inf"),
        )


class Counter(Delivery):
    """A destination that writes down what it took; `answers` are raised, one for each message, None takes it."""

    def __init__(self, *answers: WireError | None) -> None:
        self.taken: list[bytes] = []
        self.senders: list[str] = []
        self.answers = list(answers)

    async def deliver(self, letter: Letter) -> None:
        content = b"".join([piece async for piece in letter.pieces()])
        assert len(content) == letter.octets
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.taken.append(content)
        self.senders.append(letter.sender)
