"""What a server was like when a check last went well, and how it differs now; and which logins it refused."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network

from mailtui.model.account import AuthMethod, Endpoint, Protocol, Security, Trust
from mailtui.model.check import Cause, CertificateFacts, FailureKind, Leg, LegReport, TlsFacts
from mailtui.model.server import Change, ChangeKind, Offered
from mailtui.model.text import clean

KEYS = 8
"""Keys of one server that are known at most: what a farm of servers has, and not what an attacker may fill up."""

HELD_BACK = {
    ChangeKind.STARTTLS_LOST: Cause.STARTTLS_LOST,
    ChangeKind.MECHANISM_LOST: Cause.MECHANISM_LOST,
    ChangeKind.KEY: Cause.KEY_CHANGED,
}
"""What an alarming change is as the cause of a failure, which ends when a person accepts the server as it is."""

RENEWAL = timedelta(days=1)
"""A certificate that begins so much later than the one before may be its renewal. How early a server renews is its own
affair: large providers do it every few weeks, long before the old one ends."""

_NAMES = 200
_NAME_LIMIT = 80
_SHOWN = 4
_ADDRESSES = 64
_LINE_LIMIT = 500
_VERSIONS = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")

# What these say is compared as mechanisms and as STARTTLS already.
_TOLD_ELSEWHERE = ("AUTH ", "AUTH=", "SASL ", "STARTTLS ", "STLS ", "USER ")


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
    authority: str = ""
    """The root that the verified path ended at; empty where no authority was asked. Authorities issue by several
    intermediates in turn, so that an issuer's name changes at an ordinary renewal, and the root's does not."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    tls_version: str = ""
    starttls: bool | None = None
    mechanisms: tuple[str, ...] = ()
    """As they are compared: upper case, sorted."""
    capabilities: tuple[str, ...] = ()
    """In the same form."""
    addresses: tuple[str, ...] = ()

    def counts_for(self, protocol: Protocol, endpoint: Endpoint) -> bool:
        """Whether this speaks of the server at `endpoint`, reached in the same way."""
        mine = (self.protocol, self.host.lower(), self.port, self.security)
        return mine == (protocol, endpoint.host.lower(), endpoint.port, endpoint.security)


