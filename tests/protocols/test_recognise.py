"""What really answers in the place of what an account says: found without a credential, and the fix that makes it good.

The six wrong modes of each protocol: (a) a plain server on a TLS port, (b) a TLS server on a plain port, (c) STARTTLS
set where TLS is implicit, (d) implicit TLS set where STARTTLS is, (e) and (f) the servers of the two other protocols.
"""

import asyncio
import contextlib
import functools
import re
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from mailtui.actions.check import CheckOptions, check_account, check_many
from mailtui.actions.fixing import apply_fix
from mailtui.diagnosis.fixes import fix_for
from mailtui.model.account import Account, Protocol, Security
from mailtui.model.check import Cause, CheckReport, LegReport, Stage
from mailtui.model.diagnosis import Fix
from mailtui.model.server import Found, Service
from mailtui.model.text import has_hostile
from mailtui.protocols import look
from mailtui.protocols.dial import Network
from tests.protocols.clock import Clock
from tests.protocols.conftest import Authority
from tests.protocols.dialogue import dialogue, play
from tests.protocols.honest import Honest, HonestImap, HonestPop3, HonestSmtp, Manners
from tests.protocols.legs import (
    SECRET,
    USERNAME,
    KnownSecret,
    Walked,
    Way,
    make_account,
    nothing_left,
    secret_forms,
    walk,
)
from tests.scripted import Action, Peer, Script, ScriptedServer

HONEST: dict[Protocol, type[Honest]] = {
    Protocol.SMTP: HonestSmtp,
    Protocol.IMAP: HonestImap,
    Protocol.POP3: HonestPop3,
}
GREETINGS = {
    Protocol.SMTP: "220 mail.test ESMTP ready",
    Protocol.IMAP: "* OK mail.test ready",
    Protocol.POP3: "+OK mail.test ready",
}
TLS, STARTTLS, NONE = Security.IMPLICIT_TLS, Security.STARTTLS, Security.NONE


@dataclass(frozen=True)
class Pair:
    """What the account says, what the server is, and what must be found at the account's own port."""

    name: str
    wanted: Protocol
    says: Security
    spoken: Protocol
    server: Security
    found: Security
    connections: int
    """To the account's own port: the leg's own among them."""

    def __str__(self) -> str:
        return f"{self.wanted}-{self.name}"

    @property
    def is_usable(self) -> bool:
        """Whether the account's leg could go on with what is spoken."""
        return self.spoken is self.wanted or Protocol.SMTP not in (self.spoken, self.wanted)


def pairs_of_one(wanted: Protocol) -> Iterator[Pair]:
    for name, says, server in (
        ("a-plain-server-on-the-tls-port", TLS, NONE),
        ("b-tls-server-on-the-plain-port", NONE, TLS),
        ("c-starttls-set-where-tls-is-implicit", STARTTLS, TLS),
        ("d-implicit-tls-set-where-starttls-is", TLS, STARTTLS),
    ):
        yield Pair(name, wanted, says, wanted, server, server, 2)


def pairs_of_two(wanted: Protocol) -> Iterator[Pair]:
    others = [protocol for protocol in Protocol if protocol is not wanted]
    for letter, spoken in zip("ef", others, strict=True):
        usable = Protocol.SMTP not in (wanted, spoken)
        for says, server, connections in (
            (NONE, NONE, 2 if usable else 1),
            (STARTTLS, STARTTLS, 2 if usable else 1),
            (TLS, NONE, 2 if usable else 1),
            (TLS, TLS, 1),
            (NONE, TLS, 2),
            (STARTTLS, TLS, 2),
        ):
            # Whether a server that is of no use offers STARTTLS is not asked.
            found = NONE if server is STARTTLS and not usable else server
            name = f"{letter}-{spoken}-server-of-{server}-where-{says}-is-set"
            yield Pair(name, wanted, says, spoken, server, found, connections)


