"""Both address families of a host, each judged on its own, beside a check that uses the faster one."""

import asyncio
import errno
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mailtui.model.server import FamilyFacts
from mailtui.protocols import dial
from mailtui.protocols.dial import Attempt, Network
from mailtui.protocols.faults import system_words
from mailtui.protocols.resolve import Address
from mailtui.protocols.trace import Trace

PATIENCE = 2.0
"""Seconds that a connection may take; by then every program that tried it first has made a person wait."""

# What this machine lacks is no fault of the server's.
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


@asynccontextmanager
async def families_judged(trace: Trace, network: Network) -> AsyncIterator[None]:
    """While a check walks inside, judge both address families of its host, if it has both, into `trace.families`.

    It begins once the leg's own connection stands, goes over one more connection that is closed at once, one for a
    server and run, and delays the leg by PATIENCE at most. A leg that is never connected tells of each address itself.
    """
    judging: list[asyncio.Future[tuple[FamilyFacts, ...]]] = []

    def begin(addresses: list[Address], attempts: tuple[Attempt, ...]) -> None:
        if len({address.family for address in addresses}) > 1:
            server = (trace.endpoint.ascii_host, trace.endpoint.port)
            judging.append(
                asyncio.ensure_future(network.families.get(server, lambda: judge_families(addresses, attempts)))
            )

    trace.on_connected = begin
    try:
        yield
        for judged in judging:
            trace.families = await judged
    finally:
        trace.on_connected = None
        for judged in judging:
            judged.cancel()


async def judge_families(addresses: list[Address], attempts: tuple[Attempt, ...]) -> tuple[FamilyFacts, ...]:
    """How each family of `addresses` answers: as `attempts` have shown, or else by a connection to its first one."""
    known = {attempt.address.family: _facts(attempt) for attempt in attempts}
    first = {address.family: address for address in reversed(addresses)}
    unknown = [address for family, address in first.items() if family not in known]
    for address, facts in zip(unknown, await asyncio.gather(*map(_judge, unknown)), strict=True):
        known[address.family] = facts
    return tuple(sorted(known.values(), key=lambda facts: facts.family))


def _facts(attempt: Attempt) -> FamilyFacts:
    address, error = attempt.address, attempt.error
    if error is None:
        return FamilyFacts(address.family_label, address.host, attempt.ms)
    words = system_words(error)
    if error.errno in _NO_ROUTE:
        words = f"this machine has no {address.family_label}: {words}"
    is_silent = error.errno == errno.ETIMEDOUT
    return FamilyFacts(address.family_label, address.host, None, words, is_silent)


async def _judge(address: Address) -> FamilyFacts:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            connection = await dial.connect_one(address)
    except TimeoutError:
        words = f"no answer within {PATIENCE:g} s"
        return FamilyFacts(address.family_label, address.host, None, words, is_silent=True)
    except OSError as error:
        return _facts(Attempt(address, 0.0, error))
    connection.close()
    return FamilyFacts(address.family_label, address.host, round((time.perf_counter() - began) * 1_000, 3))
