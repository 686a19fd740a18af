"""What holds in every scenario, of a check and of a retrieval, and how it is measured."""

import asyncio
import dataclasses
import re
import tracemalloc
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from ssl import SSLContext

from mailtui.model.account import Protocol, Security
from tests.hostile.document import Measure
from tests.hostile.scenario import Scenario
from tests.hostile.server import HostileServer
from tests.protocols.conftest import Authority
from tests.protocols.legs import Way, secret_forms

# One that looks what is there, one at another mode.
_LOOKS = 4

_LOGIN = re.compile(rb"(?im)^(?:\S+ )?(?:AUTH|AUTHENTICATE|LOGIN|USER|PASS|APOP)\b")
ATTEMPT = re.compile(rb"(?im)^(?:\S+ )?(?:AUTH|AUTHENTICATE|LOGIN|USER|APOP)\b")


@dataclass
class Meter:
    """Reads, at every event of a leg, the loop's time and the peak of the memory since tracing began."""

    began: float | None = None
    ended: float = 0.0
    peak: int = 0

    def __call__(self, event: object) -> None:
        self.ended = asyncio.get_running_loop().time()
        self.began = self.ended if self.began is None else self.began
        _, self.peak = tracemalloc.get_traced_memory()

    @property
    def measure(self) -> Measure:
        assert self.began is not None
        return Measure(self.ended - self.began, self.peak)


def context_of(authority: Authority, scenario: Scenario) -> SSLContext:
    """The one that the scenario's server shows."""
    context = getattr(authority, scenario.certificate)
    assert isinstance(context, SSLContext)
    return context


def assert_no_credential_told(scenario: Scenario, server: HostileServer, way: Way) -> None:
    """As the server saw it: nothing of a login in clear, nor before it was due, nor on a connection that only looks."""
    first, *others = server.visits
    assert len(others) <= _LOOKS
    exposed = [look.everything for look in others]
    if not scenario.hears_login:
        exposed.append(first.everything)
    elif way.security is not Security.NONE:
        exposed.append(first.clear)
    words = [form.encode() for form in secret_forms(way.login.secret)]
    words += [way.login.username.encode(), b64encode(way.login.username.encode())]
    if way.login.wanted:
        for said in exposed:
            assert [word for word in words if word in said] == []
            assert _LOGIN.search(said) is None
    assert len(ATTEMPT.findall(first.everything)) <= (1 if scenario.hears_login else 0)
    if way.login.wanted and not scenario.hears_login and scenario.protocol is not Protocol.IMAP:
        # A server that offers no login is not used without one. (IMAP has PREAUTH, by which it is the server's choice.)
        assert not re.search(rb"(?m)^(?:MAIL|STAT)\b", first.everything)


def texts_of(value: object) -> Iterator[str]:
    """Every text in a report."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from texts_of(getattr(value, field.name))
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from texts_of(item)
