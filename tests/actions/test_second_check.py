"""A second check of a server that is not what it was: one line says so, and no credential reaches it."""

import ssl
from base64 import encodebytes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from mailtui.actions.accepting import accept_changes
from mailtui.actions.check import CheckOptions, check_account
from mailtui.actions.memory import Memory
from mailtui.demo.certificates import make_certificates
from mailtui.model.account import Account, AuthMethod, CertificatePolicy, Protocol, Security, Trust
from mailtui.model.check import Cause, CheckReport, Leg, LegReport, Severity, Stage
from mailtui.model.server import ChangeKind
from mailtui.model.text import has_hostile
from mailtui.model.watch import changes_line
from mailtui.storage.database import Database
from tests.actions.kit import KNOWN
from tests.protocols.conftest import NAMES, Authority
from tests.protocols.dialogue import Turn, dialogue, play
from tests.protocols.legs import Login, Way, make_account, secret_forms
from tests.scripted import Action, Peer, ScriptedServer

PROTOCOLS = pytest.mark.parametrize("protocol", Protocol)
METHOD = Login(method=AuthMethod.PLAIN)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.open(tmp_path / "data" / "mailtui.db") as opened:
        yield opened


class Changing:
    """A server that does today's script; `said_since` is what clients sent it since the last change."""

    def __init__(self, script: Action) -> None:
        self._script = script
        self._seen = 0
        self.server = ScriptedServer(self._serve)

    async def _serve(self, peer: Peer) -> None:
        await self._script(peer)

    def become(self, script: Action) -> None:
        self._script = script
        self._seen = len(self.server.received)

    def said_since(self) -> bytes:
        return self.server.received[self._seen :]


@dataclass
class Person:
    """Who checks one account again and again, each time by a process of its own."""

    database: Database
    account: Account

    async def check(self, *, accept: bool = False) -> LegReport:
        leg = Leg.OUTBOUND if self.account.retrieval is None else Leg.INBOUND
        options = CheckOptions(frozenset({leg}), accept_changes=accept)
        memory = Memory.load(self.database)
        report = await check_account(self.account, KNOWN, options=options, memory=memory)
        memory.write(self.database)([report])
        (checked,) = report.legs
        return checked

    def accept(self) -> None:
        accepted = accept_changes(self.database, Memory.load(self.database), [self.account.name])
        assert [one.account for one in accepted] == [self.account.name]
        assert accepted[0].changes


def account_at(protocol: Protocol, port: int, way: Way) -> Account:
    """An account fit to be stored whose one interesting leg talks `protocol` to `port`."""
    account, leg = make_account(protocol, port, way)
    if leg is Leg.OUTBOUND:
        return account
    return replace(account, submission=replace(account.submission, authentication=False))


def without_credentials(said: bytes) -> bool:
    """Whether nothing of a login, and nothing of the secret in any form, is in what the client said."""
    text = said.decode("utf-8", "backslashreplace")
    commands = ("AUTH", "LOGIN", "USER ", "PASS ", "APOP")
    return not any(command in text.upper() for command in commands) and not any(
        form in text for form in secret_forms(METHOD.secret)
    )


def offering(turns: Sequence[Turn], more: Callable[[bytes], bytes]) -> list[Turn]:
    """`turns` with the capabilities told otherwise."""
    return [
        replace(turn, says=more(turn.says)) if turn.stage is Stage.CAPABILITIES and turn.says else turn
        for turn in turns
    ]


def with_cram(says: bytes) -> bytes:
    for words, more in (
        (b"AUTH=PLAIN", b"AUTH=PLAIN AUTH=CRAM-MD5"),
        (b"AUTH PLAIN", b"AUTH CRAM-MD5 PLAIN"),
        (b"SASL PLAIN", b"SASL PLAIN CRAM-MD5"),
    ):
        says = says.replace(words, more)
    return says


def with_starttls(says: bytes) -> bytes:
    for words, more in (
        (b"250-PIPELINING", b"250-PIPELINING\r\n250-STARTTLS"),
        (b"SASL PLAIN", b"SASL PLAIN\r\nSTLS"),
        (b"SASL-IR", b"SASL-IR STARTTLS"),
    ):
        says = says.replace(words, more)
    return says


