"""Mail on an IMAP server: mailboxes, listings, headers, deletions and waiting, whatever pieces the words come in."""

import asyncio

import pytest

from mailtui.model.check import Cause, Stage
from mailtui.protocols.faults import WireError
from mailtui.protocols.imap import UNIT_LIMIT
from mailtui.protocols.imap_fetch import HEADER_LIMIT, sets
from mailtui.protocols.source import Listed, MailboxState, RemoteMailbox
from tests.protocols.clock import Clock
from tests.protocols.imap_kit import Kept, Talk, body, listed, uids_of

OK = b"{tag} OK done\r\n"
NO = b"{tag} NO not now\r\n"
STATUS = b"* STATUS x (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7 HIGHESTMODSEQ 5)\r\n" + OK
INBOX = RemoteMailbox("INBOX", "INBOX", "")

pieces = pytest.mark.parametrize("seed", [0, 1, 2, 3])


class TestMailboxes:
    @pieces
    async def test_one_name_takes_one_round_trip(self, seed: int) -> None:
        talk = Talk(seed=seed)
        found = await talk.do(talk.source.mailboxes(["inbox"]), b'* LIST () "/" INBOX\r\n' + OK, STATUS)
        assert found == [RemoteMailbox("INBOX", "INBOX", "/")]
        items = "(MESSAGES UIDVALIDITY UIDNEXT HIGHESTMODSEQ)"
        assert talk.heard == ['LIST "" "INBOX"', f'STATUS "INBOX" {items}']
        assert talk.writes == [2]
        # What was asked for along with it is known once, and asked for again after that.
        state = MailboxState(3, uidvalidity=7, uidnext=9, modseq=5)
        assert await talk.do(talk.source.status(found[0])) == state
        assert await talk.do(talk.source.status(found[0]), STATUS) == state

    @pieces
    async def test_patterns_find_what_can_be_opened(self, seed: int) -> None:
        talk = Talk(seed=seed)
        lists = (
            b'* LIST (\\Noselect) "/" Lists\r\n* LIST () "/" "Lists/\\"a\\""\r\n* LIST () "/" {7}\r\nLists/b\r\n'
            b'* LIST () "/" Lists/&APw-\r\n* LIST (\\NonExistent) "/" Lists/gone\r\n* 3 EXISTS\r\n' + OK
        )
        found = await talk.do(talk.source.mailboxes(["Lists/*"]), lists, STATUS, NO, STATUS)
        assert [mailbox.name for mailbox in found] == ['Lists/"a"', "Lists/b", "Lists/ü"]
        assert talk.heard[0] == 'LIST "" "Lists/*"'
        assert [command.split(" (")[0] for command in talk.heard[1:]] == [
            'STATUS "Lists/\\"a\\""',
            'STATUS "Lists/b"',
            'STATUS "Lists/&APw-"',
        ]
        assert talk.writes == [1, 3]
        assert await talk.do(talk.source.status(found[1])) is None

    async def test_a_name_is_there_even_unlisted(self) -> None:
        talk = Talk()
        found = await talk.do(
            talk.source.mailboxes(["INBOX", "Entwürfe", "%"]),
            b'* LIST () "." INBOX\r\n' + OK,
            OK,
            b'* LIST () "." INBOX\r\n* LIST () "." Sent\r\n' + OK,
            STATUS,
            NO,
            STATUS,
        )
        assert found == [
            RemoteMailbox("INBOX", "INBOX", "."),
            RemoteMailbox("Entwürfe", "Entw&APw-rfe", "."),
            RemoteMailbox("Sent", "Sent", "."),
        ]

    async def test_two_names_that_read_alike_are_two_mailboxes(self) -> None:
        talk = Talk()
        # "&AGE-" is "a", written as no one should.
        lists = b'* LIST () "/" a\r\n* LIST () "/" &AGE-\r\n* LIST () "/" a\r\n' + OK
        found = await talk.do(talk.source.mailboxes(["*"]), lists, STATUS, STATUS)
        assert [(mailbox.name, mailbox.wire) for mailbox in found] == [("a", "a"), ("&AGE-", "&AGE-")]

    async def test_octets_that_are_no_text_go_back_as_they_came(self) -> None:
        talk = Talk()
        (found,) = await talk.do(talk.source.mailboxes(["*"]), b'* LIST () "/" "caf\xe9"\r\n' + OK, STATUS)
        assert found.name == "caf\\xe9"
        opening = asyncio.ensure_future(talk.source.select(found, writable=False))
        await asyncio.sleep(0)
        assert b'EXAMINE "caf\xe9"' in talk.pipe.written
        opening.cancel()

    async def test_a_refused_pattern_is_a_failure(self) -> None:
        talk = Talk()
        with pytest.raises(WireError) as caught:
            await talk.do(talk.source.mailboxes(["*"]), NO)
        assert (caught.value.cause, caught.value.reply) == (Cause.BAD_REPLY, "NO not now")

    async def test_the_client_says_its_name_where_servers_know_the_command(self) -> None:
        """126, 163 and QQ refuse to open mailboxes without it."""
        talk = Talk("ID")
        capability = b"* CAPABILITY IMAP4rev1 ID\r\n" + OK
        await talk.do(talk.source.prepare(talk.trace), capability)
        await talk.do(talk.source.mailboxes(["INBOX"]), b"* ID NIL\r\n" + OK, OK, STATUS)
        assert talk.heard[1].startswith('ID ("name" "mailtui" "version" "')
        assert talk.writes == [1, 3]
        await talk.do(talk.source.status(INBOX))
        await talk.do(talk.source.status(INBOX), STATUS)
        assert len(talk.heard) == 5

    @pytest.mark.parametrize("before_login", ["ID", ""])
    async def test_a_check_says_it_as_well(self, before_login: str) -> None:
        talk = Talk(before_login)
        talk.session._announced = ("IMAP4rev1", "ID")
        talk.wire.reader = None
        await talk.do(
            talk.session.probe(talk.trace, "ada@example.org"),
            b"{tag} BAD what?\r\n",
            b"* 3 EXISTS\r\n" + OK,
            b"* BYE bye\r\n" + OK,
        )
        assert [command.split()[0] for command in talk.heard] == ["ID", "EXAMINE", "LOGOUT"]
        assert talk.writes == [3]
        assert talk.trace.failure is None

    async def test_other_servers_are_not_told(self) -> None:
        talk = Talk("")
        await talk.do(talk.source.prepare(talk.trace), b"* CAPABILITY IMAP4rev1\r\n" + OK)
        assert not talk.source.can_idle
        await talk.do(talk.source.mailboxes(["INBOX"]), OK, b"* STATUS INBOX (MESSAGES 0)\r\n" + OK)
        assert talk.heard[1:] == ['LIST "" "INBOX"', 'STATUS "INBOX" (MESSAGES UIDVALIDITY UIDNEXT)']
        assert await talk.do(talk.source.status(INBOX)) == MailboxState(0)


