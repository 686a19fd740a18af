"""Whose certificates are trusted here, and whether this machine's clock can be right about them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from mailtui.model.check import CertificateFacts, CheckReport
from mailtui.model.finding import Finding, State
from mailtui.model.watch import shown_time
from mailtui.protocols.surroundings import Authorities, StoreUnreadable, authorities

SLACK = timedelta(minutes=5)
"""How much clocks may differ before it is worth a word."""

_CLOCK_REMEDY = "set the clock: timedatectl set-ntp true, or chronyd -q, or date -s"


def trust_findings(reports: Iterable[CheckReport], now: datetime) -> list[Finding]:
    """The store of authorities, and the clock against the dates of their certificates and of servers'. Blocks."""
    try:
        store = authorities()
    except StoreUnreadable as error:
        remedy = "install the package ca-certificates, or correct SSL_CERT_FILE"
        return [Finding("trust", State.FAILED, f"the certificate authorities cannot be read: {error}", remedy)]
    return [store_finding(store), clock_finding(store.lifetimes, list(reports), now)]


def store_finding(store: Authorities) -> Finding:
    """Whether there are authorities, and whose choice they are."""
    source = store.file or store.folder
    if store.missing:
        words = f"{store.named_by} names {store.missing}, which is not there"
        return Finding("trust", State.FAILED, words, f"correct {store.named_by}, or unset it")
    if not store.count and not store.folder:
        remedy = "install the package ca-certificates, or let SSL_CERT_FILE name a file of them"
        return Finding(
            "trust", State.FAILED, "no certificate authority is trusted here: every server is refused", remedy
        )
    if not store.count:
        return Finding("trust", State.OK, f"authorities are read one by one from {store.folder}")
    words = f"{store.count} certificate authorities from {source}"
    return Finding("trust", State.OK, f"{words}, as {store.named_by} says" if store.named_by else words)


def clock_finding(
    lifetimes: Sequence[tuple[datetime, datetime]], reports: Sequence[CheckReport], now: datetime
) -> Finding:
    """Whether the clock contradicts what has a date: authorities, servers' certificates, and the last checks.

    One of them may be wrong, or old; what decides is more than one, or a check that lies in the future.
    """
    said = shown_time(now)
    latest = max((report.started for report in reports), default=None)
    if latest is not None and latest - now > SLACK:
        words = f"the clock says {said}, but a check was made at {shown_time(latest)}"
        return Finding("clock", State.WARNING, words, f"{_CLOCK_REMEDY}; if it is right now, check once more")
    begun = sum(begins > now for begins, _ in lifetimes)
    if lifetimes and begun * 4 > len(lifetimes):
        words = f"the clock says {said}: {begun} of {len(lifetimes)} authorities would not be valid yet; it is behind"
        return Finding("clock", State.FAILED, words, _CLOCK_REMEDY)
    ended = sum(ends < now for _, ends in lifetimes)
    if lifetimes and ended * 2 > len(lifetimes):
        words = f"the clock says {said}: {ended} of {len(lifetimes)} authorities would have ended; it is ahead"
        return Finding("clock", State.FAILED, words, _CLOCK_REMEDY)
    return _against_servers(reports, now, said)


def _against_servers(reports: Sequence[CheckReport], now: datetime, said: str) -> Finding:
    seen = _certificates(reports)
    early = {facts.fingerprint: facts for facts in seen if facts.not_before - now > SLACK}
    if early:
        newest = max(facts.not_before for facts in early.values())
        begin = "a server's certificate begins" if len(early) == 1 else f"{len(early)} servers' certificates begin"
        words = f"the clock says {said}, but {begin} only by {newest:%Y-%m-%d}"
        state = State.FAILED if len(early) > 1 else State.WARNING
        return Finding("clock", state, f"{words}; it is behind", _CLOCK_REMEDY)
    count = len({facts.fingerprint for facts in seen})
    if count == 1:
        against = "a server's certificate agrees"
    else:
        against = f"{count} servers' certificates agree" if count else "the authorities' certificates agree"
    return Finding("clock", State.OK, f"{said}; {against} with it")


def _certificates(reports: Iterable[CheckReport]) -> list[CertificateFacts]:
    legs = (leg for report in reports for leg in report.legs)
    return [leg.tls.certificate for leg in legs if leg.tls is not None and leg.tls.certificate is not None]