@dataclass(frozen=True, slots=True)
class RefusedLogin:
    """A login that a server refused. Of its secret it holds just enough to see that it has changed.

    `salt` is random, hex; `fingerprint` is of 16 bits, hex: one of 65,536 wrong guesses fits it as well, so that it
    tells nobody the secret. `reply` is the server's words, cleaned and masked.
    """

    host: str
    port: int
    username: str
    method: AuthMethod
    at: datetime
    salt: str
    fingerprint: str
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a check taught of one leg of an account, to be kept. None leaves what is kept already.

    `is_login_good` lets go of the refused login that is kept.
    """

    account: str
    leg: Leg
    baseline: Baseline | None = None
    refused: RefusedLogin | None = None
    is_login_good: bool = False


def baseline_of(leg: LegReport, at: datetime, before: Baseline | None = None) -> Baseline:
    """What `leg` saw of its server, as what the next check is compared with.

    Keys of `before` stay known, and so does whatever the leg did not come to see. A certificate that was rejected
    teaches nothing: whoever accepts a change has accepted no server that nobody vouches for.
    """
    endpoint, offered = leg.endpoint, leg.offered
    tls = None if leg.failure is not None and leg.failure.kind is FailureKind.CERTIFICATE else leg.tls
    if before is None or not before.counts_for(leg.protocol, endpoint):
        before = Baseline(leg.protocol, endpoint.host, endpoint.port, endpoint.security, at)
    certificate = tls.certificate if tls is not None else None
    keys = before.keys if tls is None else () if certificate is None else (certificate.pin, *before.keys)
    return Baseline(
        protocol=before.protocol,
        host=before.host,
        port=before.port,
        security=before.security,
        since=at,
        keys=tuple(dict.fromkeys(keys))[:KEYS],
        issuer=before.issuer if certificate is None else certificate.issuer,
        authority=before.authority if tls is None else _authority(tls, endpoint.certificate.trust),
        not_before=before.not_before if certificate is None else certificate.not_before,
        not_after=before.not_after if certificate is None else certificate.not_after,
        tls_version=before.tls_version if tls is None else tls.version,
        starttls=before.starttls if offered is None else offered.starttls,
        mechanisms=before.mechanisms if offered is None else _names(offered.mechanisms),
        capabilities=before.capabilities if offered is None else _names(offered.capabilities),
        addresses=leg.addresses[:_ADDRESSES] or before.addresses,
    )


def changes_since(
    before: Baseline,
    *,
    tls: TlsFacts | None,
    offered: Offered | None,
    addresses: tuple[str, ...],
    trust: Trust | None,
) -> tuple[Change, ...]:
    """How a server differs from `before`, the alarming first; empty where it does not.

    What is None or empty was not seen, and is not compared. `trust` is whose word accepted the certificate of `tls`;
    None where it was rejected.
    """
    changes: list[Change] = []
    if offered is not None:
        changes += _offer_changes(before, offered)
    if tls is not None:
        changes += _tls_changes(before, tls, trust)
    changes += _address_changes(before.addresses, addresses)
    return tuple(sorted(changes, key=lambda change: not change.is_alarming))


def is_tls_lower(before: Baseline, tls: TlsFacts | None) -> bool:
    """Whether `tls` is of an older version than the server had agreed to before."""
    versions = (tls.version if tls is not None else "", before.tls_version)
    if any(version not in _VERSIONS for version in versions):
        return False
    now, then = map(_VERSIONS.index, versions)
    return now < then


def changes_line(changes: tuple[Change, ...], since: datetime | None) -> str:
    """All of `changes` on one line; empty without any."""
    if not changes:
        return ""
    when = "" if since is None else f" since {shown_time(since)}"
    return clean(f"changed{when}: {'; '.join(change.words for change in changes)}", _LINE_LIMIT)


def untold_changes(leg: LegReport) -> str:
    """The line of what changed at the server of `leg`; empty where nothing did, or its hint or its warning says it."""
    line = changes_line(leg.changes, leg.changed_since)
    return "" if line in (leg.warning if leg.failure is None else leg.failure.hint) else line


def shown_time(moment: datetime) -> str:
    """A time as it stands within a sentence, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _offer_changes(before: Baseline, offered: Offered) -> Iterator[Change]:
    if before.starttls and offered.starttls is False:
        yield Change(ChangeKind.STARTTLS_LOST, "STARTTLS is offered no more", True)
    had, has = before.mechanisms, _names(offered.mechanisms)
    had_capabilities, has_capabilities = before.capabilities, _names(offered.capabilities)
    if lost := _without(had, has):
        yield Change(ChangeKind.MECHANISM_LOST, f"login by {_listed(lost)} is offered no more", True)
    if not had and not had_capabilities:
        # The check before did not come to see any of them.
        return
    if new := _without(has, had):
        yield Change(ChangeKind.MECHANISM_NEW, f"login by {_listed(new)} is offered now")
    gone = [name for name in _without(had_capabilities, has_capabilities) if _is_own(name)]
    added = [name for name in _without(has_capabilities, had_capabilities) if _is_own(name)]
    parts = [f"{_listed(added)} new"] * bool(added) + [f"{_listed(gone)} gone"] * bool(gone)
    if parts:
        yield Change(ChangeKind.CAPABILITIES, f"capabilities: {', '.join(parts)}")