class TestSelect:
    @pieces
    async def test_what_a_mailbox_says_of_itself(self, seed: int) -> None:
        talk = Talk(seed=seed)
        answer = (
            b"* FLAGS (\\Seen)\r\n* 12 EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 4294967295] x\r\n"
            b"* OK [UIDNEXT 77] x\r\n* OK [HIGHESTMODSEQ 9223372036854775807] x\r\n{tag} OK [READ-WRITE] y\r\n"
        )
        state = await talk.do(talk.source.select(INBOX, writable=True), answer)
        assert state == MailboxState(12, 4294967295, 77, 9223372036854775807)
        assert talk.source.has_uids
        assert talk.heard == ['SELECT "INBOX" (CONDSTORE)']

    async def test_looking_changes_nothing(self) -> None:
        talk = Talk("")
        state = await talk.do(
            talk.source.select(INBOX, writable=False),
            b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [NOMODSEQ] x\r\n" + OK,
        )
        assert state == MailboxState(1, 7)
        assert talk.heard == ['EXAMINE "INBOX"']

    @pytest.mark.parametrize("codes", [b"", b"* OK [UIDVALIDITY 7] x\r\n* NO [UIDNOTSTICKY] x\r\n"])
    async def test_uids_that_do_not_last_are_none(self, codes: bytes) -> None:
        talk = Talk()
        await talk.select(1, codes)
        assert not talk.source.has_uids
        found = await talk.do(talk.source.listing(), b"* 1 FETCH (UID 5 RFC822.SIZE 9)\r\n" + OK)
        assert found == [Listed(5, "", 9)]

    @pytest.mark.parametrize(
        ("answer", "cause"),
        [
            (b"{tag} NO [NONEXISTENT] no such mailbox\r\n", Cause.NO_INBOX),
            (b"{tag} NO [UNAVAILABLE] later\r\n", Cause.NOT_AVAILABLE),
            (b"{tag} OK opened\r\n", Cause.BAD_REPLY),
        ],
    )
    async def test_what_cannot_be_opened(self, answer: bytes, cause: Cause) -> None:
        talk = Talk()
        await talk.select(9)
        with pytest.raises(WireError) as caught:
            await talk.do(talk.source.select(RemoteMailbox("Old", "Old"), writable=True), answer)
        assert caught.value.cause is cause
        assert "Old" in caught.value.hint
        # The connection is still good for another one.
        await talk.select(3)


