"""Retrievals from Dovecot and pymap: the Maildir is what the server has, each message exactly once."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.actions.retrieve import RetrieveOptions
from mailtui.model.account import Account, Protocol
from mailtui.model.retrieval import RetrievalReport, Verdict
from tests.retrieval.backends import Backend, OnDovecot, on_pymap
from tests.retrieval.letters import letter, letters
from tests.retrieval.world import age, delivered, litter, make_account, make_retrieval, retrieve

PATIENT = RetrieveOptions(timeout=60)

KINDS = [("dovecot", Protocol.IMAP), ("dovecot", Protocol.POP3), ("pymap", Protocol.IMAP), ("pymap", Protocol.POP3)]


class Client:
    """This side: a data folder and one account."""

    def __init__(self, data: Path, backend: Backend) -> None:
        self.data, self.backend = data, backend
        self.account: Account = make_account(make_retrieval(backend.protocol, backend.port))
        self.wish(username=backend.user)

    def wish(self, **wishes: object) -> None:
        """Change fields of the retrieval."""
        assert self.account.retrieval is not None
        self.account = replace(self.account, retrieval=replace(self.account.retrieval, **wishes))  # type: ignore[arg-type]  # fields by name

    async def retrieve(self, options: RetrieveOptions = PATIENT, *, has_notes: bool = False) -> RetrievalReport:
        """Retrieve, and all goes well, with something to say of it where `has_notes`."""
        report = await retrieve(self.data, self.account, options, secret=self.backend.secret)
        assert report.leg.failure is None
        assert not any(mailbox.problem for mailbox in report.mailboxes), report.mailboxes
        assert any(mailbox.notes for mailbox in report.mailboxes) is has_notes, report.mailboxes
        assert not litter(self.mail)
        return report

    @property
    def mail(self) -> Path:
        return self.data / "mail"

    @property
    def stored(self) -> Counter[bytes]:
        return delivered(self.mail)

    def flags(self) -> dict[str, int]:
        """How many messages have which flags, after the colon of their names."""
        return dict(Counter(path.name.partition(":2,")[2] for path in self.mail.glob("**/cur/*")))

    def folder(self, name: str) -> Counter[bytes]:
        """What a folder of the tree holds; "" is its root."""
        (tree,) = self.mail.iterdir()
        at = tree / name if name else tree
        return Counter(path.read_bytes() for part in ("new", "cur") for path in (at / part).iterdir())

    def age(self, days: int) -> None:
        """Make all that was stored so much older."""
        age(self.data, days)


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0]}-{kind[1].value}")
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Client]:
    """An account on each kind of server."""
    kind, protocol = request.param
    if kind == "dovecot":
        yield Client(tmp_path, OnDovecot(protocol, request.getfixturevalue("dovecot")))
        return
    async with on_pymap(protocol) as backend:
        yield Client(tmp_path, backend)


def sendable(count: int, first: int = 1) -> list[bytes]:
    """Messages that a server which keeps lines by their ends gives back as they were."""
    return [message.replace(b"bare\nline\nends\rand", b"bare line ends and") for message in letters(count, first)]


async def test_first_run_then_nothing_then_new_mail_only(client: Client) -> None:
    sent = sendable(12)
    await client.backend.add(*sent)
    first = await client.retrieve()
    expected = Counter(as_served(client, message) for message in sent)
    assert client.stored == expected
    assert (first.stored, first.octets) == (12, sum(len(content) * n for content, n in expected.items()))
    again = await client.retrieve()
    assert (again.stored, again.octets, again.deleted) == (0, 0, 0)
    assert client.stored == expected
    new = letter(100)
    await client.backend.add(new)
    assert (await client.retrieve()).stored == 1
    assert client.stored == expected + Counter([new])
    assert await client.backend.count() == 13
    if client.backend.protocol is Protocol.IMAP:
        assert await client.backend.unseen() == 13


def as_served(client: Client, message: bytes) -> bytes:
    """As the server gives it: IMAP has no NUL (RFC 3501 section 4.3), and Dovecot sends 0x80 for it."""
    if isinstance(client.backend, OnDovecot) and client.backend.protocol is Protocol.IMAP:
        return message.replace(b"\0", b"\x80")
    return message


async def test_mail_that_is_not_left_is_deleted_once_it_is_here(client: Client) -> None:
    sent = [letter(number) for number in range(1, 6)]
    await client.backend.add(*sent[:3])
    await client.retrieve()
    await client.backend.add(*sent[3:])
    client.wish(leave_on_server=False)
    report = await client.retrieve()
    assert (report.stored, report.deleted) == (2, 5)
    assert client.stored == Counter(sent)
    assert await client.backend.count() == 0
    report = await client.retrieve()
    assert (report.stored, report.deleted) == (0, 0)


async def test_delete_after_days(client: Client) -> None:
    old, young = letter(1), letter(2)
    client.wish(delete_after=7)
    await client.backend.add(old)
    assert (await client.retrieve()).deleted == 0
    client.age(days=6)
    await client.backend.add(young)
    report = await client.retrieve()
    assert (report.stored, report.deleted) == (1, 0)
    client.age(days=2)
    report = await client.retrieve()
    assert (report.stored, report.deleted) == (0, 1)
    assert await client.backend.count() == 1
    assert client.stored == Counter([old, young])


async def test_other_names_for_the_same_messages(client: Client) -> None:
    sent = [letter(number) for number in range(1, 6)]
    await client.backend.add(*sent)
    await client.retrieve()
    await client.backend.renumber()
    new = letter(6)
    await client.backend.add(new)
    report = await client.retrieve(has_notes=client.backend.protocol is Protocol.IMAP)
    assert (report.stored, sum(mailbox.recognised for mailbox in report.mailboxes)) == (1, 5)
    assert client.stored == Counter([*sent, new])
    assert (await client.retrieve()).stored == 0


async def test_a_dry_run_changes_nothing(client: Client) -> None:
    await client.backend.add(letter(1), letter(2))
    await client.retrieve()
    await client.backend.add(letter(3))
    client.wish(leave_on_server=False)
    report = await client.retrieve(replace(PATIENT, dry_run=True))
    assert report.is_dry_run
    assert report.is_stable is True
    wanted = Counter(candidate.verdict for candidate in report.candidates)
    assert wanted[Verdict.FETCH] == 1
    assert wanted[Verdict.DELETE] >= 2
    assert "number 3" in [candidate.subject for candidate in report.candidates]
    assert await client.backend.count() == 3
    assert client.stored == Counter([letter(1), letter(2)])


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3])
async def test_fifty_megabytes(request: pytest.FixtureRequest, tmp_path: Path, protocol: Protocol) -> None:
    client = Client(tmp_path, OnDovecot(protocol, request.getfixturevalue("dovecot")))
    line = b".leading dot, and a line of seventy-odd octets as mail with attachments has\r\n"
    huge = letter(1, line * (50_000_000 // len(line)))
    await client.backend.add(huge, letter(2))
    report = await client.retrieve()
    assert report.octets == len(huge) + len(letter(2))
    assert client.stored == Counter([huge, letter(2)])


@pytest.mark.parametrize("kind", ["dovecot", "pymap"])
async def test_two_folders_and_their_flags(request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> None:
    if kind == "dovecot":
        await two_folders(Client(tmp_path, OnDovecot(Protocol.IMAP, request.getfixturevalue("dovecot"))), ".")
    else:
        async with on_pymap(Protocol.IMAP) as backend:
            await two_folders(Client(tmp_path, backend), "/")


async def two_folders(client: Client, delimiter: str) -> None:
    client.wish(mailboxes=("INBOX", f"Lists{delimiter}*"))
    await client.backend.append("INBOX", letter(1), "")
    await client.backend.append("INBOX", letter(2), "(\\Seen \\Answered)")
    await client.backend.append(f"Lists{delimiter}python", letter(3), "(\\Flagged)")
    await client.backend.append("Elsewhere", letter(4), "")
    report = await client.retrieve()
    assert {mailbox.name: mailbox.stored for mailbox in report.mailboxes if mailbox.stored} == {
        "INBOX": 2,
        f"Lists{delimiter}python": 1,
    }
    assert client.folder("") == Counter([letter(1), letter(2)])
    assert client.folder(".Lists.python") == Counter([letter(3)])
    assert client.flags() == {"RS": 1, "F": 1}
    assert (await client.retrieve()).stored == 0
