"""From a name to a connection: both families, refusals, names that lead nowhere."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator

import pytest

from mailtui.model.account import Protocol, Security
from mailtui.model.check import Cause, Stage
from mailtui.protocols import dial
from mailtui.protocols.dial import Network, interleave
from mailtui.protocols.resolve import Address, Once, WhileWanted
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import Walked, Way, face, nothing_left, until, walk
from tests.scripted import ScriptedServer

V4 = [Address(socket.AF_INET, f"192.0.2.{number}", 25) for number in range(1, 5)]
V6 = [Address(socket.AF_INET6, f"2001:db8::{number}", 25) for number in range(1, 5)]
BY_NAME = Way(host="mail.test")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that nothing listens on, kept from everyone else."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def network_of(*hosts: tuple[socket.AddressFamily, str]) -> Network:
    """A network in which every name has these addresses."""

    async def look_up(host: str) -> list[Address]:
        return [Address(family, address, 0) for family, address in hosts]

    network = Network()
    network.resolver._once = Once(look_up)
    return network


def detail(walked: Walked, stage: Stage) -> str:
    return next(result.detail for result in walked.report.stages if result.stage is stage)


@pytest.mark.parametrize(
    ("addresses", "mixed"),
    [
        ([*V6[:2], *V4[:2]], [V6[0], V4[0], V6[1], V4[1]]),
        ([V4[0], *V6[:3]], [V4[0], V6[0], V6[1], V6[2]]),
        ([*V4[:3], V6[0]], [V4[0], V6[0], V4[1], V4[2]]),
        (V4, V4),
        ([V6[0]], [V6[0]]),
    ],
)
def test_families_take_turns(addresses: list[Address], mixed: list[Address]) -> None:
    assert interleave(addresses) == mixed


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (errno.ENETUNREACH, Cause.HOST_UNREACHABLE),
        (errno.EHOSTUNREACH, Cause.HOST_UNREACHABLE),
        (errno.EACCES, Cause.HOST_UNREACHABLE),
        (errno.ETIMEDOUT, Cause.SILENT),
        (errno.ECONNREFUSED, Cause.PORT_REFUSED),
        (errno.ECONNRESET, Cause.CLOSED),
    ],
)
async def test_what_the_system_says(monkeypatch: pytest.MonkeyPatch, number: int, cause: Cause) -> None:
    async def connect(address: Address) -> socket.socket:
        raise OSError(number, f"Connect call failed {address.sockaddr}")

    monkeypatch.setattr(dial, "connect_one", connect)
    walked = await walk(Protocol.SMTP, 1)
    assert walked.verdict == (Stage.CONNECT, cause)
    assert walked.report.failure is not None
    assert "Connect call" not in walked.report.failure.hint
    if cause is Cause.HOST_UNREACHABLE:
        assert walked.report.failure.hint.endswith(os.strerror(number))


@pytest.mark.parametrize("protocol", Protocol)
@pytest.mark.parametrize("security", Security)
async def test_a_refused_port(protocol: Protocol, security: Security, closed_port: int) -> None:
    with nothing_left():
        walked = await walk(protocol, closed_port, Way(security))
    assert walked.verdict == (Stage.CONNECT, Cause.PORT_REFUSED)
    assert walked.report.address == ""
    assert walked.report.round_trips == 0


class TestTwoAddresses:
    GOOD = (socket.AF_INET, "127.0.0.1")
    REFUSING = (socket.AF_INET6, "::1")
    SILENT = (socket.AF_INET, "127.0.0.3")

    @pytest.fixture
    def blackhole(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """127.0.0.3 answers nothing at all; what was asked for is listed, and what was given up."""
        connect_one = dial.connect_one
        tried: list[str] = []

        async def connect(address: Address) -> socket.socket:
            tried.append(address.host)
            if address.host != "127.0.0.3":
                return await connect_one(address)
            try:
                await asyncio.Event().wait()
            finally:
                tried.append("given up")
            raise AssertionError

        monkeypatch.setattr(dial, "connect_one", connect)
        monkeypatch.setattr(dial, "ATTEMPT_DELAY", 0.01)
        return tried

    async def _face(self, network: Network, way: Way = BY_NAME) -> Walked:
        return await face(
            Protocol.POP3, play(Protocol.POP3, dialogue(Protocol.POP3, Security.NONE)), way, network=network
        )

    async def test_after_a_refusal_the_next_one_answers(self) -> None:
        walked = await self._face(network_of(self.REFUSING, self.GOOD))
        assert walked.verdict is None
        assert walked.report.address == "127.0.0.1"
        words = detail(walked, Stage.CONNECT)
        assert words.startswith("127.0.0.1 (IPv4); ::1 (IPv6) failed: ")
        assert detail(walked, Stage.RESOLVE) == "::1, 127.0.0.1"

    async def test_a_silent_one_does_not_hold_up_the_next(self, blackhole: list[str]) -> None:
        walked = await self._face(network_of(self.SILENT, self.GOOD))
        assert walked.verdict is None
        assert walked.connections == 1
        assert detail(walked, Stage.CONNECT) == "127.0.0.1 (IPv4)"
        assert blackhole == ["127.0.0.3", "127.0.0.1", "given up"]

    async def test_the_second_is_left_alone_where_the_first_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dial, "ATTEMPT_DELAY", 10.0)
        walked = await self._face(network_of(self.GOOD, (socket.AF_INET, "127.0.0.2")))
        assert walked.verdict is None
        assert walked.connections == 1

    async def test_both_refuse(self, closed_port: int) -> None:
        with nothing_left():
            walked = await walk(
                Protocol.IMAP, closed_port, Way(host="mail.test"), network=network_of(self.REFUSING, self.GOOD)
            )
        assert walked.verdict == (Stage.CONNECT, Cause.PORT_REFUSED)
        words = detail(walked, Stage.CONNECT)
        assert "::1 (IPv6): " in words
        assert "127.0.0.1 (IPv4): Connection refused" in words

    async def test_all_silent(self, blackhole: list[str]) -> None:
        way = Way(host="mail.test", stage_timeout=0.1, leg_timeout=0.1)
        with nothing_left():
            walked = await walk(Protocol.IMAP, 1, way, network=network_of(self.SILENT, (socket.AF_INET, "127.0.0.3")))
        assert walked.verdict == (Stage.CONNECT, Cause.SILENT)
        assert blackhole == ["127.0.0.3", "127.0.0.3", "given up", "given up"]

    async def test_two_that_answer_at_once_leave_one_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dial, "ATTEMPT_DELAY", 0.0)
        walked = await self._face(network_of(self.GOOD, self.GOOD, self.GOOD))
        assert walked.verdict is None
        assert 1 <= walked.connections <= 3

    async def test_cancelled_while_it_tries_it_leaves_nothing(self, blackhole: list[str]) -> None:
        network = network_of(self.SILENT, self.SILENT)
        with nothing_left():
            walking = asyncio.ensure_future(walk(Protocol.SMTP, 1, Way(host="mail.test"), network=network))
            await until(lambda: len(blackhole) == 2)
            walking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await walking
        assert blackhole.count("given up") == 2


class TestNames:
    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The names that the system was asked for; it knows one."""
        asked: list[str] = []

        def getaddrinfo(host: str, *rest: object, **named: object) -> list[object]:
            asked.append(host)
            if host == "nowhere.test":
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            if host == "broken.test":
                raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
            if host == "empty.test":
                return []
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    @pytest.mark.parametrize(
        ("host", "cause"),
        [
            ("nowhere.test", Cause.NAME_NOT_FOUND),
            ("empty.test", Cause.NAME_NOT_FOUND),
            ("broken.test", Cause.DNS_FAILED),
        ],
    )
    async def test_a_name_that_leads_nowhere(self, asked: list[str], host: str, cause: Cause) -> None:
        with nothing_left():
            walked = await walk(Protocol.SMTP, 1, Way(host=host))
        assert walked.verdict == (Stage.RESOLVE, cause)
        assert walked.report.failure is not None
        assert host in walked.report.failure.hint
        assert asked == [host]

    async def test_an_internationalised_name_is_asked_for_in_ascii(self, asked: list[str]) -> None:
        await walk(Protocol.SMTP, 1, Way(host="bücher.test"))
        assert asked == ["xn--bcher-kva.test"]

    async def test_an_address_is_not_asked_for(self, asked: list[str], closed_port: int) -> None:
        await walk(Protocol.SMTP, closed_port, Way(host="127.0.0.1"))
        await walk(Protocol.SMTP, closed_port, Way(host="[::1]"))
        assert asked == []

    async def test_a_name_is_asked_for_once_a_run(self, asked: list[str]) -> None:
        network = Network()
        async with ScriptedServer(play(Protocol.SMTP, dialogue(Protocol.SMTP, Security.NONE))) as server:
            way = Way(host="mail.test")
            walks = (walk(Protocol.SMTP, server.port, way, network=network) for _ in range(5))
            assert [walked.verdict for walked in await asyncio.gather(*walks)] == [None] * 5
        assert asked == ["mail.test"]