class TestListing:
    @pieces
    async def test_all_and_those_since(self, seed: int) -> None:
        talk = Talk(seed=seed)
        await talk.select(3)
        answer = b"* 2 FETCH (RFC822.SIZE 20 UID 12)\r\n* 1 FETCH (UID 11 RFC822.SIZE 10)\r\n" + OK
        assert await talk.do(talk.source.listing(), answer) == [Listed(11, "11", 10), Listed(12, "12", 20)]
        # The last message answers to `n:*` even if its UID is below n.
        since = b"* 2 FETCH (UID 12 RFC822.SIZE 20)\r\n" + OK
        assert await talk.do(talk.source.listing(since=13), since) == []
        assert talk.heard == ["UID FETCH 1:* (UID RFC822.SIZE)", "UID FETCH 13:* (UID RFC822.SIZE)"]

    async def test_an_empty_mailbox_is_not_asked(self) -> None:
        talk = Talk()
        await talk.select(0)
        assert await talk.do(talk.source.listing()) == []
        assert talk.heard == []

    async def test_what_others_do_meanwhile(self) -> None:
        talk = Talk()
        await talk.select(4)
        answer = (
            b"* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n* 2 FETCH (UID 2 RFC822.SIZE 20)\r\n* 1 EXPUNGE\r\n* 5 EXISTS\r\n"
            b"* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 3 FLAGS ())\r\n* 1 FETCH (UID 2 RFC822.SIZE 20)\r\n"
            b"* 2 FETCH (UID 3 RFC822.SIZE 30)\r\n* 3 FETCH (UID 4 FLAGS (\\Seen) MODSEQ (77))\r\n" + OK
        )
        found = await talk.do(talk.source.listing(), answer)
        # A message is there whatever is told of it; one that is gone is found to be so when it is asked for.
        assert found == [Listed(1, "1", 10), Listed(2, "2", 20), Listed(3, "3", 30), Listed(4, "4", None)]

    async def test_two_messages_with_one_uid_are_both_listed(self) -> None:
        talk = Talk()
        await talk.select(3)
        answer = b"".join(b"* %d FETCH (UID 5 RFC822.SIZE %d)\r\n" % (number, number) for number in (1, 2, 2)) + OK
        found = await talk.do(talk.source.listing(), answer)
        assert [(message.uid, message.octets) for message in found][:2] == [("5", 1), ("5", 2)]
        # Deleting one would delete the other.
        assert "same UID" in await talk.do(talk.source.delete(found[:1]))
        assert talk.heard == ["UID FETCH 1:* (UID RFC822.SIZE)"]

    async def test_more_messages_than_may_be_kept_of_other_data(self) -> None:
        talk = Talk()
        many = UNIT_LIMIT + 5
        await talk.select(many)
        answer = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 1)\r\n" % (uid, uid) for uid in range(1, many + 1)) + OK
        assert len(await talk.do(talk.source.listing(), answer)) == many
        lines = [line.text for line in talk.trace.report().transcript]
        assert f"and {many - 3} more of these" in lines
        assert sum("FETCH (UID" in line and line.startswith("*") for line in lines) == 3

    @pytest.mark.parametrize("line", [b"* 1 FETCH (UID 0)", b"* 1 FETCH (UID 4294967296)", b"* 1 FETCH (UID 1x)"])
    async def test_numbers_that_are_no_uids(self, line: bytes) -> None:
        talk = Talk()
        await talk.select(1)
        assert await talk.do(talk.source.listing(), line + b"\r\n" + OK) == []

    async def test_a_refusal_is_a_failure_and_no_empty_mailbox(self) -> None:
        talk = Talk()
        await talk.select(3)
        with pytest.raises(WireError, match="does not list its messages"):
            await talk.do(talk.source.listing(), b"* 1 FETCH (UID 1 RFC822.SIZE 1)\r\n" + NO)


