"""A check as one plain text that can be shown to others: what helps to find a fault, nothing that names a person."""

import platform
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

from mailtui import __version__
from mailtui.actions.anonymity import Anonymizer
from mailtui.diagnosis import diagnose
from mailtui.model.account import ACCOUNT_TYPES, Account, CertificatePolicy, Login, Retrieval, Trust
from mailtui.model.check import CertificateFacts, CheckReport, Leg, LegReport, Severity, StageResult, Status, TlsFacts
from mailtui.model.diagnosis import Diagnosis
from mailtui.model.text import clean
from mailtui.model.trends import CapabilityChange, capability_change, leg_of_report, points, record
from mailtui.model.watch import shown_time
from mailtui.protocols.environment import openssl_version

_LIBRARIES = ("aiosmtplib", "aioimaplib", "textual")
_LISTED = 20
"""Checks of the history that are listed."""

_PREFACE = """\
mailtui report, made to be shown to others

  The account's address, usernames, names and notes, this computer's name and its IP addresses are replaced by
  words in angle brackets; secrets were never in it. Host names and IP addresses of the servers are here, and so is
  all that they said: read it before you send it."""


def share_report(account: Account, report: CheckReport, history: Sequence[CheckReport] = ()) -> str:
    """The whole `report` as text, the person taken out of it; those of `history` that are older are added in short.

    ASCII apart from what servers said. Pure but for what it says of the program's own environment.
    """
    history = [one for one in history if one.started < report.started]
    hide = Anonymizer(account, [report, *history])
    lines = [*_PREFACE.splitlines(), "", *_environment(), "", *_account(account, hide)]
    for leg in Leg:
        if (found := leg_of_report(report, leg)) is not None:
            change = capability_change(report, leg, history)
            lines += ["", *_leg(found, report.started, account, change, hide)]
    if history:
        lines += ["", *_history([report, *history])]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _environment() -> Iterator[str]:
    yield "Environment"
    yield _fact("mailtui", __version__)
    yield _fact("Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    yield _fact("TLS", openssl_version())
    yield _fact("Libraries", ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"


def _account(account: Account, hide: Anonymizer) -> Iterator[str]:
    yield "Account"
    yield _fact("Name", "<account-name>")
    yield _fact("Address", "<address>")
    # A label of their own may be a name.
    yield _fact("Type", account.type if account.type in ACCOUNT_TYPES else "(another)" if account.type else "(none)")
    yield _fact("Active", _yes(account.active))
    submission = account.submission
    policy = _policy(submission.endpoint.certificate)
    yield _fact("Sends by", hide(f"SMTP {submission.endpoint.label} {submission.endpoint.security.label}; {policy}"))
    yield _fact("", _login(account.submission_login, account))
    if submission.endpoint.allow_cleartext:
        yield _fact("", "the password may cross the network in clear")
    if account.retrieval is None:
        yield _fact("Receives", "nothing: this account only sends")
        return
    yield from _retrieval(account.retrieval, account, hide)


def _retrieval(retrieval: Retrieval, account: Account, hide: Anonymizer) -> Iterator[str]:
    endpoint = retrieval.endpoint
    words = f"{retrieval.protocol.label} {endpoint.label} {endpoint.security.label}; {_policy(endpoint.certificate)}"
    yield _fact("Receives by", hide(words))
    yield _fact("", _login(account.retrieval_login, account))
    if endpoint.allow_cleartext:
        yield _fact("", "the password may cross the network in clear")
    yield _fact("", f"{retrieval.mode.value}; mail stays on the server: {_yes(retrieval.leave_on_server)}")
    # Paths, commands and the names of mailboxes may name a person.
    limit = "none" if retrieval.size_limit is None else f"{retrieval.size_limit} MB"
    delivered = f"delivered to: {retrieval.destination.kind.value}, mailboxes named: {len(retrieval.mailboxes)}"
    yield _fact("", f"{delivered}, size limit: {limit}")


def _login(login: Login | None, account: Account) -> str:
    if login is None:
        return "no authentication"
    name = "<address>" if login.username == account.email else "<username>"
    kept = "nowhere" if login.secret is None else login.secret.scheme.value
    return f"login as {name}, method {login.method.label}, password from: {kept}"


def _policy(policy: CertificatePolicy) -> str:
    # Where a CA file is says who is logged in; a pin is a fact of the server.
    return f"{policy.trust.label} {policy.pin}" if policy.trust is Trust.PIN else policy.trust.label


def _leg(
    leg: LegReport, started: datetime, account: Account, change: CapabilityChange | None, hide: Anonymizer
) -> Iterator[str]:
    protocol, endpoint = leg.protocol.label, leg.endpoint
    yield hide(f"{leg.leg.value.capitalize()}: {protocol} {endpoint.label} {endpoint.security.label}")
    yield _fact("Checked", f"{started:%Y-%m-%d %H:%M:%S} UTC, {leg.ms:.0f} ms, {leg.round_trips} round trips")
    yield _fact("Result", _result(leg))
    if leg.failure is not None:
        yield _fact("What it is", hide(leg.failure.hint))
        yield _fact("Server said", hide(leg.failure.reply) or "(nothing)")
    if leg.warning:
        yield _fact("Warning", hide(leg.warning))
    if (diagnosis := diagnose(leg, account.email)) is not None:
        yield from _diagnosis(diagnosis, hide)
    yield from _observed(leg, hide)
    yield "  Stages"
    for stage in leg.stages:
        yield from _stage(stage, leg, hide)
    if leg.tls is not None:
        yield from _tls(leg.tls, started, hide)
    if leg.capabilities:
        yield "  Capabilities"
        for capability in leg.capabilities:
            yield f"    {hide(capability)}"
        yield from _change(change, hide)
    yield "  Transcript (ms, C is mailtui, S is the server)"
    for line in leg.transcript:
        yield f"    {line.at_ms:7.0f} {clean(line.sender, 1)} {hide(line.text)}"
    if not leg.transcript:
        yield "    (not kept)"


def _result(leg: LegReport) -> str:
    if leg.failure is None:
        return "good, with a warning" if leg.severity is Severity.WARNING else "good"
    return f"FAILED at {leg.failure.stage.value}: {leg.failure.cause.value} ({leg.failure.kind.value})"


def _diagnosis(diagnosis: Diagnosis, hide: Anonymizer) -> Iterator[str]:
    yield _fact("Diagnosis", hide(f"{diagnosis.rule}: {diagnosis.cause}" if diagnosis.cause else diagnosis.rule))
    for label, words in (("", diagnosis.explanation), ("What to do", diagnosis.fix), ("See", diagnosis.url)):
        if words:
            yield _fact(label, hide(words))
    if diagnosis.change is not None:
        consent = ", once a person has agreed" if diagnosis.change.needs_consent else ""
        yield _fact("mailtui can", hide(f"{diagnosis.change.words}{consent}"))


def _observed(leg: LegReport, hide: Anonymizer) -> Iterator[str]:
    """What was seen of the server on the way, beside what the stages tell."""
    if leg.changes:
        since = "" if leg.changed_since is None else f" since {shown_time(leg.changed_since)}"
        yield f"  Changed{since} (! holds the login back)"
        for one in leg.changes:
            yield f"    {'!' if one.is_alarming else ' '} {one.kind.value}: {hide(one.words)}"
    if leg.families:
        yield "  Address families"
        for family in leg.families:
            failed = f"{'silent' if family.is_silent else 'failed'}: {hide(family.error)}".rstrip(": ")
            ended = failed if family.ms is None else f"connected in {family.ms:.1f} ms"
            yield f"    {hide(family.family):5} {hide(family.address)}  {ended}"
    if leg.found:
        yield "  What answers (learnt without a login)"
        for found in leg.found:
            yield f"    port {found.port}: {found.service.value}, {found.security.label}  {hide(found.words)}"
    if leg.offered is not None:
        starttls = {None: "", True: "STARTTLS, ", False: "no STARTTLS, "}[leg.offered.starttls]
        yield _fact("Offered", hide(f"{starttls}logins: {' '.join(leg.offered.mechanisms) or 'none'}"))


def _stage(stage: StageResult, leg: LegReport, hide: Anonymizer) -> Iterator[str]:
    spent = "" if stage.status is Status.SKIPPED else f"{stage.ms:.1f} ms"
    status = stage.status.value.upper() if stage.status is Status.FAILED else stage.status.value
    yield f"    {stage.stage.value:13}{status:8}{spent:>11}  {hide(stage.detail)}"
    if stage.reply and (leg.failure is None or stage.reply != leg.failure.reply):
        yield f"{'':38}server: {hide(stage.reply)}"


def _tls(tls: TlsFacts, now: datetime, hide: Anonymizer) -> Iterator[str]:
    yield "  TLS"
    yield f"    {hide(f'{tls.version} {tls.cipher}')}, {'verified' if tls.verified else 'NOT VERIFIED'}"
    if tls.certificate is not None:
        yield from _certificate("certificate", tls.certificate, now, hide)
    for issuer in tls.chain:
        yield from _certificate("issued by", issuer, now, hide)


def _certificate(what: str, facts: CertificateFacts, now: datetime, hide: Anonymizer) -> Iterator[str]:
    yield f"    {what}: {hide(facts.subject) or '(no name)'}"
    if facts.names:
        yield f"      names    {hide(', '.join(facts.names))}"
    yield f"      issuer   {hide(facts.issuer)}"
    yield f"      valid    {facts.not_before:%Y-%m-%d} to {facts.not_after:%Y-%m-%d}, {facts.days_left(now)} days left"
    yield f"      SHA-256  {clean(facts.fingerprint)}"
    yield f"      key pin  {clean(facts.pin)}"


def _change(change: CapabilityChange | None, hide: Anonymizer) -> Iterator[str]:
    if change is not None:
        signs = [f"+ {hide(offer)}" for offer in change.added] + [f"- {hide(offer)}" for offer in change.removed]
        yield f"    changed since {shown_time(change.since)}: {', '.join(signs) or 'nothing'}"


def _history(history: Sequence[CheckReport]) -> Iterator[str]:
    yield "History"
    for leg in Leg:
        if (sum_of := record(points(history, leg))) is not None:
            median = "" if sum_of.median_ms is None else f", median {sum_of.median_ms:.0f} ms"
            yield _fact(
                leg.value.capitalize(),
                f"{sum_of.count} checks since {sum_of.since:%Y-%m-%d}, {sum_of.percent} % good{median}",
            )
    for report in sorted(history, key=lambda one: one.started, reverse=True)[:_LISTED]:
        yield f"    {report.started:%Y-%m-%d %H:%M:%S} UTC  {_ends(report.legs)}"


def _ends(legs: Iterable[LegReport]) -> str:
    return "; ".join(f"{leg.leg.value} {_result(leg)}, {leg.ms:.0f} ms" for leg in legs)


def _fact(label: str, value: str) -> str:
    return f"  {label:13}{value}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
