"""Both address families of a host are judged apart, beside a leg that uses the faster one."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mailtui.model.account import Endpoint, Protocol, Security
from mailtui.model.check import Leg, plan
from mailtui.model.server import FamilyFacts, families_warning
from mailtui.protocols import dial, families, session_class
from mailtui.protocols.dial import Attempt, Network
from mailtui.protocols.families import families_judged, judge_families
from mailtui.protocols.faults import StageFailed
from mailtui.protocols.resolve import Address, Once
from mailtui.protocols.trace import Trace
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import nothing_left, until
from tests.scripted import ScriptedServer

V4, V6 = (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")
OTHER_V4 = (socket.AF_INET, "127.0.0.2")


def network_of(*hosts: tuple[socket.AddressFamily, str]) -> Network:
    """A network in which every name has these addresses."""

    async def look_up(host: str) -> list[Address]:
        return [Address(family, address, 0) for family, address in hosts]

    network = Network()
    network.resolver._once = Once(look_up)
    return network


class Wires:
    """What becomes of each address, in place of the system: a real connection, an error number, or silence."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._connect = dial.connect_one
        self.fates: dict[str, int | None] = {}
        self.tried: list[str] = []
        self.given_up = 0
        monkeypatch.setattr(dial, "connect_one", self.connect)

    async def connect(self, address: Address) -> socket.socket:
        self.tried.append(address.host)
        if address.host not in self.fates:
            return await self._connect(address)
        number = self.fates[address.host]
        if number is not None:
            raise OSError(number, os.strerror(number))
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up += 1
        raise AssertionError


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> Wires:
    monkeypatch.setattr(dial, "ATTEMPT_DELAY", 0.01)
    monkeypatch.setattr(families, "PATIENCE", 0.2)
    return Wires(monkeypatch)


def make_trace(port: int, host: str = "mail.test", leg: Leg = Leg.INBOUND) -> Trace:
    return Trace(
        account="under test",
        leg=leg,
        protocol=Protocol.POP3,
        endpoint=Endpoint(host, port, Security.NONE),
        plan=plan(Protocol.POP3, Security.NONE, False),
        on_event=None,
        stage_timeout=10.0,
        leg_timeout=20.0,
    )


async def check(port: int, network: Network, host: str = "mail.test") -> Trace:
    """Walk to the capabilities, and judge beside it."""
    trace = make_trace(port, host)
    session = session_class(Protocol.POP3)(None, network)
    try:
        async with families_judged(trace, network):
            try:
                await session.open(trace)
            except StageFailed:
                pass
            finally:
                session.close()
    finally:
        trace.stop()
    return trace


@asynccontextmanager
async def served() -> AsyncIterator[ScriptedServer]:
    with nothing_left():
        async with ScriptedServer(play(Protocol.POP3, dialogue(Protocol.POP3, Security.NONE))) as server:
            yield server
            await server.all_closed()


async def test_a_silent_family_is_named(wires: Wires) -> None:
    wires.fates["::1"] = None
    async with served() as server:
        trace = await check(server.port, network_of(V6, V4))
        assert server.connections == 1
    living, dead = trace.families
    assert (living.family, living.address, living.is_silent) == ("IPv4", "127.0.0.1", False)
    assert living.ms is not None
    assert dead == FamilyFacts("IPv6", "::1", None, "no answer within 0.2 s", is_silent=True)
    # Once by the leg, given up when the other one stood, and once to be judged.
    assert (wires.tried.count("::1"), wires.given_up) == (2, 2)
    warning = families_warning(trace.families)
    assert warning.startswith("IPv6 is dead: ::1 does not answer")
    assert "\n" not in warning


async def test_a_silent_family_that_is_not_tried_first_is_named_too(wires: Wires) -> None:
    wires.fates["::1"] = None
    async with served() as server:
        trace = await check(server.port, network_of(V4, V6))
        assert server.connections == 1
    assert [(facts.family, facts.is_silent) for facts in trace.families] == [("IPv4", False), ("IPv6", True)]


