"""A refused login costs one attempt, whoever shares it, until something changes or a person insists."""

import asyncio
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from mailtui.actions import lockout
from mailtui.actions.check import CheckOptions, Limits, Slots, check_many
from mailtui.actions.memory import Memory
from mailtui.model.account import Account, AuthMethod, Endpoint, Protocol, SecretRef, Security
from mailtui.model.check import Cause, CheckReport, Failure, Leg, Severity, Stage
from mailtui.model.text import has_hostile
from mailtui.protocols.sasl import Credentials
from mailtui.storage.database import Database
from tests.actions.kit import account, endpoint
from tests.protocols.clock import Clock
from tests.protocols.dialogue import Turn, dialogue, hear, play
from tests.protocols.legs import nothing_left, until
from tests.scripted import Peer, ScriptedServer

WRONG, RIGHT = "wrong horse", "right horse"


class Keys:
    """The passwords of accounts, by name; `WRONG` where nothing else is said."""

    def __init__(self, **known: str) -> None:
        self.known = known

    async def read(self, ref: SecretRef, account_name: str) -> str:
        return self.known.get(account_name, WRONG)


class Guarded:
    """Takes a login whose password is `password`; `attempts` holds the messages of all that came.

    `most` of them waited for their answer at once. `hold` lets none be answered before it is set.
    """

    def __init__(self, protocol: Protocol = Protocol.SMTP, refusal: bytes = b"535 5.7.8 no") -> None:
        self._protocol, self._refusal = protocol, refusal
        self.password = RIGHT
        self.attempts: list[bytes] = []
        self.most = self._answering = 0
        self.hold: asyncio.Event | None = None

    async def __call__(self, peer: Peer) -> None:
        for turn in dialogue(self._protocol, Security.NONE):
            if turn.stage is Stage.AUTH:
                assert turn.hears is not None
                line = await peer.expect(turn.hears)
                message = b64decode(line.rpartition(" ")[2])
                self.attempts.append(message)
                self._answering += 1
                self.most = max(self.most, self._answering)
                if self.hold is not None:
                    await self.hold.wait()
                self._answering -= 1
                if not message.endswith(self.password.encode()):
                    await peer.send(self._refusal + b"\r\n")
                    await peer.silence()
                    return
                await peer.send(turn.says or b"")
                continue
            if turn.hears is not None:
                await hear(self._protocol, peer, turn.hears)
            assert turn.says is not None
            await peer.send(turn.says)


def sharing(count: int, server: ScriptedServer, username: str = "shared") -> list[Account]:
    """Accounts that send by one login."""
    accounts = [account(f"a{number}", endpoint(server.port)) for number in range(count)]
    return [replace(one, submission=replace(one.submission, username=username)) for one in accounts]


async def run(
    accounts: Sequence[Account],
    keys: Keys,
    memory: Memory | None = None,
    options: CheckOptions | None = None,
    limits: Limits | None = None,
) -> dict[str, CheckReport]:
    reports: list[CheckReport] = []
    await check_many(
        accounts,
        keys,
        on_report=reports.append,
        options=options or CheckOptions(),
        memory=memory,
        slots=Slots(limits or Limits()),
    )
    return {report.account: report for report in reports}


def causes(reports: dict[str, CheckReport]) -> list[Cause | None]:
    found = [leg.failure.cause if leg.failure else None for report in reports.values() for leg in report.legs]
    return sorted(found, key=str, reverse=True)


def failure_of(report: CheckReport) -> Failure:
    assert report.outbound is not None
    assert report.outbound.failure is not None
    return report.outbound.failure