class TestHeaders:
    @pieces
    async def test_headers_by_their_uids(self, seed: int) -> None:
        talk = Talk(seed=seed)
        await talk.select()
        header = b"Subject: \0\xff {3}\r\n\r\n"
        answer = (
            b"* 1 FETCH (UID 1 BODY[HEADER] {%d}\r\n%s)\r\n" % (len(header), header)
            + b"* 2 FETCH (BODY[HEADER] {%d}\r\n%s UID 2)\r\n" % (len(header), header)
            + b'* 3 FETCH (UID 3 BODY[HEADER] "a: \\"b\\"")\r\n'
            + b"* 4 FETCH (UID 4 BODY[HEADER] NIL)\r\n"
            + b"* 5 FETCH (UID 5 BODY[HEADER] {2}\r\n\r\n)\r\n"
            + b"* 9 FETCH (UID 9 BODY[HEADER] {2}\r\n\r\n)\r\n"
            + OK
        )
        found = await talk.do(talk.source.headers(listed(1, 2, 3, 4, 5)), answer)
        assert found == {1: header, 2: header, 3: b'a: "b"', 5: b"\r\n"}
        assert talk.heard == ["UID FETCH 1:5 (UID BODY.PEEK[HEADER])"]

    async def test_one_that_is_too_long_is_left_out(self) -> None:
        talk = Talk(seed=2)
        await talk.select()
        long, fits = b"x" * (HEADER_LIMIT + 1), b"y" * HEADER_LIMIT
        answer = b"".join(
            b"* %d FETCH (UID %d BODY[HEADER] {%d}\r\n%s)\r\n" % (uid, uid, len(header), header)
            for uid, header in ((1, long), (2, fits))
        )
        assert await talk.do(talk.source.headers(listed(1, 2)), answer + OK) == {2: fits}

    async def test_a_refusal_leaves_them_out(self) -> None:
        talk = Talk()
        await talk.select()
        assert await talk.do(talk.source.headers(listed(1)), NO) == {}


class TestDelete:
    async def test_exactly_these_are_expunged(self) -> None:
        talk = Talk()
        await talk.select()
        assert await talk.do(talk.source.delete(listed(4, 1, 2, 9)), OK, b"* 1 EXPUNGE\r\n" + OK) == ""
        assert talk.heard == [r"UID STORE 1:2,4,9 +FLAGS.SILENT (\Deleted)", "UID EXPUNGE 1:2,4,9"]
        # Sent together, servers may expunge what is not marked yet.
        assert talk.writes == [1, 1]

    async def test_without_uidplus_nothing_is_expunged(self) -> None:
        talk = Talk("IDLE")
        await talk.select()
        note = await talk.do(talk.source.delete(listed(1, 2)), OK)
        assert "2 messages are marked as deleted, and stay" in note
        assert talk.heard == [r"UID STORE 1:2 +FLAGS.SILENT (\Deleted)"]

    @pytest.mark.parametrize("answers", [(NO, OK), (OK, NO)])
    async def test_a_refusal_is_told_in_the_servers_words(self, answers: tuple[bytes, bytes]) -> None:
        talk = Talk()
        await talk.select()
        assert "NO not now" in await talk.do(talk.source.delete(listed(1)), *answers)

    async def test_nothing_to_delete_is_no_command(self) -> None:
        talk = Talk()
        await talk.select()
        assert await talk.do(talk.source.delete([])) == ""


