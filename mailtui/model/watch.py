"""What a server was like when a check last went well, and how it differs now."""

from dataclasses import dataclass
from datetime import datetime

from mailtui.model.account import Protocol, Security
from mailtui.model.check import LegReport, TlsFacts
from mailtui.model.server import Change, Offered


@dataclass(frozen=True, slots=True)
class Baseline:
    """One server as it was at `since`, when a check went well or a person accepted it. Counts only for that server."""

    protocol: Protocol
    host: str
    port: int
    security: Security
    since: datetime
    keys: tuple[str, ...] = ()
    """Pins of the keys known to be good, newest first: a farm of servers may have several."""
    issuer: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    tls_version: str = ""
    starttls: bool | None = None
    mechanisms: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def baseline_of(leg: LegReport, at: datetime, before: Baseline | None = None) -> Baseline:
    """What `leg` saw of its server, as what the next check is compared with; keys of `before` stay known."""
    raise NotImplementedError


def changes_since(
    before: Baseline, *, tls: TlsFacts | None, offered: Offered | None, addresses: tuple[str, ...]
) -> tuple[Change, ...]:
    """How a server differs from `before`, the alarming first; empty where it does not."""
    raise NotImplementedError


def changes_line(changes: tuple[Change, ...], since: datetime | None) -> str:
    """All of `changes` on one line; empty without any."""
    raise NotImplementedError