@pytest.mark.parametrize("number", [errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
@pytest.mark.parametrize("order", [(V6, V4), (V4, V6)])
async def test_a_family_that_this_machine_lacks_is_no_fault_of_the_server(
    wires: Wires, number: int, order: tuple[tuple[socket.AddressFamily, str], ...]
) -> None:
    wires.fates["::1"] = number
    async with served() as server:
        trace = await check(server.port, network_of(*order))
    lacking = trace.families[1]
    assert lacking == FamilyFacts("IPv6", "::1", None, f"this machine has no IPv6: {os.strerror(number)}")
    assert families_warning(trace.families) == ""


@pytest.mark.parametrize(
    ("number", "is_silent"), [(errno.ECONNREFUSED, False), (errno.EHOSTUNREACH, False), (errno.ETIMEDOUT, True)]
)
async def test_what_the_system_says_of_a_family(wires: Wires, number: int, is_silent: bool) -> None:
    wires.fates["::1"] = number
    async with served() as server:
        trace = await check(server.port, network_of(V6, V4))
    assert trace.families[1] == FamilyFacts("IPv6", "::1", None, os.strerror(number), is_silent)
    # The leg's own attempt was answer enough.
    assert wires.tried.count("::1") == 1


async def test_two_families_that_answer_warn_of_nothing() -> None:
    async with served() as server:
        other = await asyncio.start_server(lambda reader, writer: writer.close(), "::1", server.port)
        async with other:
            trace = await check(server.port, network_of(V4, V6))
    assert [(facts.family, facts.ms is None) for facts in trace.families] == [("IPv4", False), ("IPv6", False)]
    assert families_warning(trace.families) == ""


async def test_a_host_of_one_family_is_not_judged(wires: Wires) -> None:
    async with served() as server:
        trace = await check(server.port, network_of(V4, OTHER_V4))
        assert server.connections == 1
    assert trace.families == ()


async def test_it_is_judged_once_for_a_server_and_a_run(wires: Wires) -> None:
    wires.fates["::1"] = None
    async with served() as server:
        network = network_of(V4, V6)
        traces = await asyncio.gather(*(check(server.port, network) for _ in range(5)))
        assert server.connections == 5
    assert wires.tried.count("::1") == 1
    assert len({trace.families for trace in traces}) == 1
    assert traces[0].families[1].is_silent


async def test_a_leg_that_is_never_connected_is_not_judged(wires: Wires) -> None:
    wires.fates.update({"::1": errno.ECONNREFUSED, "127.0.0.1": errno.ECONNREFUSED})
    trace = await check(1, network_of(V4, V6))
    assert trace.families == ()
    assert len(wires.tried) == 2


async def test_a_check_that_is_cancelled_leaves_nothing(wires: Wires, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "PATIENCE", 60.0)
    wires.fates["::1"] = None
    async with served() as server:
        checking = asyncio.ensure_future(check(server.port, network_of(V4, V6)))
        await until(lambda: "::1" in wires.tried)
        checking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await checking
        await until(lambda: wires.given_up == 1)


async def test_a_full_backlog_is_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one: the kernel drops what no longer fits."""
    monkeypatch.setattr(families, "PATIENCE", 0.3)
    with socket.socket(socket.AF_INET6) as listener:
        listener.bind(("::1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        held = []
        try:
            for _ in range(8):
                filler = socket.socket(socket.AF_INET6)
                filler.setblocking(False)
                filler.connect_ex(("::1", port))
                held.append(filler)
            living, full = Address(socket.AF_INET, "127.0.0.1", port), Address(socket.AF_INET6, "::1", port)
            facts = await judge_families([living, full], (Attempt(living, 1.5),))
        finally:
            for filler in held:
                filler.close()
    assert facts[0] == FamilyFacts("IPv4", "127.0.0.1", 1.5)
    assert facts[1] == FamilyFacts("IPv6", "::1", None, "no answer within 0.3 s", is_silent=True)


def test_nothing_is_said_where_no_family_answers() -> None:
    silent = FamilyFacts("IPv6", "::1", None, "no answer within 2 s", is_silent=True)
    assert families_warning((silent,)) == ""
    assert families_warning(()) == ""
