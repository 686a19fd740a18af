"""Whatever a server makes of a secret that it heard or knows, nothing that is shown holds it."""

import asyncio
import re
from base64 import b64encode
from functools import cache

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mailtui.actions.check import CheckOptions, check_account
from mailtui.actions.share import share_report
from mailtui.model.account import (
    Account,
    AuthMethod,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
)
from mailtui.model.check import CheckReport, Leg
from mailtui.model.events import Event
from mailtui.model.report_json import report_to_json
from mailtui.model.text import clean
from tests.actions.echoing import DISGUISES, EchoingServer, bodies, decoded
from tests.protocols.legs import KnownSecret
from tests.scripted import ScriptedServer

SASL = {
    "PLAIN": AuthMethod.PLAIN,
    "LOGIN": AuthMethod.LOGIN,
    "CRAM-MD5": AuthMethod.CRAM_MD5,
    "SCRAM-SHA-256": AuthMethod.SCRAM_SHA_256,
    "XOAUTH2": AuthMethod.XOAUTH2,
}
WAYS = [
    *((protocol, mechanism, method) for protocol in Protocol for mechanism, method in SASL.items()),
    (Protocol.IMAP, "IMAP LOGIN", AuthMethod.LOGIN),
    (Protocol.POP3, "USER/PASS", AuthMethod.LOGIN),
    (Protocol.POP3, "APOP", AuthMethod.APOP),
]

# What is sent in a line of its own has no line breaks and no NUL.
typed = st.characters(codec="utf-8", exclude_characters="\r\n\0")
secrets = st.one_of(
    st.text(typed, min_size=6, max_size=40),
    st.text(st.sampled_from('abcABC0189 \\"%+/=\\x41éß€'), min_size=6, max_size=60),
    # A token, too long for an initial response.
    st.text(st.sampled_from("abcdefXYZ0123456789-_."), min_size=300, max_size=700),
)
usernames = st.one_of(st.just("ada@example.org"), st.text(typed, min_size=1, max_size=30))
ascii_only = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=6, max_size=40)


def account_at(protocol: Protocol, port: int, method: AuthMethod, username: str) -> tuple[Account, Leg]:
    endpoint = Endpoint("127.0.0.1", port, Security.NONE)
    secret = SecretRef(SecretScheme.ENV, "NAME")
    if protocol is Protocol.SMTP:
        submission = Submission(endpoint, method=method, username=username, secret=secret)
        return Account("under test", "ada@example.org", submission), Leg.OUTBOUND
    retrieval = Retrieval(protocol, endpoint, method, username, secret)
    return Account("under test", "ada@example.org", Submission(Endpoint("127.0.0.1", 1)), retrieval), Leg.INBOUND


async def checked(
    server: EchoingServer, method: AuthMethod, username: str, secret: str
) -> tuple[Account, CheckReport, list[Event]]:
    events: list[Event] = []
    async with asyncio.timeout(60), ScriptedServer(server.script) as scripted:
        account, leg = account_at(server.protocol, scripted.port, method, username)
        report = await check_account(account, KnownSecret(secret), events.append, CheckOptions(frozenset({leg})))
        await scripted.all_closed()
    return account, report, events


