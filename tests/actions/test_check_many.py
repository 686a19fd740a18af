"""Many accounts at once: within the limits, none in the way of another, and nothing made twice."""

import asyncio
import contextlib
import socket
import ssl
from collections import Counter
from pathlib import Path

import pytest

from mailtui.actions import slots
from mailtui.actions.check import CheckOptions, Limits, Slots, check_many
from mailtui.model.account import Account, CertificatePolicy, Protocol, SecretRef, Security, Trust
from mailtui.model.check import CheckReport, Severity, Stage
from mailtui.model.events import StageFinished
from tests.actions.kit import KNOWN, Gate, Ledger, account, endpoint, good
from tests.protocols.clock import Clock
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import nothing_left, until
from tests.scripted import Peer, ScriptedServer, silence


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that the system is asked for; all of them are this machine."""
    asked: list[str] = []

    def getaddrinfo(host: str, *rest: object, **named: object) -> list[object]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


DEFAULT_LIMITS = Limits()


async def run(accounts: list[Account], ledger: Ledger, limits: Limits = DEFAULT_LIMITS) -> None:
    await check_many(
        accounts, KNOWN, on_event=ledger.events.append, on_report=ledger.reports.append, slots=Slots(limits)
    )


@pytest.fixture
def endless_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody gives a place back before the end, however slow the machine that runs the tests is."""
    monkeypatch.setattr(slots, "PATIENCE", 1_000.0)


@pytest.mark.usefixtures("endless_patience")
class TestLimits:
    async def _most(self, hosts: list[str], limits: Limits) -> tuple[list[int], Ledger]:
        """Fill the room there is, look how many stand there, let them in, and so on to the end."""
        gate, ledger, most = Gate(good(Protocol.SMTP)), Ledger(), []
        with nothing_left():
            async with ScriptedServer(gate) as server:
                accounts = [account(f"a{number}", endpoint(server.port, host)) for number, host in enumerate(hosts)]
                running = asyncio.ensure_future(run(accounts, ledger, limits))
                counts = Counter(host.lower() for host in hosts)
                room = min(limits.total, sum(min(limits.per_host, count) for count in counts.values()))
                await until(lambda: gate.waiting >= room)
                # Anything that had more room would take it while nothing else happens.
                for _ in range(50):
                    await asyncio.sleep(0)
                most.append(gate.waiting)
                gate.open()
                await running
                await server.all_closed()
                most.append(gate.most)
                assert server.connections == len(hosts)
        return most, ledger

    @pytest.mark.parametrize("per_host", [1, 3])
    async def test_per_host(self, per_host: int) -> None:
        most, ledger = await self._most(["127.0.0.1"] * 8, Limits(200, per_host))
        assert most == [per_host, per_host]
        assert sorted(ledger.names) == sorted(f"a{number}" for number in range(8))
        assert {report.severity for report in ledger.reports} == {Severity.OK}

    @pytest.mark.usefixtures("asked")
    async def test_in_all(self) -> None:
        hosts = ["one.test", "two.test", "three.test", "four.test"] * 3
        most, ledger = await self._most(hosts, Limits(5, 2))
        assert most == [5, 5]
        assert len(ledger.reports) == len(hosts)

    @pytest.mark.usefixtures("asked")
    async def test_a_host_is_one_host_in_any_case(self) -> None:
        most, _ = await self._most(["mail.test", "MAIL.test", "Mail.Test"], Limits(200, 1))
        assert most == [1, 1]


class Halves:
    """A server with its mind made up about each connection: of the first `mute` it greets none, and all others."""

    def __init__(self, mute: int) -> None:
        self._mute = mute
        self._then = good(Protocol.SMTP)

    async def __call__(self, peer: Peer) -> None:
        if peer.number > self._mute:
            # Where a port is silent, one more connection looks whether TLS is spoken there.
            with contextlib.suppress(AssertionError):
                await self._then(peer)
        await peer.silence()


