"""Mail on a POP3 server: what is listed, how it comes, and what happens where servers do not keep the rules."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtui.model.check import Cause, Stage, Status
from mailtui.protocols.faults import StageFailed, WireError
from mailtui.protocols.pop3_lists import bring_together
from mailtui.protocols.source import Listed, MailboxState, RemoteMailbox
from tests.protocols.legs import until
from tests.protocols.maildrop import OFFERS, Keeper, Maildrop, source_of, stuffed

INBOX = RemoteMailbox("INBOX", "INBOX")
NO_PIPELINING = ("TOP", "UIDL", "USER")


def letter(number: int, body: bytes = b"hello\r\n") -> bytes:
    return b"Subject: %d\r\nFrom: <a@b>\r\n\r\n" % number + body


def letters(count: int) -> list[bytes]:
    return [letter(number) for number in range(1, count + 1)]


def after_login(drop: Maildrop) -> list[list[str]]:
    """The groups of commands since the second CAPA."""
    starts = [place for place, group in enumerate(drop.groups) if group[0] == "CAPA"]
    return drop.groups[starts[1] :]


class TestListing:
    async def test_all_is_asked_in_one_group_where_groups_are_taken(self) -> None:
        drop = Maildrop(letters(2))
        async with source_of(drop) as (source, trace):
            assert await source.mailboxes(["INBOX", "Lists/*"]) == [INBOX]
            assert await source.status(INBOX) == MailboxState(2)
            assert await source.select(INBOX, writable=True) == MailboxState(2)
            messages = await source.listing()
            assert messages == [Listed(1, "uid-1", len(letter(1))), Listed(2, "uid-2", len(letter(2)))]
            assert await source.listing() == messages
            assert source.has_uids
            assert not source.can_idle
            await source.finish(trace)
        assert (trace.messages, trace.octets) == (2, len(letter(1)) * 2)
        assert after_login(drop) == [["CAPA", "STAT", "UIDL", "LIST"], ["QUIT"]]

    @pytest.mark.parametrize("offers", [NO_PIPELINING, None])
    async def test_one_by_one_where_they_are_not(self, offers: tuple[str, ...] | None) -> None:
        drop = Maildrop(letters(1), offers=offers)
        async with source_of(drop) as (source, trace):
            assert await source.listing() == [Listed(1, "uid-1", len(letter(1)))]
            await source.finish(trace)
        assert after_login(drop) == [["CAPA"], ["STAT"], ["UIDL"], ["LIST"], ["QUIT"]]

    @pytest.mark.parametrize(
        ("uidl", "names"),
        [
            (b"-ERR what?\r\n", ["", ""]),
            (b"+OK\r\n.\r\n", ["", ""]),
            (b"+OK\r\n1 1\r\n2 2\r\n.\r\n", ["", ""]),
            (b"+OK\r\n1 0001\r\n2 0002\r\n.\r\n", ["", ""]),
        ],
    )
    async def test_no_names_or_such_as_name_nothing(self, uidl: bytes, names: list[str]) -> None:
        async with source_of(Maildrop(letters(2), answers={"UIDL": uidl})) as (source, _):
            messages = await source.listing()
            assert [message.uid for message in messages] == names
            assert [message.handle for message in messages] == [1, 2]
            assert not source.has_uids

    @pytest.mark.parametrize(
        ("uidl", "sizes", "expected"),
        [
            (b"2 b\r\n1 a\r\n", b"1 10\r\n2 20\r\n", [Listed(1, "a", 10), Listed(2, "b", 20)]),
            (b"1 a\r\n", b"1 10\r\n2 20\r\n", [Listed(1, "a", 10), Listed(2, "", 20)]),
            (b"1 a\r\n3 c\r\n", b"1 10\r\n", [Listed(1, "a", 10), Listed(3, "c", None)]),
            (b"1 2\r\n2 1\r\n", b"1 10\r\n2 20\r\n", [Listed(1, "2", 10), Listed(2, "1", 20)]),
            (b"1 a\r\n2 a\r\n", b"1 10\r\n2 20\r\n", [Listed(1, "a", 10), Listed(2, "a", 20)]),
            (b" 1  a b \r\n2\r\n", b"1 10 extra\r\n2 ten\r\n", [Listed(1, "a b", 10), Listed(2, "", None)]),
            (b"1 \xff\r\n", b"1 " + b"9" * 40 + b"\r\n", [Listed(1, "\\xff", None)]),
            (b"1 " + b"u" * 1_001 + b"\r\n2 b\r\n", b"", [Listed(1, "", None), Listed(2, "b", None)]),
        ],
    )
    async def test_lists_that_disagree_are_paired_by_number_alone(
        self, uidl: bytes, sizes: bytes, expected: list[Listed]
    ) -> None:
        answers = {"STAT": b"+OK 7 1\r\n", "UIDL": b"+OK\r\n" + uidl + b".\r\n", "LIST": b"+OK\r\n" + sizes + b".\r\n"}
        async with source_of(Maildrop(answers=answers)) as (source, _):
            assert await source.select(INBOX, writable=False) == MailboxState(7)
            assert await source.listing() == expected
            assert source.has_uids

    @pytest.mark.parametrize(
        ("command", "answer", "cause"),
        [
            ("LIST", b"+OK\r\n1 10\r\n1 20\r\n.\r\n", Cause.BAD_REPLY),
            ("UIDL", b"+OK\r\n1 a\r\n1 b\r\n.\r\n", Cause.BAD_REPLY),
            ("UIDL", b"+OK\r\nlook here\r\n.\r\n", Cause.BAD_REPLY),
            ("UIDL", b"+OK\r\n0 a\r\n.\r\n", Cause.BAD_REPLY),
            ("UIDL", b"+OK\r\n99999999999 a\r\n.\r\n", Cause.BAD_REPLY),
            ("LIST", b"+OK\r\n-1 10\r\n.\r\n", Cause.BAD_REPLY),
            ("LIST", b"+OK\r\n\r\n.\r\n", Cause.BAD_REPLY),
            ("STAT", b"+OK lots\r\n", Cause.BAD_REPLY),
            ("STAT", b"-ERR [SYS/PERM] gone\r\n", Cause.NO_INBOX),
            ("UIDL", b"-ERR [SYS/TEMP] later\r\n", Cause.NOT_AVAILABLE),
            ("LIST", b"-ERR [IN-USE] later\r\n", Cause.NOT_AVAILABLE),
            ("LIST", None, Cause.CLOSED),
        ],
    )
    async def test_what_makes_no_sense_is_an_error(self, command: str, answer: bytes | None, cause: Cause) -> None:
        async with source_of(Maildrop(letters(1), answers={command: answer})) as (source, _):
            with pytest.raises(WireError) as caught:
                await source.listing()
        assert caught.value.cause is cause

    async def test_neither_list_is_given(self) -> None:
        answers = {"LIST": b"-ERR no\r\n", "UIDL": b"-ERR no\r\n"}
        async with source_of(Maildrop(letters(1), answers=answers)) as (source, _):
            with pytest.raises(WireError) as caught:
                await source.listing()
        assert caught.value.cause is Cause.BAD_REPLY
        async with source_of(Maildrop(answers=answers)) as (source, _):
            assert await source.listing() == []
            assert source.has_uids

    async def test_sizes_alone_may_be_missing(self) -> None:
        async with source_of(Maildrop(letters(1), answers={"LIST": b"-ERR no\r\n"})) as (source, _):
            assert await source.listing() == [Listed(1, "uid-1", None)]

    async def test_a_list_without_end_ends(self) -> None:
        async with source_of(Maildrop(answers={"UIDL": b"+OK\r\n" + b"\r\n" * 1_000_001})) as (source, _):
            with pytest.raises(WireError) as caught:
                await source.listing()
        assert caught.value.cause is Cause.TOO_LARGE

    async def test_a_flood_that_nobody_reads_yet_is_not_taken(self) -> None:
        """UIDL was asked for with CAPA; until somebody wants its 20 MB they stay at the server."""
        drop = Maildrop(letters(1), answers={"UIDL": b"+OK\r\n" + b"1 a\r\n" * 4_000_000})
        async with source_of(drop) as (source, _):
            await source.select(INBOX, writable=False)
            for _ in range(500):
                await asyncio.sleep(0)
            assert drop.sent < 1_000
            with pytest.raises(WireError) as caught:
                await source.listing()
        assert caught.value.cause is Cause.TOO_LARGE

    async def test_a_long_list_is_shown_in_part(self) -> None:
        async with source_of(Maildrop(letters(300))) as (source, trace):
            assert len(await source.listing()) == 300
        dialogue = [line.text for line in trace.report().transcript]
        assert "100 uid-100" in dialogue
        assert "101 uid-101" not in dialogue
        assert dialogue.count("300 lines in all") == 2


AWKWARD = [
    b"",
    b"\r\n",
    b".\r\n",
    b"..\r\n.\r\n",
    b"no header, no end of line\r\n",
    b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n+OK 3\r\n-ERR\r\n",
    b"NUL \0 and 8 bit \xff\xfe\r\n",
    b"bare\nline\nfeeds\n\n.dot after one\n\r\n",
    b"bare\rreturns\r\r\n\r.\r\r\n",
    b"x" * 2_000_000 + b"\r\n",
]


class TestFetch:
    @pytest.mark.parametrize("offers", [OFFERS, NO_PIPELINING])
    async def test_octets_come_as_they_are(self, offers: tuple[str, ...]) -> None:
        keeper = Keeper()
        async with source_of(Maildrop(AWKWARD, offers=offers)) as (source, trace):
            await source.fetch(await source.listing(), keeper)
            await source.finish(trace)
        assert keeper.came == dict(enumerate(AWKWARD, 1))
        assert keeper.refusals == {}

    async def test_commands_go_in_groups_after_the_first(self) -> None:
        drop, keeper = Maildrop(letters(600)), Keeper()
        async with source_of(drop) as (source, _):
            await source.fetch(await source.listing(), keeper)
        assert keeper.came == dict(enumerate(letters(600), 1))
        sent = after_login(drop)[1:]
        assert [line for group in sent for line in group] == [f"RETR {number}" for number in range(1, 601)]
        assert sent[0] == ["RETR 1"]
        assert len(sent) < 12

    async def test_large_messages_are_not_asked_for_far_ahead(self) -> None:
        """The server announces 5 MiB each, and answers nothing: what has been sent is all that is on its way."""
        sizes = b"+OK\r\n" + b"".join(b"%d 5242880\r\n" % number for number in range(1, 11)) + b".\r\n"
        drop = Maildrop(letters(10), answers={"LIST": sizes, "RETR 2": None})
        async with source_of(drop) as (source, _):
            with pytest.raises((WireError, OSError)):
                await source.fetch(await source.listing(), Keeper())
        assert after_login(drop)[1:] == [["RETR 1"], ["RETR 2", "RETR 3"]]

    async def test_one_at_a_time_where_groups_are_not_taken(self) -> None:
        drop, keeper = Maildrop(letters(3), offers=NO_PIPELINING), Keeper()
        async with source_of(drop) as (source, _):
            await source.fetch(await source.listing(), keeper)
        assert len(keeper.came) == 3
        assert after_login(drop)[-3:] == [["RETR 1"], ["RETR 2"], ["RETR 3"]]

    @pytest.mark.parametrize("offers", [OFFERS, NO_PIPELINING])
    async def test_a_refused_message_does_not_stop_the_others(self, offers: tuple[str, ...]) -> None:
        keeper = Keeper()
        drop = Maildrop(letters(3), offers=offers, answers={"RETR 2": b"-ERR [SYS/PERM] no such message\r\n"})
        async with source_of(drop) as (source, trace):
            await source.fetch(await source.listing(), keeper)
            await source.finish(trace)
        assert keeper.refusals == {2: "-ERR [SYS/PERM] no such message"}
        assert keeper.came == {1: letter(1), 3: letter(3)}
        dialogue = [(line.sender, line.text) for line in trace.report().transcript]
        assert ("C", "RETR 2") in dialogue
        assert ("*", f"RETR: 2 of 3 messages, {2 * len(letter(1))} octets") in dialogue

    async def test_a_server_in_trouble_ends_it(self) -> None:
        keeper = Keeper()
        async with source_of(Maildrop(letters(3), answers={"RETR 2": b"-ERR [SYS/TEMP] disk\r\n"})) as (source, _):
            with pytest.raises(WireError) as caught:
                await source.fetch(await source.listing(), keeper)
        assert caught.value.cause is Cause.NOT_AVAILABLE
        assert keeper.came == {1: letter(1)}
        assert keeper.refusals == {}

    @pytest.mark.parametrize("length", [0, 1, 4, 5, 6, 20, 32, 38, 39, 40, 41, 42])
    async def test_what_is_cut_off_is_never_whole(self, length: int) -> None:
        """The connection ends after so many octets of the second message."""
        whole = b"+OK\r\n" + stuffed(letter(2))
        keeper = Keeper()

        async with source_of(Maildrop(letters(3), answers={"RETR 2": whole[:length], "RETR 3": None})) as (source, _):
            with pytest.raises((WireError, OSError)):
                await source.fetch(await source.listing(), keeper)
        assert keeper.came == ({1: letter(1), 2: letter(2)} if length == len(whole) else {1: letter(1)})

    async def test_nothing_is_read_while_the_intake_is_full(self) -> None:
        """36 MB wait at the server, for the most part; once there is room they come."""
        messages = [letter(number, b"x" * 3_000_000 + b"\r\n") for number in range(1, 13)]
        drop, keeper = Maildrop(messages), Keeper(is_full=True)
        async with source_of(drop) as (source, _):
            fetching = asyncio.create_task(source.fetch(await source.listing(), keeper))
            await until(lambda: keeper.octets > 0)
            for _ in range(500):
                await asyncio.sleep(0)
            # One piece was fed before it could be seen that there is no room.
            assert keeper.octets <= 1 << 18
            keeper.make_room()
            await until(lambda: len(keeper.came) == 3)
            keeper.is_full = True
            seen = keeper.octets
            for _ in range(500):
                await asyncio.sleep(0)
            # The rest fits into what the system keeps for a connection.
            assert keeper.octets <= seen + (1 << 18)
            assert drop.sent < 30_000_000
            keeper.make_room()
            await fetching
        assert keeper.came == dict(enumerate(messages, 1))

    async def test_a_server_of_bare_line_feeds(self) -> None:
        """None of its lines ends in CRLF: LF ends a line, as everywhere else in what it says."""
        messages = [b"Subject: a\n\n.dot\n", b"b\r\nc\n"]

        def encode(message: bytes) -> bytes:
            lines = message.removesuffix(b"\n").split(b"\n")
            return b"".join(b"." * line.startswith(b".") + line + b"\n" for line in lines) + b".\n"

        keeper = Keeper()
        async with source_of(Maildrop(messages, line_end=b"\n", encode=encode)) as (source, trace):
            await source.fetch(await source.listing(), keeper)
            await source.finish(trace)
        assert keeper.came == dict(enumerate(messages, 1))

    @pytest.mark.parametrize("hoax", [b"\n.\r\n", b"\n.\n", b"\r\n.\n"])
    async def test_a_dot_after_a_bare_line_feed_never_ends_a_message(self, hoax: bytes) -> None:
        """A server that takes only CRLF for a line end adds no dot there: it may be a hoax, with a reply of its own."""
        message = b"Subject: x\r\n\r\na" + hoax + b"+OK 9 octets\r\nSubject: forged\r\n\r\n"
        stored = message.replace(b"\r\n.\n", b"\r\n\n")
        keeper = Keeper()
        drop = Maildrop([message, letter(2)], encode=lambda octets: octets + b".\r\n")
        async with source_of(drop) as (source, _):
            await source.fetch(await source.listing(), keeper)
        assert keeper.came == {1: stored, 2: letter(2)}

    async def test_a_server_that_means_it_as_the_end_is_waited_for_in_vain(self) -> None:
        """One at a time nothing can be mistaken; where it stopped is told."""
        keeper = Keeper()
        drop = Maildrop(
            letters(2), offers=NO_PIPELINING, encode=lambda message: message.replace(b"\r\n", b"\n") + b".\r\n"
        )
        async with source_of(drop) as (source, trace):
            fetching = asyncio.create_task(source.fetch(await source.listing(), keeper))
            await until(lambda: keeper.octets > 0)
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching
        assert keeper.came == {}
        assert any("a dot alone on its line after a bare LF" in line.text for line in trace.report().transcript)

    @pytest.mark.parametrize("end", [b".\n", b"\n.\r\n", b"\n.\n"])
    async def test_where_replies_could_be_given_to_the_wrong_message_all_ends(self, end: bytes) -> None:
        """The same dot, with other replies on their way: nothing after it can be trusted."""
        keeper = Keeper()

        def encode(message: bytes) -> bytes:
            return message + (end if message == letter(2) else b".\r\n")

        async with source_of(Maildrop(letters(5), encode=encode)) as (source, _):
            with pytest.raises(WireError) as caught:
                await source.fetch(await source.listing(), keeper)
        assert caught.value.cause is Cause.BAD_REPLY
        assert keeper.came == {1: letter(1)}


class TestHeaders:
    async def test_top_gives_what_fetch_begins_with(self) -> None:
        messages = [letter(1), b"Subject: a\n\nb\r\n", b"\r\nno header\r\n", b"all: header\r\n", b"\nx\r\n"]
        answers = {f"TOP {number} 0": b"+OK\r\n" + stuffed(message) for number, message in enumerate(messages, 1)}
        drop = Maildrop(messages, answers=answers)
        async with source_of(drop) as (source, _):
            headers = await source.headers(await source.listing())
        expected = [b"Subject: 1\r\nFrom: <a@b>\r\n\r\n", b"Subject: a\n\n", b"\r\n", b"all: header\r\n", b"\n"]
        assert headers == dict(enumerate(expected, 1))
        assert not any(line.startswith("RETR") for line in drop.commands)

    async def test_retr_where_top_is_refused(self) -> None:
        drop = Maildrop(letters(2), answers={"TOP 2 0": b"-ERR what?\r\n"})
        async with source_of(drop) as (source, _):
            headers = await source.headers(await source.listing())
        assert headers == {number: letter(number).removesuffix(b"hello\r\n") for number in (1, 2)}
        assert after_login(drop)[1:] == [["TOP 1 0"], ["TOP 2 0"], ["RETR 2"]]

    async def test_what_is_not_given_or_too_long_is_left_out(self) -> None:
        line = b"X-Padding: " + b"x" * 1_000 + b"\r\n"
        longest = line * (((256 << 10) - 2) // len(line))
        messages = [letter(1), line * 300 + b"\r\n", longest + b"\r\n"]
        answers = {"TOP 1 0": b"-ERR no\r\n", "RETR 1": b"-ERR no\r\n"}
        async with source_of(Maildrop(messages, answers=answers)) as (source, _):
            headers = await source.headers(await source.listing())
        assert headers == {3: longest + b"\r\n"}


class TestDeleting:
    async def test_quit_confirms(self) -> None:
        drop = Maildrop(letters(300))
        async with source_of(drop) as (source, trace):
            wanted = await source.listing()
            assert await source.delete(wanted[1:]) == ""
            await source.finish(trace)
        assert drop.deleted == list(range(2, 301))
        assert drop.commands[-1] == "QUIT"

    async def test_what_the_server_keeps_is_told(self) -> None:
        drop = Maildrop(letters(3), answers={"DELE 2": b"-ERR read-only\x1b[31m\r\n"})
        async with source_of(drop) as (source, trace):
            note = await source.delete(await source.listing())
            await source.finish(trace)
        assert note.startswith("the server will not delete 1 of 3 messages: -ERR read-only")
        assert "\x1b" not in note
        assert drop.deleted == [1, 3]

    @pytest.mark.parametrize(
        ("farewell", "cause"),
        [
            (None, Cause.CLOSED),
            (b"-ERR [SYS/TEMP] some deleted messages not removed\r\n", Cause.NOT_AVAILABLE),
            (b"bye\r\n", Cause.CLOSED),
        ],
    )
    async def test_what_is_not_confirmed_is_a_failure(self, farewell: bytes | None, cause: Cause) -> None:
        async with source_of(Maildrop(letters(1), answers={"QUIT": farewell})) as (source, trace):
            await source.delete(await source.listing())
            with pytest.raises(StageFailed) as caught:
                await source.finish(trace)
        assert caught.value.failure.cause is cause
        assert "that it has deleted 1 message:" in caught.value.failure.hint

    async def test_without_deletions_a_farewell_does_not_matter(self) -> None:
        async with source_of(Maildrop(letters(1), answers={"QUIT": None})) as (source, trace):
            await source.fetch(await source.listing(), Keeper())
            await source.finish(trace)
        assert trace.failure is None

    async def test_it_can_end_before_anything_was_read(self) -> None:
        """STAT, UIDL and LIST were asked in a group with CAPA, and their replies stand before that to QUIT."""
        async with source_of(Maildrop(letters(2))) as (source, trace):
            await source.finish(trace)
        (farewell, *_) = (result for result in trace.report().stages if result.stage is Stage.QUIT)
        assert (farewell.status, farewell.reply) == (Status.OK, "+OK")


@given(st.lists(st.binary(max_size=12)), st.lists(st.binary(max_size=12)))
def test_any_lists_give_each_number_once_or_a_wire_error(names: list[bytes], sizes: list[bytes]) -> None:
    try:
        messages = bring_together(names, sizes)
    except WireError:
        return
    handles = [message.handle for message in messages]
    assert handles == sorted(set(handles))
    assert len(handles) >= max(len(names), len(sizes))
    assert all(handle > 0 for handle in handles)