ONE = [pair for protocol in Protocol for pair in pairs_of_one(protocol)]
TWO = [pair for protocol in Protocol for pair in pairs_of_two(protocol)]
USABLE = [pair for pair in TWO if pair.is_usable]


@pytest.fixture(autouse=True)
def _patient_looks(_brief_looks: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a look finds something, and has all its time."""
    monkeypatch.setattr(look, "PATIENCE", look.SILENCE)


def parametrize(pairs: list[Pair]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("pair", pairs, ids=str)


def honest(protocol: Protocol, security: Security, authority: Authority) -> Action:
    """A server that follows its RFC with each client anew, and hangs up on what it cannot understand."""

    async def script(peer: Peer) -> None:
        # What it does not understand is not its language.
        with contextlib.suppress(AssertionError, UnicodeDecodeError):
            await HONEST[protocol](Manners(security, authority.good))(peer)

    return script


@dataclass
class World:
    """The server at the account's port, and those at the registered ones."""

    own: ScriptedServer
    network: Network
    registered: list[ScriptedServer]

    @property
    def received(self) -> bytes:
        return self.own.received + b"".join(server.received for server in self.registered)


@asynccontextmanager
async def world(
    authority: Authority,
    wanted: Protocol,
    script: Script,
    *at: Security,
    others: Callable[[Protocol, Security, Authority], Script] = honest,
) -> AsyncIterator[World]:
    """A host where `script` answers at the account's port, and `others` at the registered ports of the modes `at`."""
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(ScriptedServer(script))
        network, ports, registered = Network(), {}, []
        for security in (TLS, STARTTLS):
            if security in at:
                server = await stack.enter_async_context(ScriptedServer(others(wanted, security, authority)))
                ports[wanted, security] = server.port
                registered.append(server)
            else:
                closed = stack.enter_context(socket.socket())
                closed.bind(("127.0.0.1", 0))
                ports[wanted, security] = closed.getsockname()[1]
        network.ports = ports
        yield World(own, network, registered)
        await own.all_closed()


# A command of a login, whatever the protocol, with or without a tag.
LOGIN = re.compile(rb"^(\S+ )?(AUTH|LOGIN|USER|PASS|APOP|AUTHENTICATE)\b", re.IGNORECASE | re.MULTILINE)


def assert_no_credentials(received: bytes) -> None:
    """Neither a command of a login came, nor the name, nor the secret in any form."""
    assert LOGIN.findall(received) == []
    encoded = [b64encode(USERNAME.encode()), b64encode(f"\0{USERNAME}\0{SECRET}".encode())]
    forms = [form.encode() for form in secret_forms(SECRET)] + [USERNAME.encode(), *encoded]
    assert [form for form in forms if form in received] == []


async def recognised(pair: Pair, authority: Authority, clock: Clock, world: World) -> Walked:
    """Walk into the wrong mode; where a server of TLS waits for us, let the time pass in which we wait for it."""
    way = Way(pair.says, certificate=authority.policy)
    listen = None
    if pair.server is TLS and pair.says is not TLS:
        greeting = 2
        listen = functools.partial(clock.pass_in, greeting, 3.1)
    await world.network.contexts.get(way.certificate)
    walked = await walk(pair.wanted, world.own.port, way, on_event=listen, network=world.network)
    assert walked.verdict is not None
    assert_no_credentials(world.received)
    assert world.own.connections == pair.connections
    (own, *_) = walked.report.found
    assert own == Found(world.own.port, Service(pair.spoken.value), pair.found, GREETINGS[pair.spoken])
    assert f"* port {world.own.port} speaks {pair.spoken.value.upper()} " in walked.dialogue
    return walked


async def check_fixed(pair: Pair, authority: Authority, report: LegReport, fix: Fix, network: Network) -> CheckReport:
    """The check of the account with the fix made."""
    account, leg = make_account(pair.wanted, report.endpoint.port, Way(pair.says, certificate=authority.policy))
    fixed = apply_fix(account, fix, report)
    return await check_account(fixed, KnownSecret(), None, CheckOptions(frozenset({leg})), network=network)


@parametrize(ONE)
async def test_another_mode_is_recognised_and_its_fix_is_good(authority: Authority, clock: Clock, pair: Pair) -> None:
    with nothing_left():
        async with world(authority, pair.wanted, honest(pair.spoken, pair.server, authority)) as host:
            walked = await recognised(pair, authority, clock, host)
            if pair.server is TLS:
                assert walked.verdict == (Stage.GREETING, Cause.NOT_PLAIN)
            fix = fix_for(walked.report)
            assert fix is not None
            assert (fix.protocol, fix.endpoint.port, fix.endpoint.security) == (pair.wanted, host.own.port, pair.server)
            assert fix.needs_consent == (pair.server is NONE)
            again = await check_fixed(pair, authority, walked.report, fix, host.network)
            (leg,) = again.legs
            assert leg.failure is None
            # The detector does see a login where there is one.
            assert LOGIN.search(host.received)
            await host.own.all_closed()


@parametrize([pair for pair in ONE if pair.server is NONE])
async def test_a_plain_server_elsewhere_is_never_proposed(authority: Authority, clock: Clock, pair: Pair) -> None:
    async with world(authority, pair.wanted, honest(pair.spoken, pair.server, authority)) as host:
        walked = await recognised(pair, authority, clock, host)
    assert fix_for(replace(walked.report, address="192.0.2.1", addresses=("192.0.2.1",))) is None


@parametrize(TWO)
async def test_another_protocol_is_recognised_and_the_wanted_one_found(
    authority: Authority, clock: Clock, pair: Pair
) -> None:
    with nothing_left():
        async with world(authority, pair.wanted, honest(pair.spoken, pair.server, authority), TLS, STARTTLS) as host:
            walked = await recognised(pair, authority, clock, host)
            service, greeting = Service(pair.wanted.value), GREETINGS[pair.wanted]
            by_tls, by_starttls = host.registered
            assert walked.report.found[1:] == (
                Found(by_tls.port, service, TLS, greeting),
                Found(by_starttls.port, service, STARTTLS, greeting),
            )
            assert (by_tls.connections, by_starttls.connections) == (1, 1)
            fix = fix_for(walked.report)
            assert fix is not None
            assert (fix.protocol, fix.endpoint.port, fix.endpoint.security) == (pair.wanted, by_tls.port, TLS)
            assert not fix.needs_consent
            assert fix.words == f"use port {by_tls.port} with SSL/TLS"
            again = await check_fixed(pair, authority, walked.report, fix, host.network)
            (leg,) = again.legs
            assert leg.failure is None


@parametrize(USABLE)
async def test_the_protocol_is_changed_where_the_wanted_one_is_nowhere(
    authority: Authority, clock: Clock, pair: Pair
) -> None:
    async with world(authority, pair.wanted, honest(pair.spoken, pair.server, authority)) as host:
        walked = await recognised(pair, authority, clock, host)
        assert len(walked.report.found) == 1
        fix = fix_for(walked.report)
        assert fix is not None
        assert (fix.protocol, fix.endpoint.port, fix.endpoint.security) == (pair.spoken, host.own.port, pair.server)
        assert fix.words.startswith(f"use {pair.spoken.value.upper()} at port {host.own.port} with")
        again = await check_fixed(pair, authority, walked.report, fix, host.network)
        (leg,) = again.legs
        assert leg.failure is None
        assert leg.protocol is pair.spoken


@parametrize([pair for pair in TWO if not pair.is_usable])
async def test_nothing_is_proposed_that_was_not_seen(authority: Authority, clock: Clock, pair: Pair) -> None:
    async with world(authority, pair.wanted, honest(pair.spoken, pair.server, authority)) as host:
        walked = await recognised(pair, authority, clock, host)
    assert len(walked.report.found) == 1
    assert fix_for(walked.report) is None


def first_then(first: Action, then: Action) -> Action:
    """`first` for the first client, `then` for the others."""
    return lambda peer: (first if peer.number == 1 else then)(peer)


TLS_ALERT = b"\x15\x03\x01\x00\x02\x02\x46"


class TestTlsServersInClear:
    """A server of TLS does not always wait for ever."""

    async def _alert(self, peer: Peer) -> None:
        await peer.send(TLS_ALERT)

    async def _alert_line(self, peer: Peer) -> None:
        await peer.send(TLS_ALERT + b"\r\n")

    async def _close(self, peer: Peer) -> None:
        pass

    @pytest.mark.parametrize("manner", ["_alert", "_alert_line", "_close"])
    @pytest.mark.parametrize("protocol", Protocol)
    async def test_they_hang_up(self, authority: Authority, protocol: Protocol, manner: str) -> None:
        script = first_then(getattr(self, manner), honest(protocol, TLS, authority))
        async with world(authority, protocol, script) as host:
            walked = await walk(protocol, host.own.port, Way(certificate=authority.policy), network=host.network)
            assert_no_credentials(host.received)
        assert walked.report.found == (Found(host.own.port, Service(protocol.value), TLS, GREETINGS[protocol]),)
        fix = fix_for(walked.report)
        assert fix is not None
        assert fix.words == f"use port {host.own.port} with SSL/TLS"

    async def test_a_silence_that_is_no_tls_lasts_to_its_deadline(self, authority: Authority, clock: Clock) -> None:
        listen = functools.partial(clock.pass_in, 2, 3.1)
        way = Way(stage_timeout=3.5, leg_timeout=4.0)

        async def hang_up_on_words(peer: Peer) -> None:
            await peer.reader.read(1)

        async with world(authority, Protocol.IMAP, hang_up_on_words) as host:
            walked = await walk(Protocol.IMAP, host.own.port, way, on_event=listen, network=host.network)
        assert walked.verdict == (Stage.GREETING, Cause.SILENT)
        assert walked.report.found == ()
        # The look is not taken again after the stage has failed.
        assert host.own.connections == 2

    async def test_a_late_greeting_is_good(self, authority: Authority, clock: Clock) -> None:
        looked = asyncio.Event()

        async def slow(peer: Peer) -> None:
            if peer.number > 1:
                looked.set()
                await peer.silence()
                return
            await looked.wait()
            await honest(Protocol.SMTP, NONE, authority)(peer)

        listen = functools.partial(clock.pass_in, 2, 3.1)
        with nothing_left():
            async with world(authority, Protocol.SMTP, slow) as host:
                walked = await walk(Protocol.SMTP, host.own.port, on_event=listen, network=host.network)
                assert walked.verdict is None
                assert host.own.connections == 2
                await host.own.all_closed()


@pytest.mark.parametrize(
    ("banner", "service"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Service.HTTP),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", Service.SSH),
        (b"220 (vsFTPd 3.0.3)\r\n", Service.OTHER),
        (b"\xff\xfd\x18 login:\r\n", Service.OTHER),
    ],
)
@pytest.mark.parametrize("says", Security)
async def test_services_that_are_no_mail(authority: Authority, banner: bytes, service: Service, says: Security) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(banner)
        await peer.silence()

    async with world(authority, Protocol.IMAP, script, STARTTLS) as host:
        walked = await walk(Protocol.IMAP, host.own.port, Way(says, certificate=authority.policy), network=host.network)
        assert_no_credentials(host.received)
    own, other = walked.report.found
    assert (own.port, own.service, own.security) == (host.own.port, service, NONE)
    assert (other.port, other.service, other.security) == (host.registered[0].port, Service.IMAP, STARTTLS)
    fix = fix_for(walked.report)
    assert fix is not None
    assert fix.words == f"use port {other.port} with STARTTLS"


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_server_that_greets_too_late_is_in_no_other_mode(
    authority: Authority, clock: Clock, protocol: Protocol
) -> None:
    """To a look it greets when its time has come: in clear, as the account says."""

    async def late(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.send(f"{GREETINGS[protocol]}\r\n".encode())

    listen = functools.partial(clock.pass_in, 2, 3.1)
    async with world(authority, protocol, late, TLS, STARTTLS) as host:
        walked = await walk(protocol, host.own.port, Way(stage_timeout=3.5), on_event=listen, network=host.network)
        assert (host.own.connections, [server.connections for server in host.registered]) == (2, [0, 0])
    assert walked.verdict == (Stage.GREETING, Cause.SILENT)
    assert walked.report.found == ()


async def test_the_own_port_is_not_looked_at_again_for_being_registered(authority: Authority) -> None:
    way = Way(STARTTLS, certificate=authority.policy)
    async with world(authority, Protocol.IMAP, honest(Protocol.IMAP, NONE, authority), TLS) as host:
        tls_port = host.registered[0].port
        host.network.ports = {(Protocol.IMAP, TLS): tls_port, (Protocol.IMAP, STARTTLS): host.own.port}
        walked = await walk(Protocol.IMAP, host.own.port, way, network=host.network)
        assert (host.own.connections, host.registered[0].connections) == (1, 1)
    assert [found.port for found in walked.report.found] == [host.own.port, tls_port]


@pytest.mark.parametrize("says", Security)
async def test_the_words_of_a_stranger_are_fit_to_show(authority: Authority, says: Security) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(b"SSH-2.0-\x1b[2J" + SECRET.encode() + b"\xe2\x80\xae\r\n")
        await peer.silence()

    async with world(authority, Protocol.POP3, script) as host:
        walked = await walk(Protocol.POP3, host.own.port, Way(says), network=host.network)
    (found,) = walked.report.found
    assert found.words == "SSH-2.0-\\x1b[2J****\\u202e"
    assert not has_hostile(walked.dialogue.replace("\n", ""))


async def test_a_web_server_waits_for_a_question(authority: Authority, clock: Clock) -> None:
    async def web(peer: Peer) -> None:
        await peer.reader.read(1)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listen = functools.partial(clock.pass_in, 2, 3.1)
    way = Way(stage_timeout=3.5)
    async with world(authority, Protocol.SMTP, web) as host:
        walked = await walk(Protocol.SMTP, host.own.port, way, on_event=listen, network=host.network)
        assert host.own.connections == 2
    assert walked.verdict == (Stage.GREETING, Cause.SILENT)
    assert walked.report.found == (Found(host.own.port, Service.HTTP, NONE, "HTTP/1.1 400 Bad Request"),)
    assert fix_for(walked.report) is None


async def test_no_one_talks_before_the_greeting_of_a_relay() -> None:
    """A server may take it for spam when TLS begins at port 25."""
    network = Network()
    assert await look.look(network, Protocol.SMTP, "127.0.0.1", 25, tls=True) is None
    assert network.looks._tasks == {}


@pytest.mark.parametrize("protocol", Protocol)
async def test_starttls_that_is_not_offered_leads_to_the_tls_port(authority: Authority, protocol: Protocol) -> None:
    way = Way(STARTTLS, certificate=authority.policy)
    async with world(authority, protocol, honest(protocol, NONE, authority), TLS) as host:
        walked = await walk(protocol, host.own.port, way, network=host.network)
        assert_no_credentials(host.received)
        assert host.own.connections == 1
    assert walked.verdict == (Stage.STARTTLS, Cause.STARTTLS_NOT_OFFERED)
    service, greeting = Service(protocol.value), GREETINGS[protocol]
    assert walked.report.found == (
        Found(host.own.port, service, NONE, greeting),
        Found(host.registered[0].port, service, TLS, greeting),
    )
    fix = fix_for(walked.report)
    assert fix is not None
    assert fix.words == f"use port {host.registered[0].port} with SSL/TLS"


@pytest.mark.parametrize("protocol", [Protocol.SMTP, Protocol.IMAP])
async def test_no_login_before_starttls(authority: Authority, protocol: Protocol) -> None:
    async with world(authority, protocol, honest(protocol, STARTTLS, authority), TLS) as host:
        walked = await walk(protocol, host.own.port, Way(certificate=authority.policy), network=host.network)
        assert_no_credentials(host.received)
        assert host.own.connections == 1
        assert host.registered[0].connections == 0
    assert walked.verdict is not None
    assert walked.report.found == (Found(host.own.port, Service(protocol.value), STARTTLS, GREETINGS[protocol]),)
    fix = fix_for(walked.report)
    assert fix is not None
    assert fix.words == f"use port {host.own.port} with STARTTLS"


async def test_other_mechanisms_after_starttls(authority: Authority) -> None:
    greeting, capability, *_ = dialogue(Protocol.IMAP, NONE)
    offer = b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED AUTH=GSSAPI\r\n{tag} OK done\r\n"
    script = play(Protocol.IMAP, [greeting, replace(capability, says=offer)])
    async with world(authority, Protocol.IMAP, script) as host:
        walked = await walk(Protocol.IMAP, host.own.port, network=host.network)
        assert host.own.connections == 1
    assert walked.verdict == (Stage.AUTH, Cause.NO_MECHANISM)
    assert walked.report.found == (Found(host.own.port, Service.IMAP, STARTTLS, GREETINGS[Protocol.IMAP]),)


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_port_that_refuses_leads_to_the_one_that_answers(authority: Authority, protocol: Protocol) -> None:
    async with world(authority, protocol, honest(protocol, NONE, authority), STARTTLS) as host:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            walked = await walk(protocol, port, Way(TLS), network=host.network)
    assert walked.verdict == (Stage.CONNECT, Cause.PORT_REFUSED)
    registered = host.registered[0].port
    assert walked.report.found == (Found(registered, Service(protocol.value), STARTTLS, GREETINGS[protocol]),)
    fix = fix_for(walked.report)
    assert fix is not None
    assert fix.words == f"use port {registered} with STARTTLS"


@pytest.mark.parametrize("protocol", Protocol)
async def test_a_plain_server_at_a_registered_port_counts_on_this_machine(
    authority: Authority, protocol: Protocol
) -> None:
    def plain(protocol: Protocol, security: Security, authority: Authority) -> Action:
        return honest(protocol, NONE, authority)

    async def web(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.silence()

    async with world(authority, protocol, web, STARTTLS, others=plain) as host:
        walked = await walk(protocol, host.own.port, network=host.network)
    assert [found.security for found in walked.report.found] == [NONE, NONE]
    fix = fix_for(walked.report)
    assert fix is not None
    assert (fix.endpoint.port, fix.endpoint.security) == (host.registered[0].port, NONE)
    assert not fix.needs_consent


async def test_many_accounts_on_one_wrong_port_look_once(authority: Authority) -> None:
    reports: list[CheckReport] = []
    accounts: list[Account] = []
    async with ScriptedServer(honest(Protocol.IMAP, STARTTLS, authority)) as server:
        for number in range(25):
            account, leg = make_account(Protocol.IMAP, server.port, Way(TLS, certificate=authority.policy))
            accounts.append(replace(account, name=f"account {number}"))
        options = CheckOptions(frozenset({leg}))
        await check_many(accounts, KnownSecret(), on_report=reports.append, options=options)
        assert server.connections == 25 + 1
        assert_no_credentials(server.received)
    assert {leg.found for report in reports for leg in report.legs} == {
        (Found(server.port, Service.IMAP, STARTTLS, GREETINGS[Protocol.IMAP]),)
    }


@pytest.mark.parametrize(
    ("says", "turn", "reply"),
    [
        (TLS, Stage.AUTH, b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n"),
        (NONE, Stage.AUTH, b"{tag} NO [AUTHENTICATIONFAILED] wrong\r\n"),
        (NONE, Stage.CAPABILITIES, b"{tag} BAD what?\r\n"),
        (STARTTLS, Stage.STARTTLS, b"{tag} NO not now\r\n"),
    ],
)
async def test_failures_of_another_kind_are_left_alone(
    authority: Authority, says: Security, turn: Stage, reply: bytes
) -> None:
    turns = dialogue(Protocol.IMAP, says)
    at = next(number for number, each in enumerate(turns) if each.stage is turn)
    script = play(Protocol.IMAP, [*turns[:at], replace(turns[at], says=reply)], context=authority.good)
    async with world(authority, Protocol.IMAP, script, TLS, STARTTLS) as host:
        walked = await walk(Protocol.IMAP, host.own.port, Way(says, certificate=authority.policy), network=host.network)
        assert walked.verdict is not None
        assert (host.own.connections, [server.connections for server in host.registered]) == (1, [0, 0])
    assert walked.report.found == ()


async def test_tls_that_cannot_be_agreed_is_no_wrong_mode(authority: Authority) -> None:
    async def alert(peer: Peer) -> None:
        await peer.reader.read(65_536)
        await peer.send(TLS_ALERT)

    async with world(authority, Protocol.IMAP, alert, TLS, STARTTLS) as host:
        walked = await walk(Protocol.IMAP, host.own.port, Way(TLS), network=host.network)
        assert (host.own.connections, [server.connections for server in host.registered]) == (1, [0, 0])
    assert walked.verdict == (Stage.TLS, Cause.TLS_FAILED)
    assert walked.report.found == ()


async def test_the_look_takes_half_of_the_time_that_is_left(authority: Authority, clock: Clock) -> None:
    """The greeting takes all but a little of the leg's time; the look at the silent port may not take more."""
    way = Way(TLS, certificate=authority.policy, stage_timeout=1.0, leg_timeout=1.2)
    async with world(authority, Protocol.POP3, Peer.silence) as host:
        await host.network.contexts.get(way.certificate)
        with nothing_left():
            walked = await walk(Protocol.POP3, host.own.port, way, network=host.network)
            await host.own.all_closed()
    assert walked.verdict == (Stage.TLS, Cause.SILENT)
    assert walked.report.found == ()


async def test_what_is_offered_before_the_login_is_noted(authority: Authority) -> None:
    for protocol, mechanisms in (
        (Protocol.SMTP, ("LOGIN", "PLAIN")),
        (Protocol.IMAP, ("PLAIN", "LOGIN")),
        (Protocol.POP3, ("PLAIN",)),
    ):
        for security, starttls in ((TLS, None), (STARTTLS, True), (NONE, False)):
            async with world(authority, protocol, honest(protocol, security, authority)) as host:
                way = Way(security, certificate=authority.policy)
                walked = await walk(protocol, host.own.port, way, network=host.network)
            offered = walked.report.offered
            assert walked.verdict is None
            assert offered is not None
            assert (offered.starttls, offered.mechanisms) == (starttls, mechanisms)
            # Those after the login are others.
            assert ("X-CLEAR" if security is NONE else "X-PROTECTED") in offered.capabilities
            assert walked.report.addresses == ("127.0.0.1",)


def test_the_pairs_are_all_there() -> None:
    """Six for each protocol, each of the last two in clear and in TLS."""
    for protocol in Protocol:
        letters = {pair.name[0] for pair in (*ONE, *TWO) if pair.wanted is protocol}
        assert letters == set("abcdef")
        for letter in "ef":
            own = [pair for pair in TWO if pair.wanted is protocol and pair.name[0] == letter]
            assert {pair.server for pair in own} == set(Security)
