"""What is stored, recognised, left and deleted, by servers with good and with bad manners."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mailtui.actions import storing, visiting
from mailtui.model.account import Protocol
from mailtui.model.check import Cause, utc_now
from mailtui.model.destination import Destination
from mailtui.model.errors import StorageError
from mailtui.model.retrieval import RetrievalProgress, Verdict
from mailtui.protocols.faults import WireError
from mailtui.protocols.source import Intake, Listed
from mailtui.storage import maildir
from mailtui.storage.ledger import Ledger
from tests.actions.mailboxes import Box, FakeSource, Post, letter


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    """An account whose INBOX holds three messages of one size."""
    made = Post(tmp_path)
    for number in (101, 102, 103):
        made.inbox.add(letter(number))
    yield made
    made.database.close()


@pytest.fixture
def pop3(tmp_path: Path) -> Iterator[Post]:
    """The same by POP3."""
    made = Post(tmp_path, Box(uidvalidity=None, uidnext=None), protocol=Protocol.POP3)
    for number in (101, 102, 103):
        made.inbox.add(letter(number), uid=f"u{number}")
    yield made
    made.database.close()


async def test_first_run_then_nothing_then_new_mail(post: Post) -> None:
    first = await post.session()
    assert (first.box.stored, first.box.recognised, first.box.kept, first.box.on_server) == (3, 0, 0, 3)
    assert first.box.octets == sum(map(len, post.stored))
    assert first.box.folder == str(post.tree)
    assert post.stored == post.expected
    again = await post.session()
    assert again.source.calls == []
    assert (again.box.stored, again.box.kept, again.box.on_server) == (0, 3, 3)
    post.inbox.add(letter(104))
    third = await post.session()
    assert third.source.calls == ["examine", "listing 4"]
    assert (third.source.fetched, third.box.kept) == (["4"], 3)
    assert post.stored == post.expected


async def test_flags_go_into_the_name(post: Post) -> None:
    post.inbox.mails[0].flags = ("\\Seen", "\\Answered", "\\Flagged", "$Junk", "\\Recent")
    post.inbox.mails[1].flags = ("\\DELETED", "\\draft")
    await post.session()
    assert sorted(file.name.rpartition(":")[2] for file in post.tree.glob("cur/*")) == ["2,DT", "2,FRS"]
    assert len(list(post.tree.glob("new/*"))) == 1


async def test_what_is_deleted_elsewhere_is_not_fetched_again_nor_forgotten(post: Post) -> None:
    await post.session()
    gone = post.inbox.mails.pop(0)
    second = await post.session()
    assert second.source.calls == ["examine", "listing 0"]
    assert [kept.is_gone for kept in post.kept()] == [True, False, False]
    post.inbox.add(gone.content)
    third = await post.session()
    assert (third.box.stored, third.box.recognised) == (0, 1)
    assert len(post.stored) == 3
    assert not any(kept.is_gone for kept in post.kept())


async def test_moved_out_and_in_again_in_the_same_number(post: Post) -> None:
    await post.session()
    content = post.inbox.mails.pop(1).content
    post.inbox.add(content)
    second = await post.session()
    assert second.source.calls == ["examine", "listing 4", "listing 0"]
    assert (second.box.stored, second.box.recognised) == (0, 1)
    assert (await post.session()).source.calls == []


async def test_two_alike_are_two(post: Post) -> None:
    post.inbox.add(letter(101))
    await post.session()
    assert post.stored == post.expected
    post.inbox.renumber()
    post.inbox.add(letter(101))
    second = await post.session()
    assert (second.box.stored, second.box.recognised) == (1, 4)
    assert post.stored == post.expected


async def test_another_uidvalidity(post: Post) -> None:
    await post.session()
    post.inbox.mails.reverse()
    post.inbox.renumber()
    post.inbox.add(letter(104))
    second = await post.session()
    assert (second.box.stored, second.box.recognised) == (1, 3)
    assert "renumbered" in " ".join(second.box.notes)
    assert post.stored == post.expected
    assert (await post.session()).source.calls == []


async def test_another_uidvalidity_and_a_lost_connection(post: Post) -> None:
    await post.session()
    post.inbox.mails.reverse()
    post.inbox.renumber()
    source = post.source()
    source.lost_after = 1
    cut = await post.session(source)
    assert cut.failure is not None
    assert cut.failure.cause is Cause.CLOSED
    assert cut.box.problem == cut.failure.hint
    # The first validity comes back: what was renamed meanwhile must not be taken for what it was.
    post.inbox.uidvalidity = 1
    post.inbox.mails[0].content = letter(109)
    await post.session()
    assert set(post.expected) <= set(post.stored)
    assert len(post.stored) == 4


async def test_uidnext_that_went_back(post: Post) -> None:
    await post.session()
    del post.inbox.mails[1:]
    post.inbox.uidnext = 2
    post.inbox.add(letter(108))
    second = await post.session()
    assert (second.box.stored, second.box.recognised) == (1, 1)
    assert set(post.expected) <= set(post.stored)


async def test_a_name_given_to_a_message_of_another_size(pop3: Post) -> None:
    await pop3.session()
    pop3.inbox.mails[0].content = letter(77)
    pop3.inbox.mails[0].octets = len(letter(77))
    second = await pop3.session()
    assert (second.box.stored, second.box.recognised) == (1, 2)
    assert "to another message" in second.box.notes[0]
    # Never trusted again, whatever it says.
    third = await pop3.session()
    assert (len(third.source.fetched), third.box.recognised, third.box.stored) == (3, 3, 0)
    assert len(third.box.notes) == 1


async def test_a_server_without_names(pop3: Post) -> None:
    await pop3.session(pop3.source(has_uids=False))
    pop3.inbox.add(letter(104), uid="u104")
    second = await pop3.session(pop3.source(has_uids=False))
    assert (second.box.stored, second.box.recognised) == (1, 3)
    assert "no lasting names" in second.box.notes[0]
    third = await pop3.session()
    assert (third.box.stored, third.box.recognised) == (0, 4)
    assert (await pop3.session()).source.fetched == []
    assert pop3.stored == pop3.expected


async def test_one_name_for_two_messages(pop3: Post) -> None:
    pop3.inbox.add(letter(104), uid="u103")
    first = await pop3.session()
    assert first.box.stored == 4
    second = await pop3.session()
    assert (second.box.stored, second.box.recognised, second.box.kept) == (0, 2, 2)
    assert "2 messages share their names" in second.box.notes[0]
    assert pop3.stored == pop3.expected


async def test_too_large_is_listed_and_left(post: Post) -> None:
    post.wish(size_limit=1)
    large = post.inbox.add(letter(200, (1 << 20) + 1))
    post.inbox.add(letter(104))
    for _ in range(2):
        outcome = await post.session()
        (candidate,) = outcome.candidates
        assert (candidate.verdict, candidate.uid, candidate.subject) == (Verdict.TOO_LARGE, "4", "number 200")
        assert "4" not in outcome.source.fetched
    assert len(post.stored) == 4
    post.wish(size_limit=2)
    last = await post.session()
    assert (last.source.fetched, large.content in post.stored) == (["4"], True)


@pytest.mark.parametrize("destination", ["maildir", "command:cat >/dev/null"])
async def test_longer_than_it_was_listed_is_listed_and_left(post: Post, destination: str) -> None:
    post.wish(size_limit=2, destination=Destination.parse(destination))
    post.inbox.add(letter(200, (2 << 20) + 1), octets=100)
    post.inbox.add(letter(300, 2 << 20))
    post.inbox.mails[0].octets, post.inbox.mails[0].content = None, letter(201, 40 << 20)
    outcome = await post.session()
    assert outcome.failure is None
    assert [(one.verdict, one.uid, one.octets) for one in outcome.candidates] == [
        (Verdict.TOO_LARGE, "1", 40 << 20),
        (Verdict.TOO_LARGE, "4", (2 << 20) + 1),
    ]
    assert [kept.entry.uid for kept in post.kept()] == ["2", "3", "5"]
    assert list(post.data.glob("**/tmp/*")) == []
    post.wish(size_limit=None)
    assert (await post.session()).source.fetched == ["1", "4"]


async def test_a_disk_is_never_filled_to_the_last(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.inbox.add(letter(200, 40 << 20), octets=100)
    monkeypatch.setattr(maildir, "RESERVE", 1 << 80)
    outcome = await post.session()
    assert outcome.failure is not None
    assert (outcome.failure.cause, outcome.box.stored) == (Cause.NOT_STORED, 0)
    assert outcome.failure.hint == f"mail cannot be stored in {post.tree}: No space left on device"
    assert list(post.data.glob("**/tmp/*")) == []
    post.wish(destination=Destination.parse("command:cat >/dev/null"))
    handed_over = await post.session()
    # What fits into memory needs no disk.
    assert (handed_over.failure is not None, handed_over.box.stored) == (True, 3)
    monkeypatch.undo()
    assert (await post.session()).box.stored == 1


async def test_another_server_of_the_same_mailbox(tmp_path: Path) -> None:
    post = Post(tmp_path, Box(uidvalidity=None, uidnext=None), protocol=Protocol.POP3)
    for number in (101, 102, 103, 103):
        post.inbox.add(letter(number), uid=f"u{number}{len(post.inbox.mails)}")
    await post.session()
    del post.inbox.mails[0]
    post.boxes = (Box(), Box("Archive"))
    for number in (104, 103, 102, 103, 103):
        # The new server counts in its own way.
        post.inbox.add(letter(number), octets=1)
    post.boxes[1].add(letter(101))
    post.wish(protocol=Protocol.IMAP)
    moved = await post.session()
    inbox, archive = moved.mailboxes
    assert (inbox.stored, inbox.recognised, archive.stored) == (2, 3, 1)
    assert inbox.notes == ("3 messages came from the account's server or login of before, and were not stored again",)
    assert archive.notes == ()
    again = await post.session()
    assert (again.source.calls, again.mailboxes[0].kept, again.mailboxes[0].notes) == ([], 5, ())
    # And back: what was taken over is not known twice.
    post.boxes = (Box(uidvalidity=None, uidnext=None),)
    for number in (101, 102, 102):
        post.inbox.add(letter(number), uid=f"u{number}{len(post.inbox.mails)}")
    post.wish(protocol=Protocol.POP3)
    back = await post.session()
    assert (back.box.kept, back.box.recognised, back.box.stored) == (1, 1, 1)


async def test_a_dry_run_knows_of_another_server(tmp_path: Path) -> None:
    post = Post(tmp_path)
    post.inbox.add(letter(101))
    await post.session()
    assert post.account.retrieval is not None
    post.wish(endpoint=replace(post.account.retrieval.endpoint, host="localhost"))
    outcome = await post.session(dry_run=True)
    assert outcome.box.stored == 1
    assert outcome.box.notes[0].startswith("1 stored messages are known by their octets alone")


async def test_a_mailbox_put_back_from_a_backup(post: Post) -> None:
    post.inbox.modseq = 50
    await post.session()
    # Its last message came after the backup, and another one came since: all numbers are as they were.
    post.inbox.mails[2].content = letter(1_104)
    post.inbox.mails[2].octets = len(letter(1_104))
    post.inbox.modseq = 40
    second = await post.session()
    assert (second.box.stored, second.box.recognised) == (1, 2)
    assert "renumbered" in second.box.notes[0]
    third = await post.session()
    assert (third.source.calls, third.box.notes) == ([], ())


async def test_a_server_that_lost_its_count_of_changes(post: Post) -> None:
    post.inbox.modseq = 50
    await post.session()
    post.inbox.modseq = 1
    second = await post.session()
    assert (second.source.fetched, second.box.kept, second.box.notes) == ([], 3, ())
    assert "listing 0" in second.source.calls
    post.inbox.modseq = 7
    assert (await post.session()).source.calls == []


async def test_refused_is_told_and_tried_again(post: Post) -> None:
    post.inbox.mails[1].reply = "NO it is \x1b[31mbroken"
    first = await post.session()
    (candidate,) = first.candidates
    assert (candidate.verdict, candidate.reply) == (Verdict.REFUSED, "NO it is \\x1b[31mbroken")
    assert (first.box.stored, len(first.box.notes)) == (2, 1)
    post.inbox.mails[1].reply = ""
    second = await post.session()
    assert (second.source.fetched, second.box.kept) == (["2"], 2)
    assert post.stored == post.expected


class Shifting(FakeSource):
    """A server that answers one request too much: each message comes under the name of the one after it."""

    async def fetch(self, wanted: Sequence[Listed], intake: Intake) -> None:
        for mail, listed in zip(self._box.mails, wanted[1:], strict=False):
            intake.begin(listed)
            intake.feed(mail.content)
            intake.complete()
        raise WireError(Cause.BAD_REPLY, "the server said something that nobody had asked for")


async def test_names_of_a_session_that_fell_out_of_step_are_not_trusted(pop3: Post) -> None:
    outcome = await pop3.session(Shifting(pop3.boxes))
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.BAD_REPLY
    assert pop3.stored == sorted(letter(number) for number in (101, 102))
    again = await pop3.session()
    assert (again.box.stored, again.box.recognised) == (1, 2)
    assert pop3.stored == pop3.expected


@pytest.mark.parametrize("protocol", [Protocol.IMAP, Protocol.POP3])
async def test_not_left_on_the_server(tmp_path: Path, protocol: Protocol) -> None:
    post = Post(tmp_path, protocol=protocol)
    contents = sorted(letter(number) for number in (101, 102, 103))
    for content in contents:
        post.inbox.add(content)
    post.wish(leave_on_server=False)
    outcome = await post.session()
    assert (outcome.box.deleted, outcome.box.on_server) == (3, 0)
    # Fetched a moment ago: there is nothing to prove.
    assert not any(call.startswith("headers") for call in outcome.source.calls)
    assert (post.inbox.mails, post.stored) == ([], contents)
    assert (await post.session()).box.deleted == 0
    post.database.close()


async def test_deleted_after_days_only_by_proof(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    await post.session()
    post.wish(delete_after=7)
    post.inbox.add(letter(104))
    assert (await post.session()).box.deleted == 0
    for module in (visiting, storing):
        monkeypatch.setattr(module, "utc_now", lambda: utc_now() + timedelta(days=7, hours=1))
    impostor = post.inbox.mails[1]
    impostor.content = letter(999)
    post.inbox.add(letter(105))
    outcome = await post.session()
    assert (outcome.box.stored, outcome.box.deleted) == (1, 3)
    assert "1 message was not deleted" in outcome.box.notes[0]
    assert [mail.content for mail in post.inbox.mails] == [impostor.content, letter(105)]


async def test_a_header_beyond_measure_is_never_deleted_later(post: Post) -> None:
    monster = b"X-Long: " + b"x" * (300 << 10) + b"\r\n\r\nHello.\r\n"
    post.inbox.add(monster)
    await post.session()
    assert post.kept()[3].entry.header == b""
    post.wish(leave_on_server=False)
    outcome = await post.session()
    assert outcome.box.deleted == 3
    assert [mail.content for mail in post.inbox.mails] == [monster]


async def test_the_server_will_not_delete(post: Post) -> None:
    post.wish(leave_on_server=False)
    source = post.source()
    source.deletion_problem = "it has no UIDPLUS"
    outcome = await post.session(source)
    assert (outcome.box.deleted, outcome.box.on_server, outcome.box.notes) == (0, 3, ("it has no UIDPLUS",))


async def test_a_quit_that_is_not_confirmed(pop3: Post) -> None:
    pop3.wish(leave_on_server=False)
    source = pop3.source()
    source.quit_fails = True
    outcome = await pop3.session(source)
    assert outcome.failure is not None
    assert (outcome.box.stored, outcome.box.deleted, outcome.box.on_server) == (3, 0, 3)
    again = await pop3.session()
    assert (again.box.stored, again.box.deleted) == (0, 3)
    assert len(pop3.stored) == 3


async def test_a_lost_connection_keeps_what_is_whole(post: Post) -> None:
    source = post.source()
    source.lost_after = 2
    cut = await post.session(source)
    assert cut.failure is not None
    assert cut.failure.cause is Cause.CLOSED
    assert (cut.box.stored, len(post.stored)) == (2, 2)
    assert (await post.session()).source.fetched == ["3"]
    assert post.stored == post.expected


async def test_nothing_is_deleted_after_a_lost_connection(post: Post) -> None:
    post.wish(leave_on_server=False)
    source = post.source()
    source.lost_after = 2
    assert (await post.session(source)).box.deleted == 0
    assert len(post.inbox.mails) == 3


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_pattern_that_no_mailbox_matches_is_told(tmp_path: Path, dry_run: bool) -> None:
    post = Post(tmp_path, Box(), Box("Lists/python"))
    post.wish(mailboxes=("inbox", "Wrok*", "lists/%", "%.x"))
    outcome = await post.session(dry_run=dry_run)
    assert outcome.failure is None
    assert {box.name: len(box.notes) for box in outcome.mailboxes} == {
        "Wrok*": 1,
        "%.x": 1,
        "INBOX": 0,
        "Lists/python": 0,
    }
    assert outcome.mailboxes[0].notes[0].startswith("the server has no mailbox that matches this; correct")


async def test_several_mailboxes_and_one_that_cannot_be_opened(tmp_path: Path) -> None:
    boxes = Box(), Box("Lists/python"), Box("Shut", can_open=False)
    post = Post(tmp_path, *boxes)
    for number, box in enumerate(boxes[:2], 101):
        box.add(letter(number))
    post.wish(folder="Work/In")
    outcome = await post.session()
    assert [(box.name, box.stored) for box in outcome.mailboxes] == [("INBOX", 1), ("Lists/python", 1), ("Shut", 0)]
    assert outcome.failure is None
    assert [bool(box.problem) for box in outcome.mailboxes] == [False, False, True]
    assert len(list(post.tree.glob(".Work.In/new/*"))) == len(list(post.tree.glob(".Lists.python/new/*"))) == 1
    post.database.close()


async def test_the_only_mailbox_cannot_be_opened(tmp_path: Path) -> None:
    post = Post(tmp_path, Box(can_open=False))
    outcome = await post.session()
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.NO_INBOX
    post.database.close()


async def test_a_disk_that_fails(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, drafts: object) -> None:
        raise OSError(28, "No space left on device", "/somewhere/tmp/x")

    monkeypatch.setattr("mailtui.storage.maildir.MaildirFolder.write", full)
    outcome = await post.session()
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.NOT_STORED
    assert "/somewhere/tmp/x: No space left on device" in outcome.failure.hint
    assert (outcome.box.stored, post.kept()) == (0, [])
    monkeypatch.undo()
    assert (await post.session()).box.stored == 3


async def test_a_ledger_that_fails_leaves_no_litter(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, mailbox: int, entries: object) -> list[int]:
        raise StorageError("the database cannot grow")

    monkeypatch.setattr(Ledger, "intend", broken)
    outcome = await post.session()
    assert outcome.failure is not None
    assert outcome.failure.cause is Cause.NOT_STORED
    assert list(post.tree.glob("tmp/*")) == []


async def test_progress_is_told_now_and_then(post: Post) -> None:
    for number in range(300):
        post.inbox.add(letter(1_000 + number))
    outcome = await post.session()
    progress = [event for event in outcome.events if isinstance(event, RetrievalProgress)]
    assert progress[0].messages_in_all == 303
    assert progress[0].octets_in_all == outcome.box.octets
    assert len(progress) <= 3 + 10 * 5
    assert [event.messages for event in progress] == sorted(event.messages for event in progress)


async def test_a_long_message_goes_to_disk_as_it_comes(post: Post) -> None:
    long = post.inbox.add(letter(500, 40 << 20))
    outcome = await post.session()
    assert outcome.box.stored == 4
    assert outcome.source.full > 0
    assert long.content in post.stored
    post.inbox.renumber()
    again = await post.session()
    assert (again.box.stored, again.box.recognised) == (0, 4)
    assert list(post.tree.glob("tmp/*")) == []


async def test_a_long_message_that_is_cut_leaves_nothing(post: Post) -> None:
    post.inbox.mails.insert(0, post.inbox.add(letter(500, 8 << 20)))
    del post.inbox.mails[-1]
    source = post.source()
    source.lost_after = 0
    assert (await post.session(source)).failure is not None
    assert list(post.tree.glob("**/tmp/*")) == []
    assert post.stored == []