class TestOneRun:
    @pytest.mark.parametrize("limits", [Limits(), Limits(200, 3), Limits(1, 1)])
    async def test_a_wrong_password_that_twenty_share_is_refused_once(self, limits: Limits) -> None:
        guarded = Guarded()
        with nothing_left():
            async with ScriptedServer(guarded) as server:
                reports = await run(sharing(20, server), Keys(), limits=limits)
                await server.all_closed()
                assert server.connections == 20
        assert len(guarded.attempts) == 1
        assert causes(reports) == [Cause.LOGIN_HELD] * 19 + [Cause.BAD_CREDENTIALS]
        for report in reports.values():
            failure = failure_of(report)
            assert failure.stage is Stage.AUTH
            assert failure.reply == "535 5.7.8 no"
            assert not has_hostile(failure.hint)
            if failure.cause is Cause.LOGIN_HELD:
                assert failure.hint.startswith("no login was tried: the server refused this one on 20")

    async def test_a_right_one_is_tried_by_one_first_and_then_by_all_at_once(self) -> None:
        guarded = Guarded()
        guarded.hold = asyncio.Event()
        async with ScriptedServer(guarded) as server:
            running = asyncio.ensure_future(run(sharing(10, server), Keys(**{f"a{n}": RIGHT for n in range(10)})))
            await until(lambda: server.connections == 10 and guarded.most == 1)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(guarded.attempts) == 1
            guarded.hold.set()
            # The others are let go together, and each waits for all of them to have come.
            guarded.hold = asyncio.Event()
            await until(lambda: guarded.most == 9)
            guarded.hold.set()
            reports = await running
        assert {report.severity for report in reports.values()} == {Severity.OK}
        assert len(guarded.attempts) == 10

    async def test_logins_that_differ_do_not_wait_for_each_other(self) -> None:
        guarded = Guarded()
        guarded.hold = asyncio.Event()
        async with ScriptedServer(guarded) as server:
            accounts = sharing(2, server) + [
                replace(one, name=f"b{number}")
                for number, one in enumerate(sharing(1, server, "other") + sharing(1, server, "third"))
            ]
            running = asyncio.ensure_future(run(accounts, Keys(a1=RIGHT)))
            # a0 and a1 differ in the password, b0 and b1 in the name.
            await until(lambda: guarded.most == 4)
            guarded.hold.set()
            reports = await running
        assert causes(reports) == [Cause.BAD_CREDENTIALS] * 3 + [None]

    async def test_a_login_that_is_never_answered_keeps_the_others_from_trying(self, clock: Clock) -> None:
        guarded = Guarded()
        guarded.hold = asyncio.Event()
        async with ScriptedServer(guarded) as server:
            running = asyncio.ensure_future(run(sharing(5, server), Keys()))
            await until(lambda: server.connections == 5 and guarded.most == 1)
            for _ in range(100):
                await asyncio.sleep(0)
            clock.advance(11)
            reports = await running
            assert len(guarded.attempts) == 1
        assert causes(reports) == [Cause.SILENT] * 5
        hints = [failure_of(report).hint for report in reports.values()]
        assert sum(hint.startswith("no login was tried: another check makes the very same one") for hint in hints) == 4

    @pytest.mark.parametrize("refusal", [b"454 4.7.0 later", b"504 5.5.4 what", b"534 5.7.9 app password"])
    async def test_only_a_refused_password_makes_a_mark(self, refusal: bytes) -> None:
        guarded, memory = Guarded(refusal=refusal), Memory()
        async with ScriptedServer(guarded) as server:
            accounts = sharing(1, server)
            for _ in range(2):
                (cause,) = causes(await run(accounts, Keys(), memory))
        assert (cause is Cause.LOGIN_HELD) is refusal.startswith(b"534")
        assert len(guarded.attempts) == (1 if refusal.startswith(b"534") else 2)

    @pytest.mark.parametrize(
        "refusal",
        [
            b"-ERR Too many open connections (11 of 10 from client.example.com)",
            b"-ERR Your mailbox is already locked",
            b"-ERR Authentication rate limit from one source exceeded",
        ],
    )
    async def test_what_a_right_password_is_refused_with_as_well_makes_none(self, refusal: bytes) -> None:
        guarded, memory = Guarded(Protocol.POP3, refusal), Memory()
        async with ScriptedServer(guarded) as server:
            accounts = [account("ada", endpoint(1), endpoint(server.port), Protocol.POP3)]
            only = CheckOptions(frozenset({Leg.INBOUND}))
            for _ in range(2):
                assert causes(await run(accounts, Keys(), memory, only)) == [Cause.BAD_CREDENTIALS]
            assert len(guarded.attempts) == 2
            guarded.password = WRONG
            assert causes(await run(accounts, Keys(), memory, only)) == [None]

    async def test_cancelling_leaves_nobody_waiting(self) -> None:
        guarded = Guarded()
        guarded.hold = asyncio.Event()
        with nothing_left():
            async with ScriptedServer(guarded) as server:
                running = asyncio.ensure_future(run(sharing(5, server), Keys()))
                await until(lambda: server.connections == 5 and guarded.most == 1)
                running.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await running
                guarded.hold.set()
                await server.all_closed()
                assert len(guarded.attempts) == 1


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        yield opened