def strings(data: object) -> list[str]:
    """Every text in JSON data."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in strings(value)]
    if isinstance(data, list):
        return [text for value in data for text in strings(value)]
    return [data] if isinstance(data, str) else []


def everything_shown(account: Account, report: CheckReport, events: list[Event]) -> str:
    """The shared report, the JSON, each text of the report, and what a debugger would print of report and events."""
    return "\n".join(
        [share_report(account, report), *strings(report_to_json(report)), repr(report), *map(repr, events)]
    )


def forms(secret: str) -> set[str]:
    """How the secret may not be seen: itself, cleaned, printed, and in base64 wherever it stands in a message."""
    raw = secret.encode()
    found = {secret, clean(secret), repr(secret)[1:-1]}
    for before in range(3):
        encoded = b64encode(bytes(before) + raw).decode()
        found.add(encoded[-(-8 * before // 6) : 8 * (before + len(raw)) // 6])
    return found


def assert_hidden(secret: str, shown: str) -> None:
    """No form of the secret is in `shown`, in whatever case."""
    folded = shown.casefold()
    assert [form for form in forms(secret) if form.casefold() in folded] == []


def is_telling(secret: str) -> bool:
    """Whether finding the secret would mean anything: not if it is blanks, a number or one of our own words."""
    squeezed = "".join(secret.split())
    return len(squeezed) >= 6 and not re.fullmatch(r"[\d.:TZ+-]+|(.)\1+|[\\x0-9a-f]+", squeezed, re.IGNORECASE)


def walked(server: EchoingServer, method: AuthMethod, username: str, secret: str) -> tuple[CheckReport, str]:
    account, report, events = asyncio.run(checked(server, method, username, secret))
    return report, everything_shown(account, report, events)


Way = tuple[Protocol, str, AuthMethod]


@cache
def our_words(way: Way) -> str:
    """What reports say by themselves, and what no secret can be told from."""
    protocol, mechanism, method = way
    told = [
        walked(EchoingServer(protocol, mechanism, lambda line: [b"?"], accepts, b""), method, "somebody", "~" * 9)[1]
        for accepts in (True, False)
    ]
    return "\n".join(told).casefold()


@pytest.mark.parametrize(("protocol", "mechanism", "method"), WAYS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_an_echo_shows_no_secret(data: st.DataObject, protocol: Protocol, mechanism: str, method: AuthMethod) -> None:
    # An IMAP quoted string is ASCII; SCRAM refuses what its profile forbids.
    plain = mechanism in ("IMAP LOGIN", "SCRAM-SHA-256")
    secret = data.draw(ascii_only if plain else secrets, "secret")
    username = data.draw(ascii_only if plain else usernames, "username")
    disguise = data.draw(st.sampled_from(sorted(DISGUISES)), "disguise")
    assume(is_telling(secret))
    assume(not any(form.casefold() in our_words((protocol, mechanism, method)) for form in forms(secret)))
    server = EchoingServer(
        protocol,
        mechanism,
        DISGUISES[disguise],
        accepts=data.draw(st.booleans(), "accepts"),
        secret=secret.encode(),
        initial=data.draw(st.booleans(), "initial"),
        literals=protocol is Protocol.IMAP and data.draw(st.booleans(), "literals"),
    )
    report, shown = walked(server, method, username, secret)
    assert_hidden(secret, shown)
    # Nor can it be put together from one line and the next.
    said = bodies(line.text for leg in report.legs for line in leg.transcript if line.sender == "S")
    assert_hidden("".join(secret.split()), "".join(said.split()))


def proofs_in(server: EchoingServer) -> list[str]:
    """What the client sent in the place of the secret, out of the last line that it logged in by."""
    last = server.heard[-1].rpartition(b" ")[2] if server.mechanism == "APOP" else decoded(server.heard[-1])
    if server.mechanism == "SCRAM-SHA-256":
        proof = last.rpartition(b",p=")[2]
        return [proof.decode(), proof.decode().rstrip("=")]
    return [last.rpartition(b" ")[2].decode()]


@pytest.mark.parametrize("disguise", sorted(DISGUISES))
@pytest.mark.parametrize(
    ("protocol", "mechanism", "method"), [way for way in WAYS if way[1] in ("CRAM-MD5", "SCRAM-SHA-256", "APOP")]
)
def test_an_echo_shows_nothing_that_a_password_could_be_guessed_by(
    protocol: Protocol, mechanism: str, method: AuthMethod, disguise: str
) -> None:
    server = EchoingServer(protocol, mechanism, DISGUISES[disguise], accepts=False, secret=b"")
    _, shown = walked(server, method, "ada", "correct horse")
    for proof in proofs_in(server):
        assert len(proof) >= 32
        assert_hidden(proof, shown)
