"""Accounts and readers for the checks under test, and servers that answer when they are let."""

import asyncio

from mailtui.model.account import (
    Account,
    CertificatePolicy,
    Endpoint,
    Protocol,
    Retrieval,
    SecretRef,
    SecretScheme,
    Security,
    Submission,
)
from mailtui.model.check import CheckReport
from mailtui.model.events import Event
from tests.protocols.dialogue import dialogue, play
from tests.protocols.legs import KnownSecret
from tests.scripted import Action, Peer

SECRET_REF = SecretRef(SecretScheme.ENV, "SECRET")
KNOWN = KnownSecret()


def endpoint(
    port: int, host: str = "127.0.0.1", security: Security = Security.NONE, policy: CertificatePolicy | None = None
) -> Endpoint:
    return Endpoint(host, port, security, policy or CertificatePolicy())


def account(
    name: str, submission: Endpoint, retrieval: Endpoint | None = None, protocol: Protocol = Protocol.IMAP
) -> Account:
    """An account; send-only without `retrieval`."""
    inbound = None if retrieval is None else Retrieval(protocol, retrieval)
    return Account(name, f"{name}@example.org", Submission(submission, secret=SECRET_REF), inbound)


def good(protocol: Protocol) -> Action:
    """A server that does everything right, in clear."""
    return play(protocol, dialogue(protocol, Security.NONE))


class Gate:
    """A server that greets nobody until it is opened; `waiting` are the connections that stand before it."""

    def __init__(self, then: Action) -> None:
        self._then = then
        self._opened = asyncio.Event()
        self.waiting = 0
        self.most = 0

    def open(self) -> None:
        self._opened.set()

    async def __call__(self, peer: Peer) -> None:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        try:
            await self._opened.wait()
            await self._then(peer)
        finally:
            self.waiting -= 1


class Ledger:
    """What a run told: events and reports, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reports: list[CheckReport] = []

    @property
    def names(self) -> list[str]:
        return [report.account for report in self.reports]