class TestSilentServers:
    async def _run(
        self, clock: Clock, accounts: list[Account], limits: Limits, servers: list[ScriptedServer]
    ) -> Ledger:
        """Let time pass, a second at a time, whenever nothing else happens; nothing at all is left to the deadlines."""
        ledger = Ledger()
        running = asyncio.ensure_future(run(accounts, ledger, limits))
        seen, quiet = 0, 0
        async with asyncio.timeout(120):
            while not running.done():
                await asyncio.sleep(0.002)
                now = sum(len(server.received) + server.connections for server in servers) + len(ledger.events)
                seen, quiet = now, quiet + 1 if now == seen else 0
                if quiet >= 25:
                    clock.advance(1.01)
                    quiet = 0
        await running
        return ledger

    @staticmethod
    def _silent(ledger: Ledger) -> list[str]:
        return [report.account for report in ledger.reports if report.severity is Severity.FAILED]

    @pytest.mark.parametrize("per_host", [20, 5, 1])
    async def test_forty_of_fifty_finish_as_if_alone_on_one_host(self, clock: Clock, per_host: int) -> None:
        """The silent accounts are first in the queue, on ports of their own."""
        async with ScriptedServer(silence) as mute, ScriptedServer(good(Protocol.SMTP)) as smtp:
            accounts = [account(f"mute {number}", endpoint(mute.port)) for number in range(10)]
            accounts += [account(f"quick {number}", endpoint(smtp.port)) for number in range(40)]
            ledger = await self._run(clock, accounts, Limits(200, per_host), [mute, smtp])
        assert len(ledger.names) == 50
        assert all(name.startswith("quick") for name in ledger.names[:40])
        assert self._silent(ledger) == ledger.names[40:]

    @pytest.mark.parametrize("per_host", [20, 10, 5])
    async def test_forty_of_fifty_finish_as_if_alone_on_one_port(self, clock: Clock, per_host: int) -> None:
        async with ScriptedServer(Halves(mute=10)) as server:
            accounts = [account(f"a{number}", endpoint(server.port)) for number in range(50)]
            ledger = await self._run(clock, accounts, Limits(200, per_host), [server])
        silent = self._silent(ledger)
        assert len(ledger.names) == 50
        assert 5 <= len(silent) <= 10
        assert ledger.names[-len(silent) :] == silent

    async def test_a_server_that_talks_keeps_its_limit(self, clock: Clock) -> None:
        """It greets, and is then as slow as it likes: no more connections come."""
        gate = Gate(silence)

        async def greet_and_wait(peer: Peer) -> None:
            await peer.send(b"220 mail.test ESMTP ready\r\n")
            await gate(peer)

        async with ScriptedServer(greet_and_wait) as server:
            accounts = [account(f"a{number}", endpoint(server.port)) for number in range(8)]
            running = asyncio.ensure_future(run(accounts, Ledger(), Limits(200, 3)))
            await until(lambda: gate.waiting == 3)
            for _ in range(6):
                await asyncio.sleep(0.01)
                clock.advance(1.01)
            assert server.connections == gate.most == 3
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            gate.open()

    async def test_a_server_that_talks_late_takes_its_place_again(self, clock: Clock) -> None:
        greeted, served = asyncio.Event(), asyncio.Semaphore(0)
        turns = dialogue(Protocol.SMTP, Security.NONE)
        after_greeting = play(Protocol.SMTP, turns[1:])

        async def greet_late(peer: Peer) -> None:
            await greeted.wait()
            await peer.send(turns[0].says or b"")
            await served.acquire()
            # Where a port is silent, one more connection looks whether TLS is spoken there.
            with contextlib.suppress(AssertionError):
                await after_greeting(peer)

        ledger = Ledger()

        def begun() -> int:
            return len({event.account for event in ledger.events})

        async with ScriptedServer(greet_late) as server:
            accounts = [account(f"a{number}", endpoint(server.port)) for number in range(9)]
            running = asyncio.ensure_future(run(accounts, ledger, Limits(200, 3)))
            await until(lambda: server.connections == 3)
            clock.advance(1.01)
            await until(lambda: begun() == 6)
            greeted.set()
            greetings = {f"a{number}" for number in range(6)}
            await until(lambda: greetings <= self._greeted(ledger))
            # One that ends leaves five where three may be: nobody follows it.
            await self._serve_one(served, ledger)
            for _ in range(100):
                await asyncio.sleep(0)
            assert begun() == 6
            for _ in range(100):
                served.release()
            await running
        assert {report.severity for report in ledger.reports} == {Severity.OK}
        assert len(ledger.reports) == 9

    @staticmethod
    def _greeted(ledger: Ledger) -> set[str]:
        return {
            event.account
            for event in ledger.events
            if isinstance(event, StageFinished) and event.result.stage is Stage.GREETING
        }

    @staticmethod
    async def _serve_one(served: asyncio.Semaphore, ledger: Ledger) -> None:
        """Let connections on, one by one, until the first account's report is there."""
        while not ledger.reports:
            served.release()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await until(lambda: bool(ledger.reports))

    async def test_the_run_s_own_limit_counts_silent_ones_too(self, clock: Clock) -> None:
        async with ScriptedServer(silence) as mute:
            accounts = [account(f"a{number}", endpoint(mute.port)) for number in range(12)]
            ledger = Ledger()
            running = asyncio.ensure_future(run(accounts, ledger, Limits(5, 2)))
            await until(lambda: mute.connections == 2)
            for _ in range(4):
                clock.advance(1.01)
                for _ in range(20):
                    await asyncio.sleep(0.001)
            assert len({event.account for event in ledger.events}) == 5
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running