class TestOnce:
    async def test_one_that_gives_up_takes_nothing_from_the_others(self) -> None:
        calls: list[str] = []
        answered = asyncio.Event()

        async def answer(key: str) -> str:
            calls.append(key)
            await answered.wait()
            return key.upper()

        once = Once(answer)
        first, second = asyncio.ensure_future(once.get("a")), asyncio.ensure_future(once.get("a"))
        await asyncio.sleep(0)
        first.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await first
        answered.set()
        assert await second == "A"
        assert await once.get("a") == "A"
        assert calls == ["a"]

    async def test_an_error_is_everyones(self) -> None:
        calls: list[str] = []

        async def answer(key: str) -> str:
            calls.append(key)
            raise OSError(key)

        once = Once(answer)
        outcomes = await asyncio.gather(once.get("a"), once.get("a"), return_exceptions=True)
        assert [str(outcome) for outcome in outcomes] == ["a", "a"]
        with pytest.raises(OSError, match="a"):
            await once.get("a")
        assert calls == ["a"]


class TestWhileWanted:
    async def test_it_is_done_once_for_all_who_wait_and_who_come_later(self) -> None:
        done = 0

        async def work() -> int:
            nonlocal done
            await asyncio.sleep(0)
            done += 1
            return done

        wanted: WhileWanted[str, int] = WhileWanted()
        first, second = await asyncio.gather(wanted.get("a", work), wanted.get("a", work))
        assert (first, second) == (1, 1)
        assert await wanted.get("a", work) == 1
        assert await wanted.get("b", work) == 2

    async def test_it_is_given_up_with_the_last_who_waits_and_begun_anew(self) -> None:
        began, given_up = 0, 0

        async def work() -> None:
            nonlocal began, given_up
            began += 1
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                given_up += 1
                raise

        wanted: WhileWanted[str, None] = WhileWanted()
        with nothing_left():
            first, second = (asyncio.create_task(wanted.get("a", work)) for _ in range(2))
            await until(lambda: began == 1)
            first.cancel()
            await asyncio.wait([first])
            assert first.cancelled()
            assert not second.done()
            assert given_up == 0
            second.cancel()
            await until(lambda: given_up == 1)
            third = asyncio.create_task(wanted.get("a", work))
            await until(lambda: began == 2)
            third.cancel()
            await until(lambda: given_up == 2)
            await asyncio.wait([second, third])