def _tls_changes(before: Baseline, tls: TlsFacts, trust: Trust | None) -> Iterator[Change]:
    if before.keys and tls.certificate is not None:
        yield from _certificate_changes(before, tls, tls.certificate, trust)
    elif before.keys:
        # OpenSSL may read what nothing else can: a key that is not seen is none of those that are known.
        yield Change(ChangeKind.KEY, f"its key cannot be read; it was {before.keys[0][:16]}…", True)
    if is_tls_lower(before, tls):
        yield Change(ChangeKind.TLS_VERSION, f"{tls.version}, which is older than {before.tls_version}")
    elif before.tls_version and tls.version and tls.version != before.tls_version:
        yield Change(ChangeKind.TLS_VERSION, f"{tls.version} instead of {before.tls_version}")


def _certificate_changes(
    before: Baseline, tls: TlsFacts, certificate: CertificateFacts, trust: Trust | None
) -> Iterator[Change]:
    ends = f"its certificate ends on {certificate.not_after:%Y-%m-%d}"
    if certificate.pin not in before.keys:
        keys = f"{certificate.pin[:16]}… instead of {before.keys[0][:16]}…"
        if trust is Trust.PIN:
            # It would have been rejected if the account did not name it.
            yield Change(ChangeKind.KEY, f"the key is {keys}, as the account pins it")
        elif _is_ordinary_renewal(before, tls, certificate, trust):
            yield Change(ChangeKind.RENEWED, f"the certificate was renewed with a new key; {ends}")
        else:
            yield Change(ChangeKind.KEY, f"the key is {keys}", True)
    elif before.not_after is not None and certificate.not_after > before.not_after:
        yield Change(ChangeKind.RENEWED, f"the certificate was renewed with the same key; {ends}")
    if before.issuer and certificate.issuer and certificate.issuer != before.issuer:
        issuers = f"{clean(certificate.issuer, _NAME_LIMIT)} instead of {clean(before.issuer, _NAME_LIMIT)}"
        yield Change(ChangeKind.ISSUER, f"the issuer is {issuers}")


def _is_ordinary_renewal(before: Baseline, tls: TlsFacts, certificate: CertificateFacts, trust: Trust | None) -> bool:
    """Whether the authority that vouched for the old key vouches for the new one, by a certificate issued later."""
    if trust not in (Trust.SYSTEM, Trust.CA_FILE) or not tls.verified:
        return False
    authority = _authority(tls, trust)
    if certificate.issuer != before.issuer and not (authority and authority == before.authority):
        return False
    return before.not_before is not None and certificate.not_before - before.not_before >= RENEWAL


def _authority(tls: TlsFacts, trust: Trust) -> str:
    is_verified = tls.verified and trust in (Trust.SYSTEM, Trust.CA_FILE)
    return tls.chain[-1].subject if is_verified and tls.chain else ""


def _address_changes(had: tuple[str, ...], has: tuple[str, ...]) -> Iterator[Change]:
    if had and has and not _networks(had) & _networks(has):
        yield Change(ChangeKind.ADDRESSES, f"address {_listed(sorted(has))} instead of {_listed(sorted(had))}")


# The legs of a run meet few servers: their offers and addresses are put into form once, not for each leg.
@lru_cache(maxsize=64)
def _networks(addresses: tuple[str, ...]) -> frozenset[str]:
    """The networks that are usually one owner's: what moves within one is no news."""
    found = set()
    for address in addresses:
        try:
            version = ip_address(address).version
        except ValueError:
            found.add(address)
            continue
        bare = address.partition("%")[0]
        found.add(str(ip_network(f"{bare}/{48 if version == 6 else 24}", strict=False)))
    return frozenset(found)


@lru_cache(maxsize=64)
def _names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names in the form in which they are compared, the same for any case and order, and never without end."""
    return tuple(sorted({clean(name, _NAME_LIMIT).upper()[:_NAME_LIMIT] for name in names})[:_NAMES])


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    known = set(others)
    return [name for name in names if name not in known]


def _is_own(capability: str) -> bool:
    return not f"{capability} ".startswith(_TOLD_ELSEWHERE)


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(clean(name, _NAME_LIMIT) for name in names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