def assert_told(leg: LegReport, kind: ChangeKind, words: str) -> None:
    """The change is red, and told on one clean line with the time of the check before."""
    assert leg.changes[0].kind is kind
    assert leg.changes[0].is_alarming
    line = changes_line(leg.changes, leg.changed_since)
    assert words in line
    assert leg.changed_since is not None
    assert f"{leg.changed_since:%Y-%m-%d %H:%M}" in line
    assert "\n" not in line
    assert not has_hostile(line)


def assert_held_back(leg: LegReport, cause: Cause, words: str) -> None:
    assert leg.failure is not None
    assert (leg.failure.stage, leg.failure.cause) == (Stage.AUTH, cause)
    assert words in leg.failure.hint


async def see_change(
    database: Database,
    protocol: Protocol,
    way: Way,
    before: Action,
    after: Action,
    verdict: tuple[Cause, ChangeKind, str],
) -> None:
    """Good at first; then held back, twice; good again once it was accepted, by word or by option."""
    cause, kind, words = verdict
    for by_option in (False, True):
        changing = Changing(before)
        async with changing.server as server:
            account = account_at(protocol, server.port, way)
            database.add(account)
            person = Person(database, account)
            first = await person.check()
            assert (first.severity, first.changed_since) == (Severity.OK, None)
            assert not without_credentials(changing.said_since())
            assert (await person.check()).changes == ()
            changing.become(after)
            for _ in range(2):
                leg = await person.check()
                assert_told(leg, kind, words)
                assert_held_back(leg, cause, words)
                assert without_credentials(changing.said_since())
            if by_option:
                accepted = await person.check(accept=True)
                assert accepted.severity is Severity.OK
                assert accepted.changes[0].kind is kind
            else:
                person.accept()
            good = await person.check()
            assert (good.severity, good.changes) == (Severity.OK, ())
            assert not without_credentials(changing.said_since())
        database.remove(account.name)


@PROTOCOLS
async def test_a_mechanism_that_is_gone(database: Database, protocol: Protocol) -> None:
    turns = dialogue(protocol, Security.NONE)
    before, after = play(protocol, offering(turns, with_cram)), play(protocol, turns)
    told = (Cause.MECHANISM_LOST, ChangeKind.MECHANISM_LOST, "login by CRAM-MD5 is offered no more")
    await see_change(database, protocol, Way(login=METHOD), before, after, told)


@PROTOCOLS
async def test_starttls_that_is_gone_where_the_account_goes_in_clear(database: Database, protocol: Protocol) -> None:
    turns = dialogue(protocol, Security.NONE)
    before, after = play(protocol, offering(turns, with_starttls)), play(protocol, turns)
    told = (Cause.STARTTLS_LOST, ChangeKind.STARTTLS_LOST, "STARTTLS is offered no more")
    await see_change(database, protocol, Way(allow_cleartext=True), before, after, told)


@PROTOCOLS
async def test_starttls_that_is_gone_where_the_account_requires_it(
    database: Database, authority: Authority, protocol: Protocol
) -> None:
    whole = play(protocol, dialogue(protocol, Security.STARTTLS), context=authority.good)
    changing = Changing(whole)
    async with changing.server as server:
        way = Way(Security.STARTTLS, certificate=authority.policy)
        account = account_at(protocol, server.port, way)
        person = Person(database, database.add(account))
        assert (await person.check()).severity is Severity.OK
        changing.become(play(protocol, dialogue(protocol, Security.NONE)))
        leg = await person.check()
        assert leg.failure is not None
        assert leg.failure.cause is Cause.STARTTLS_NOT_OFFERED
        assert_told(leg, ChangeKind.STARTTLS_LOST, "STARTTLS is offered no more")
        assert [change.kind for change in leg.changes] == [ChangeKind.STARTTLS_LOST]
        assert without_credentials(changing.said_since())
        changing.become(whole)
        back = await person.check()
        assert (back.severity, back.changes) == (Severity.OK, ())