@pytest.mark.usefixtures("asked", "endless_patience")
async def test_hosts_take_turns() -> None:
    """Six accounts of one host come first in the list, and leave room for the others at once."""
    gate, ledger = Gate(good(Protocol.SMTP)), Ledger()
    hosts = ["one.test"] * 6 + ["two.test"] * 2 + ["three.test"] * 2
    async with ScriptedServer(gate) as server:
        accounts = [account(f"a{number}", endpoint(server.port, host)) for number, host in enumerate(hosts)]
        running = asyncio.ensure_future(run(accounts, ledger, Limits(6, 20)))
        await until(lambda: gate.waiting == 6)
        reached = {event.account for event in ledger.events}
        assert Counter(hosts[int(name.removeprefix("a"))] for name in reached) == dict.fromkeys(hosts, 2)
        gate.open()
        await running
    assert sorted(ledger.names) == sorted(f"a{number}" for number in range(10))


async def test_a_silent_server_stops_nobody_else() -> None:
    gate, ledger = Gate(good(Protocol.IMAP)), Ledger()
    with nothing_left():
        async with (
            ScriptedServer(gate) as slow,
            ScriptedServer(good(Protocol.SMTP)) as smtp,
            ScriptedServer(good(Protocol.IMAP)) as imap,
        ):
            accounts = [account("slow", endpoint(smtp.port), endpoint(slow.port))]
            accounts += [account(f"quick {number}", endpoint(smtp.port), endpoint(imap.port)) for number in range(5)]
            running = asyncio.ensure_future(run(accounts, ledger))
            await until(lambda: len(ledger.reports) == 5)
            assert "slow" not in ledger.names
            assert not running.done()
            gate.open()
            await running
    assert ledger.names[-1] == "slow"
    assert {report.severity for report in ledger.reports} == {Severity.OK}


async def test_a_reader_that_fails_for_one_account_stops_nobody_else() -> None:
    class Moody:
        async def read(self, ref: SecretRef, account_name: str) -> str:
            if account_name == "a0":
                raise RuntimeError("a fault in the reader")
            return await KNOWN.read(ref, account_name)

    reports: list[CheckReport] = []
    async with ScriptedServer(good(Protocol.SMTP)) as smtp:
        accounts = [account(f"a{number}", endpoint(smtp.port)) for number in range(3)]
        await check_many(accounts, Moody(), on_report=reports.append)
    severities = {report.account: report.severity for report in reports}
    assert severities == {"a0": Severity.FAILED, "a1": Severity.OK, "a2": Severity.OK}