class TestIdle:
    async def test_new_mail_ends_it(self, clock: Clock) -> None:
        talk = Talk()
        await talk.select(3)

        async def transfer() -> bool:
            async with talk.trace.stage(Stage.TRANSFER):
                return await talk.source.idle(1_000_000)

        waiting = asyncio.ensure_future(transfer())
        await asyncio.sleep(0)
        ((tag, command),) = talk.new_commands()
        assert command == "IDLE"
        talk.say(b"+ idling\r\n* 3 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 EXPUNGE\r\n* OK still here\r\n")
        # Silence is what is waited for: no stage ends by it.
        for _ in range(3):
            clock.advance(10 * talk.trace.stage_timeout)
            await asyncio.sleep(0.001)
        assert talk.pipe.written == b""
        # As many as before, one of which is new.
        talk.say(b"* 3 EXISTS\r\n")
        for _ in range(3):
            await asyncio.sleep(0)
        assert talk.pipe.written == b"DONE\r\n"
        # From here on a server has to answer.
        assert talk.trace.watch.remaining() <= talk.trace.stage_timeout
        talk.say(f"{tag} OK done\r\n".encode())
        assert await waiting is True
        talk.trace.stop()

    async def test_the_time_ends_it(self, clock: Clock) -> None:
        talk = Talk()
        await talk.select(3)
        waiting = asyncio.ensure_future(talk.source.idle(1_000))
        await asyncio.sleep(0)
        ((tag, _),) = talk.new_commands()
        talk.say(b"+ idling\r\n")
        for _ in range(3):
            await asyncio.sleep(0)
        assert talk.pipe.written == b""
        clock.advance(1_000)
        for _ in range(3):
            await asyncio.sleep(0)
        assert talk.pipe.written == b"DONE\r\n"
        talk.say(f"{tag} OK done\r\n".encode())
        assert await waiting is False

    async def test_what_came_before_counts_once(self) -> None:
        talk = Talk()
        await talk.select(3)
        await talk.do(talk.source.listing(), b"* 4 EXISTS\r\n" + OK)
        talk.heard.clear()
        assert await talk.do(talk.source.idle(1_000)) is True
        assert talk.heard == []
        assert await talk.do(talk.source.idle(0)) is False

    async def test_a_server_that_refuses(self) -> None:
        talk = Talk()
        await talk.select(3)
        with pytest.raises(WireError) as caught:
            await talk.do(talk.source.idle(1_000), NO)
        assert caught.value.reply == "NO not now"

    async def test_a_server_that_ends_it_by_itself(self) -> None:
        talk = Talk()
        await talk.select(3)
        assert await talk.do(talk.source.idle(1_000), b"+ idling\r\n" + OK) is False

    async def test_a_farewell_is_told(self) -> None:
        talk = Talk()
        await talk.select(3)
        waiting = asyncio.ensure_future(talk.source.idle(1_000))
        await asyncio.sleep(0)
        talk.say(b"+ idling\r\n* BYE shutting down\r\n")
        talk.wire.eof_received()
        with pytest.raises(WireError) as caught:
            await waiting
        assert caught.value.reply == "BYE shutting down"

    async def test_once_cancelled_the_connection_is_of_no_use(self) -> None:
        talk = Talk()
        await talk.select(3)
        waiting = asyncio.ensure_future(talk.source.idle(1_000))
        await asyncio.sleep(0)
        talk.say(b"+ idling\r\n")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(WireError):
            await talk.source.listing()


def test_sets_are_short_and_name_exactly_what_is_wanted() -> None:
    assert list(sets([5, 1, 2, 3, 9, 3], most=10, octets=100)) == [("1:3,5,9", [1, 2, 3, 5, 9])]
    assert list(sets([1, 2, 3, 4, 5], most=2, octets=100)) == [("1:2", [1, 2]), ("3:4", [3, 4]), ("5", [5])]
    assert list(sets([], most=2, octets=100)) == []
    sparse = list(range(4_294_000_000, 4_294_003_000, 3))
    groups = list(sets(sparse, most=1_000, octets=900))
    assert all(len(text) <= 900 for text, _ in groups)
    assert [uid for _, uids in groups for uid in uids] == sparse
    assert [uid for text, _ in groups for uid in uids_of(f"UID FETCH {text}")] == sparse


async def test_a_mailbox_closed_behind_our_back_brings_no_news() -> None:
    """EXISTS of the mailbox that was open may still come before that of the new one."""
    talk = Talk()
    await talk.select(3)
    answer = b"* 4 EXISTS\r\n* OK [CLOSED] x\r\n* 9 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n" + OK
    state = await talk.do(talk.source.select(INBOX, writable=False), answer)
    assert state.messages == 9
    assert await talk.do(talk.source.idle(0)) is False


async def test_mail_that_nobody_asked_for_is_dropped() -> None:
    talk = Talk(seed=1)
    await talk.select()
    await talk.do(talk.source.status(INBOX), body(1, 1, b"x" * 70_000) + STATUS)
    kept = Kept()
    await talk.do(talk.source.fetch(listed(2), kept), body(1, 1, b"x") + body(2, 2, b"two") + OK)
    assert kept.messages == {2: b"two"}