class TestLaterRuns:
    """Each run has a memory of its own, out of the database, as another process has."""

    async def _run(
        self, database: Database, keys: Keys, options: CheckOptions | None = None
    ) -> tuple[Cause | None, CheckReport]:
        memory = Memory.load(database)
        reports = await run(database.accounts(), keys, memory, options)
        memory.write(database)(list(reports.values()))
        (cause,) = causes(reports)
        return cause, next(iter(reports.values()))

    async def test_it_is_held_until_the_secret_changes(self, database: Database) -> None:
        guarded = Guarded()
        async with ScriptedServer(guarded) as server:
            database.add(sharing(1, server)[0])
            assert (await self._run(database, Keys()))[0] is Cause.BAD_CREDENTIALS
            for _ in range(2):
                cause, report = await self._run(database, Keys())
                assert (cause, failure_of(report).reply) == (Cause.LOGIN_HELD, "535 5.7.8 no")
            assert len(guarded.attempts) == 1
            assert (await self._run(database, Keys(a0=RIGHT)))[0] is None
            assert dict(database.refused_logins()) == {}
            assert len(guarded.attempts) == 2

    @pytest.mark.parametrize("change", ["username", "method", "port"])
    async def test_it_is_held_until_the_account_changes(self, database: Database, change: str) -> None:
        guarded = Guarded()
        async with ScriptedServer(guarded) as server, ScriptedServer(guarded) as other:
            (stored,) = sharing(1, server)
            database.add(stored)
            assert (await self._run(database, Keys()))[0] is Cause.BAD_CREDENTIALS
            changed = {
                "username": replace(stored.submission, username="other"),
                "method": replace(stored.submission, method=AuthMethod.PLAIN),
                "port": replace(stored.submission, endpoint=endpoint(other.port)),
            }[change]
            database.update("a0", replace(stored, submission=changed))
            assert (await self._run(database, Keys()))[0] is Cause.BAD_CREDENTIALS
            assert (await self._run(database, Keys()))[0] is Cause.LOGIN_HELD
        assert len(guarded.attempts) == 2

    async def test_whoever_insists_is_obeyed_once(self, database: Database) -> None:
        guarded, insisting = Guarded(), CheckOptions(insist=True)
        async with ScriptedServer(guarded) as server:
            for one in sharing(1, server):
                database.add(one)
            await self._run(database, Keys())
            assert (await self._run(database, Keys(), insisting))[0] is Cause.BAD_CREDENTIALS
            assert (await self._run(database, Keys()))[0] is Cause.LOGIN_HELD
        assert len(guarded.attempts) == 2

    async def test_to_be_let_in_without_a_login_proves_nothing(self) -> None:
        memory = Memory()
        turns = dialogue(Protocol.IMAP, Security.NONE)
        preauth = [Turn(Stage.GREETING, None, b"* PREAUTH you are in\r\n"), turns[1], *turns[3:]]
        refused = replace(turns[2], says=b"{tag} NO [AUTHENTICATIONFAILED] no\r\n")
        today = [play(Protocol.IMAP, [*turns[:2], refused])]

        async def script(peer: Peer) -> None:
            await today[-1](peer)

        async with ScriptedServer(script) as server:
            accounts = [account("ada", endpoint(1), endpoint(server.port))]
            only = CheckOptions(frozenset({Leg.INBOUND}))
            assert causes(await run(accounts, Keys(), memory, only)) == [Cause.BAD_CREDENTIALS]
            today.append(play(Protocol.IMAP, preauth))
            assert causes(await run(accounts, Keys(), memory, only)) == [None]
            today.append(today[0])
            assert causes(await run(accounts, Keys(), memory, only)) == [Cause.LOGIN_HELD]

    async def test_another_account_s_mark_counts_for_the_same_login(self, database: Database) -> None:
        guarded = Guarded()
        async with ScriptedServer(guarded) as server:
            first, second = sharing(2, server)
            database.add(first)
            await self._run(database, Keys())
            database.set_active(["a0"], False)
            database.add(second)
            memory = Memory.load(database)
            assert causes(await run([second], Keys(), memory)) == [Cause.LOGIN_HELD]
            # Who has another password is not held by it; who then logs in by the very one clears it for both.
            assert causes(await run([second], Keys(a1="a third one"), memory)) == [Cause.BAD_CREDENTIALS]
            assert len(guarded.attempts) == 2

    async def test_a_login_that_is_good_after_all_clears_the_marks_of_all_who_share_it(
        self, database: Database
    ) -> None:
        server_side = Guarded()
        async with ScriptedServer(server_side) as server:
            for one in sharing(2, server):
                database.add(one)
            memory = Memory.load(database)
            reports = await run(database.accounts(), Keys(), memory)
            memory.write(database)(list(reports.values()))
            assert len(database.refused_logins()) == 1
            (marked,) = (name for name, _ in database.refused_logins())
            other = "a1" if marked == "a0" else "a0"
            # The server's password becomes what the accounts had all the time.
            server_side.password, keys = WRONG, Keys()
            memory = Memory.load(database)
            chosen = database.account(other)
            reports = await run([chosen], keys, memory, CheckOptions(insist=True))
            memory.write(database)(list(reports.values()))
            assert causes(reports) == [None]
            assert dict(database.refused_logins()) == {}
            assert causes(await run(database.accounts(), keys, Memory.load(database))) == [None, None]