@pytest.mark.parametrize("security", [Security.NONE, Security.IMPLICIT_TLS])
async def test_cancelling_closes_every_connection(security: Security) -> None:
    ledger, count = Ledger(), 30
    with nothing_left():
        async with ScriptedServer(silence) as server:
            anything = CertificatePolicy(Trust.ANYTHING)
            accounts = [
                account(f"a{number}", endpoint(server.port, security=security, policy=anything))
                for number in range(count)
            ]
            running = asyncio.ensure_future(run(accounts, ledger, Limits(200, count - 10)))
            await until(lambda: server.open_connections == count - 10)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await server.all_closed()
            assert server.connections == count - 10
    assert ledger.reports == []


async def test_a_context_is_built_once_for_all(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca_file = tmp_path / "ca.pem"
    # Contexts are shared by what the file says: this one says something of its own.
    ca_file.write_bytes(b"# of this test alone\n" + authority.ca_file.read_bytes())
    build, built = ssl.create_default_context, 0

    def count(*arguments: object) -> ssl.SSLContext:
        nonlocal built
        built += 1
        return build()

    monkeypatch.setattr(ssl, "create_default_context", count)
    script = play(Protocol.SMTP, dialogue(Protocol.SMTP, Security.IMPLICIT_TLS), context=authority.good)
    ledger = Ledger()
    async with ScriptedServer(script) as server:
        policy = CertificatePolicy(Trust.CA_FILE, ca_file=str(ca_file))
        outbound = endpoint(server.port, security=Security.IMPLICIT_TLS, policy=policy)
        await run([account(f"a{number}", outbound) for number in range(10)], ledger)
        await run([account(f"a{number}", outbound) for number in range(10)], ledger)
    assert [report.severity for report in ledger.reports] == [Severity.OK] * 20
    assert built == 1


async def test_a_name_is_looked_up_once_a_run(asked: list[str]) -> None:
    ledger = Ledger()
    async with ScriptedServer(good(Protocol.SMTP)) as smtp, ScriptedServer(good(Protocol.IMAP)) as imap:
        accounts = [
            account(f"a{number}", endpoint(smtp.port, "smtp.test"), endpoint(imap.port, "imap.test"))
            for number in range(10)
        ]
        await run(accounts, ledger)
        assert sorted(asked) == ["imap.test", "smtp.test"]
        # The next run asks again, for the name may have been put right.
        await run(accounts[:1], ledger)
    assert sorted(asked) == ["imap.test", "imap.test", "smtp.test", "smtp.test"]
    assert len(ledger.reports) == 11


async def test_a_leg_that_waits_for_its_turn_loses_none_of_its_time() -> None:
    """With one connection at a time, the third account is reached after its leg's time would have been over."""
    ledger = Ledger()
    async with ScriptedServer(silence) as silent, ScriptedServer(good(Protocol.SMTP)) as smtp:
        accounts = [account("a0", endpoint(silent.port)), account("a1", endpoint(silent.port))]
        accounts.append(account("a2", endpoint(smtp.port)))
        options = CheckOptions(stage_timeout=0.3, leg_timeout=0.3)
        await check_many(accounts, KNOWN, on_report=ledger.reports.append, options=options, slots=Slots(Limits(200, 1)))
    verdicts = {
        report.account: report.outbound and report.outbound.failure and report.outbound.failure.stage
        for report in ledger.reports
    }
    assert verdicts == {"a0": Stage.GREETING, "a1": Stage.GREETING, "a2": None}


async def test_no_accounts_are_no_trouble() -> None:
    ledger = Ledger()
    await run([], ledger)
    assert ledger.reports == []
