"""Messages as they stream out of an IMAP server, in whatever form and pieces it sends them."""

import asyncio
import random
from collections.abc import Callable

import pytest

from mailtui.model.check import Cause, Stage
from mailtui.protocols.faults import StageFailed, WireError
from mailtui.protocols.imap import LITERAL_LIMIT, OCTET_LIMIT
from mailtui.protocols.source import Listed
from tests.protocols.clock import Clock
from tests.protocols.imap_kit import Answer, Kept, Talk, body, listed, uids_of

OK = b"{tag} OK done\r\n"
NO = b"{tag} NO not now\r\n"
MESSAGE = b"Subject: a {3}\r\n\r\n* 1 FETCH (UID 3 BODY[] {1}\r\n\0\xff\rA1 OK no\r\n.\r\n)"

pieces = pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])


async def fetched(answer: bytes, *uids: int, seed: int = 0) -> Kept:
    """What comes of one command that is answered so, and of no second one."""
    talk = Talk(seed=seed)
    await talk.select()
    kept = Kept()
    await talk.do(talk.source.fetch(listed(*uids), kept), answer + OK)
    assert not talk.wire.unread()
    return kept


class TestForms:
    @pieces
    @pytest.mark.parametrize(
        "answer",
        [
            b"* 1 FETCH (UID 3 FLAGS (\\Seen $Work) BODY[] {%d}\r\n%s)\r\n",
            b"* 1 FETCH (UID 3 BODY[] {%d}\r\n%s FLAGS (\\Seen $Work))\r\n",
            b"* 1 fetch (uid 3 body[] {%d+}\r\n%s flags (\\Seen $Work))\r\n",
            b"* 1 FETCH (FLAGS (\\Seen $Work) MODSEQ (12) UID 3 BODY[] ~{%d}\r\n%s)\r\n",
            b"* 1 FETCH (UID 3 FLAGS (\\Seen $Work))\r\n* 1 FETCH (UID 3 BODY[] {%d}\r\n%s)\r\n",
        ],
    )
    async def test_one_message(self, answer: bytes, seed: int) -> None:
        kept = await fetched(answer % (len(MESSAGE), MESSAGE), 3, seed=seed)
        assert kept.messages == {3: MESSAGE}
        assert kept.flags == {3: ("\\Seen", "$Work")}
        assert kept.refusals == []

    @pieces
    async def test_between_other_words(self, seed: int) -> None:
        answer = (
            b"* 9 EXISTS\r\n* 4 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Deleted))\r\n"
            + body(1, 1, b"one", b"", b" FLAGS ()")
            + b"* OK [ALERT] going on {not a literal} x\r\n* VANISHED 4:6\r\n"
            + body(2, 2, b"")
            + b"* 2 FETCH (UID 2 FLAGS (\\Flagged))\r\n* 7 RECENT\r\n"
            + body(3, 3, MESSAGE, b"X-ODD[a b] (x y) ENVELOPE {2}\r\n)( ")
        )
        kept = await fetched(answer, 1, 2, 3, seed=seed)
        assert kept.messages == {1: b"one", 2: b"", 3: MESSAGE}
        assert kept.flags == {1: (), 2: ("\\Seen",), 3: ()}

    @pieces
    async def test_a_quoted_message(self, seed: int) -> None:
        kept = await fetched(b'* 1 FETCH (UID 1 BODY[] "a \\"b\\" \\\\" FLAGS (\\Seen))\r\n', 1, seed=seed)
        assert kept.messages == {1: b'a "b" \\'}
        assert kept.flags == {1: ("\\Seen",)}

    async def test_nil_is_a_refusal_and_not_an_empty_message(self) -> None:
        kept = await fetched(b"* 1 FETCH (UID 1 BODY[] NIL)\r\n" + body(2, 2, b"two"), 1, 2)
        assert kept.messages == {2: b"two"}
        assert kept.refusals == [(listed(1)[0], "NIL")]

    async def test_what_is_gone_is_refused(self) -> None:
        kept = await fetched(body(1, 1, b"one"), 1, 2)
        assert kept.messages == {1: b"one"}
        assert [message.handle for message, _ in kept.refusals] == [2]

    async def test_only_whole_messages_count(self) -> None:
        answer = b"* 1 FETCH (UID 1 BODY[]<0> {3}\r\none)\r\n* 2 FETCH (UID 2 BODY[HEADER] {3}\r\ntwo)\r\n"
        kept = await fetched(answer + b"* 3 FETCH (UID 3 BODY[TEXT] {3}\r\nxyz)\r\n", 1, 3)
        assert kept.messages == {}
        assert len(kept.refusals) == 2

    @pieces
    async def test_nothing_comes_twice(self, seed: int) -> None:
        answer = body(1, 1, b"one") + body(1, 1, b"again") + body(7, 7, b"x" * 999) + body(2, 2, b"two")
        kept = await fetched(answer, 1, 2, seed=seed)
        assert kept.messages == {1: b"one", 2: b"two"}
        assert [message.handle for message in kept.begun] == [1, 2]

    async def test_the_second_body_of_one_response_is_dropped(self) -> None:
        kept = await fetched(b"* 1 FETCH (UID 1 BODY[] {3}\r\none BODY[] {3}\r\ntwo)\r\n", 1)
        assert kept.messages == {1: b"one"}

    async def test_two_messages_with_one_uid_both_come(self) -> None:
        kept = await fetched(body(1, 5, b"one") + body(2, 5, b"two"), 5, 5)
        assert [data for _, data, _ in kept.came] == [b"one", b"two"]

    @pieces
    async def test_a_message_longer_than_all_that_is_kept(self, seed: int) -> None:
        seed = 0 if seed == 1 else seed
        long = bytes(range(256)) * (OCTET_LIMIT // 128)
        kept = await fetched(body(1, 1, long) + body(2, 2, b"two"), 1, 2, seed=seed)
        assert kept.messages == {1: long, 2: b"two"}

    async def test_the_transcript_tells_of_messages_without_their_words(self) -> None:
        talk = Talk(seed=2)
        await talk.select()
        answer = b"".join(body(uid, uid, b"the message itself") for uid in range(1, 51)) + OK
        await talk.do(talk.source.fetch(listed(*range(1, 51)), Kept()), answer)
        lines = [line.text for line in talk.trace.report().transcript]
        assert lines[-5].startswith("* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {18}")
        assert lines[-2] == "and 47 more of these"
        assert not any("itself" in line for line in lines)


class TestLateUids:
    """RFC 3501 leaves the order of the items to the server: without a name, a message cannot be told from others."""

    @staticmethod
    def said(uid: int) -> bytes:
        return b"* %d FETCH (BODY[] {6}\r\nno %03d UID %d FLAGS (\\Seen))\r\n" % (uid, uid, uid)

    async def test_one_by_one(self) -> None:
        talk = Talk(seed=3)
        await talk.select()
        kept = Kept()

        def answer(command: str) -> bytes:
            return b"".join(map(self.said, uids_of(command))) + OK

        await talk.do(talk.source.fetch(listed(1, 2, 3), kept), *[answer] * 4)
        assert talk.heard == [f"UID FETCH {uid} (UID FLAGS BODY.PEEK[])" for uid in ("1:3", "1", "2", "3")]
        assert kept.messages == {1: b"no 001", 2: b"no 002", 3: b"no 003"}
        assert talk.writes == [1, 1, 1, 1]
        # Once is enough to learn it.
        await talk.do(talk.source.fetch(listed(4, 5), kept), answer, answer)
        assert sorted(kept.messages) == [1, 2, 3, 4, 5]

    async def test_two_that_were_asked_for_before_this_was_known(self) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        # The first is refused, and its halves are with the server together.
        answers: list[Answer] = [NO, *[lambda command: b"".join(map(self.said, uids_of(command))) + OK] * 4]
        await talk.do(talk.source.fetch(listed(1, 2), kept), *answers)
        assert [command.split()[2] for command in talk.heard] == ["1:2", "1", "2", "1", "2"]
        assert talk.writes == [1, 2, 1, 1]
        assert kept.messages == {1: b"no 001", 2: b"no 002"}
        assert kept.refusals == []

    async def test_the_name_that_comes_at_last_has_to_be_right(self) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        answers = [self.said(1) + self.said(2) + OK, self.said(2) + OK, self.said(2) + OK]
        await talk.do(talk.source.fetch(listed(1, 2), kept), *answers)
        assert kept.messages == {2: b"no 002"}
        assert [message.handle for message, _ in kept.refusals] == [1]

    async def test_a_message_without_a_name_is_nobodys(self) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        nameless = b"* 1 FETCH (BODY[] {3}\r\none)\r\n" + OK
        await talk.do(talk.source.fetch(listed(1), kept), nameless, nameless)
        assert kept.messages == {}
        assert [message.handle for message, _ in kept.refusals] == [1]


class TestGroups:
    async def test_two_commands_are_with_the_server_at_once(self) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        uids = range(1, 2_501)

        def answer(command: str) -> bytes:
            return b"".join(body(uid, uid, b"x") for uid in uids_of(command)) + OK

        await talk.do(talk.source.fetch(listed(*uids), kept), answer, answer, answer)
        assert [command.split()[2] for command in talk.heard] == ["1:1000", "1001:2000", "2001:2500"]
        assert talk.writes == [2, 1]
        assert sorted(kept.messages) == list(uids)

    async def test_lines_stay_short(self) -> None:
        talk = Talk()
        await talk.select()
        uids = range(4_000_000_000, 4_000_000_900, 3)
        answers: list[Callable[[str], bytes]] = [
            lambda command: b"".join(body(1, uid, b"x") for uid in uids_of(command)) + OK
        ] * 4
        kept = Kept()
        await talk.do(talk.source.fetch(listed(*uids), kept), *answers)
        assert max(map(len, talk.heard)) < 990
        assert sorted(kept.messages) == list(uids)

    async def test_one_bad_message_does_not_stop_the_others(self) -> None:
        """Some servers refuse the command for the sake of one message."""
        talk = Talk()
        await talk.select()
        kept = Kept()

        def answer(command: str) -> bytes:
            uids = uids_of(command)
            if 6 not in uids:
                return b"".join(body(1, uid, b"x") for uid in uids) + OK
            first = body(1, uids[0], b"x") if uids[0] != 6 else b""
            return first + b"{tag} NO [SERVERBUG] cannot read\r\n"

        await talk.do(talk.source.fetch(listed(*range(1, 9)), kept), *[answer] * 7)
        assert sorted(kept.messages) == [1, 2, 3, 4, 5, 7, 8]
        assert kept.refusals == [(listed(6)[0], "NO [SERVERBUG] cannot read")]

    @pytest.mark.parametrize("code", ["UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "THROTTLED"])
    async def test_a_server_that_gives_no_more_ends_it(self, code: str) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        answer = body(1, 1, b"one") + b"{tag} NO [%s] too much\r\n" % code.encode()
        with pytest.raises(WireError) as caught:
            await talk.do(talk.source.fetch(listed(1, 2), kept), answer)
        assert caught.value.cause is Cause.NOT_AVAILABLE
        assert kept.messages == {1: b"one"}
        assert kept.refusals == []

    async def test_a_server_that_knows_no_fetch(self) -> None:
        talk = Talk()
        await talk.select()
        with pytest.raises(WireError) as caught:
            await talk.do(talk.source.fetch(listed(1), Kept()), b"{tag} BAD what\r\n")
        assert caught.value.cause is Cause.BAD_REPLY

    async def test_nothing_wanted_is_no_command(self) -> None:
        talk = Talk()
        await talk.select()
        await talk.do(talk.source.fetch([], Kept()))
        assert talk.heard == []


class TestEnds:
    @pytest.mark.parametrize("left", [1, 3, 5, 40])
    async def test_a_message_that_is_cut_off_is_none(self, left: int) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        fetching = asyncio.ensure_future(talk.source.fetch(listed(1, 2), kept))
        await asyncio.sleep(0)
        answer = body(1, 1, b"one") + body(2, 2, b"x" * 100)
        talk.say(answer[:-left])
        talk.wire.connection_lost(None)
        with pytest.raises(WireError) as caught:
            await fetching
        assert caught.value.cause is Cause.CLOSED
        assert kept.messages == {1: b"one"}

    async def test_after_a_cancelled_fetch_the_intake_hears_nothing(self) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept()
        fetching = asyncio.ensure_future(talk.source.fetch(listed(1), kept))
        await asyncio.sleep(0)
        answer = body(1, 1, b"x" * 100)
        talk.say(answer[:60])
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        held = kept.held
        talk.say(answer[60:])
        assert kept.held == held
        assert kept.came == []
        assert kept.on_room is None

    async def test_nothing_is_read_after_a_breach(self) -> None:
        """A TLS transport hands on what it has decrypted already."""
        talk = Talk()
        await talk.select()
        kept = Kept()
        fetching = asyncio.ensure_future(talk.source.fetch(listed(1), kept))
        await asyncio.sleep(0)
        talk.say(b"X9 OK who asked?\r\n")
        talk.say(body(1, 1, b"one"))
        with pytest.raises(WireError):
            await fetching
        assert kept.came == []
        assert talk.pipe.is_aborted

    async def test_other_literals_are_still_bounded(self) -> None:
        talk = Talk()
        await talk.select()
        fetching = asyncio.ensure_future(talk.source.fetch(listed(1), Kept()))
        await asyncio.sleep(0)
        talk.say(b"* STATUS {%d}\r\n" % (LITERAL_LIMIT + 1))
        with pytest.raises(WireError) as caught:
            await fetching
        assert caught.value.cause is Cause.TOO_LARGE


class TestFlow:
    async def test_a_full_intake_stops_the_reading(self) -> None:
        talk = Talk(seed=2)
        await talk.select()
        kept = Kept(room=1_000)
        fetching = asyncio.ensure_future(talk.source.fetch(listed(1, 2), kept))
        await asyncio.sleep(0)
        ((tag, _),) = talk.new_commands()
        talk.say(body(1, 1, b"x" * 1_500)[:1_200])
        assert talk.pipe.is_paused
        await asyncio.sleep(0)
        assert not talk.pipe.is_paused
        talk.say(body(1, 1, b"x" * 1_500)[1_200:] + body(2, 2, b"y") + f"{tag} OK done\r\n".encode())
        await fetching
        assert talk.pipe.times_paused == 1
        assert kept.messages == {1: b"x" * 1_500, 2: b"y"}
        assert kept.on_room is None

    async def test_small_messages_fill_it_as_well(self) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept(room=10)
        answer = b"".join(body(uid, uid, b"x" * 4) for uid in range(1, 31)) + OK
        await talk.do(talk.source.fetch(listed(*range(1, 31)), kept), answer)
        assert talk.pipe.times_paused
        assert not talk.pipe.is_paused
        assert len(kept.messages) == 30

    async def test_only_silence_ends_a_stage(self, clock: Clock) -> None:
        """Each piece of mail begins the time anew, and nothing else does."""
        talk = Talk()
        await talk.select()
        kept = Kept()

        async def transfer() -> None:
            async with talk.trace.stage(Stage.TRANSFER):
                await talk.source.fetch(listed(1, 2), kept)

        transferring = asyncio.ensure_future(transfer())
        await asyncio.sleep(0)
        said = body(1, 1, b"x" * 100)
        talk.say(said[:60])
        for place in range(60, 65):
            clock.advance(talk.trace.stage_timeout - 1)
            await asyncio.sleep(0.001)
            talk.say(said[place : place + 1])
        talk.say(said[65:])
        assert talk.trace.watch.remaining() > talk.trace.stage_timeout - 2
        # Words without use keep nobody waiting.
        clock.advance(talk.trace.stage_timeout - 1)
        talk.say(b"* OK still here\r\n")
        clock.advance(2)
        with pytest.raises(StageFailed) as caught:
            await transferring
        assert caught.value.failure.cause is Cause.SILENT
        assert kept.messages == {1: b"x" * 100}
        talk.trace.stop()

    async def test_a_full_intake_is_not_the_servers_fault(self, clock: Clock) -> None:
        talk = Talk()
        await talk.select()
        kept = Kept(room=90, drains=False)

        async def transfer() -> None:
            async with talk.trace.stage(Stage.TRANSFER):
                await talk.source.fetch(listed(1), kept)

        transferring = asyncio.ensure_future(transfer())
        await asyncio.sleep(0)
        ((tag, _),) = talk.new_commands()
        said = body(1, 1, b"x" * 100) + f"{tag} OK done\r\n".encode()
        talk.say(said[:140])
        talk.say(said[140:145])
        assert talk.pipe.is_paused
        for _ in range(3):
            clock.advance(10_000)
            await asyncio.sleep(0.001)
        assert not transferring.done()
        kept.drain()
        assert not talk.pipe.is_paused
        assert talk.trace.watch.remaining() > talk.trace.stage_timeout - 2
        talk.say(said[145:])
        await transferring
        assert kept.messages == {1: b"x" * 100}
        talk.trace.stop()


class Server:
    """Sends what it is asked for in forms, orders and pieces of its own, and drops some of it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.messages = {uid: self._letter() for uid in sorted(chance.sample(range(1, 500), chance.randint(1, 40)))}
        self.gone = {uid for uid in self.messages if chance.random() < 0.1}
        self.are_uids_late = chance.random() < 0.2

    def _letter(self) -> bytes:
        pieces = (b"\r\n", b")", b"{5}\r\n", b"* 1 FETCH (UID 2 BODY[] {2}\r\n", b"A1 OK\r\n", b"\0\xff", b"x" * 300)
        return b"".join(self._chance.choices(pieces, k=self._chance.randint(0, 9)))

    def flags(self, uid: int) -> bytes:
        return b"\\Seen" if uid % 2 else b"\\Flagged $x"

    def answer(self, command: str) -> bytes:
        said: list[bytes] = []
        for uid in uids_of(command):
            if self._chance.random() < 0.2:
                said.append(self._chance.choice((b"* 3 EXISTS\r\n", b"* 1 EXPUNGE\r\n", b"* OK hm\r\n")))
            if self._chance.random() < 0.1:
                said.append(body(1, 900 + uid, b"nobody asked"))
            if uid in self.messages and uid not in self.gone:
                said.append(self._said(uid))
        self._chance.shuffle(said)
        return b"".join(said) + OK

    def _said(self, uid: int) -> bytes:
        letter = self.messages[uid]
        name, flags = b"UID %d" % uid, b"FLAGS (%s)" % self.flags(uid)
        text = b"BODY[] {%d}\r\n%s" % (len(letter), letter)
        items = [name, flags, text]
        if self.are_uids_late:
            items = [text, flags, name]
        elif self._chance.random() < 0.5:
            items = [name, text, flags]
        return b"* %d FETCH (%s)\r\n" % (uid, b" ".join(items))


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_the_server_each_message_comes_once_or_is_refused(seed: int) -> None:
    server = Server(random.Random(seed))
    talk = Talk(seed=seed)
    await talk.select()
    kept = Kept(room=500)
    wanted = [Listed(uid, str(uid), None) for uid in server.messages]
    singles = len(wanted) if server.are_uids_late and len(server.gone) < len(wanted) else 0
    await talk.do(talk.source.fetch(wanted, kept), *[server.answer] * (1 + singles))
    there = {uid: letter for uid, letter in server.messages.items() if uid not in server.gone}
    assert kept.messages == there
    assert {uid: " ".join(flags).encode() for uid, flags in kept.flags.items()} == {
        uid: server.flags(uid) for uid in there
    }
    assert {message.handle for message, _ in kept.refusals} == server.gone


@pytest.mark.parametrize("seed", range(40))
async def test_whatever_is_broken_nothing_is_raised_out_of_turn(seed: int) -> None:
    """A wire fails by its fault, which is a WireError, and each message comes at most once."""
    chance = random.Random(seed)
    server = Server(chance)
    talk = Talk(seed=seed)
    await talk.select()
    kept = Kept()
    fetching = asyncio.ensure_future(talk.source.fetch([Listed(uid, str(uid), None) for uid in server.messages], kept))
    await asyncio.sleep(0)
    for tag, command in talk.new_commands():
        said = bytearray(server.answer(command).replace(b"{tag}", tag.encode()))
        for _ in range(chance.randint(1, 12)):
            place = chance.randrange(len(said))
            said[place : place + chance.randint(0, 3)] = chance.choice((b"", b"{9}\r\n", b"\r\n", b"(", b'"', b"\xff"))
        talk.say(bytes(said))
    talk.wire.connection_lost(None)
    for _ in range(20):
        await asyncio.sleep(0)
    assert fetching.done()
    assert isinstance(fetching.exception(), WireError | None)
    assert set(kept.messages) <= set(server.messages)
    assert not set(kept.messages) & {message.handle for message, _ in kept.refusals}