class TestMarks:
    CREDENTIALS = Credentials("ada", WRONG, AuthMethod.PLAIN)
    ENDPOINT = Endpoint("Mail.test", 465)

    async def test_it_holds_sixteen_bits_and_says_whether_the_secret_is_the_same(self) -> None:
        marks = [await lockout.marked(self.ENDPOINT, self.CREDENTIALS, "no") for _ in range(2)]
        assert {len(bytes.fromhex(mark.fingerprint)) for mark in marks} == {2}
        assert marks[0].salt != marks[1].salt
        assert (marks[0].host, marks[0].reply) == ("mail.test", "no")
        assert WRONG not in repr(marks)
        for mark in marks:
            assert await lockout.has_same_secret(mark, self.CREDENTIALS)
            others = [replace(self.CREDENTIALS, secret=f"{WRONG} {number}") for number in range(3)]
            # Each of them fits by chance once in 65,536 times.
            assert not all([await lockout.has_same_secret(mark, other) for other in others])

    async def test_a_secret_of_any_characters_has_one(self) -> None:
        for secret in ("", "ß€\0", "\udcff", "x" * 100_000):
            credentials = replace(self.CREDENTIALS, secret=secret)
            assert await lockout.has_same_secret(await lockout.marked(self.ENDPOINT, credentials, ""), credentials)

    async def test_nothing_is_computed_without_a_mark(self, monkeypatch: pytest.MonkeyPatch) -> None:
        computed: list[str] = []
        compute = lockout._fingerprint

        def count(secret: str, salt: str) -> str:
            computed.append(salt)
            return compute(secret, salt)

        monkeypatch.setattr(lockout, "_fingerprint", count)
        guarded, memory = Guarded(), Memory()
        async with ScriptedServer(guarded) as server:
            good = sharing(3, server)
            assert causes(await run(good, Keys(a0=RIGHT, a1=RIGHT, a2=RIGHT), memory)) == [None] * 3
            assert computed == []
            await run(sharing(1, server, "other"), Keys(), memory)
            assert len(computed) == 1
            assert causes(await run(good, Keys(a0=RIGHT, a1=RIGHT, a2=RIGHT), memory)) == [None] * 3
            assert len(computed) == 1

    async def test_each_leg_of_an_account_has_its_own(self) -> None:
        smtp_side, imap_side = Guarded(), Guarded(Protocol.POP3, b"-ERR [AUTH] no")
        async with ScriptedServer(smtp_side) as smtp, ScriptedServer(imap_side) as pop3:
            both = [account("ada", endpoint(smtp.port), endpoint(pop3.port), Protocol.POP3)]
            memory = Memory()
            assert causes(await run(both, Keys(), memory)) == [Cause.BAD_CREDENTIALS] * 2
            assert causes(await run(both, Keys(), memory)) == [Cause.LOGIN_HELD] * 2
            assert len(smtp_side.attempts) == len(imap_side.attempts) == 1
            only = CheckOptions(frozenset({Leg.INBOUND}), insist=True)
            assert causes(await run(both, Keys(), memory, only)) == [Cause.BAD_CREDENTIALS]
            assert len(smtp_side.attempts) == 1
