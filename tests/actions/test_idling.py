"""Waiting for new mail: told at once, connected again when lost, and nobody bothered who does not offer it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from mailtui.actions import idling
from mailtui.actions.idling import FIRST_PAUSE, LONGEST_PAUSE, PERIOD, IdleEvent, Idlers, NotWaiting, Waiting
from mailtui.actions.memory import Memory
from mailtui.model.account import Account, Protocol, RetrievalMode
from mailtui.model.check import Cause, Stage
from mailtui.protocols.deadlines import Watch
from tests.actions.kit import KNOWN, account, endpoint
from tests.protocols.clock import Clock
from tests.protocols.legs import until
from tests.scripted import Peer, ScriptedServer


@dataclass
class Server:
    """An IMAP server in clear that does what it needs to; `tell` is said to whoever idles."""

    capabilities: str = "IMAP4rev1 SASL-IR AUTH=PLAIN IDLE"
    password_is_good: bool = True
    uidnext: int = 5
    commands: list[str] = field(default_factory=list)
    idling: list[Peer] = field(default_factory=list)

    async def __call__(self, peer: Peer) -> None:
        await peer.send(f"* OK [CAPABILITY {self.capabilities}] ready\r\n".encode())
        try:
            while True:
                tag, _, command = (await peer.line()).partition(" ")
                self.commands.append(command)
                await self._answer(peer, tag, command)
        except (EOFError, OSError):
            return
        finally:
            if peer in self.idling:
                self.idling.remove(peer)

    async def _answer(self, peer: Peer, tag: str, command: str) -> None:
        verb = command.split()[0].upper()
        if verb == "AUTHENTICATE" and not self.password_is_good:
            await peer.send(f"{tag} NO [AUTHENTICATIONFAILED] no\r\n".encode())
            return
        if verb == "IDLE":
            await peer.send(b"+ idling\r\n")
            self.idling.append(peer)
            await peer.expect("DONE")
            self.idling.remove(peer)
        said = {
            "CAPABILITY": f"* CAPABILITY {self.capabilities}\r\n",
            "LIST": '* LIST () "/" INBOX\r\n* LIST () "/" Other\r\n',
            "STATUS": f"* STATUS INBOX (MESSAGES 2 UIDNEXT {self.uidnext} UIDVALIDITY 1)\r\n",
            "EXAMINE": f"* 2 EXISTS\r\n* OK [UIDVALIDITY 1] .\r\n* OK [UIDNEXT {self.uidnext}] .\r\n",
            "LOGOUT": "* BYE\r\n",
        }.get(verb, "")
        await peer.send(f"{said}{tag} OK done\r\n".encode())

    async def tell(self, line: str) -> None:
        """Say a line to the one that idles."""
        await self.idling[0].send(f"{line}\r\n".encode())

    def asked(self, verb: str) -> int:
        return sum(command.upper().startswith(verb) for command in self.commands)


def automatic(port: int, name: str = "ada") -> Account:
    made = account(name, endpoint(25), endpoint(port))
    assert made.retrieval is not None
    return replace(made, retrieval=replace(made.retrieval, mode=RetrievalMode.AUTOMATIC))


class Bench:
    """Idlers that run, the news they bring, and the pauses they make, which last as long as the test wants."""

    def __init__(self) -> None:
        self.news: list[str] = []
        self.told: list[IdleEvent] = []
        self.pauses: list[float] = []
        self.go_on = asyncio.Event()
        self.idlers = Idlers(
            KNOWN,
            Memory(),
            lambda account: self.news.append(account.name),
            on_event=self.told.append,
            pause=self._pause,
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self.go_on.wait()
        self.go_on.clear()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[tuple[Bench, ScriptedServer]]:
    bench = Bench()
    async with ScriptedServer(server) as scripted:
        task = asyncio.create_task(bench.idlers.run())
        yield bench, scripted
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture(autouse=True)
def _no_settling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idling, "SETTLING", 0.0)


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> list[Watch]:
    """One more each time that a client has come to wait: from then on time may pass, before that it is a silence."""
    held: list[Watch] = []
    hold = Watch.hold

    def holding(watch: Watch) -> None:
        hold(watch)
        held.append(watch)

    monkeypatch.setattr(Watch, "hold", holding)
    return held


async def test_new_mail_is_told_as_the_server_tells_it() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(server.idling) == 1)
        assert bench.idlers.is_waiting("ada")
        bench.news.clear()
        await server.tell("* 3 EXISTS")
        await until(lambda: bench.news == ["ada"])
        await until(lambda: server.asked("IDLE") == 2)
        assert server.asked("EXAMINE") == 1
        assert server.asked("SELECT") == 0


async def test_what_came_before_the_connection_stood_is_looked_for() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(server.idling) == 1)
        assert bench.news == ["ada"]


async def test_an_expunge_is_no_new_mail() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(server.idling) == 1)
        bench.news.clear()
        await server.tell("* 1 EXPUNGE")
        await server.tell("* OK still here")
        await server.tell("* 2 EXISTS")
        await until(lambda: bench.news == ["ada"])


async def test_idle_is_renewed_before_anyone_forgets_it(clock: Clock, holds: list[Watch]) -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(holds) == 1)
        bench.news.clear()
        for renewed in (2, 3):
            clock.advance(PERIOD + 1)
            await until(lambda renewed=renewed: len(holds) == renewed)  # type: ignore[misc]  # mypy: default
        assert server.asked("IDLE") == 3
        assert bench.news == []
        assert scripted.connections == 1


async def test_a_server_that_died_meanwhile_is_noticed_when_idle_is_renewed(clock: Clock, holds: list[Watch]) -> None:
    server = Server()

    async def deaf(peer: Peer, tag: str, command: str) -> None:
        if command.upper() == "IDLE":
            await peer.send(b"+ idling\r\n")
            server.idling.append(peer)
            await peer.silence()
        await Server._answer(server, peer, tag, command)

    server._answer = deaf  # type: ignore[method-assign]  # this one server does not hear DONE
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(holds) == 1)
        clock.advance(PERIOD + 1)
        await until(lambda: b"DONE" in scripted.received)
        clock.advance(60)
        await until(lambda: len(bench.pauses) == 1)
        assert not bench.idlers.is_waiting("ada")


async def test_a_lost_connection_is_made_again_and_looks_for_what_it_missed() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(server.idling) == 1)
        bench.news.clear()
        await server.idling[0].reset()
        await until(lambda: len(bench.pauses) == 1)
        assert not bench.idlers.is_waiting("ada")
        server.uidnext += 1
        bench.go_on.set()
        await until(lambda: len(server.idling) == 1)
        assert bench.news == ["ada"]
        assert scripted.connections == 2
        first, lost, again = bench.told
        assert first == again == Waiting("ada", "INBOX")
        assert isinstance(lost, NotWaiting)
        assert (lost.account, lost.failure.stage, lost.seconds) == ("ada", Stage.TRANSFER, bench.pauses[0])
        assert lost.failure.hint


async def test_a_connection_that_missed_nothing_tells_nothing() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: len(server.idling) == 1)
        bench.news.clear()
        await server.idling[0].reset()
        await until(lambda: len(bench.pauses) == 1)
        bench.go_on.set()
        await until(lambda: len(server.idling) == 1)
        assert bench.news == []


async def test_pauses_grow_as_long_as_it_fails() -> None:
    async def gone(peer: Peer) -> None:
        await peer.send(b"* BYE too many\r\n")

    async with running(Server()) as (bench, _), ScriptedServer(gone) as other:
        bench.idlers.follow([automatic(other.port)])
        for count in range(1, 10):
            await until(lambda count=count: len(bench.pauses) == count)  # type: ignore[misc]  # mypy: default
            bench.go_on.set()
    for number, pause in enumerate(bench.pauses):
        told = bench.told[number]
        assert isinstance(told, NotWaiting)
        assert told.seconds == pause
        meant = min(FIRST_PAUSE * 2**number, LONGEST_PAUSE)
        assert 0.8 * meant <= pause <= 1.2 * meant


async def test_a_server_without_idle_is_left_alone() -> None:
    server = Server(capabilities="IMAP4rev1 SASL-IR AUTH=PLAIN")
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        await until(lambda: server.asked("LOGOUT") == 1)
        await until(lambda: scripted.open_connections == 0)
        bench.idlers.follow([automatic(scripted.port)])
        assert bench.pauses == []
        assert bench.news == []
        assert bench.told == []
        assert scripted.connections == 1


async def test_a_refused_login_is_not_repeated() -> None:
    server = Server(password_is_good=False)
    async with running(server) as (bench, scripted):
        bench.idlers.follow([automatic(scripted.port)])
        for count in (1, 2, 3):
            await until(lambda count=count: len(bench.pauses) == count)  # type: ignore[misc]  # mypy: default
            bench.go_on.set()
        assert server.asked("AUTHENTICATE") == 1
        # What is not tried again is told once.
        (refused,) = bench.told
        assert isinstance(refused, NotWaiting)
        assert (refused.failure.cause, refused.failure.stage) == (Cause.BAD_CREDENTIALS, Stage.AUTH)
        assert "[AUTHENTICATIONFAILED] no" in refused.failure.reply


async def test_who_is_not_followed_any_more_is_let_go_and_who_is_unchanged_stays() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        ada, bob = automatic(scripted.port), automatic(scripted.port, "bob")
        bench.idlers.follow([ada, bob])
        await until(lambda: len(server.idling) == 2)
        bench.idlers.follow([replace(ada, notes="told apart"), replace(bob, active=False)])
        await until(lambda: scripted.open_connections == 1)
        assert bench.idlers.is_waiting("ada")
        assert not bench.idlers.is_waiting("bob")
        assert scripted.connections == 2


async def test_a_changed_account_is_connected_anew() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        ada = automatic(scripted.port)
        bench.idlers.follow([ada])
        await until(lambda: len(server.idling) == 1)
        assert ada.retrieval is not None
        bench.idlers.follow([replace(ada, retrieval=replace(ada.retrieval, username="other"))])
        await until(lambda: scripted.connections == 2)
        await until(lambda: scripted.open_connections == 1)


async def test_only_automatic_imap_accounts_are_followed() -> None:
    server = Server()
    async with running(server) as (bench, scripted):
        imap = automatic(scripted.port)
        assert imap.retrieval is not None
        manual = replace(imap, retrieval=replace(imap.retrieval, mode=RetrievalMode.MANUAL))
        pop3 = replace(imap, retrieval=replace(imap.retrieval, protocol=Protocol.POP3))
        bench.idlers.follow([manual, replace(pop3, name="pop3"), account("send-only", endpoint(scripted.port))])
        await asyncio.sleep(0)
        assert not bench.idlers._waiters
        assert scripted.connections == 0


async def test_stopping_closes_every_connection() -> None:
    server = Server()
    bench = Bench()
    async with ScriptedServer(server) as scripted:
        bench.idlers.follow([automatic(scripted.port), automatic(scripted.port, "bob")])
        task = asyncio.create_task(bench.idlers.run())
        await until(lambda: len(server.idling) == 2)
        bench.idlers.stop()
        await task
        await until(lambda: scripted.open_connections == 0)
        assert not bench.idlers.is_waiting("ada")