def issued(known: trustme.CA, begun: int, left: int) -> ssl.SSLContext:
    """A server with a new key and a certificate that began so many days ago and has so many left."""
    now, day = datetime.now(UTC), timedelta(days=1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    known.issue_cert(*NAMES, not_before=now - begun * day, not_after=now + left * day).configure_cert(context)
    return context


@pytest.fixture
def known(tmp_path: Path) -> tuple[trustme.CA, CertificatePolicy]:
    """An authority, and the policy that trusts it."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "known.pem"))
    return made, CertificatePolicy(Trust.CA_FILE, ca_file=str(tmp_path / "known.pem"))


def over_tls(protocol: Protocol, security: Security, context: ssl.SSLContext) -> Action:
    return play(protocol, dialogue(protocol, security), context=context)


KEY_CHANGED = (Cause.KEY_CHANGED, ChangeKind.KEY, "the key is ")
TLS_WAYS = pytest.mark.parametrize("security", [Security.IMPLICIT_TLS, Security.STARTTLS])


@PROTOCOLS
@TLS_WAYS
async def test_another_key_where_anything_is_accepted(
    database: Database, tmp_path: Path, protocol: Protocol, security: Security
) -> None:
    before, after = (
        over_tls(protocol, security, make_certificates(tmp_path / name).self_signed) for name in ("one", "two")
    )
    way = Way(security, certificate=CertificatePolicy(Trust.ANYTHING))
    await see_change(database, protocol, way, before, after, KEY_CHANGED)


def unreadable(folder: Path) -> ssl.SSLContext:
    """A server whose certificate OpenSSL alone can read: it writes a length by more octets than DER allows."""
    folder.mkdir()
    issued = trustme.CA().issue_cert(*NAMES)
    encoded = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    start = 4 + int.from_bytes(encoded[6:8], "big") + 4
    assert encoded[:2] == encoded[4:6] == b"\x30\x82"
    longer = b"\x30\x85" + (start - 8).to_bytes(5, "big") + encoded[8:start] + encoded[start:]
    certificate = encodebytes(b"\x30\x82" + len(longer).to_bytes(2, "big") + longer).decode()
    path = folder / "server.pem"
    path.write_bytes(
        f"-----BEGIN CERTIFICATE-----\n{certificate}-----END CERTIFICATE-----\n".encode()
        + issued.private_key_pem.bytes()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@PROTOCOLS
@TLS_WAYS
async def test_a_key_that_cannot_be_read_where_anything_is_accepted(
    database: Database, tmp_path: Path, protocol: Protocol, security: Security
) -> None:
    before, after = (
        over_tls(protocol, security, context)
        for context in (make_certificates(tmp_path / "one").self_signed, unreadable(tmp_path / "two"))
    )
    way = Way(security, certificate=CertificatePolicy(Trust.ANYTHING))
    told = (Cause.KEY_CHANGED, ChangeKind.KEY, "its key cannot be read")
    await see_change(database, protocol, way, before, after, told)


@PROTOCOLS
@TLS_WAYS
async def test_another_key_in_a_certificate_that_is_no_newer(
    database: Database, known: tuple[trustme.CA, CertificatePolicy], protocol: Protocol, security: Security
) -> None:
    before, after = (
        over_tls(protocol, security, issued(known[0], begun, left)) for begun, left in ((10, 80), (10, 90))
    )
    await see_change(database, protocol, Way(security, certificate=known[1]), before, after, KEY_CHANGED)


@PROTOCOLS
@TLS_WAYS
async def test_an_ordinary_renewal_goes_on(
    database: Database, known: tuple[trustme.CA, CertificatePolicy], protocol: Protocol, security: Security
) -> None:
    changing = Changing(over_tls(protocol, security, issued(known[0], 65, 25)))
    async with changing.server as server:
        account = account_at(protocol, server.port, Way(security, certificate=known[1]))
        person = Person(database, database.add(account))
        assert (await person.check()).severity is Severity.OK
        changing.become(over_tls(protocol, security, issued(known[0], 0, 90)))
        renewed = await person.check()
        assert renewed.severity is Severity.OK
        assert [(change.kind, change.is_alarming) for change in renewed.changes] == [(ChangeKind.RENEWED, False)]
        assert (await person.check()).changes == ()


@PROTOCOLS
async def test_another_key_than_the_pinned_one(database: Database, tmp_path: Path, protocol: Protocol) -> None:
    one, two = (make_certificates(tmp_path / name).self_signed for name in ("one", "two"))
    pins = [await _pin_of(protocol, context) for context in (one, two)]
    changing = Changing(over_tls(protocol, Security.IMPLICIT_TLS, one))
    async with changing.server as server:

        def pinned(pin: str) -> Account:
            policy = CertificatePolicy(Trust.PIN, pin=pin)
            return account_at(protocol, server.port, Way(Security.IMPLICIT_TLS, certificate=policy))

        person = Person(database, database.add(pinned(pins[0])))
        assert (await person.check()).severity is Severity.OK
        changing.become(over_tls(protocol, Security.IMPLICIT_TLS, two))
        leg = await person.check()
        assert leg.failure is not None
        assert (leg.failure.stage, leg.failure.cause) == (Stage.TLS, Cause.CERTIFICATE_NOT_PINNED)
        assert_told(leg, ChangeKind.KEY, f"the key is {pins[1][:16]}… instead of {pins[0][:16]}…")
        assert without_credentials(changing.said_since())
        # To pin it is to accept it.
        person.account = database.update(person.account.name, pinned(pins[1]))
        again = await person.check()
        assert again.severity is Severity.OK
        assert [(change.kind, change.is_alarming) for change in again.changes] == [(ChangeKind.KEY, False)]
        assert (await person.check()).changes == ()


async def _pin_of(protocol: Protocol, context: ssl.SSLContext) -> str:
    way = Way(Security.IMPLICIT_TLS, certificate=CertificatePolicy(Trust.ANYTHING))
    async with ScriptedServer(over_tls(protocol, Security.IMPLICIT_TLS, context)) as server:
        account, leg = make_account(protocol, server.port, way)
        report = await check_account(account, KNOWN, options=CheckOptions(frozenset({leg})))
    return _certificate_pin(report)


def _certificate_pin(report: CheckReport) -> str:
    (leg,) = report.legs
    assert leg.tls is not None
    assert leg.tls.certificate is not None
    return leg.tls.certificate.pin


async def test_apop_that_came_in_clear_is_not_missed_by_whoever_does_not_ask_for_it(
    database: Database, authority: Authority
) -> None:
    turns = dialogue(Protocol.POP3, Security.STARTTLS)
    greeting = replace(turns[0], says=b"+OK ready <1.2@mail.test>\r\n")
    by_apop, by_plain = (
        play(Protocol.POP3, [greeting, *turns[1:5], login, *turns[6:]], context=authority.good)
        for login in (Turn(Stage.AUTH, "APOP ", b"+OK welcome\r\n"), turns[5])
    )
    changing = Changing(by_apop)
    async with changing.server as server:

        def asking(method: AuthMethod) -> Account:
            way = Way(Security.STARTTLS, Login(method=method), authority.policy)
            return account_at(Protocol.POP3, server.port, way)

        person = Person(database, database.add(asking(AuthMethod.APOP)))
        assert (await person.check()).mechanism == "APOP"
        changing.become(by_plain)
        person.account = database.update(person.account.name, asking(AuthMethod.PLAIN))
        leg = await person.check()
        assert (leg.severity, leg.changes) == (Severity.OK, ())


async def test_without_a_login_an_alarming_change_is_a_warning_until_it_is_accepted(
    database: Database, tmp_path: Path
) -> None:
    def serving(name: str) -> Action:
        turns = dialogue(Protocol.SMTP, Security.IMPLICIT_TLS)
        # Without a login there is none, and no second look at the capabilities.
        return play(Protocol.SMTP, [*turns[:3], *turns[5:]], context=make_certificates(tmp_path / name).self_signed)

    changing = Changing(serving("one"))
    async with changing.server as server:
        way = Way(Security.IMPLICIT_TLS, Login(wanted=False), CertificatePolicy(Trust.ANYTHING))
        person = Person(database, database.add(account_at(Protocol.SMTP, server.port, way)))
        assert (await person.check()).severity is Severity.OK
        changing.become(serving("two"))
        for _ in range(2):
            leg = await person.check()
            assert leg.severity is Severity.WARNING
            assert leg.warning == changes_line(leg.changes, leg.changed_since)
            assert_told(leg, ChangeKind.KEY, "the key is ")
        person.accept()
        assert (await person.check()).severity is Severity.OK
